package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"frontline/kb"
)

// toldSince is how far back words count: what people ask changes, as entries do.
const toldSince = 180 * 24 * time.Hour

// PickEntry records which of the entries offered for a question its asker chose; the
// last choice counts. From then on the question is about that entry.
func (tx *Tx) PickEntry(message, asker string, entry int64) error {
	var r questionRow
	err := tx.db.First(&r, "message_id = ? AND asker = ? AND band = ?", message, asker, kb.Clarify.String()).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.changeQuestion(r, func(r *questionRow) { r.Entry, r.Picked = entry, 1 })
}

// Told returns up to n words of askers on what they were answered, the newest first,
// and up to as many questions that curators have confirmed behind them (kb.ToldSource).
// Who says that an answer is incomplete, outdated or unclear had asked for it; who wants
// a person after an answer says nothing of it, after a choice that nothing fitted.
func (s *Store) Told(ctx context.Context, n int) ([]kb.Told, error) {
	var rows []struct {
		Body, Band, Feedback, Reason, Asker string
		Entry, Picked                       int64
	}
	err := s.read.WithContext(ctx).Raw(`SELECT body, band, feedback, reason, asker, entry, picked FROM question
		WHERE id >= ? AND (picked = 1 OR feedback <> '') ORDER BY id DESC LIMIT ?`, idAt(s.Now().Add(-toldSince)), n).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("what was said of answers: %w", err)
	}
	var out []kb.Told
	for _, r := range rows {
		if t, ok := told(r.Band, r.Feedback, r.Reason, r.Picked == 1, r.Entry); ok {
			t.Text, t.By = r.Body, r.Asker
			out = append(out, t)
		}
	}
	musts, err := s.PublishedMusts(ctx, n)
	for _, m := range musts {
		out = append(out, kb.Told{Text: m.Question, Entry: m.Entry, Right: true, Confirmed: true})
	}
	return out, err
}

// told is what one row says; not ok, nothing. Where several entries were offered and
// none was chosen, 有用 and 没用 do not say of which.
func told(band, feedback, reason string, picked bool, entry int64) (t kb.Told, ok bool) {
	switch {
	case band == kb.Refuse.String():
		return t, false
	case band == kb.Clarify.String() && !picked:
		return t, feedback == "person"
	case entry == 0 || feedback == "person" && !picked:
		return t, false
	case feedback == "useless" && (reason == "" || reason == ReasonOff):
		return kb.Told{Entry: entry}, true
	}
	return kb.Told{Entry: entry, Right: true}, true
}
