package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Shelf is where the console keeps texts of a kind that also lie in files: by
// name, each edition for ever, the newest one standing before the file.
type Shelf string

// The shelves, each a table of its own.
const (
	RecipeShelf  Shelf = "recipe_text"
	MonitorShelf Shelf = "monitor_text"
)

// KeptText is one edition of a text that was written in the console.
type KeptText struct {
	ID      int64
	Name    string
	Edition int    // 1, 2, 3 … of this name
	SHA     string // of the body, in hex
	Body    string // "": from here on only a file counts
	Author  string
	Note    string // what was changed, in a few words
	At      time.Time
}

type keptTextRow struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Name    string
	Edition int
	SHA     string `gorm:"column:sha"`
	Body    string
	Author  string
	Note    string
	At      int64
}

func keptTexts(rows []keptTextRow, err error) ([]KeptText, error) {
	out := make([]KeptText, len(rows))
	for i, r := range rows {
		out[i] = KeptText{r.ID, r.Name, r.Edition, r.SHA, r.Body, r.Author, r.Note, fromMillis(r.At)}
	}
	return out, err
}

// PutText writes the next edition of a text, and gives it its number and SHA.
// ErrStale when t.Edition, the one it was written upon, is no longer the newest;
// 0 stands for none.
func (tx *Tx) PutText(on Shelf, t *KeptText) error {
	var newest int
	if err := tx.db.Raw("SELECT COALESCE(MAX(edition), 0) FROM "+string(on)+" WHERE name = ?", t.Name).Scan(&newest).Error; err != nil {
		return err
	}
	if newest != t.Edition {
		return ErrStale
	}
	sum := sha256.Sum256([]byte(t.Body))
	t.ID, t.Edition, t.SHA, t.At = tx.s.ids.next(tx.now), newest+1, hex.EncodeToString(sum[:]), tx.now
	err := tx.db.Table(string(on)).Create(&keptTextRow{t.ID, clip(t.Name, 64), t.Edition, t.SHA, t.Body, clip(t.Author, 64), clip(t.Note, 400), millis(t.At)}).Error
	if isDuplicate(err) {
		return ErrStale // somebody else was quicker
	}
	return err
}

// Texts are the newest editions of all texts on a shelf, by name.
func (s *Store) Texts(ctx context.Context, on Shelf) ([]KeptText, error) {
	var rows []keptTextRow
	t := string(on)
	err := s.read.WithContext(ctx).Raw("SELECT r.* FROM " + t + " r JOIN (SELECT name, MAX(edition) AS edition FROM " + t + " GROUP BY name) n ON n.name = r.name AND n.edition = r.edition ORDER BY r.name").Scan(&rows).Error
	return keptTexts(rows, err)
}

// TextEditions are the editions of one text, newest first, at most n.
func (s *Store) TextEditions(ctx context.Context, on Shelf, name string, n int) ([]KeptText, error) {
	var rows []keptTextRow
	err := s.read.WithContext(ctx).Table(string(on)).Where("name = ?", name).Order("edition DESC").Limit(n).Find(&rows).Error
	return keptTexts(rows, err)
}

// TextBySHA is the edition with this text; ErrNotFound when there is none.
func (s *Store) TextBySHA(ctx context.Context, on Shelf, sha string) (KeptText, error) {
	var rows []keptTextRow
	err := s.read.WithContext(ctx).Table(string(on)).Where("sha = ?", sha).Order("id").Limit(1).Find(&rows).Error
	list, err := keptTexts(rows, err)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return KeptText{}, err
	}
	return list[0], nil
}

// HasText tells whether an edition with this text is kept.
func (tx *Tx) HasText(on Shelf, sha string) (bool, error) {
	var n int64
	err := tx.db.Table(string(on)).Where("sha = ?", sha).Count(&n).Error
	return n > 0, err
}

// NewestText is the id of the newest edition on a shelf, 0 without any: it tells
// whether there is something to read.
func (s *Store) NewestText(ctx context.Context, on Shelf) (id int64, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM " + string(on)).Scan(&id).Error
	return id, err
}
