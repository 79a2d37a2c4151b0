package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// Inline returns what the turn of message id says to the place it came from,
// once the turn has committed or ctx is over. Words that fits accepts are
// taken: no other road sends them, and a later call returns them again. done
// tells that the turn is over.
func (s *Store) Inline(ctx context.Context, id string, fits func(chat.Outgoing) bool) ([]chat.Outgoing, bool, error) {
	bell, off := s.turns.on(id)
	defer off()
	done, err := s.turnDone(id)
	for err == nil && !done && ctx.Err() == nil {
		// The turn may run in another replica, whose bell may be lost: also look by the clock.
		t := time.NewTimer(100 * time.Millisecond)
		select {
		case <-bell:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		done, err = s.turnDone(id)
	}
	if err != nil {
		return nil, false, err
	}
	say, err := s.takeInline(id, fits)
	return say, done, err
}

// inlineTime bounds the look-ups themselves; ctx only bounds the waiting.
const inlineTime = 2 * time.Second

func (s *Store) turnDone(id string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), inlineTime)
	defer cancel()
	var states []int
	err := s.read.WithContext(ctx).Model(&inboxRow{}).Where("message_id = ?", id).Limit(1).Pluck("state", &states).Error
	return len(states) == 1 && states[0] >= inboxDone, err
}

func (s *Store) takeInline(id string, fits func(chat.Outgoing) bool) ([]chat.Outgoing, error) {
	ctx, cancel := context.WithTimeout(context.Background(), inlineTime)
	defer cancel()
	rows, err := inlineRows(s.read.WithContext(ctx), id)
	if err != nil || len(rows) == 0 {
		return nil, err // most polls find nothing: they write nothing
	}
	var say []chat.Outgoing
	err = s.InTx(ctx, func(tx *Tx) error {
		say = say[:0]
		rows, err := inlineRows(tx.db, id)
		if err != nil {
			return err
		}
		for _, r := range rows {
			d, err := s.delivery(r)
			if err != nil || !fits(d.Outgoing) {
				continue
			}
			if r.State == outboxDue {
				u := tx.db.Exec("UPDATE outbox SET state=?, road=?, sent_parts=1, sent_at=? WHERE id=? AND state=?", outboxSent, roadInline, millis(tx.now), r.ID, outboxDue)
				if u.Error != nil {
					return u.Error
				}
				if u.RowsAffected != 1 {
					continue
				}
			}
			say = append(say, d.Outgoing)
		}
		return nil
	})
	if err != nil {
		return nil, err // perhaps taken, perhaps not: the next poll gets them, or another road
	}
	return say, nil
}

// inlineRows are the words that answer a message and may ride, or rode already.
func inlineRows(db *gorm.DB, id string) (rows []outboxRow, err error) {
	err = db.Where("reply_to = ? AND ((state = ? AND attempt = 0) OR (state = ? AND road = ?))", id, outboxDue, outboxSent, roadInline).
		Order("id").Find(&rows).Error
	return rows, err
}
