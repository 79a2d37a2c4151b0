package handlers

import (
	"fmt"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// EntryJSON is an entry as programs see it: as in jsonl files, with its version
// and how far a change of it is.
type EntryJSON struct {
	kb.Entry
	Version int    `json:"version"`
	Change  string `json:"change,omitempty"` // draft or review: a change that waits
	Editor  string `json:"editor,omitempty"`
}

// JSONOfEntry is an entry with the state of the change that waits for it.
func JSONOfEntry(e kb.Entry, change string) EntryJSON {
	return EntryJSON{Entry: e, Version: e.Version, Change: change, Editor: e.Editor}
}

// EntryEvent is what subscribers hear of an entry: whenever what it answers with
// is another than before.
type EntryEvent struct {
	Entry EntryJSON `json:"entry"`
	By    string    `json:"by"`
}

func (d *Desk) emitEntry(tx *store.Tx, event, by string, e kb.Entry) error {
	return tx.Emit(d.Subscribers, event, fmt.Sprintf("K%d", e.Number), func() any { return EntryEvent{JSONOfEntry(e, ""), by} })
}

// EmitEntry tells of an entry that was written. One that answers now is told as
// event, one that answered before and does so no more as retired; what goes on
// with drafts nobody hears.
func (d *Desk) EmitEntry(tx *store.Tx, event, by string, number int64, answered bool) error {
	if len(d.Subscribers.Wanting(event))+len(d.Subscribers.Wanting(chat.EntryRetired)) == 0 {
		return nil
	}
	e, err := tx.FindEntry(number)
	switch {
	case err != nil:
		return err
	case !e.Live() && !answered:
		return nil
	case !e.Live():
		event = chat.EntryRetired
	}
	return d.emitEntry(tx, event, by, e)
}
