package store

import (
	"context"
	"time"

	"frontline/kb"
)

// CountDueEntries counts what ListDueEntries would list without an end.
func (s *Store) CountDueEntries(ctx context.Context, day string) (n int64, err error) {
	err = s.read.WithContext(ctx).Model(&entryRow{}).Where(dueEntry, kb.Published, day, day).Count(&n).Error
	return n, err
}

// OldEntries returns the numbers of the published entries that were there
// already at a time, in order. An entry older than its versions is as old as
// its last change.
func (s *Store) OldEntries(ctx context.Context, at time.Time) (numbers []int64, err error) {
	err = s.read.WithContext(ctx).Raw(`SELECT number FROM entry WHERE state = ?
		AND COALESCE((SELECT r.at FROM entry_revision r WHERE r.entry = entry.number ORDER BY r.version LIMIT 1), updated_at) <= ? ORDER BY number`, kb.Published, at.UnixMilli()).Scan(&numbers).Error
	return numbers, err
}

// EntriesOf returns some entries by their numbers; what is not there is left out.
func (s *Store) EntriesOf(ctx context.Context, numbers []int64) (map[int64]kb.Entry, error) {
	out := make(map[int64]kb.Entry, len(numbers))
	for len(numbers) > 0 {
		part := numbers[:min(len(numbers), 200)]
		numbers = numbers[len(part):]
		var rows []entryRow
		if err := s.read.WithContext(ctx).Where("number IN ?", part).Find(&rows).Error; err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Number] = r.entry()
		}
	}
	return out, nil
}
