package store

import (
	"context"
	"fmt"
	"time"
)

// fillBatch is how many rows one transaction counts.
const fillBatch = 300

// FillFigures counts what was there before the figures were, for some time or
// until nothing is left; then done is true. Rows that change meanwhile are
// counted by the change, so every row is counted once.
func (s *Store) FillFigures(ctx context.Context, most time.Duration) (done bool, err error) {
	began := time.Now()
	for {
		left := false
		err := again(ctx, func() error {
			return s.InTx(ctx, func(tx *Tx) (err error) {
				left, err = tx.fillFigures()
				return err
			})
		})
		if err != nil || !left {
			return err == nil, err
		}
		if time.Since(began) > most || ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
}

// FiguresFilled tells whether all rows are in the sums.
func (s *Store) FiguresFilled(ctx context.Context) (bool, error) {
	var st figureState
	err := s.read.WithContext(ctx).First(&st, "name = ?", figuresName).Error
	return !st.left(), err
}

func (st figureState) left() bool {
	return st.TicketID < st.TicketTop || st.QuestionID < st.QuestionTop
}

func (tx *Tx) fillFigures() (left bool, err error) {
	var st figureState
	if err := tx.db.First(&st, "name = ?", figuresName).Error; err != nil {
		return false, err
	}
	if !st.left() || st.CountNo != tx.s.counting.no {
		return false, nil
	}
	was := st
	if st.TicketID < st.TicketTop {
		st.TicketID, err = tx.fillTickets(st.TicketID, st.TicketTop)
	} else {
		st.QuestionID, err = tx.fillQuestions(st.QuestionID, st.QuestionTop)
	}
	if err != nil {
		return false, err
	}
	u := tx.db.Exec("UPDATE figure_state SET ticket_id=?, question_id=? WHERE name=? AND count_no=? AND ticket_id=? AND question_id=?", st.TicketID, st.QuestionID, figuresName, was.CountNo, was.TicketID, was.QuestionID)
	if u.Error != nil || u.RowsAffected != 1 {
		return false, fmt.Errorf("count figures: %w", errOr(u.Error, ErrStale))
	}
	return st.left(), nil
}

func (tx *Tx) fillTickets(after, top int64) (int64, error) {
	var rows []ticketRow
	if err := tx.db.Select(figureColumns).Where("id > ? AND id <= ?", after, top).Order("id").Limit(fillBatch).Find(&rows).Error; err != nil || len(rows) == 0 {
		return top, err
	}
	var ids []int64
	for i := range rows {
		if r := &rows[i]; r.Counted != tx.s.counting.no {
			tx.countTicket(r, 1)
			ids = append(ids, r.ID)
		}
	}
	return rows[len(rows)-1].ID, tx.counted("ticket", ids)
}

func (tx *Tx) fillQuestions(after, top int64) (int64, error) {
	var rows []questionRow
	if err := tx.db.Where("id > ? AND id <= ?", after, top).Order("id").Limit(fillBatch).Find(&rows).Error; err != nil || len(rows) == 0 {
		return top, err
	}
	var ids []int64
	for i := range rows {
		r := &rows[i]
		if r.Counted == tx.s.counting.no {
			continue
		}
		if err := tx.findUndone(r); err != nil {
			return after, err
		}
		tx.countQuestion(r, 1)
		ids = append(ids, r.ID)
	}
	return rows[len(rows)-1].ID, tx.counted("question", ids)
}

// findUndone looks for what took back an answer that was given before that was
// kept with it.
func (tx *Tx) findUndone(r *questionRow) error {
	if r.Undone != "" || r.Band == "refuse" {
		return nil
	}
	asked := fromMillis(r.AskedAt)
	var n int64
	why := undoneTicket
	err := tx.db.Raw("SELECT COUNT(*) FROM ticket WHERE reporter=? AND created_at>=? AND created_at<=?", r.Asker, r.AskedAt, millis(asked.Add(ReportedAfter))).Scan(&n).Error
	if err == nil && n == 0 && r.Entry > 0 {
		why = undoneAgain
		err = tx.db.Raw("SELECT COUNT(*) FROM question WHERE asker=? AND entry=? AND id>? AND asked_at<=?", r.Asker, r.Entry, r.ID, millis(asked.Add(AskedAgain))).Scan(&n).Error
	}
	if err != nil || n == 0 {
		return err
	}
	r.Undone = why
	return tx.db.Exec("UPDATE question SET undone=? WHERE id=?", why, r.ID).Error
}

// counted marks rows as counted; if one of them was counted by somebody else
// since it was read, the transaction has to be done again.
func (tx *Tx) counted(table string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	u := tx.db.Exec("UPDATE "+table+" SET counted=? WHERE id IN ? AND counted<>?", tx.s.counting.no, ids, tx.s.counting.no)
	if u.Error != nil || u.RowsAffected != int64(len(ids)) {
		return fmt.Errorf("count %s: %w", table, errOr(u.Error, ErrStale))
	}
	return nil
}
