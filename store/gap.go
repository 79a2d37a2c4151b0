package store

import (
	"fmt"
	"slices"
	"time"
)

// OpenGap is a gap of the knowledge base that subscribers were told of: what
// several people asked and nothing answers. Gaps themselves are found anew from
// the questions at every look; this is what makes one of them end.
type OpenGap struct {
	ID             int64
	Lead           string // message of the question that stood for it when it was told
	Question       string // masked
	People, Asked  int    // when it was told
	Opened, Closed time.Time
	Why            string // why it is closed: learned, ignored, gone
	Entry          int64  // number of the entry that answers it, 0 for none
}

type gapRow struct {
	ID            int64 `gorm:"primaryKey;autoIncrement:false"`
	LeadMessage   string
	Question      string
	People, Asked int
	ClosedAt      int64
	Why           string
	Entry         int64
}

func (gapRow) TableName() string { return "gap" }

func (r gapRow) gap() OpenGap {
	return OpenGap{ID: r.ID, Lead: r.LeadMessage, Question: r.Question, People: r.People, Asked: r.Asked, Opened: idTime(r.ID), Closed: fromMillis(r.ClosedAt), Why: r.Why, Entry: r.Entry}
}

// OpenGaps are the gaps that were told and are not closed.
func (tx *Tx) OpenGaps() ([]OpenGap, error) {
	var rows []gapRow
	err := tx.db.Where("closed_at = 0").Order("id").Find(&rows).Error
	out := make([]OpenGap, len(rows))
	for i, r := range rows {
		out[i] = r.gap()
	}
	return out, err
}

// OpenGap records that a gap is told, unless its question was settled since it
// was read.
func (tx *Tx) OpenGap(g *OpenGap) (fresh bool, err error) {
	var still int64
	if err := tx.db.Model(&questionRow{}).Where("message_id = ? AND outcome = ''", g.Lead).Count(&still).Error; err != nil || still == 0 {
		return false, err
	}
	g.ID, g.Opened = tx.s.ids.next(tx.now), tx.now
	return true, tx.db.Create(&gapRow{ID: g.ID, LeadMessage: g.Lead, Question: g.Question, People: g.People, Asked: g.Asked}).Error
}

// CloseGaps closes the open gaps that one of the messages stands for, and
// returns them.
func (tx *Tx) CloseGaps(messages []string, why string, entry int64) (out []OpenGap, err error) {
	for part := range slices.Chunk(messages, 200) {
		var rows []gapRow
		if err := tx.db.Where("closed_at = 0 AND lead_message IN ?", part).Order("id").Find(&rows).Error; err != nil {
			return nil, err
		}
		for _, r := range rows {
			r.ClosedAt, r.Why, r.Entry = millis(tx.now), why, entry
			u := tx.db.Exec("UPDATE gap SET closed_at=?, why=?, entry=? WHERE id=? AND closed_at=0", r.ClosedAt, r.Why, r.Entry, r.ID)
			if u.Error != nil || u.RowsAffected != 1 {
				return nil, fmt.Errorf("close a gap: %w", errOr(u.Error, ErrStale))
			}
			out = append(out, r.gap())
		}
	}
	return out, nil
}
