package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"frontline/kb"
)

// Must is a question that a curator has confirmed: it must find the entry,
// whatever is published later.
type Must struct {
	Entry    int64
	Question string // masked
	Author   string
	At       time.Time
}

type mustRow struct {
	Entry       int64
	QuestionKey string
	Question    string
	Author      string
	At          int64 `gorm:"autoCreateTime:false"`
}

func (mustRow) TableName() string { return "entry_must" }

// PutMust keeps a question that must find an entry; false when it is kept already.
func (tx *Tx) PutMust(m Must) (fresh bool, err error) {
	r := mustRow{Entry: m.Entry, QuestionKey: questionKey(m.Question), Question: m.Question, Author: clip(m.Author, 64), At: millis(tx.now)}
	var n int64
	if err := tx.db.Model(&mustRow{}).Where("entry = ? AND question_key = ?", r.Entry, r.QuestionKey).Count(&n).Error; err != nil || n > 0 {
		return false, err
	}
	return true, tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&r).Error
}

// DropMust takes a question out again; false when it was not there.
func (tx *Tx) DropMust(entry int64, question string) (bool, error) {
	r := tx.db.Exec("DELETE FROM entry_must WHERE entry=? AND question_key=?", entry, questionKey(question))
	return r.RowsAffected > 0, r.Error
}

// ListMusts returns the questions that must find an entry, oldest first.
func (s *Store) ListMusts(ctx context.Context, entry int64) ([]Must, error) {
	var rows []mustRow
	err := s.read.WithContext(ctx).Where("entry = ?", entry).Order("at, question_key").Find(&rows).Error
	return mustsOf(rows), err
}

// PublishedMusts returns up to n questions that must find a published entry.
func (s *Store) PublishedMusts(ctx context.Context, n int) ([]Must, error) {
	var rows []mustRow
	err := s.read.WithContext(ctx).Raw("SELECT m.* FROM entry_must m JOIN entry e ON e.number = m.entry WHERE e.state = ? ORDER BY m.entry, m.at, m.question_key LIMIT ?", kb.Published, n).Scan(&rows).Error
	return mustsOf(rows), err
}

func mustsOf(rows []mustRow) []Must {
	out := make([]Must, len(rows))
	for i, r := range rows {
		out[i] = Must{r.Entry, r.Question, r.Author, fromMillis(r.At)}
	}
	return out
}

// AskedText is a question in the words in which it was asked.
type AskedText struct {
	Text  string
	Times int
}

// RecentTexts returns the last n different questions that were asked since a time, newest
// first, with how often they were among the questions that were looked at.
func (s *Store) RecentTexts(ctx context.Context, since time.Time, n int) ([]AskedText, error) {
	return s.askedTexts(ctx, n, 4*n, "id >= ?", idAt(since))
}

// HelpedTexts returns questions for which an entry was shown and said to be of
// use, newest first.
func (s *Store) HelpedTexts(ctx context.Context, entry int64, n int) ([]AskedText, error) {
	return s.askedTexts(ctx, n, 20*n, "entry = ? AND feedback = 'useful'", entry)
}

func (s *Store) askedTexts(ctx context.Context, n, read int, where string, args ...any) (out []AskedText, err error) {
	var bodies []string
	if err := s.read.WithContext(ctx).Model(&questionRow{}).Where(where, args...).Order("id DESC").Limit(read).Pluck("body", &bodies).Error; err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, b := range bodies {
		if i, ok := at[b]; ok {
			out[i].Times++
		} else if len(out) < n {
			at[b] = len(out)
			out = append(out, AskedText{b, 1})
		}
	}
	return out, nil
}

// CountMusts counts the questions that must find an entry.
func (tx *Tx) CountMusts(entry int64) (n int64, err error) {
	err = tx.db.Model(&mustRow{}).Where("entry = ?", entry).Count(&n).Error
	return n, err
}
