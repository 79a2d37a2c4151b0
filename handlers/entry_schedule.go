package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// An entry, or the change that waits for it, can be published at a time: by who
// said so, as it stood then, and as if they did it at that moment. What stands in
// the way by then is told to them.

const (
	scheduleMost  = 366 * 24 * time.Hour
	scheduledEach = 50 // publishings of one look
)

// Schedule says when an entry is to be published. What would stop it now stops
// that too.
func (d *Desk) Schedule(tx *store.Tx, actor chat.User, number int64, version int, at time.Time) error {
	now := tx.Now()
	switch {
	case !at.After(now):
		return refuse("这个时间已经过了，写一个以后的，例：发布 " + fmt.Sprintf("K%d 明天9点", number))
	case at.Sub(now) > scheduleMost:
		return refuse("最多定到一年以后。")
	}
	e, err := tx.FindEntry(number)
	if err != nil {
		return err
	}
	if version != 0 && version != e.Version {
		return fmt.Errorf("entry K%d: %w", number, store.ErrStale)
	}
	s := store.EntrySchedule{Entry: number, At: at, Author: actor.ID, Version: e.Version}
	words, editor, moves, state := e, e.Editor, entryMoves, e.State
	switch p, err := tx.FindProposal(number); {
	case err == nil:
		words, editor, moves, state, s.Change = p.Entry, p.Author, changeMoves, p.State, p.Version
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if _, err := findMove(moves, actor, state, MovePublish); err != nil {
		return err
	}
	if err := d.mayGoLive(actor, words, editor); err != nil {
		return err
	}
	if err := tx.PutEntrySchedule(s); err != nil {
		return err
	}
	return tx.Audit(actor.ID, "entry.schedule", fmt.Sprintf("K%d", number), map[string]string{"at": at.Format(time.RFC3339)})
}

// Unschedule takes that back.
func (d *Desk) Unschedule(tx *store.Tx, actor chat.User, number int64) error {
	if !Curates(actor) {
		return refuse("定时发布由知识管理员来改。")
	}
	there, err := tx.DropEntrySchedule(number)
	if err != nil {
		return err
	}
	if !there {
		return refuse(fmt.Sprintf("K%d 没有定时发布。", number))
	}
	return tx.Audit(actor.ID, "entry.unschedule", fmt.Sprintf("K%d", number), nil)
}

// PublishDue publishes what is due.
func (d *Desk) PublishDue(ctx context.Context) error {
	due, err := d.Store.DueEntrySchedules(ctx, scheduledEach)
	if err != nil {
		return err
	}
	var faults []error
	for _, s := range due {
		if err := d.publishOnTime(ctx, s); err != nil {
			faults = append(faults, fmt.Errorf("K%d: %w", s.Entry, err))
		}
	}
	return errors.Join(faults...)
}

// publishOnTime publishes one, or tells its author why not; either way it does
// not come again.
func (d *Desk) publishOnTime(ctx context.Context, s store.EntrySchedule) error {
	worse, err := d.spoiledBy(ctx, s.Entry)
	if err != nil {
		return err
	}
	var no chat.Refusal
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		actor, err := d.stillScheduled(tx, s)
		if err != nil {
			return err
		}
		if len(worse) > 0 {
			return refuse(fmt.Sprintf("会让 %d 个必中的问法变差，例如「%s」", len(worse), chat.Plain(chat.Cut(worse[0].Question, 40))))
		}
		if _, err := d.MoveEntry(tx, actor, s.Entry, s.Version, MovePublish, ""); err != nil {
			return err
		}
		return d.tellSchedule(tx, s, fmt.Sprintf("K%d 已按时发布，马上就用来回答。", s.Entry))
	})
	switch {
	case errors.Is(err, errUnscheduled):
		return nil
	case errors.Is(err, store.ErrStale), errors.Is(err, store.ErrNotFound):
		no = chat.Refusal{Text: "定时之后有人改过它"}
	case err == nil || !errors.As(err, &no):
		return err
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		if there, err := tx.DropEntrySchedule(s.Entry); err != nil || !there {
			return err
		}
		if err := tx.Audit(s.Author, "entry.schedule.failed", fmt.Sprintf("K%d", s.Entry), nil); err != nil {
			return err
		}
		return d.tellSchedule(tx, s, fmt.Sprintf("K%d 没有按时发布：%s。看过后回「发布 K%d」。", s.Entry, no.Text, s.Entry))
	})
}

// errUnscheduled is that somebody took it back, or another replica did it.
var errUnscheduled = errors.New("it is not scheduled any more")

// stillScheduled takes a schedule for this transaction: whoever deletes it goes on.
func (d *Desk) stillScheduled(tx *store.Tx, s store.EntrySchedule) (chat.User, error) {
	there, err := tx.DropEntrySchedule(s.Entry)
	if err != nil {
		return chat.User{}, err
	}
	if !there {
		return chat.User{}, errUnscheduled
	}
	actor, err := tx.FindMember(s.Author)
	if err != nil || actor.Disabled {
		return actor, errors.Join(refuse("定时的人已经不在了"), err)
	}
	p, err := tx.FindProposal(s.Entry)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return actor, err
	}
	if err == nil && p.Version != s.Change || err != nil && s.Change != 0 {
		return actor, store.ErrStale
	}
	return actor, nil
}

func (d *Desk) tellSchedule(tx *store.Tx, s store.EntrySchedule, text string) error {
	if link := d.EntryLink(s.Entry); link != "" {
		text += "\n" + link
	}
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("entry-schedule/%d/%d", s.Entry, s.At.UnixMilli()), To: person(s.Author), Body: chat.Body{Text: text}})
}
