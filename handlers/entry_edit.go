package handlers

import (
	"errors"
	"fmt"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// EntryEdit is what somebody wants of the words of an entry. Version and
// Change are those that were looked at; Change is 0 when no change waited.
type EntryEdit struct {
	Entry   kb.Entry
	Version int
	Change  int64
	Then    string // "", MoveSubmit or MovePublish: what to do with the words once they are kept
	Reason  string
}

// EditEntry keeps new words for an entry. A published one goes on answering as
// it is: the words wait as a change until they are published. It returns the
// entry as the store has it now.
func (d *Desk) EditEntry(tx *store.Tx, actor chat.User, in EntryEdit) (kb.Entry, error) {
	number := in.Entry.Number
	now, err := tx.FindEntry(number)
	if err != nil {
		return now, err
	}
	if in.Version != now.Version {
		return now, fmt.Errorf("entry K%d: %w", number, store.ErrStale)
	}
	p, err := tx.FindProposal(number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return now, err
	}
	if p.Version != in.Change {
		return now, fmt.Errorf("change of K%d: %w", number, store.ErrStale)
	}
	if in.Entry, err = entryWords(in.Entry); err != nil {
		return now, err
	}
	if now.State == kb.Published {
		err = d.editPublished(tx, actor, now, p, in)
	} else {
		in.Entry.State = now.State
		now, err = tx.ChangeEntry(actor.ID, in.Reason, number, now.Version, func(e *kb.Entry) error { *e = in.Entry; return nil })
	}
	if err != nil {
		return now, entryRefusal(err, now)
	}
	if err := tx.Audit(actor.ID, "entry.edit", fmt.Sprintf("K%d", number), map[string]string{"then": in.Then}); err != nil {
		return now, err
	}
	if in.Then == "" {
		return tx.FindEntry(number)
	}
	return d.MoveEntry(tx, actor, number, 0, in.Then, "")
}

// editPublished keeps the words beside the entry. Words that are those of the
// entry are no change.
func (d *Desk) editPublished(tx *store.Tx, actor chat.User, now kb.Entry, p store.Proposal, in EntryEdit) error {
	in.Entry.State = kb.Published
	if kb.SameWords(in.Entry, now) {
		if in.Then != "" {
			return refuse("和已发布的一样，没有要发布的修改。")
		}
		return tx.DropProposal(now.Number)
	}
	if p.Version != 0 && kb.SameWords(in.Entry, p.Entry) && p.Base == now.Version {
		return nil
	}
	return tx.PutProposal(store.Proposal{Entry: in.Entry, Base: now.Version, State: kb.Draft, Author: actor.ID}, p.Version)
}

// CreateEntry makes a new entry of words, as a draft that may go on at once.
func (d *Desk) CreateEntry(tx *store.Tx, actor chat.User, e kb.Entry, then string) (kb.Entry, error) {
	e, err := entryWords(e)
	if err != nil {
		return e, err
	}
	e.State = kb.Draft
	number, err := tx.NewEntry(actor.ID, e)
	if errors.Is(err, store.ErrExists) {
		return e, entryRefusal(err, kb.Entry{Number: number})
	}
	if err != nil {
		return e, err
	}
	if err := tx.Audit(actor.ID, "entry.create", fmt.Sprintf("K%d", number), map[string]string{"then": then}); err != nil {
		return e, err
	}
	if then == "" {
		return tx.FindEntry(number)
	}
	return d.MoveEntry(tx, actor, number, 0, then, "")
}

// entryWords cleans the words of an entry, takes what identifies people out of
// them, and refuses what cannot be kept.
func entryWords(e kb.Entry) (kb.Entry, error) {
	for _, text := range []*string{&e.Question, &e.Answer, &e.AnswerText, &e.Steps, &e.Exceptions} {
		*text = Hidden(*text)
	}
	for _, list := range []*[]string{&e.Similar, &e.Negative} {
		out := make([]string, len(*list))
		for i, text := range *list {
			out[i] = Hidden(text)
		}
		*list = out
	}
	e = kb.Clean(e)
	return e, kb.Validate(e)
}

// Hidden is a text without what identifies people and without secrets.
func Hidden(text string) string {
	clean, _ := mask.Scrub(text)
	return mask.Text(clean)
}

// RestoreEntry brings an older version of an entry back as a new one; a change
// that waits stays, to be compared with it. What was published once may be so
// again without a second person: it is the way back from a mistake.
func (d *Desk) RestoreEntry(tx *store.Tx, actor chat.User, number int64, version int) (kb.Entry, error) {
	if !Curates(actor) {
		return kb.Entry{}, refuse("恢复旧版由知识管理员来做。")
	}
	was, err := tx.FindEntry(number)
	if err != nil {
		return was, err
	}
	e, err := tx.RestoreEntry(actor.ID, number, version)
	if err != nil {
		return e, entryRefusal(err, e)
	}
	if err := d.EmitEntry(tx, chat.EntryRolledBack, actor.ID, number, was.Live()); err != nil {
		return e, err
	}
	return e, tx.Audit(actor.ID, "entry.restore", fmt.Sprintf("K%d", number), map[string]int{"to": version})
}
