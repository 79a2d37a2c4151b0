package store

import (
	"encoding/json"
	"fmt"

	"frontline/bot/chat"
)

// Emit tells the subscribers that want it of an event, in the commit in which
// it happens. about names what it happened to, for people who read the outbox;
// data is asked for once, and only when somebody wants it.
func (tx *Tx) Emit(to chat.Subscribers, event, about string, data func() any) error {
	to = to.Wanting(event)
	if len(to) == 0 {
		return nil
	}
	raw, err := json.Marshal(data())
	if err != nil {
		return fmt.Errorf("body of %s: %w", event, err)
	}
	serial := tx.Serial()
	for _, s := range to {
		out := chat.Outgoing{Key: fmt.Sprintf("hook/%s/%s/%s/%d", s.Name, about, event, serial), To: chat.Address{Kind: chat.Hook, ID: s.Name}, Body: chat.Body{Event: &chat.Event{Type: event, At: tx.Now(), Data: raw}}}
		if err := tx.Enqueue(out); err != nil {
			return err
		}
	}
	return nil
}
