package store

import (
	"context"
	"time"
)

// RecipeText is one edition of a recipe that was written in the console.
type RecipeText struct {
	ID      int64
	Name    string
	Edition int // 1, 2, 3 … of this recipe
	SHA     string
	Body    string
	Author  string
	Note    string // what was changed, in a few words
	At      time.Time
}

type recipeTextRow struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Name    string
	Edition int
	SHA     string `gorm:"column:sha"`
	Body    string
	Author  string
	Note    string
	At      int64
}

func (recipeTextRow) TableName() string { return "recipe_text" }

func recipeTexts(rows []recipeTextRow, err error) ([]RecipeText, error) {
	out := make([]RecipeText, len(rows))
	for i, r := range rows {
		out[i] = RecipeText{r.ID, r.Name, r.Edition, r.SHA, r.Body, r.Author, r.Note, fromMillis(r.At)}
	}
	return out, err
}

// PutRecipe writes the next edition of a recipe and gives it its number.
// ErrStale when r.Edition, the one it was written upon, is no longer the newest;
// 0 stands for none.
func (tx *Tx) PutRecipe(r *RecipeText) error {
	var newest int
	if err := tx.db.Raw("SELECT COALESCE(MAX(edition), 0) FROM recipe_text WHERE name = ?", r.Name).Scan(&newest).Error; err != nil {
		return err
	}
	if newest != r.Edition {
		return ErrStale
	}
	r.ID, r.Edition, r.At = tx.s.ids.next(tx.now), newest+1, tx.now
	err := tx.db.Create(&recipeTextRow{r.ID, clip(r.Name, 64), r.Edition, r.SHA, r.Body, clip(r.Author, 64), clip(r.Note, 400), millis(r.At)}).Error
	if isDuplicate(err) {
		return ErrStale // somebody else was quicker
	}
	return err
}

// RecipeTexts are the newest editions of all recipes of the console, by name.
func (s *Store) RecipeTexts(ctx context.Context) ([]RecipeText, error) {
	var rows []recipeTextRow
	err := s.read.WithContext(ctx).Raw("SELECT r.* FROM recipe_text r JOIN (SELECT name, MAX(edition) AS edition FROM recipe_text GROUP BY name) n ON n.name = r.name AND n.edition = r.edition ORDER BY r.name").Scan(&rows).Error
	return recipeTexts(rows, err)
}

// RecipeEditions are the editions of one recipe, newest first, at most n.
func (s *Store) RecipeEditions(ctx context.Context, name string, n int) ([]RecipeText, error) {
	var rows []recipeTextRow
	err := s.read.WithContext(ctx).Where("name = ?", name).Order("edition DESC").Limit(n).Find(&rows).Error
	return recipeTexts(rows, err)
}

// RecipeBySHA is the edition with this text; ErrNotFound when there is none.
func (s *Store) RecipeBySHA(ctx context.Context, sha string) (RecipeText, error) {
	var rows []recipeTextRow
	err := s.read.WithContext(ctx).Where("sha = ?", sha).Order("id").Limit(1).Find(&rows).Error
	list, err := recipeTexts(rows, err)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return RecipeText{}, err
	}
	return list[0], nil
}

// HasRecipe tells whether an edition with this text is kept.
func (tx *Tx) HasRecipe(sha string) (bool, error) {
	var n int64
	err := tx.db.Model(&recipeTextRow{}).Where("sha = ?", sha).Count(&n).Error
	return n > 0, err
}

// NewestRecipe is the id of the newest edition, 0 without any: it tells whether
// there is something to read.
func (s *Store) NewestRecipe(ctx context.Context) (id int64, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM recipe_text").Scan(&id).Error
	return id, err
}
