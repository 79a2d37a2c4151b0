package handlers

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// What people do to a ticket, the same for chat, console, API and clock. Each
// is called inside a transaction with a ticket just read there: it changes the
// ticket, writes its thread, and queues what others must hear. A Refusal tells
// what the table of moves or the state does not allow; ErrStale that somebody
// was quicker.

// titles of whom a ticket waits for.
var waitTitle = map[string]string{"reporter": "报障人", "customer": "客户", "third": "第三方"}

// save writes t in a state, with what the clock has to do for it next.
func (d *Desk) save(tx *store.Tx, t *store.Ticket, to store.TicketState) error {
	then := *t
	then.State = to
	d.Rules.look(&then, tx.Now())
	t.Look = then.Look
	return tx.ChangeTicket(t, to)
}

// change is save, and what happened as an event of the thread.
func (d *Desk) change(tx *store.Tx, by chat.User, t *store.Ticket, to store.TicketState, event string) error {
	from := t.State
	if err := d.save(tx, t, to); err != nil {
		return err
	}
	kind := chat.TicketChanged
	if to == store.TicketResolved && from != to {
		kind = chat.TicketResolved
	}
	if err := d.emit(tx, by, t, kind, nil); err != nil {
		return err
	}
	return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Author: by.ID, Text: mask.Text(event)})
}

func no(t *store.Ticket) string { return fmt.Sprintf("T%d", t.Number) }

// mustBeOpen refuses what makes no sense any more.
func mustBeOpen(t *store.Ticket, verb string) error {
	if !t.State.Open() {
		return refuse(fmt.Sprintf("%s %s，不能再%s。", no(t), t.State.Title(), verb))
	}
	return nil
}

// Claim takes a ticket; the first wins and the second hears who.
func (d *Desk) Claim(tx *store.Tx, by chat.User, t *store.Ticket) error {
	if err := mustBeOpen(t, "接"); err != nil {
		return err
	}
	if t.Assignee == by.ID && t.State == store.TicketInProgress {
		return refuse(fmt.Sprintf("%s 已经是你的了。", no(t)))
	}
	if t.Assignee != "" && t.Assignee != by.ID && t.State != store.TicketNew {
		return refuse(fmt.Sprintf("%s 已由 %s 接手。要换人请发「转 %s 姓名 原因」。", no(t), d.nameIn(tx, t.Assignee), no(t)))
	}
	t.Assignee = by.ID
	return d.begin(tx, by, t, "接手")
}

// begin puts a ticket into work: the first response, if there was none.
func (d *Desk) begin(tx *store.Tx, by chat.User, t *store.Ticket, event string) error {
	now := tx.Now()
	first := t.Responded.IsZero()
	if first {
		t.Responded = now
	}
	d.Rules.resume(t, now)
	if err := d.change(tx, by, t, store.TicketInProgress, event); err != nil {
		return err
	}
	if first {
		took := short(now.Sub(t.Created))
		return d.tell(tx, t, fmt.Sprintf("%s 已由 %s 接手（用时 %s）。补充直接接着发。", no(t), chat.Plain(by.Show()), took), by.ID)
	}
	return d.tell(tx, t, fmt.Sprintf("%s 由 %s 处理中。", no(t), chat.Plain(by.Show())), by.ID)
}

// Assign gives a ticket to somebody, with a reason when it had a handler.
func (d *Desk) Assign(tx *store.Tx, by chat.User, t *store.Ticket, to chat.User, why string) error {
	if err := mustBeOpen(t, "转"); err != nil {
		return err
	}
	if to.Disabled || !works(to) {
		return refuse(fmt.Sprintf("%s 不处理工单，不能转给 ta。", to.Show()))
	}
	if t.Assignee == to.ID {
		return refuse(fmt.Sprintf("%s 已经在 %s 手上。", no(t), to.Show()))
	}
	event := "转给 " + to.Show()
	if why = strings.TrimSpace(why); why != "" {
		event += "：" + why
	}
	t.Assignee = to.ID
	state := t.State
	if state == store.TicketNew || state == store.TicketInProgress || state == store.TicketReopened {
		state = store.TicketAssigned
	}
	if err := d.change(tx, by, t, state, event); err != nil {
		return err
	}
	text := fmt.Sprintf("%s 转给你了（%s）：%s", no(t), chat.Plain(by.Show()), chat.Plain(t.Title))
	if why != "" {
		text += "\n原因 " + chat.Plain(mask.Text(why))
	}
	text += fmt.Sprintf("\n回「接 %s」开始处理。", no(t))
	return d.tellOne(tx, t, to.ID, "assign", text)
}

// Hold makes a ticket wait: its clocks stand still until then.
func (d *Desk) Hold(tx *store.Tx, by chat.User, t *store.Ticket, whom string, until time.Time) error {
	if err := mustBeOpen(t, "挂起"); err != nil {
		return err
	}
	if waitTitle[whom] == "" {
		return refuse("等谁？可以是 报障人、客户、第三方。例：挂起 " + no(t) + " 等客户 到 明天9点")
	}
	if !until.IsZero() && !until.After(tx.Now()) {
		return refuse("「到」的时间已经过了，写一个以后的时间，例：明天9点。")
	}
	if t.Assignee == "" {
		t.Assignee = by.ID
	}
	if t.Responded.IsZero() {
		t.Responded = tx.Now()
	}
	t.WaitFor, t.WaitUntil = whom, until
	d.Rules.pause(t, tx.Now())
	event := "挂起，等" + waitTitle[whom]
	if !until.IsZero() {
		event += "，到 " + until.Format("01-02 15:04")
	}
	return d.change(tx, by, t, store.TicketWaiting, event)
}

// Ask puts a question to the reporter; the ticket waits for the answer.
func (d *Desk) Ask(tx *store.Tx, by chat.User, t *store.Ticket, question string) error {
	if err := mustBeOpen(t, "问"); err != nil {
		return err
	}
	question = strings.TrimSpace(mask.Text(question))
	if question == "" {
		return refuse("问什么？例：问 " + no(t) + " 收不到短信时有没有提示语")
	}
	if t.Assignee == "" {
		t.Assignee = by.ID
	}
	if t.Responded.IsZero() {
		t.Responded = tx.Now()
	}
	t.WaitFor, t.WaitUntil = "reporter", time.Time{}
	d.Rules.pause(t, tx.Now())
	if err := d.save(tx, t, store.TicketWaiting); err != nil {
		return err
	}
	if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "question", Author: by.ID, Text: question}); err != nil {
		return err
	}
	if err := errors.Join(d.emit(tx, by, t, chat.TicketChanged, nil), d.commented(tx, by, t, "question", question, 0)); err != nil {
		return err
	}
	return d.tellQuestion(tx, by, t, question)
}

// Reply says something to the reporter.
func (d *Desk) Reply(tx *store.Tx, by chat.User, t *store.Ticket, text string, media []chat.Media) error {
	text = strings.TrimSpace(mask.Text(text))
	if text == "" && len(media) == 0 {
		return refuse("回复是空的。")
	}
	if t.State.Open() && t.Responded.IsZero() {
		t.Responded = tx.Now()
		if err := d.save(tx, t, t.State); err != nil {
			return err
		}
	}
	if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "reply", Author: by.ID, Text: text, Media: media}); err != nil {
		return err
	}
	if err := d.commented(tx, by, t, "reply", text, len(media)); err != nil {
		return err
	}
	return d.tellNow(tx, t, t.Reporter, fmt.Sprintf("%s %s：%s", no(t), chat.Plain(by.Show()), chat.Plain(text)))
}

// Note adds something to the thread that the reporter does not see.
func (d *Desk) Note(tx *store.Tx, by chat.User, t *store.Ticket, text, original string, media []chat.Media, message string) error {
	if strings.TrimSpace(text) == "" && len(media) == 0 {
		return refuse("没有内容可记。")
	}
	return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "note", Author: by.ID, Text: mask.Text(text), Original: original, Media: media, Message: message})
}

// Said is what the reporter (or who follows) adds: it wakes a ticket that waits
// for the reporter, and the handler hears it.
func (d *Desk) Said(tx *store.Tx, by chat.User, t *store.Ticket, text, original string, media []chat.Media, message string) error {
	if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: by.ID, Text: mask.Text(text), Original: original, Media: media, Message: message}); err != nil {
		return err
	}
	if err := d.commented(tx, by, t, "report", mask.Text(text), len(media)); err != nil {
		return err
	}
	if t.State == store.TicketWaiting && t.WaitFor != "third" {
		d.Rules.resume(t, tx.Now())
		if err := d.change(tx, by, t, store.TicketInProgress, "报障人已回复，继续处理"); err != nil {
			return err
		}
	}
	if t.Assignee == "" || t.Assignee == by.ID {
		return nil
	}
	line := fmt.Sprintf("%s %s：%s", no(t), chat.Plain(by.Show()), chat.Plain(chat.Cut(oneLine(mask.Text(text)), 200)))
	if n := len(media); n > 0 {
		line += fmt.Sprintf("（%d 个附件）", n)
	}
	return d.tellOne(tx, t, t.Assignee, "said/"+message, line)
}

// Resolution says how a ticket ended.
type Resolution struct {
	Reason, Method string // in words
	Reply          string // what to tell the customer; "" for the method
	Outcome        string // knowledge, one_off, data_repair, duplicate; "" is asked for later
}

// Resolve ends the work on a ticket; the reporter says whether it is so.
func (d *Desk) Resolve(tx *store.Tx, by chat.User, t *store.Ticket, res Resolution) error {
	if err := mustBeOpen(t, "解决"); err != nil {
		return err
	}
	res.Reason, res.Method, res.Reply = strings.TrimSpace(mask.Text(res.Reason)), strings.TrimSpace(mask.Text(res.Method)), strings.TrimSpace(mask.Text(res.Reply))
	if res.Method == "" && res.Reason == "" {
		return refuse("怎么解决的？例：解决 " + no(t) + " 原因:当天获取次数超限 办法:已清零，请重新获取")
	}
	now := tx.Now()
	if t.Assignee == "" {
		t.Assignee = by.ID
	}
	if t.Responded.IsZero() {
		t.Responded = now
	}
	d.Rules.resume(t, now)
	t.Reason, t.Method, t.Outcome, t.Handler, t.Resolved, t.Asked = res.Reason, res.Method, res.Outcome, t.Assignee, now, time.Time{}
	event := "解决"
	if res.Reason != "" {
		event += "，原因：" + res.Reason
	}
	if res.Method != "" {
		event += "，办法：" + res.Method
	}
	if err := d.change(tx, by, t, store.TicketResolved, event); err != nil {
		return err
	}
	if err := d.tellAlerts(tx, by, t); err != nil {
		return err
	}
	if err := d.announceIn(tx, t, "resolved", fmt.Sprintf("**%s** 已由 %s 解决", no(t), chat.PlainMarkdown(by.Show()))); err != nil {
		return err
	}
	return d.tellResolved(tx, t, res)
}

// Confirm closes a resolved ticket by the reporter's word.
func (d *Desk) Confirm(tx *store.Tx, by chat.User, t *store.Ticket) error {
	if t.State != store.TicketResolved {
		return refuse(fmt.Sprintf("%s %s，不用确认。", no(t), t.State.Title()))
	}
	return d.closeAs(tx, by, t, "报障人确认已好")
}

// Close closes a resolved ticket: by the reporter's word, or because a program
// or a colleague says so.
func (d *Desk) Close(tx *store.Tx, by chat.User, t *store.Ticket) error {
	if by.ID == t.Reporter {
		return d.Confirm(tx, by, t)
	}
	if t.State != store.TicketResolved {
		return refuse(fmt.Sprintf("%s %s，解决以后才能关闭。", no(t), t.State.Title()))
	}
	return d.closeAs(tx, by, t, "关闭")
}

func (d *Desk) closeAs(tx *store.Tx, by chat.User, t *store.Ticket, event string) error {
	t.Closed = tx.Now()
	return d.change(tx, by, t, store.TicketClosed, event)
}

// reopenTime is how long "又出现了" takes a ticket up again.
const reopenTime = 7 * 24 * time.Hour

// Reopen takes a resolved or closed ticket up again.
func (d *Desk) Reopen(tx *store.Tx, by chat.User, t *store.Ticket, why string) error {
	if t.State != store.TicketResolved && t.State != store.TicketClosed {
		return refuse(fmt.Sprintf("%s %s，不用重开。", no(t), t.State.Title()))
	}
	if tx.Now().Sub(t.Resolved) > reopenTime {
		return refuse(fmt.Sprintf("%s 已解决超过 7 天，请重新报一次：报障 …", no(t)))
	}
	t.Cycle++
	t.Rating, t.Why, t.Asked, t.Closed, t.Responded = 0, "", time.Time{}, time.Time{}, time.Time{}
	d.Rules.startClocks(t, tx.Now())
	event := "重开"
	if why = strings.TrimSpace(mask.Text(why)); why != "" {
		event += "：" + why
	}
	if err := d.change(tx, by, t, store.TicketReopened, event); err != nil {
		return err
	}
	if err := d.announceIn(tx, t, fmt.Sprintf("reopened/%d", t.Cycle), fmt.Sprintf("**%s** 又出现了（第 %d 次重开）\n> %s", no(t), t.Cycle, chat.PlainMarkdown(t.Title))); err != nil {
		return err
	}
	if t.Assignee == "" {
		return nil
	}
	return d.tellOne(tx, t, t.Assignee, fmt.Sprintf("reopened/%d", t.Cycle), fmt.Sprintf("%s 又出现了：%s", no(t), chat.Plain(t.Title)))
}

// Void withdraws a ticket.
func (d *Desk) Void(tx *store.Tx, by chat.User, t *store.Ticket, event string) error {
	if err := mustBeOpen(t, "撤回"); err != nil {
		return err
	}
	return d.change(tx, by, t, store.TicketVoid, event)
}

// Merge makes a ticket part of a master: its people hear what becomes of that.
func (d *Desk) Merge(tx *store.Tx, by chat.User, t, master *store.Ticket) error {
	switch {
	case t.Number == master.Number:
		return refuse("一张单不能并到自己。")
	case master.State == store.TicketMerged:
		return refuse(fmt.Sprintf("%s 自己已并到 T%d，请并到那里。", no(master), master.Master))
	case !master.State.Open(): // nobody would hear of its end any more
		return refuse(fmt.Sprintf("%s %s，不能当主单。", no(master), master.State.Title()))
	}
	if err := mustBeOpen(t, "并"); err != nil {
		return err
	}
	t.Master = master.Number
	if err := d.change(tx, by, t, store.TicketMerged, "并到 "+no(master)); err != nil {
		return err
	}
	people, err := tx.TicketPeople(t.Number)
	if err != nil {
		return err
	}
	people = append(people, store.TicketPerson{Member: t.Reporter, As: store.Affected, Customer: customerOf(*t)})
	for _, p := range people {
		p.Ticket = master.Number
		if _, err := tx.FollowTicket(p); err != nil {
			return err
		}
	}
	master.Joined += 1 + t.Joined
	if err := d.change(tx, by, master, master.State, no(t)+" 并入"); err != nil {
		return err
	}
	if err := tx.LinkTicket(store.Link{Ticket: master.Number, Kind: store.NumberTicket, Number: t.Number}); err != nil {
		return err
	}
	return d.tell(tx, t, fmt.Sprintf("%s 和 %s（%s）是同一个问题，已并到一起。修好后我会通知你。", no(t), no(master), chat.Plain(chat.Cut(master.Title, 30))), by.ID)
}

// Split makes a ticket of its own of what turned out to be another problem: same
// reporter and customer, linked both ways.
func (d *Desk) Split(tx *store.Tx, by chat.User, t *store.Ticket, words string) (store.Ticket, error) {
	if err := mustBeOpen(t, "拆"); err != nil {
		return store.Ticket{}, err
	}
	clean, _ := mask.Scrub(strings.TrimSpace(words))
	if len([]rune(clean)) < 2 {
		return store.Ticket{}, refuse("拆出什么问题？例：拆 " + no(t) + " 对账单金额也不对")
	}
	part := store.Ticket{Priority: t.Priority, Class: t.Class, Title: TitleOf(clean), Reporter: t.Reporter, Place: t.Place, AppVersion: t.AppVersion, System: t.System, Urgency: t.Urgency, Group: t.Group}
	if err := d.Open(tx, by, &part); err != nil {
		return part, err
	}
	for _, err := range []error{
		tx.CopyCustomer(t, &part),
		tx.AddTicketEntry(part.ID, store.TicketEntry{Kind: "report", Author: by.ID, Text: mask.Text(clean), Original: clean}),
		tx.LinkTicket(store.Link{Ticket: t.Number, Kind: store.NumberTicket, Number: part.Number}),
		tx.LinkTicket(store.Link{Ticket: part.Number, Kind: store.NumberTicket, Number: t.Number}),
		d.change(tx, by, t, t.State, "拆出 "+no(&part)),
		d.tell(tx, t, fmt.Sprintf("%s 里的另一个问题拆成了 %s：%s", no(t), no(&part), chat.Plain(part.Title)), by.ID),
	} {
		if err != nil {
			return part, err
		}
	}
	return part, nil
}

// SetPriority changes priority and reason; the clocks follow.
func (d *Desk) SetPriority(tx *store.Tx, by chat.User, t *store.Ticket, priority, urgency, event string) error {
	if _, ok := d.Rules.Clocks[priority]; !ok {
		return refuse("优先级是 P1、P2、P3 或 P4。")
	}
	old := t.Priority
	t.Priority, t.Urgency = priority, urgency
	if t.State.Open() && old != priority {
		d.Rules.resetClocks(t, old, tx.Now())
	}
	return d.change(tx, by, t, t.State, event)
}

// SetClass corrects the class; the classifier learns from it.
func (d *Desk) SetClass(tx *store.Tx, by chat.User, t *store.Ticket, class, subclass string) error {
	title := d.Rules.ClassTitle(class)
	if title == class {
		return refuse("没有这个分类。")
	}
	t.Class, t.Subclass = class, subclass
	return d.change(tx, by, t, t.State, "分类改为 "+strings.TrimSpace(title+" "+subclass))
}

// Rate keeps a rating of 1 to 5 for the handler of this cycle; a bad one is
// told to the group's leader.
func (d *Desk) Rate(tx *store.Tx, by chat.User, t *store.Ticket, stars int, why string) error {
	if by.ID != t.Reporter {
		return refuse(fmt.Sprintf("%s 不是你报的，不能评价。", no(t)))
	}
	if t.State != store.TicketResolved && t.State != store.TicketClosed {
		return refuse(fmt.Sprintf("%s %s，解决以后再评价。", no(t), t.State.Title()))
	}
	if stars < 1 || stars > 5 {
		return refuse("评分是 1 到 5。")
	}
	first := t.Rating == 0
	t.Rating = stars
	if why = strings.TrimSpace(mask.Text(why)); why != "" {
		t.Why = why
	}
	if err := d.change(tx, by, t, t.State, fmt.Sprintf("评价 %d 分", stars)); err != nil {
		return err
	}
	if stars > 2 || !(first || why != "") {
		return nil
	}
	leaders, err := d.leadersOf(tx, t)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s 评价不满意：%s", no(t), chat.Plain(t.Title))
	if t.Why != "" {
		text += "\n原因 " + chat.Plain(t.Why)
	}
	for _, l := range leaders {
		if err := d.tellOne(tx, t, l, "rated", text); err != nil {
			return err
		}
	}
	return nil
}
