package store

import (
	"context"

	"frontline/kb"
)

type entryVectorRow struct {
	Model    string `gorm:"primaryKey"`
	TextHash string `gorm:"primaryKey"`
	Entry    int64
	Dim      int64
	Scale    float64
	Bits     []byte
	Changed  int64
}

func (entryVectorRow) TableName() string { return "entry_vector" }

// Vectors returns up to n vectors of a model that came after a change number,
// in the order of changes.
func (s *Store) Vectors(ctx context.Context, model string, after int64, n int) ([]kb.EntryVector, error) {
	var rows []entryVectorRow
	err := s.read.WithContext(ctx).Where("model = ? AND changed > ?", clip(model, 128), after).Order("changed").Limit(n).Find(&rows).Error
	out := make([]kb.EntryVector, len(rows))
	for i, r := range rows {
		out[i] = kb.EntryVector{Model: r.Model, Text: r.TextHash, Entry: r.Entry, Scale: r.Scale, Bits: signed(r.Bits), Changed: r.Changed}
	}
	return out, err
}

func signed(b []byte) []int8 {
	out := make([]int8, len(b))
	for i, x := range b {
		out[i] = int8(x)
	}
	return out
}

func unsigned(b []int8) []byte {
	out := make([]byte, len(b))
	for i, x := range b {
		out[i] = byte(x)
	}
	return out
}

// PutVectors keeps vectors; one that is there already is replaced.
func (s *Store) PutVectors(ctx context.Context, list []kb.EntryVector) error {
	if len(list) == 0 {
		return nil
	}
	return s.InTx(ctx, func(tx *Tx) error {
		// Held until the commit, so that who follows the changes misses none.
		if err := tx.db.Exec("UPDATE counter SET next=next+? WHERE kind='vector'", len(list)).Error; err != nil {
			return err
		}
		var next int64
		if err := tx.db.Raw("SELECT next FROM counter WHERE kind='vector'").Scan(&next).Error; err != nil {
			return err
		}
		rows := make([]entryVectorRow, 0, len(list))
		at := map[[2]string]int{}
		for i, v := range list {
			r := entryVectorRow{Model: clip(v.Model, 128), TextHash: v.Text, Entry: v.Entry, Dim: int64(len(v.Bits)), Scale: v.Scale, Bits: unsigned(v.Bits), Changed: next - int64(len(list)-i)}
			key := [2]string{r.Model, r.TextHash}
			if j, twice := at[key]; twice {
				rows[j] = r
				continue
			}
			at[key] = len(rows)
			rows = append(rows, r)
			if err := tx.db.Exec("DELETE FROM entry_vector WHERE model=? AND text_hash=?", r.Model, r.TextHash).Error; err != nil {
				return err
			}
		}
		return tx.db.Create(&rows).Error
	})
}

// DropVectors forgets vectors of a model by the hashes of their texts.
func (s *Store) DropVectors(ctx context.Context, model string, texts []string) error {
	for len(texts) > 0 {
		part := texts[:min(len(texts), 200)]
		texts = texts[len(part):]
		if err := s.InTx(ctx, func(tx *Tx) error {
			return tx.db.Exec("DELETE FROM entry_vector WHERE model=? AND text_hash IN ?", clip(model, 128), part).Error
		}); err != nil {
			return err
		}
	}
	return nil
}

// DropOtherVectors forgets the vectors of all models but one, bit by bit.
func (s *Store) DropOtherVectors(ctx context.Context, model string) error {
	for ctx.Err() == nil {
		var rows []entryVectorRow
		if err := s.read.WithContext(ctx).Select("model", "text_hash").Where("model <> ?", clip(model, 128)).Order("model").Limit(200).Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		var texts []string
		for _, r := range rows {
			if r.Model == rows[0].Model {
				texts = append(texts, r.TextHash)
			}
		}
		if err := s.DropVectors(ctx, rows[0].Model, texts); err != nil {
			return err
		}
	}
	return ctx.Err()
}
