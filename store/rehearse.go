package store

import (
	"context"
	"errors"

	"frontline/bot/chat"
)

var errRehearsal = errors.New("a rehearsal is taken back")

// Rehearse runs changes and takes them all back. It returns the words that they
// would have queued, in order; at is how many there were when each step began.
// Numbers that were taken stay gaps.
func (s *Store) Rehearse(ctx context.Context, steps ...func(tx *Tx) error) (said []chat.Outgoing, at []int, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		said, at = nil, nil
		tx.heard = &said
		for _, step := range steps {
			at = append(at, len(said))
			if err := step(tx); err != nil {
				return err
			}
		}
		return errRehearsal
	})
	if errors.Is(err, errRehearsal) {
		err = nil
	}
	return said, at, err
}
