package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"frontline/kb"
)

type entryRow struct {
	Number       int64 `gorm:"primaryKey;autoIncrement:false"`
	Question     string
	QuestionKey  string
	SimilarList  string
	Negative     string
	ShortTitle   string
	Answer       string
	AnswerText   string
	Steps        string
	Exceptions   string
	State        string
	ServiceGroup string
	Category     string
	Tags         string
	Owner        string
	ValidUntil   string
	ReviewAt     string
	Version      int
	Changed      int64
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy    string
	EditedBy     string
}

func (entryRow) TableName() string { return "entry" }

func (r entryRow) entry() kb.Entry {
	e := kb.Entry{Number: r.Number, Question: r.Question, ShortTitle: r.ShortTitle, Answer: r.Answer, AnswerText: r.AnswerText, Steps: r.Steps, Exceptions: r.Exceptions,
		State: r.State, Group: r.ServiceGroup, Category: r.Category, Owner: r.Owner, ValidUntil: r.ValidUntil, ReviewAt: r.ReviewAt, Version: r.Version, Changed: r.Changed, Editor: r.EditedBy}
	e.Similar, e.Negative, e.Tags = list(r.SimilarList), list(r.Negative), list(r.Tags)
	return e
}

func list(text string) (out []string) {
	json.Unmarshal([]byte(text), &out) // written by us; an unreadable list is an empty one
	return out
}

func listText(l []string) string {
	if len(l) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(l)
	return string(b)
}

func rowOf(e kb.Entry) entryRow {
	return entryRow{Number: e.Number, Question: e.Question, QuestionKey: questionKey(e.Question), SimilarList: listText(e.Similar), Negative: listText(e.Negative), ShortTitle: e.ShortTitle,
		Answer: e.Answer, AnswerText: e.AnswerText, Steps: e.Steps, Exceptions: e.Exceptions, State: e.State, ServiceGroup: e.Group, Category: e.Category, Tags: listText(e.Tags),
		Owner: e.Owner, ValidUntil: e.ValidUntil, ReviewAt: e.ReviewAt}
}

// keep takes over what a row has that is no part of an entry, and says who
// wrote its words; who only moves or files it did not.
func (r *entryRow) keep(old entryRow, by string) {
	r.Number, r.Version, r.Changed, r.UpdatedAt, r.UpdatedBy, r.EditedBy = old.Number, old.Version, old.Changed, old.UpdatedAt, old.UpdatedBy, old.EditedBy
	moved := *r
	moved.State, moved.Owner, moved.ReviewAt, moved.ServiceGroup, moved.Category, moved.Tags = old.State, old.Owner, old.ReviewAt, old.ServiceGroup, old.Category, old.Tags
	if moved != old {
		r.EditedBy = clip(by, 64)
	}
}

// questionKey is equal for questions that differ only in white space or case.
func questionKey(q string) string {
	return hashKey(strings.ToLower(strings.Join(strings.Fields(q), " ")))
}

// Put says what PutEntries did.
type Put struct{ Created, Updated, Same int }

// PutEntries stores entries: one with a number updates that entry, one without
// updates the entry with the same question or becomes a new one, so the same
// import twice changes nothing. Everything or nothing is written.
func (tx *Tx) PutEntries(by string, entries []kb.Entry) (Put, error) {
	return tx.PutEntriesTelling(by, entries, func(EntryPut) error { return nil })
}

// PutEntriesTelling is PutEntries that tells of each entry that is new or changed.
func (tx *Tx) PutEntriesTelling(by string, entries []kb.Entry, wrote func(EntryPut) error) (p Put, err error) {
	if err := tx.LockEntries(); err != nil {
		return p, err
	}
	for _, e := range entries {
		done, err := tx.PutEntry(by, "", e)
		switch {
		case err != nil:
			return p, err
		case done.Before == 0:
			p.Created++
		case done.Before == done.After:
			p.Same++
		default:
			p.Updated++
		}
		if done.Before == done.After {
			continue
		}
		if err := wrote(done); err != nil {
			return p, err
		}
	}
	return p, nil
}

// LockEntries keeps everybody else from changing entries until the commit. One
// counter row, held that long, makes the order of changes the order of commits:
// who follows the changes misses none. It also keeps two imports of the same
// question apart.
func (tx *Tx) LockEntries() error {
	return tx.db.Exec("UPDATE counter SET next=next+1 WHERE kind='change'").Error
}

// EntryPut is what PutEntry did: the version before, 0 for a new entry, and the
// version after.
type EntryPut struct {
	Number        int64
	Before, After int
}

// PutEntry is PutEntries for one, after LockEntries.
func (tx *Tx) PutEntry(by, reason string, e kb.Entry) (EntryPut, error) {
	if e.State == "" {
		e.State = kb.Published
	}
	row := rowOf(e)
	old, err := tx.oldEntry(row)
	if err != nil {
		return EntryPut{}, err
	}
	tx.reason = reason
	defer func() { tx.reason = "" }()
	if old == nil {
		number, err := tx.putEntry(by, row, true)
		return EntryPut{number, 0, 1}, err
	}
	if row.keep(*old, by); row == *old {
		return EntryPut{old.Number, old.Version, old.Version}, nil
	}
	if err := tx.keepFirst(*old); err != nil {
		return EntryPut{}, err
	}
	number, err := tx.putEntry(by, row, false)
	return EntryPut{number, old.Version, old.Version + 1}, err
}

// NewEntry stores an entry that must not touch another: ErrExists when its
// question is there already. It returns the new number.
func (tx *Tx) NewEntry(by string, e kb.Entry) (int64, error) { return tx.NewEntryOf(by, "", e) }

// NewEntryOf is NewEntry with the reason that its first version keeps.
func (tx *Tx) NewEntryOf(by, reason string, e kb.Entry) (int64, error) {
	tx.reason = reason
	defer func() { tx.reason = "" }()
	if err := tx.LockEntries(); err != nil {
		return 0, err
	}
	e.Number = 0
	row := rowOf(e)
	old, err := tx.oldEntry(row)
	if err != nil {
		return 0, err
	}
	if old != nil {
		return old.Number, fmt.Errorf("entry K%d: %w", old.Number, ErrExists)
	}
	return tx.putEntry(by, row, true)
}

// FindEntry returns an entry by its number, or ErrNotFound.
func (tx *Tx) FindEntry(number int64) (kb.Entry, error) { return findEntry(tx.db, number) }

// ChangeEntry changes one entry in place. version, when not 0, is the one that
// was looked at: ErrStale when there is a newer one. ErrExists tells that
// another entry has the new question. Nothing is written when nothing changed.
func (tx *Tx) ChangeEntry(by, reason string, number int64, version int, change func(e *kb.Entry) error) (kb.Entry, error) {
	if err := tx.LockEntries(); err != nil {
		return kb.Entry{}, err
	}
	old, err := tx.oldEntry(entryRow{Number: number})
	if err != nil {
		return kb.Entry{}, err
	}
	if old == nil {
		return kb.Entry{}, fmt.Errorf("entry K%d: %w", number, ErrNotFound)
	}
	if version != 0 && version != old.Version {
		return old.entry(), fmt.Errorf("entry K%d: %w", number, ErrStale)
	}
	e := old.entry()
	if err := change(&e); err != nil {
		return e, err
	}
	row := rowOf(e)
	if row.keep(*old, by); row == *old {
		return e, nil
	}
	if row.QuestionKey != old.QuestionKey {
		twin, err := tx.oldEntry(entryRow{QuestionKey: row.QuestionKey})
		if err != nil {
			return e, err
		}
		if twin != nil {
			return twin.entry(), fmt.Errorf("entry K%d: %w", twin.Number, ErrExists)
		}
	}
	if err := tx.keepFirst(*old); err != nil {
		return e, err
	}
	tx.reason = reason
	defer func() { tx.reason = "" }()
	if _, err := tx.putEntry(by, row, false); err != nil {
		return e, err
	}
	return tx.FindEntry(number)
}

func (tx *Tx) oldEntry(row entryRow) (*entryRow, error) {
	var old entryRow
	var err error
	if row.Number != 0 {
		err = tx.db.First(&old, "number = ?", row.Number).Error
	} else {
		err = tx.db.Where("question_key = ?", row.QuestionKey).Order("number").First(&old).Error
	}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return &old, err
}

func (tx *Tx) putEntry(by string, row entryRow, fresh bool) (int64, error) {
	var err error
	if fresh && row.Number == 0 {
		if row.Number, err = nextOf(tx, NumberEntry, 1); err != nil {
			return 0, err
		}
	} else if fresh {
		// A number from a file of another base: the counter must not give it out again.
		if err := tx.db.Exec("UPDATE counter SET next=? WHERE kind=? AND next<=?", row.Number+1, NumberEntry, row.Number).Error; err != nil {
			return 0, err
		}
	}
	if row.Changed, err = nextOf(tx, "change", 1); err != nil {
		return 0, err
	}
	row.Version, row.UpdatedAt, row.UpdatedBy = row.Version+1, millis(tx.now), by
	if fresh {
		row.EditedBy = clip(by, 64)
		err = tx.db.Create(&row).Error
	} else {
		err = tx.db.Save(&row).Error
	}
	if err != nil {
		return 0, fmt.Errorf("entry K%d: %w", row.Number, err)
	}
	if err := tx.keepRevision(row); err != nil {
		return 0, err
	}
	tx.ringEntries()
	return row.Number, nil
}

func (tx *Tx) ringEntries() {
	tx.bells = append(tx.bells, func() {
		if tx.s.opt.Bell != nil {
			tx.s.opt.Bell.Ring(TopicEntry)
		}
	})
}

// FindEntry returns an entry by its number, or ErrNotFound.
func (s *Store) FindEntry(ctx context.Context, number int64) (kb.Entry, error) {
	return findEntry(s.read.WithContext(ctx), number)
}

func findEntry(db *gorm.DB, number int64) (kb.Entry, error) {
	var r entryRow
	err := db.First(&r, "number = ?", number).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return kb.Entry{}, fmt.Errorf("entry K%d: %w", number, ErrNotFound)
	}
	return r.entry(), err
}

// Changed returns up to n entries changed after a change number, in the order
// of changes: how the search index follows the table.
func (s *Store) Changed(ctx context.Context, after int64, n int) ([]kb.Entry, error) {
	var rows []entryRow
	err := s.read.WithContext(ctx).Where("changed > ?", after).Order("changed").Limit(n).Find(&rows).Error
	out := make([]kb.Entry, len(rows))
	for i, r := range rows {
		out[i] = r.entry()
	}
	return out, err
}

// ListEntries returns entries by number, from a number on, for export.
func (s *Store) ListEntries(ctx context.Context, after int64, n int) ([]kb.Entry, error) {
	var rows []entryRow
	err := s.read.WithContext(ctx).Where("number > ?", after).Order("number").Limit(n).Find(&rows).Error
	out := make([]kb.Entry, len(rows))
	for i, r := range rows {
		out[i] = r.entry()
	}
	return out, err
}

const dueEntry = "state = ? AND ((review_at <> '' AND review_at <= ?) OR (valid_until <> '' AND valid_until < ?))"

// ListDueEntries returns published entries whose review is due on a day, or
// that are out of date, the longest due first.
func (s *Store) ListDueEntries(ctx context.Context, day string, n int) ([]kb.Entry, error) {
	var rows []entryRow
	err := s.read.WithContext(ctx).Where(dueEntry, kb.Published, day, day).Order("review_at, number").Limit(n).Find(&rows).Error
	out := make([]kb.Entry, len(rows))
	for i, r := range rows {
		out[i] = r.entry()
	}
	return out, err
}
