package handlers

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Words of the house's own: what curators say is the same is read as the same.

// PutSynonyms keeps a group of words, a new one when id is 0.
func (d *Desk) PutSynonyms(tx *store.Tx, actor chat.User, id int64, line string) (words []string, err error) {
	words = kb.ReadSynonyms(Hidden(line))
	others, err := otherSynonyms(tx, id)
	if err != nil {
		return words, err
	}
	if fault := kb.CheckSynonyms(others, words); fault != "" {
		return words, refuse(fault + "。")
	}
	kept, err := tx.PutSynonyms(store.SynonymGroup{ID: id, Words: words, Author: actor.ID})
	if err != nil {
		return words, err
	}
	name := "synonym.change"
	if id == 0 {
		name = "synonym.add"
	}
	return words, tx.Audit(actor.ID, name, strconv.FormatInt(kept, 10), map[string][]string{"words": words})
}

// otherSynonyms are the words of all groups but one, held until the commit.
func otherSynonyms(tx *store.Tx, id int64) (out [][]string, err error) {
	if err := tx.LockSynonyms(); err != nil {
		return nil, err
	}
	all, err := tx.ListSynonyms()
	for _, g := range all {
		if g.ID != id {
			out = append(out, g.Words)
		}
	}
	return out, err
}

// DropSynonyms takes a group away.
func (d *Desk) DropSynonyms(tx *store.Tx, actor chat.User, id int64) error {
	if err := tx.LockSynonyms(); err != nil {
		return err
	}
	return errors.Join(tx.DropSynonyms(id), tx.Audit(actor.ID, "synonym.drop", strconv.FormatInt(id, 10), nil))
}

// Reread is what a change of the groups would do.
type Reread struct {
	Words  []string
	Base   int // questions of the base that would be read otherwise
	Asked  int // different questions that were asked, as far as they were looked at
	Other  int // of those, read otherwise
	Tried  bool
	Turned []Turned // of those, with another reply; only when Tried: the base is small enough
}

// TrySynonyms tells what keeping a group would do, and keeps nothing.
func (d *Desk) TrySynonyms(ctx context.Context, id int64, line string) (r Reread, err error) {
	all, err := d.Store.ListSynonyms(ctx)
	if err != nil {
		return r, err
	}
	r.Words = kb.ReadSynonyms(Hidden(line))
	var groups [][]string
	for _, g := range all {
		if g.ID != id {
			groups = append(groups, g.Words)
		}
	}
	if fault := kb.CheckSynonyms(groups, r.Words); fault != "" {
		return r, refuse(fault + "。")
	}
	groups = append(groups, r.Words)
	asked, err := d.Store.RecentTexts(ctx, d.Store.Now().AddDate(0, 0, -ReplayDays), ReplayQuestions)
	if err != nil {
		return r, err
	}
	texts := make([]string, len(asked))
	for i, a := range asked {
		texts[i] = a.Text
	}
	r.Asked = len(asked)
	if r.Base, r.Other, err = d.Knowledge.Reread(ctx, groups, texts); err != nil {
		return r, fmt.Errorf("read the base again: %w", err)
	}
	trial, err := d.Knowledge.TrialSynonyms(ctx, groups)
	if err != nil || trial == nil {
		return r, err
	}
	r.Tried = true
	r.Turned, _, err = player{d, trial}.replay(ctx, asked, 0)
	return r, err
}

// ownSynonyms are the groups for comparing questions with each other.
func (d *Desk) ownSynonyms(ctx context.Context) ([][]string, error) {
	groups, _, err := d.Store.Synonyms(ctx, 0)
	return groups, err
}
