package store

import (
	"fmt"
	"time"
)

// Why an answer solved nothing after all.
const (
	undoneAgain  = "again"  // the same person asked for the same entry again
	undoneTicket = "ticket" // the same person reported something right after it
)

const (
	// AskedAgain is how long an answer is taken back by the same person's next
	// question that finds the same entry.
	AskedAgain = 7 * 24 * time.Hour
	// ReportedAfter is how long it is by a ticket of theirs, whatever its words:
	// who reports right after an answer was not helped by it.
	ReportedAfter = 30 * time.Minute
)

// countQuestion changes the sums by what a row counts for.
func (tx *Tx) countQuestion(r *questionRow, times int64) {
	f := questionFigures(r)
	at := tx.s.counting.day(r.AskedAt)
	c := tx.changes()
	for _, day := range []int64{dayKey(at), monthKey(at)} {
		keys := []figureKey{{ByAll, day, "", ""}, {ByBranch, day, r.Branch, ""}, {ByHour, day, fmt.Sprintf("%02d", at.Hour()), ""}}
		if r.Entry > 0 {
			keys = append(keys, figureKey{ByEntry, day, fmt.Sprint(r.Entry), ""})
		}
		for _, k := range keys {
			if c.questions[k] == nil {
				c.questions[k] = &QuestionFigures{}
			}
			addSums(c.questions[k].all(), f.all(), times)
		}
	}
}

// questionFigures is what one question counts for.
func questionFigures(r *questionRow) (f QuestionFigures) {
	f.Asked = 1
	switch r.Band {
	case "answer":
		f.Answered = 1
	case "clarify":
		f.Offered = 1
	default:
		f.Refused = 1
	}
	switch r.Feedback {
	case "useful":
		f.Useful = 1
	case "useless":
		f.Useless = 1
	case "person":
		f.Handed = 1
	}
	if r.Ticket > 0 {
		f.Ticketed = 1
	}
	if r.rawSolved() {
		f.RawSolved = 1
		if r.Ticket == 0 && r.Undone == "" {
			f.Solved = 1
		}
	}
	return f
}

// rawSolved tells whether a question got an answer that nobody objected to: a
// sure one, or one of several that was said to be of use.
func (r *questionRow) rawSolved() bool {
	switch r.Band {
	case "answer":
		return r.Feedback != "useless" && r.Feedback != "person"
	case "clarify":
		return r.Feedback == "useful"
	}
	return false
}

// changeQuestion writes what a question has become, if nobody else changed it
// since it was read, and what that changes of the sums.
func (tx *Tx) changeQuestion(old questionRow, change func(r *questionRow)) error {
	r := old
	change(&r)
	if r == old {
		return nil
	}
	r.Counted = tx.s.counting.no
	u := tx.db.Exec("UPDATE question SET entry=?, picked=?, feedback=?, ticket=?, undone=?, counted=? WHERE id=? AND entry=? AND feedback=? AND ticket=? AND undone=? AND counted=?",
		r.Entry, r.Picked, r.Feedback, r.Ticket, r.Undone, r.Counted, r.ID, old.Entry, old.Feedback, old.Ticket, old.Undone, old.Counted)
	if u.Error != nil || u.RowsAffected != 1 {
		return fmt.Errorf("question %d: %w", r.ID, errOr(u.Error, ErrStale))
	}
	if old.Counted == r.Counted {
		tx.countQuestion(&old, -1)
	}
	tx.countQuestion(&r, 1)
	return nil
}

// undo takes back the answers that somebody got since a time, before the
// question with an id: they reported something, or asked for the entry again.
func (tx *Tx) undo(asker, why string, since time.Time, entry, before int64) error {
	db := tx.db.Where("asker = ? AND asked_at >= ? AND id < ? AND undone = '' AND band <> 'refuse'", asker, millis(since), before)
	if entry > 0 {
		db = db.Where("entry = ?", entry)
	}
	var rows []questionRow
	if err := db.Order("id").Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		if err := tx.changeQuestion(r, func(r *questionRow) { r.Undone = why }); err != nil {
			return err
		}
	}
	return nil
}
