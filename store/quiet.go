package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// Quiet hours (免打扰) of a person or a group: what is said there unasked waits in
// the outbox until they are over. Held words keep their key and their seal, and
// do not stand before others: whoever asks in the night is answered.

// QuietHours are every day's hours, in minutes since midnight. Hours that end
// before they begin go past midnight.
type QuietHours struct {
	From, Until int
	By          string
	Changed     time.Time
}

// Set tells whether there are any.
func (q QuietHours) Set() bool { return q.From != q.Until }

// End is when the hours that t is in are over, in t's own zone; zero outside them.
func (q QuietHours) End(t time.Time) time.Time {
	if !q.Set() {
		return time.Time{}
	}
	for _, day := range []int{-1, 0} { // since yesterday evening, or today's
		at := func(minutes int) time.Time {
			return time.Date(t.Year(), t.Month(), t.Day()+day, 0, minutes, 0, 0, t.Location())
		}
		from, until := at(q.From), at(q.Until)
		if q.Until < q.From {
			until = at(q.Until + 24*60)
		}
		if !t.Before(from) && t.Before(until) {
			return until
		}
	}
	return time.Time{}
}

type quietRow struct {
	Place     string `gorm:"primaryKey"`
	Starts    int
	Ends      int
	Author    string
	ChangedAt int64
}

func (quietRow) TableName() string { return "quiet_hours" }

// quietKey is where the quiet hours of a place stand: those of a person count
// whichever way words go.
func quietKey(to chat.Address) string {
	if to.Kind == chat.Person {
		to.Via = ""
	}
	return clip(to.String(), 191)
}

func quietHours(db *gorm.DB, to chat.Address) (QuietHours, error) {
	var r quietRow
	err := db.Take(&r, "place = ?", quietKey(to)).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = nil
	}
	return QuietHours{r.Starts, r.Ends, r.Author, fromMillis(r.ChangedAt)}, err
}

// QuietHours are those of a place; none set when it has none.
func (s *Store) QuietHours(ctx context.Context, to chat.Address) (QuietHours, error) {
	return quietHours(s.read.WithContext(ctx), to)
}

// SetQuietHours sets the quiet hours of a place, or takes them away when they are
// none. What was held under the old ones is looked at anew.
func (tx *Tx) SetQuietHours(to chat.Address, q QuietHours) error {
	if err := tx.db.Exec("DELETE FROM quiet_hours WHERE place=?", quietKey(to)).Error; err != nil {
		return err
	}
	if q.Set() {
		if err := tx.db.Create(&quietRow{quietKey(to), q.From, q.Until, clip(q.By, 64), millis(tx.now)}).Error; err != nil {
			return err
		}
	}
	places := []string{hashKey(to.String())}
	if to.Kind == chat.Person {
		places = places[:0]
		for _, via := range []chat.Via{"", chat.App, chat.Bot} {
			places = append(places, hashKey(chat.Address{Kind: to.Kind, ID: to.ID, Via: via}.String()))
		}
	}
	return tx.db.Exec("UPDATE outbox SET due_at=? WHERE state=? AND target_key IN ?", millis(tx.now), outboxHeld, places).Error
}

// QuietUntil is when the quiet hours of a place that run now are over; zero when
// none do.
func (tx *Tx) QuietUntil(to chat.Address) (time.Time, error) {
	q, err := quietHours(tx.db, to)
	if err != nil {
		return time.Time{}, err
	}
	return q.End(tx.now), nil
}

// holds tells until when words wait for the end of the quiet hours of their
// place; zero for words that may go now.
func (tx *Tx) holds(out chat.Outgoing) (time.Time, error) {
	switch {
	case out.Urgent, out.Asked, out.Body.Update != nil: // a card that is rewritten disturbs nobody
		return time.Time{}, nil
	case out.To.Kind != chat.Person && out.To.Kind != chat.Group && out.To.Kind != chat.Robot:
		return time.Time{}, nil
	case tx.turn != nil && (out.To == tx.turn.Msg.From || out.To.Kind == chat.Person && out.To.ID == tx.turn.Msg.Sender):
		return time.Time{}, nil
	}
	return tx.QuietUntil(out.To)
}

// Held is what waits for the end of quiet hours.
type Held struct {
	ID   int64
	At   time.Time
	Said chat.Outgoing
}

// heldMost bounds what is let go of at once for one place.
const heldMost = 200

// HeldPlaces are up to n places for which held words are due.
func (s *Store) HeldPlaces(ctx context.Context, n int) ([]chat.Address, error) {
	var rows []outboxRow
	err := s.read.WithContext(ctx).Raw("SELECT o.* FROM outbox o JOIN (SELECT MIN(id) AS id FROM outbox WHERE state=? AND due_at<=? GROUP BY target_key ORDER BY id LIMIT ?) h ON h.id=o.id ORDER BY o.id", outboxHeld, millis(s.now()), n).Scan(&rows).Error
	var out []chat.Address
	for _, r := range rows {
		if d, err := s.delivery(r); err == nil {
			out = append(out, d.To)
		}
	}
	return out, err
}

// Held are the held words for a place that are due, oldest first.
func (tx *Tx) Held(to chat.Address) ([]Held, error) {
	var rows []outboxRow
	err := tx.db.Where("state = ? AND target_key = ? AND due_at <= ?", outboxHeld, hashKey(to.String()), millis(tx.now)).Order("id").Limit(heldMost).Find(&rows).Error
	out := make([]Held, 0, len(rows))
	for _, r := range rows {
		d, err := tx.s.delivery(r)
		if err != nil {
			return nil, err
		}
		out = append(out, Held{r.ID, idTime(r.ID), d.Outgoing})
	}
	return out, err
}

// HoldOn keeps the held words for a place until a later time.
func (tx *Tx) HoldOn(to chat.Address, until time.Time) error {
	return tx.db.Exec("UPDATE outbox SET due_at=? WHERE state=? AND target_key=?", millis(until), outboxHeld, hashKey(to.String())).Error
}

// LetGo sends held words now.
func (tx *Tx) LetGo(ids []int64) error {
	tx.bells = append(tx.bells, tx.s.ringOutbox)
	return tx.endHold(ids, "state=?, due_at=?", outboxDue, millis(tx.now))
}

// SummedUp ends the wait of held words that other words have said.
func (tx *Tx) SummedUp(ids []int64) error { return tx.endHold(ids, "state=?", outboxSummed) }

func (tx *Tx) endHold(ids []int64, set string, args ...any) error {
	if len(ids) == 0 {
		return nil
	}
	u := tx.db.Exec("UPDATE outbox SET "+set+" WHERE state=? AND id IN ?", append(args, outboxHeld, ids)...)
	if u.Error == nil && u.RowsAffected != int64(len(ids)) {
		return ErrStale
	}
	return u.Error
}
