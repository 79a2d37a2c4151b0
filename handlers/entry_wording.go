package handlers

import (
	"errors"
	"fmt"
	"slices"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// AddWordings makes questions find an entry, or with negative keeps them from
// finding it, and settles the questions of some messages by that. It returns how
// many were new. With the rule of the second person, and from who is no
// curator, they wait for review.
func (d *Desk) AddWordings(tx *store.Tx, actor chat.User, number int64, questions, source []string, negative bool) (e kb.Entry, added int, err error) {
	e, err = tx.FindEntry(number)
	if errors.Is(err, store.ErrNotFound) {
		return e, 0, refuse(fmt.Sprintf("没有找到 K%d。", number))
	}
	if err != nil {
		return e, 0, err
	}
	p, err := tx.FindProposal(number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return e, 0, err
	}
	if (d.SecondPerson || !Curates(actor)) && e.State == kb.Published {
		added, err = d.proposeWordings(tx, actor, e, p, questions, negative)
	} else {
		e, added, err = d.putWordings(tx, actor, e, p, questions, negative)
	}
	if err != nil {
		return e, added, err
	}
	if err := d.settle(tx, actor.ID, source, outcomeLearned, number); err != nil {
		return e, added, err
	}
	kind := "similar"
	if negative {
		kind = "negative"
	}
	return e, added, tx.Audit(actor.ID, "entry.update", fmt.Sprintf("K%d", number), fmt.Sprintf("%s +%d", kind, added))
}

// putWordings changes the entry itself; a change that waits gets them too, so
// that publishing it does not take them away again.
func (d *Desk) putWordings(tx *store.Tx, actor chat.User, e kb.Entry, p store.Proposal, questions []string, negative bool) (kb.Entry, int, error) {
	added, reason := 0, "加问法"
	if negative {
		reason = "加反例"
	}
	was := e.Version
	e, err := tx.ChangeEntry(actor.ID, reason, e.Number, e.Version, func(e *kb.Entry) (err error) {
		added, err = withWordings(e, questions, negative)
		return err
	})
	if err == nil && added > 0 {
		err = d.EmitEntry(tx, chat.EntryPublished, actor.ID, e.Number, false)
	}
	if err != nil || p.Version == 0 {
		return e, added, err
	}
	if _, err := withWordings(&p.Entry, questions, negative); err != nil {
		return e, added, err
	}
	if p.Base == was {
		p.Base = e.Version
	}
	return e, added, tx.PutProposal(p, p.Version)
}

func (d *Desk) proposeWordings(tx *store.Tx, actor chat.User, e kb.Entry, p store.Proposal, questions []string, negative bool) (int, error) {
	if p.Version == 0 {
		p.Entry, p.Base = e, e.Version
	}
	added, err := withWordings(&p.Entry, questions, negative)
	if err != nil || added == 0 {
		return added, err
	}
	if err := fitToPublish(p.Entry); err != nil {
		return added, err
	}
	p.State, p.Author = kb.Review, actor.ID
	if err := tx.PutProposal(p, p.Version); err != nil {
		return added, err
	}
	return added, d.tellMove(tx, actor, p.Entry, actor.ID, MoveSubmit, "")
}

// withWordings adds what is not there yet, and tells how many were.
func withWordings(e *kb.Entry, questions []string, negative bool) (int, error) {
	list := &e.Similar
	if negative {
		list = &e.Negative
	}
	before := len(*list)
	for _, q := range questions {
		if q != e.Question && !slices.Contains(*list, q) {
			*list = append(slices.Clip(*list), q)
		}
	}
	*e = kb.Clean(*e)
	if err := kb.Validate(*e); err != nil {
		return 0, refuse("加不上：" + err.Error() + "。")
	}
	return len(*list) - before, nil
}

// IgnoreGap says that questions are none for the knowledge base.
func (d *Desk) IgnoreGap(tx *store.Tx, actor chat.User, g Gap) error {
	return errors.Join(d.settle(tx, actor.ID, g.Messages, outcomeIgnored, 0), tx.Audit(actor.ID, "entry.gap.ignore", "gap", map[string]int{"questions": g.Count}))
}

// LearnGap says that an entry was written for questions.
func (d *Desk) LearnGap(tx *store.Tx, actor chat.User, g Gap, entry int64) error {
	return d.settle(tx, actor.ID, g.Messages, outcomeLearned, entry)
}

// Wordings are those that a gap gives to an entry: the lead's first.
func (g Gap) Wordings() []string { return g.Texts[:min(len(g.Texts), gapWordings)] }
