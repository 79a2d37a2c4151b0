package handlers

import (
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// tellPause is how soon after one message the reporter gets the next: what
// happens in between goes out together.
const tellPause = time.Minute

func (d *Desk) nameIn(tx *store.Tx, id string) string {
	if id == "" {
		return ""
	}
	u, err := tx.FindMember(id)
	if err != nil {
		return chat.Plain(id)
	}
	return chat.Plain(u.Show())
}

// person is where somebody is told something unasked: by the app, because the
// smart bot can only answer.
func person(id string) chat.Address { return chat.Address{Kind: chat.Person, ID: id, Via: chat.App} }

// tell says how a ticket goes to its reporter and its watchers, but not to who
// did it: at most one message a minute, and at night only of what is urgent.
func (d *Desk) tell(tx *store.Tx, t *store.Ticket, text, except string) error {
	if t.Reporter != except && t.Reporter != APIUser {
		now := tx.Now()
		due := now
		if next := t.Told.Add(tellPause); !t.Told.IsZero() && next.After(now) {
			due = next
		}
		if d.Rules.quiet(t.Priority, due) {
			due = d.Rules.morning(due)
		}
		if due.After(now) {
			if err := tx.HoldNotice(store.Notice{Ticket: t.Number, Member: t.Reporter, Text: text, Due: due}); err != nil {
				return err
			}
		} else if err := d.tellNow(tx, t, t.Reporter, text); err != nil {
			return err
		}
	}
	people, err := tx.TicketPeople(t.Number)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.As != store.Watcher || p.Member == except || p.Member == t.Reporter {
			continue
		}
		if err := d.tellOne(tx, t, p.Member, "watch", text); err != nil {
			return err
		}
	}
	return nil
}

// tellNow says something at once: an answer that somebody wrote, a question.
func (d *Desk) tellNow(tx *store.Tx, t *store.Ticket, member, text string) error {
	if member == APIUser {
		return nil
	}
	to := person(member)
	if member == t.Reporter {
		to = person(t.Reporter)
		if err := tx.ToldReporter(t); err != nil {
			return err
		}
	}
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("T%d/%d/tell/%s/%d", t.Number, t.Version, member, tx.Now().UnixMilli()), To: to, Urgent: urgent(t), Body: chat.Body{Text: text}})
}

// urgent tells whether words about a ticket go before others, and out in
// somebody's quiet hours.
func urgent(t *store.Ticket) bool { return t.Priority == "P1" }

// tellQuestion puts a question to the reporter; answers that came with it are
// buttons and numbers.
func (d *Desk) tellQuestion(tx *store.Tx, by chat.User, t *store.Ticket, question string) error {
	asked, answers := splitChoices(question)
	title := fmt.Sprintf("%s %s 想问", no(t), by.Show())
	text := fmt.Sprintf("%s：%s", chat.Plain(title), chat.Plain(asked))
	if len(answers) == 0 {
		return d.tellNow(tx, t, t.Reporter, text+"\n直接回复就行，我会转给 ta。")
	}
	if t.Reporter == APIUser {
		return nil
	}
	if err := tx.ToldReporter(t); err != nil {
		return err
	}
	card := &chat.Card{TaskID: fmt.Sprintf("asked%s-%d", no(t), t.Version), Source: "一线助手 · 工单", Title: chat.Cut(title, 26), Desc: chat.Plain(chat.Cut(t.Title, 40)), Text: chat.Plain(chat.Cut(asked, 100))}
	lines := []string{text}
	for i, key := range answerKeys(t, answers) {
		a := answers[i]
		card.Buttons = append(card.Buttons, chat.Button{Text: chat.Cut(a, 10), Key: key})
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, chat.Plain(a)))
	}
	card.Twin = strings.Join(append(lines, "回数字，或直接写。"), "\n")
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("T%d/%d/asked", t.Number, t.Version), To: person(t.Reporter), Urgent: urgent(t), Body: chat.Body{Card: card}})
}

// answerKeys are what the numbers and buttons of a question's answers say.
func answerKeys(t *store.Ticket, answers []string) []string {
	keys := make([]string, len(answers))
	for i, a := range answers {
		keys[i] = "补充 " + no(t) + " " + a
	}
	return keys
}

// tellOne tells a colleague; at night what is not urgent waits for the morning.
func (d *Desk) tellOne(tx *store.Tx, t *store.Ticket, member, event, text string) error {
	if d.Rules.quiet(t.Priority, tx.Now()) {
		return tx.HoldNotice(store.Notice{Ticket: t.Number, Member: member, Text: text, Due: d.Rules.morning(tx.Now())})
	}
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("T%d/%d/%s/%s", t.Number, t.Version, event, member), To: person(member), Urgent: urgent(t), Body: chat.Body{Text: text}})
}

// announceIn tells the support group, in quiet hours only what is urgent.
func (d *Desk) announceIn(tx *store.Tx, t *store.Ticket, event, line string) error {
	if d.Rules.quiet(t.Priority, tx.Now()) {
		return nil
	}
	for _, out := range d.announce(fmt.Sprintf("T%d/%s", t.Number, event), line, urgent(t)) {
		if err := tx.Enqueue(out); err != nil {
			return err
		}
	}
	return nil
}

// tellResolved tells the reporter and everybody who had the same problem, each
// with what to answer.
func (d *Desk) tellResolved(tx *store.Tx, t *store.Ticket, res Resolution) error {
	words := res.Reply
	if words == "" {
		words = res.Method
	}
	if words == "" {
		words = res.Reason
	}
	if t.Reporter == APIUser {
		return d.tellAffected(tx, t, words)
	}
	mark := fmt.Sprintf("%s-%d", no(t), t.Version)
	done, again := "客户已好 "+no(t), "还是不行 "+no(t)
	card := &chat.Card{TaskID: "resolved" + mark, Source: "一线助手 · 工单", Title: no(t) + " 已处理", Desc: chat.Plain(chat.Cut(t.Title, 40)), Text: chat.Plain(chat.Cut("可以这样告诉客户：「"+chat.Cut(words, 88)+"」", 100)),
		Buttons: []chat.Button{{Text: "客户已好", Key: done, Style: 1}, {Text: "还是不行", Key: again}}}
	lines := []string{fmt.Sprintf("%s 已处理：%s", no(t), chat.Plain(t.Title))}
	if res.Reason != "" {
		lines = append(lines, "原因 "+chat.Plain(res.Reason))
	}
	lines = append(lines, "可以这样告诉客户：「"+chat.Plain(words)+"」", "1  客户已好", "2  还是不行")
	card.Twin = strings.Join(lines, "\n")
	if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("T%d/%d/resolved", t.Number, t.Version), To: person(t.Reporter), Urgent: urgent(t), Body: chat.Body{Card: card}}); err != nil {
		return err
	}
	if err := tx.ToldReporter(t); err != nil {
		return err
	}
	if err := d.offer(tx, person(t.Reporter), t.Reporter, []string{done, again}); err != nil {
		return err
	}
	return d.tellAffected(tx, t, words)
}

// tellAffected tells those who had the same problem, and who watch.
func (d *Desk) tellAffected(tx *store.Tx, t *store.Ticket, words string) error {
	people, err := tx.TicketPeople(t.Number)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Member == t.Reporter {
			continue
		}
		text := fmt.Sprintf("【已恢复】%s %s\n可以这样告诉客户：「%s」", no(t), chat.Plain(t.Title), chat.Plain(words))
		if p.Customer != "" {
			text += "\n受影响的客户 " + p.Customer
		}
		if p.As == store.Affected {
			text += "\n还是不行就直接再报一次。"
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("T%d/%d/resolved/%s", t.Number, t.Version, p.Member), To: person(p.Member), Urgent: urgent(t), Body: chat.Body{Text: text}}); err != nil {
			return err
		}
	}
	return nil
}

// offer makes "1", "2" … of somebody's chat mean these from now on.
func (d *Desk) offer(tx *store.Tx, to chat.Address, member string, list []string) error {
	return d.openFor(tx, to, member, func(c *store.Conversation) { c.List, c.ListEnd = list, tx.Now().Add(offerLife) })
}

// offerLife is how long an answer to something that the desk said by itself is
// waited for.
const offerLife = 12 * time.Hour

func (d *Desk) openFor(tx *store.Tx, to chat.Address, member string, change func(*store.Conversation)) error {
	thread := store.ThreadKey(chat.Message{Via: to.Via, Sender: member, From: to}.Thread())
	c, err := tx.Conversation(thread)
	if err != nil {
		return err
	}
	change(&c)
	return tx.SaveConversation(thread, c)
}

// leadersOf is the leader of the ticket's service group, or everybody with the
// role.
func (d *Desk) leadersOf(tx *store.Tx, t *store.Ticket) ([]string, error) {
	for _, g := range d.Rules.Groups {
		if g.Name == t.Group && g.Leader != "" {
			return []string{g.Leader}, nil
		}
	}
	users, err := tx.MembersWith(chat.Leader)
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids, err
}

// short says a duration as people do.
func short(x time.Duration) string {
	m := int(x.Round(time.Minute).Minutes())
	switch {
	case m < 1:
		return "不到 1 分钟"
	case m < 60:
		return fmt.Sprintf("%d 分钟", m)
	case m%60 == 0:
		return fmt.Sprintf("%d 小时", m/60)
	}
	return fmt.Sprintf("%d 小时 %d 分", m/60, m%60)
}
