package store

import (
	"cmp"
	"fmt"
	"slices"

	"gorm.io/gorm/clause"

	"frontline/kb"
)

// Many entries are written together: a file of a hundred thousand rows would spend
// its time on the way to the database if each of its rows went there nine times.

// EntryWrite is one of many writes.
type EntryWrite struct {
	Entry   kb.Entry // as it is to be; a new one without a number gets the next
	Version int      // the one that was looked at, 0 for a new entry
	Reason  string   // that the version keeps
}

// rowBytes bounds what one statement carries, far below a server's packet.
const (
	rowBytes = 1 << 20
	rowsMost = 100
)

// WriteEntries writes entries, each at most once. It says of each what became of
// it, as PutEntry does; After is 0 where nothing was written because another entry
// has the question or the number, or because there is a newer version.
func (tx *Tx) WriteEntries(by string, list []EntryWrite) ([]EntryPut, error) {
	if err := tx.LockEntries(); err != nil {
		return nil, err
	}
	b := entryBatch{tx: tx, by: by, out: make([]EntryPut, len(list))}
	if err := b.look(list); err != nil {
		return nil, err
	}
	for i, w := range list {
		b.plan(i, w)
	}
	if len(b.rows) == 0 {
		return b.out, nil
	}
	if err := b.number(); err != nil {
		return nil, err
	}
	return b.out, b.write()
}

// entryBatch is what WriteEntries knows and is about to write.
type entryBatch struct {
	tx    *Tx
	by    string
	was   map[int64]entryRow // entries that are there, by number
	keys  map[string]int     // how many entries have a question
	out   []EntryPut
	rows  []entryRow
	from  []int // which write each row is of
	why   []string
	first []entryRow // versions from before revisions were kept
}

// look reads what the writes may meet.
func (b *entryBatch) look(list []EntryWrite) error {
	numbers, keys := []int64{0}, []string{""}
	for _, w := range list {
		numbers, keys = append(numbers, w.Entry.Number), append(keys, questionKey(w.Entry.Question))
	}
	var rows []entryRow
	if err := b.tx.db.Where("number IN ?", numbers).Find(&rows).Error; err != nil {
		return err
	}
	b.was, b.keys = make(map[int64]entryRow, len(rows)), map[string]int{}
	for _, r := range rows {
		b.was[r.Number] = r
	}
	var taken []string
	if err := b.tx.db.Model(&entryRow{}).Where("question_key IN ?", keys).Pluck("question_key", &taken).Error; err != nil {
		return err
	}
	for _, k := range taken {
		b.keys[k]++
	}
	var kept []revisionRow
	if err := b.tx.db.Select("entry, version").Where("entry IN ?", numbers).Find(&kept).Error; err != nil {
		return err
	}
	has := map[[2]int64]bool{}
	for _, r := range kept {
		has[[2]int64{r.Entry, int64(r.Version)}] = true
	}
	for _, r := range rows {
		if !has[[2]int64{r.Number, int64(r.Version)}] {
			b.first = append(b.first, r)
		}
	}
	return nil
}

// plan decides about one write.
func (b *entryBatch) plan(i int, w EntryWrite) {
	if w.Entry.State == "" {
		w.Entry.State = kb.Published
	}
	row := rowOf(w.Entry)
	old, there := b.was[row.Number]
	if w.Version == 0 {
		if there || row.Number == 0 && b.keys[row.QuestionKey] > 0 {
			return
		}
		row.EditedBy = clip(b.by, 64)
	} else {
		if !there || old.Version != w.Version {
			return
		}
		b.out[i] = EntryPut{old.Number, old.Version, old.Version}
		if row.keep(old, b.by); row == old {
			return
		}
		if row.QuestionKey != old.QuestionKey {
			if b.keys[row.QuestionKey] > 0 {
				b.out[i].After = 0
				return
			}
			b.keys[old.QuestionKey]--
		}
	}
	if w.Version == 0 || row.QuestionKey != old.QuestionKey {
		b.keys[row.QuestionKey]++
	}
	row.Version, row.UpdatedAt, row.UpdatedBy = row.Version+1, millis(b.tx.now), b.by
	if row.Number != 0 {
		b.was[row.Number] = row
	}
	b.out[i].After = row.Version
	b.rows, b.from, b.why = append(b.rows, row), append(b.from, i), append(b.why, w.Reason)
}

// number gives out numbers of entries and of changes.
func (b *entryBatch) number() error {
	most, fresh := int64(0), int64(0)
	for _, r := range b.rows {
		switch {
		case r.Number == 0:
			fresh++
		case r.Version == 1: // from a file of another base: the counter must not give it out again
			most = max(most, r.Number)
		}
	}
	if most > 0 {
		if err := b.tx.db.Exec("UPDATE counter SET next=? WHERE kind=? AND next<=?", most+1, NumberEntry, most).Error; err != nil {
			return err
		}
	}
	next, err := int64(0), error(nil)
	if fresh > 0 {
		if next, err = nextOf(b.tx, NumberEntry, fresh); err != nil {
			return err
		}
	}
	change, err := nextOf(b.tx, "change", int64(len(b.rows)))
	if err != nil {
		return err
	}
	for k := range b.rows {
		r := &b.rows[k]
		if r.Number == 0 {
			r.Number, next = next, next+1
		}
		r.Changed, change = change, change+1
		b.out[b.from[k]].Number = r.Number
	}
	return nil
}

func (b *entryBatch) write() error {
	written := map[int64]bool{}
	revisions := make([]revisionRow, 0, len(b.rows)+len(b.first))
	for k, r := range b.rows {
		written[r.Number] = true
		v, err := revisionOf(r, b.why[k])
		if err != nil {
			return err
		}
		revisions = append(revisions, v)
	}
	for _, r := range b.first {
		if !written[r.Number] {
			continue
		}
		v, err := revisionOf(r, "")
		if err != nil {
			return err
		}
		revisions = append(revisions, v)
	}
	slices.SortStableFunc(b.rows, func(x, y entryRow) int { return cmp.Compare(min(x.Version, 2), min(y.Version, 2)) })
	fresh, _ := slices.BinarySearchFunc(b.rows, 2, func(r entryRow, v int) int { return cmp.Compare(min(r.Version, 2), v) })
	size := func(r entryRow) int {
		return len(r.Question) + len(r.SimilarList) + len(r.Answer) + len(r.AnswerText) + len(r.Steps)
	}
	for part := range chunks(b.rows[:fresh], size) {
		if err := b.tx.db.Create(&part).Error; err != nil {
			return fmt.Errorf("new entries from K%d: %w", part[0].Number, err)
		}
	}
	for part := range chunks(b.rows[fresh:], size) {
		if err := b.tx.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&part).Error; err != nil {
			return fmt.Errorf("entries from K%d: %w", part[0].Number, err)
		}
	}
	for part := range chunks(revisions, func(r revisionRow) int { return len(r.Body) }) {
		if err := b.tx.db.Create(&part).Error; err != nil {
			return fmt.Errorf("keep entries from K%d as they are: %w", part[0].Entry, err)
		}
	}
	b.tx.ringEntries()
	return nil
}

// chunks cuts rows into what one statement carries.
func chunks[T any](rows []T, size func(T) int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(rows) > 0 {
			n, bytes := 0, 0
			for n < len(rows) && n < rowsMost && (n == 0 || bytes+size(rows[n]) <= rowBytes) {
				bytes, n = bytes+size(rows[n]), n+1
			}
			if !yield(slices.Clip(rows[:n])) {
				return
			}
			rows = rows[n:]
		}
	}
}
