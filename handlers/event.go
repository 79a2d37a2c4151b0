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
	changed := w.Desk.changedMember(ctx, m)
	return "event", w.Store.FinishTurn(ctx, t, o, func(tx *store.Tx) error {
		switch m.Kind {
		case chat.KindContact:
			return contactChange(tx, m, changed)
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

// changedMember looks up whom a change of the address list is about: events of
// newer callbacks carry only the id.
func (d *Desk) changedMember(ctx context.Context, m chat.Message) chat.User {
	u := chat.User{ID: m.Fields["UserID"]}
	if m.Kind != chat.KindContact || u.ID == "" || d.Directory == nil || m.Fields["ChangeType"] == "delete_user" {
		return u
	}
	if to := m.Fields["NewUserID"]; to != "" {
		u.ID = to
	}
	short, cancel := context.WithTimeout(ctx, directoryTime)
	defer cancel()
	name, department, err := d.Directory.Person(short, u.ID)
	if err != nil {
		d.Log.Debug("changed member not found", "err", err)
		return u
	}
	u.Name, u.Department = name, department
	return u
}

// contactChange follows one change of the address list. Who left is signed out
// at once; departments and tags wait for the nightly look.
func contactChange(tx *store.Tx, m chat.Message, u chat.User) error {
	switch m.Fields["ChangeType"] {
	case "create_user", "update_user":
		if err := tx.MeetMember(u.ID, u.Name, u.Department); err != nil {
			return err
		}
		if old := m.Fields["UserID"]; old != u.ID {
			return tx.SetDisabled("wecom", old, true)
		}
		return tx.SetDisabled("wecom", u.ID, false)
	case "delete_user":
		return tx.SetDisabled("wecom", u.ID, true)
	}
	return nil
}
