package handlers

import (
	"context"

	"frontline/bot/chat"
	"frontline/store"
)

// event handles what is no talk: somebody opened the chat, left, judged an
// answer by the smart bot's own thumbs, or the address list changed.
func (w *Worker) event(ctx context.Context, t store.Turn, actor chat.User) (string, error) {
	m := t.Msg
	o := store.Outcome{Command: "event", Decision: "事件 " + m.Event}
	return "event", w.Store.FinishTurn(ctx, t, o, func(tx *store.Tx) error {
		switch m.Kind {
		case chat.KindEnter:
			return w.welcome(tx, m, actor)
		case chat.KindFollow:
			return tx.MeetMember(actor.ID, actor.Name, actor.Department)
		case chat.KindFeedback:
			return tx.JudgeQuestion(m.Fields["id"], actor.ID, thumb(m.Fields["type"]), 0)
		}
		return nil
	})
}

// welcome greets: in the app only who was never here (the platform reports
// every opening of the chat), at the smart bot once a day (it reports that).
func (w *Worker) welcome(tx *store.Tx, m chat.Message, actor chat.User) error {
	if _, err := tx.FindMember(actor.ID); err == nil && m.Via == chat.App {
		return nil
	}
	if err := tx.MeetMember(actor.ID, actor.Name, actor.Department); err != nil {
		return err
	}
	return tx.Enqueue(chat.Outgoing{Body: chat.Body{Text: w.Desk.helpText(actor)}, AtMostOnce: true})
}

// thumb translates the smart bot's feedback types.
func thumb(kind string) string {
	switch kind {
	case "1":
		return "useful"
	case "2":
		return "useless"
	}
	return ""
}
