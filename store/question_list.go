package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// QuestionQuery chooses questions; its zero value chooses all. Kind is one of
// QuestionKinds, which are the figures that they count for.
type QuestionQuery struct {
	From, To time.Time // asked in [From, To)
	Branch   string
	Asker    string
	Kind     string
	Entry    int64
	N, Skip  int
}

// QuestionKinds are the conditions behind the figures over questions.
var QuestionKinds = []string{"asked", "answered", "offered", "refused", "useful", "useless", "handed", "ticketed", "raw", "solved", "undone"}

const (
	rawWhere = "((band = 'answer' AND feedback NOT IN ('useless','person')) OR (band = 'clarify' AND feedback = 'useful'))"
	undone   = "(ticket > 0 OR undone <> '')"
)

var questionWhere = map[string]string{
	"answered": "band = 'answer'", "offered": "band = 'clarify'", "refused": "band NOT IN ('answer','clarify')",
	"useful": "feedback = 'useful'", "useless": "feedback = 'useless'", "handed": "feedback = 'person'", "ticketed": "ticket > 0",
	"raw": rawWhere, "solved": rawWhere + " AND NOT " + undone, "undone": rawWhere + " AND " + undone,
}

func (s *Store) questionsWhere(ctx context.Context, q QuestionQuery) *gorm.DB {
	db := s.read.WithContext(ctx).Model(&questionRow{})
	if !q.From.IsZero() {
		db = db.Where("asked_at >= ?", millis(q.From))
	}
	if !q.To.IsZero() {
		db = db.Where("asked_at < ?", millis(q.To))
	}
	if q.Branch != "" {
		db = db.Where("branch = ?", q.Branch)
	}
	if q.Asker != "" {
		db = db.Where("asker = ?", q.Asker)
	}
	if q.Entry > 0 {
		db = db.Where("entry = ?", q.Entry)
	}
	if where := questionWhere[q.Kind]; where != "" {
		db = db.Where(where)
	}
	return db
}

// ListQuestions returns questions, newest first, at most 500.
func (s *Store) ListQuestions(ctx context.Context, q QuestionQuery) ([]Question, error) {
	var rows []questionRow
	err := s.questionsWhere(ctx, q).Order("asked_at DESC, id DESC").Limit(min(max(q.N, 1), 500)).Offset(q.Skip).Find(&rows).Error
	out := make([]Question, len(rows))
	for i, r := range rows {
		out[i] = r.question()
		out[i].Undone = r.Undone
	}
	return out, err
}

// CountQuestions counts them, up to CountMost.
func (s *Store) CountQuestions(ctx context.Context, q QuestionQuery) (n int64, err error) {
	part := s.questionsWhere(ctx, q).Select("id").Limit(CountMost)
	err = s.read.WithContext(ctx).Table("(?) AS part", part).Count(&n).Error
	return n, err
}

// AskedHere returns the questions that an entry answered in a place since a
// time, the newest first.
func (s *Store) AskedHere(ctx context.Context, place chat.Address, entry int64, since time.Time) ([]Question, error) {
	var rows []questionRow
	err := s.read.WithContext(ctx).Where("entry = ? AND asked_at >= ? AND band = 'answer'", entry, since.UnixMilli()).Order("id DESC").Limit(100).Find(&rows).Error
	var out []Question
	for _, r := range rows {
		if q := r.question(); q.Place == place {
			out = append(out, q)
		}
	}
	return out, err
}
