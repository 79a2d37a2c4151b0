package alert

import (
	"errors"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

// cardTask begins the task ids of the cards of alerts.
const cardTask = "alert-"

// CardAlert is the number of the alert that a card is about; 0 for any other card.
func CardAlert(task string) int64 {
	rest, ok := strings.CutPrefix(task, cardTask)
	if !ok {
		return 0
	}
	var number, version int64
	var place int
	if n, err := fmt.Sscanf(rest, "%d-%d-%d", &number, &version, &place); n != 3 || err != nil {
		return 0
	}
	return number
}

// Card shows a group with a button for each word that helps now. Every button
// says what a person would type.
func (d *Desk) Card(tx *store.Tx, g *store.AlertGroup, task string) *chat.Card {
	word := func(format string) string { return fmt.Sprintf(format, g.Number) }
	c := &chat.Card{TaskID: task, Source: "告警", Title: fmt.Sprintf("%s A%d %s", Mark(g.Severity), g.Number, chat.Plain(chat.Cut(g.Title, 60))),
		Desc: fmt.Sprintf("%s %s · %d 条在告警", Priority(g.Severity), Title(g.Severity), g.Firing)}
	if d.Rules.URL != "" {
		c.URL = fmt.Sprintf("%s/alerts/%d", d.Rules.URL, g.Number)
	}
	switch {
	case g.Firing <= 0:
		c.Desc = "已恢复"
	case g.ClaimedBy == "":
		c.Buttons = append(c.Buttons, chat.Button{Text: "认领", Key: word("认领 A%d"), Style: 1})
	default:
		c.Rows = append(c.Rows, chat.Row{Key: "处理人", Value: d.name(tx, g.ClaimedBy)})
	}
	if g.Firing > 0 {
		c.Buttons = append(c.Buttons, chat.Button{Text: "静默 30 分", Key: word("静默 A%d 30分")})
	}
	if g.Ticket == 0 {
		c.Buttons = append(c.Buttons, chat.Button{Text: "建单", Key: word("建单 A%d")})
	} else {
		c.Rows = append(c.Rows, chat.Row{Key: "工单", Value: fmt.Sprintf("T%d", g.Ticket)})
	}
	var twins []string
	for _, b := range c.Buttons {
		twins = append(twins, "「"+b.Key+"」")
	}
	c.Twin = c.Title + "\n" + c.Desc
	if len(twins) > 0 {
		c.Twin += "\n回" + strings.Join(twins, "")
	}
	return c
}

// offer shows the card in a group's chat, beside the words of its robot, when
// the smart bot can speak there.
func (d *Desk) offer(tx *store.Tx, g *store.AlertGroup, receiver string, place int) error {
	if !d.Cards {
		return nil
	}
	id, err := d.chatOf(tx, receiver)
	if err != nil || id == "" {
		return err
	}
	task := fmt.Sprintf("%s%d-%d-%d", cardTask, g.Number, g.Version, place)
	return tx.Enqueue(chat.Outgoing{Key: task, To: chat.Address{Kind: chat.Group, ID: id, Via: chat.Bot}, Body: chat.Body{Card: d.Card(tx, g, task)}, AtMostOnce: true, Urgent: g.Severity == Critical})
}

// chatOf is the chat in which a receiver's robot speaks; "" when it is not known.
func (d *Desk) chatOf(tx *store.Tx, receiver string) (string, error) {
	if id, ok := d.Chats[receiver]; ok {
		return id, nil
	}
	g, err := tx.FindGroup(receiver)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return g.ChatID, err
}

// Pressed rewrites the card that somebody pressed a button of: it shows how the
// alert is now.
func (d *Desk) Pressed(tx *store.Tx, m chat.Message) (*chat.Outgoing, error) {
	number := CardAlert(m.Click.TaskID)
	if number == 0 {
		return nil, nil
	}
	g, err := tx.FindAlertGroup(number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &chat.Outgoing{Key: m.ID + "/card", To: m.From, AtMostOnce: true, Body: chat.Body{Update: &chat.CardUpdate{TaskID: m.Click.TaskID, Card: d.Card(tx, &g, m.Click.TaskID)}}}, nil
}
