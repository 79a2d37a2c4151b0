package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"frontline/kb"
)

// Proposal is a change of a published entry that is not published itself: the
// entry keeps answering as it is until then. An entry has one at most.
type Proposal struct {
	Entry   kb.Entry // as it would be
	Base    int      // the version of the entry that it was made from
	State   string   // kb.Draft or kb.Review
	Author  string   // who wrote its words last
	Note    string   // what somebody said who sent it back
	At      time.Time
	Version int64
}

type proposalRow struct {
	Entry   int64 `gorm:"primaryKey;autoIncrement:false"`
	Base    int
	Body    string
	State   string
	Author  string
	Note    string
	At      int64 `gorm:"autoCreateTime:false"`
	Version int64
}

func (proposalRow) TableName() string { return "entry_proposal" }

func (r proposalRow) proposal() (Proposal, error) {
	p := Proposal{Base: r.Base, State: r.State, Author: r.Author, Note: r.Note, At: fromMillis(r.At), Version: r.Version}
	err := json.Unmarshal([]byte(r.Body), &p.Entry)
	p.Entry.Number, p.Entry.Editor = r.Entry, r.Author
	return p, err
}

// PutProposal keeps a change of an entry. version is that of the proposal that
// was looked at, 0 for none: ErrStale when there is another by now.
func (tx *Tx) PutProposal(p Proposal, version int64) error {
	now, err := tx.FindProposal(p.Entry.Number)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if now.Version != version {
		return fmt.Errorf("proposal for K%d: %w", p.Entry.Number, ErrStale)
	}
	body, err := json.Marshal(p.Entry)
	if err != nil {
		return err
	}
	row := proposalRow{Entry: p.Entry.Number, Base: p.Base, Body: string(body), State: p.State, Author: clip(p.Author, 64), Note: clip(p.Note, 400), At: millis(tx.now), Version: version + 1}
	if version == 0 {
		row.Version = tx.s.ids.next(tx.now) // of a later one than any before: a form of an earlier one is stale
		if err = tx.db.Create(&row).Error; isDuplicate(err) {
			return fmt.Errorf("proposal for K%d: %w", p.Entry.Number, ErrStale)
		}
		return err
	}
	done := tx.db.Model(&proposalRow{}).Where("entry = ? AND version = ?", row.Entry, version).Select("*").Updates(row)
	if done.Error == nil && done.RowsAffected == 0 {
		return fmt.Errorf("proposal for K%d: %w", p.Entry.Number, ErrStale)
	}
	return done.Error
}

// DropProposal takes a change away; none is no error.
func (tx *Tx) DropProposal(number int64) error {
	return tx.db.Where("entry = ?", number).Delete(&proposalRow{}).Error
}

// FindProposal returns the change that waits for an entry, or ErrNotFound.
func (tx *Tx) FindProposal(number int64) (Proposal, error) { return findProposal(tx.db, number) }

// FindProposal returns the change that waits for an entry, or ErrNotFound.
func (s *Store) FindProposal(ctx context.Context, number int64) (Proposal, error) {
	return findProposal(s.read.WithContext(ctx), number)
}

func findProposal(db *gorm.DB, number int64) (Proposal, error) {
	var r proposalRow
	err := db.First(&r, "entry = ?", number).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Proposal{}, fmt.Errorf("proposal for K%d: %w", number, ErrNotFound)
	}
	if err != nil {
		return Proposal{}, err
	}
	return r.proposal()
}

// ProposalStates tells for which of some entries a change waits, and how far it is.
func (s *Store) ProposalStates(ctx context.Context, numbers []int64) (map[int64]string, error) {
	var rows []proposalRow
	err := s.read.WithContext(ctx).Select("entry, state").Where("entry IN ?", numbers).Find(&rows).Error
	out := make(map[int64]string, len(rows))
	for _, r := range rows {
		out[r.Entry] = r.State
	}
	return out, err
}
