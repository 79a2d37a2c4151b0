package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"frontline/kb"
)

// States of an import. A file that was looked at and not imported is dropped
// after a day.
const (
	ImportPending = "pending"
	ImportRunning = "running"
	ImportDone    = "done"
	ImportUndoing = "undoing"
	ImportUndone  = "undone"
)

// Import is one file of knowledge and what became of it.
type Import struct {
	ID      int64
	Name    string // of the file
	Author  string
	Mode    string // merge, replace or skip
	State   string
	Faulty  bool // import what is right though some rows are not
	Rows    int
	Bad     int
	Pos     int // rows done so far; while undoing, the last entry that was taken back
	Created int
	Changed int
	Same    int
	Skipped int
	Kept    int // not taken back, as they were changed since
	At      time.Time
	EndedAt time.Time
}

type importRow struct {
	ID                                               int64 `gorm:"primaryKey;autoIncrement:false"`
	Name, Author, Mode, State                        string
	Faulty                                           int
	RowCount, Bad, Pos, Created, Changed, Same, Kept int
	Skipped                                          int
	At                                               int64 `gorm:"autoCreateTime:false"`
	EndedAt                                          int64
}

func (importRow) TableName() string { return "entry_import" }

func (r importRow) imported() Import {
	return Import{ID: r.ID, Name: r.Name, Author: r.Author, Mode: r.Mode, State: r.State, Faulty: r.Faulty != 0, Rows: r.RowCount, Bad: r.Bad, Pos: r.Pos, Created: r.Created, Changed: r.Changed, Same: r.Same, Skipped: r.Skipped, Kept: r.Kept, At: fromMillis(r.At), EndedAt: fromMillis(r.EndedAt)}
}

// Imported is what an import did to one entry: the version before, 0 when it
// made the entry, and the version after. After is 0 when it left a change that
// waits, whose version is Change.
type Imported struct {
	Entry         int64
	Before, After int
	Change        int64
}

const (
	importPart  = 1 << 20 // of a file in one row: far below what a server takes in one packet
	pendingLife = 24 * time.Hour
)

// NewImport keeps a file that somebody looks at before it is imported.
func (tx *Tx) NewImport(im Import, content []byte) (int64, error) {
	if err := tx.dropPending(); err != nil {
		return 0, err
	}
	id := tx.s.ids.next(tx.now)
	row := importRow{ID: id, Name: clip(im.Name, 200), Author: clip(im.Author, 64), Mode: im.Mode, State: ImportPending, Faulty: oneIf(im.Faulty), RowCount: im.Rows, Bad: im.Bad, At: millis(tx.now)}
	if err := tx.db.Create(&row).Error; err != nil {
		return 0, err
	}
	for part := 0; len(content) > 0; part++ {
		n := min(len(content), importPart)
		if err := tx.db.Exec("INSERT INTO entry_import_part (import_id, part, body) VALUES (?,?,?)", id, part, content[:n]).Error; err != nil {
			return 0, fmt.Errorf("keep the file: %w", err)
		}
		content = content[n:]
	}
	return id, nil
}

func (tx *Tx) dropPending() error {
	var ids []int64
	if err := tx.db.Model(&importRow{}).Where("state = ? AND at < ?", ImportPending, millis(tx.now.Add(-pendingLife))).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return err
	}
	return errors.Join(tx.db.Exec("DELETE FROM entry_import_part WHERE import_id IN ?", ids).Error, tx.db.Exec("DELETE FROM entry_import WHERE id IN ?", ids).Error)
}

// ImportFile returns the file of an import that is not over; ErrNotFound after
// that.
func (s *Store) ImportFile(ctx context.Context, id int64) ([]byte, error) {
	var parts [][]byte
	if err := s.read.WithContext(ctx).Raw("SELECT body FROM entry_import_part WHERE import_id=? ORDER BY part", id).Scan(&parts).Error; err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("file of import %d: %w", id, ErrNotFound)
	}
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out, nil
}

// FindImport returns an import, or ErrNotFound.
func (s *Store) FindImport(ctx context.Context, id int64) (Import, error) {
	return findImport(s.read.WithContext(ctx), id)
}

// FindImport returns an import, or ErrNotFound.
func (tx *Tx) FindImport(id int64) (Import, error) { return findImport(tx.db, id) }

func findImport(db *gorm.DB, id int64) (Import, error) {
	var r importRow
	err := db.First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Import{}, fmt.Errorf("import %d: %w", id, ErrNotFound)
	}
	return r.imported(), err
}

// ListImports returns the newest imports that were begun.
func (s *Store) ListImports(ctx context.Context, n int) ([]Import, error) {
	return s.importsWhere(ctx, n, "state <> ?", ImportPending)
}

// UnfinishedImports are those that somebody has to go on with.
func (s *Store) UnfinishedImports(ctx context.Context) ([]Import, error) {
	return s.importsWhere(ctx, 20, "state IN ?", []string{ImportRunning, ImportUndoing})
}

func (s *Store) importsWhere(ctx context.Context, n int, where string, arg any) ([]Import, error) {
	var rows []importRow
	err := s.read.WithContext(ctx).Where(where, arg).Order("id DESC").Limit(n).Find(&rows).Error
	out := make([]Import, len(rows))
	for i, r := range rows {
		out[i] = r.imported()
	}
	return out, err
}

// MoveImport begins or ends a part of an import's life; ErrStale when it is not
// in the state it should be in. What is over has no file any more.
func (tx *Tx) MoveImport(im Import, from, to string) error {
	set := map[string]any{"state": to, "pos": 0}
	if to == ImportDone || to == ImportUndone {
		set["ended_at"] = millis(tx.now)
		if err := tx.db.Exec("DELETE FROM entry_import_part WHERE import_id=?", im.ID).Error; err != nil {
			return err
		}
	}
	if to == ImportRunning {
		set["mode"], set["faulty"] = im.Mode, oneIf(im.Faulty)
	}
	return tx.stepped(tx.db.Model(&importRow{}).Where("id = ? AND state = ?", im.ID, from).Updates(set))
}

// StepImport records how far an import is: ErrStale when somebody else went on
// with it, whose work must not be done twice.
func (tx *Tx) StepImport(was, is Import) error {
	return tx.stepped(tx.db.Model(&importRow{}).Where("id = ? AND state = ? AND pos = ?", was.ID, was.State, was.Pos).
		Updates(map[string]any{"pos": is.Pos, "created": is.Created, "changed": is.Changed, "same": is.Same, "skipped": is.Skipped, "kept": is.Kept}))
}

func (tx *Tx) stepped(done *gorm.DB) error {
	if done.Error == nil && done.RowsAffected == 0 {
		return fmt.Errorf("import: %w", ErrStale)
	}
	return done.Error
}

// NoteImported records what an import did to some entries. Where two rows of its
// file are about one entry, the second goes on from the first.
func (tx *Tx) NoteImported(id int64, list []Imported) error {
	rows := make([]importedRow, len(list))
	for i, x := range list {
		rows[i] = importedRow{id, x.Entry, x.Before, x.After, x.Change}
	}
	second := clause.OnConflict{Columns: []clause.Column{{Name: "import_id"}, {Name: "entry"}}, DoUpdates: clause.AssignmentColumns([]string{"after_version", "change_version"})}
	for part := range slices.Chunk(rows, rowsMost) {
		if err := tx.db.Clauses(second).Create(&part).Error; err != nil {
			return fmt.Errorf("note import from K%d: %w", part[0].Entry, err)
		}
	}
	return nil
}

type importedRow struct {
	ImportID                    int64 `gorm:"primaryKey;autoIncrement:false"`
	Entry                       int64 `gorm:"primaryKey;autoIncrement:false"`
	BeforeVersion, AfterVersion int
	ChangeVersion               int64
}

func (importedRow) TableName() string { return "entry_import_row" }

// ListImported returns what an import did, by entry, after one.
func (s *Store) ListImported(ctx context.Context, id, after int64, n int) ([]Imported, error) {
	var rows []importedRow
	err := s.read.WithContext(ctx).Where("import_id = ? AND entry > ?", id, after).Order("entry").Limit(n).Find(&rows).Error
	out := make([]Imported, len(rows))
	for i, r := range rows {
		out[i] = Imported{r.Entry, r.BeforeVersion, r.AfterVersion, r.ChangeVersion}
	}
	return out, err
}

// TwinsOf finds, for each of some entries, the one in the store that it would
// be written over: by number, else by question; nil for none.
func (s *Store) TwinsOf(ctx context.Context, list []kb.Entry) ([]*kb.Entry, error) {
	return twinsOf(s.read.WithContext(ctx), list)
}

// TwinsOf is the same inside a transaction.
func (tx *Tx) TwinsOf(list []kb.Entry) ([]*kb.Entry, error) { return twinsOf(tx.db, list) }

func twinsOf(db *gorm.DB, list []kb.Entry) ([]*kb.Entry, error) {
	var numbers []int64
	var keys []string
	for _, e := range list {
		if e.Number != 0 {
			numbers = append(numbers, e.Number)
		} else {
			keys = append(keys, questionKey(e.Question))
		}
	}
	// Each by its own index: of both in one condition a server makes a walk through the table.
	var rows, alike []entryRow
	if len(numbers) > 0 {
		if err := db.Where("number IN ?", numbers).Find(&rows).Error; err != nil {
			return nil, err
		}
	}
	if len(keys) > 0 {
		if err := db.Where("question_key IN ?", keys).Order("number DESC").Find(&alike).Error; err != nil {
			return nil, err
		}
	}
	byNumber, byKey := map[int64]*kb.Entry{}, map[string]*kb.Entry{}
	for _, r := range rows {
		e := r.entry()
		byNumber[r.Number] = &e
	}
	for _, r := range alike {
		e := r.entry()
		byKey[r.QuestionKey] = &e // of several with one question the first counts
	}
	out := make([]*kb.Entry, len(list))
	for i, e := range list {
		if e.Number != 0 {
			out[i] = byNumber[e.Number]
		} else {
			out[i] = byKey[questionKey(e.Question)]
		}
	}
	return out, nil
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
