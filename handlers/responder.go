package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// What responders type. Each works in a group after an @ as well.

const queueShown = 8

// queue is 待接: what waits for somebody, most urgent first, and what is the
// actor's own and not begun.
func (d *Desk) queue(ctx context.Context, r Request) (Result, error) {
	waiting := []store.TicketState{store.TicketNew, store.TicketAssigned, store.TicketReopened}
	tickets, err := d.Store.ListTickets(ctx, store.TicketQuery{States: waiting, ByDue: true, N: 100})
	if err != nil {
		return Result{}, err
	}
	var mine []store.Ticket
	for _, t := range tickets {
		if t.Assignee == "" || t.Assignee == r.Actor.ID {
			mine = append(mine, t)
		}
	}
	if len(mine) == 0 {
		return say("现在没有待接的单。"), nil
	}
	more := len(mine) - queueShown
	lines := []string{fmt.Sprintf("待接 %d 单（最急在前）：", len(mine))}
	res := Result{List: []string{}}
	for i, t := range mine[:min(queueShown, len(mine))] {
		line := fmt.Sprintf("%d  T%d %s %s · %s", i+1, t.Number, chat.Plain(chat.Cut(t.Title, 24)), t.Priority, d.leftWords(t, r.Now))
		if t.Assignee == r.Actor.ID {
			line += "（派给你的）"
		}
		if t.Joined > 0 {
			line += fmt.Sprintf(" · %d 人", t.Joined+1)
		}
		lines = append(lines, line)
		res.List = append(res.List, fmt.Sprintf("接 T%d", t.Number))
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("还有 %d 单，完整清单在网页。", more))
	}
	res.Say = say(strings.Join(append(lines, "回数字接一张，或「接1 接3」接几张。"), "\n")).Say
	return res, nil
}

// leftWords says how long is left to answer, or to resolve.
func (d *Desk) leftWords(t store.Ticket, now time.Time) string {
	left, what := d.Rules.Left(t, now), ""
	if t.Responded.IsZero() {
		left, what = d.Rules.LeftToRespond(t, now), ""
	}
	if left < 0 {
		return what + "已超时 " + short(-left)
	}
	return what + "还剩 " + short(left)
}

// ticketAndRest reads "1042 李工 原因".
func ticketAndRest(args string) (n int64, rest string, ok bool) {
	args = strings.TrimSpace(args)
	m := leadingTicket.FindStringSubmatch(narrow(args))
	if m == nil {
		return 0, args, false
	}
	n, ok = numberOf(m[1], "T")
	// The width of digits does not change the number of runes.
	rest = string([]rune(args)[len([]rune(m[0])):])
	return n, strings.TrimLeftFunc(rest, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("：:,，、", c) }), ok
}

var leadingTicket = regexp.MustCompile(`^([Tt#＃]?\s*[0-9]{1,15})`)

// act runs one change of one ticket inside the turn's commit and answers with
// what done says of the ticket afterwards.
func (d *Desk) act(n int64, change func(tx *store.Tx, t *store.Ticket) error, done func(tx *store.Tx, t store.Ticket) string) Result {
	return Result{Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(n)
		if errors.Is(err, store.ErrNotFound) {
			return unknownTicket(n)
		}
		if err != nil {
			return err
		}
		if err := change(tx, &t); err != nil {
			return err
		}
		out.Say = append(out.Say, say(done(tx, t)).Say...)
		return nil
	}}
}

func unknownTicket(n int64) error {
	return refuse(fmt.Sprintf("没有找到 T%d。发「我的单」看看你的工单。", n))
}

func which(usage string) error { return refuse("是哪张单？例：" + usage) }

// claim is 接: one or several.
func (d *Desk) claim(ctx context.Context, r Request) (Result, error) {
	var numbers []int64
	for _, w := range numberWords.FindAllString(narrow(r.Args), 20) {
		if n, ok := numberOf(w, "T"); ok {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return Result{}, which("接 1042")
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		var lines []string
		for _, n := range numbers {
			t, err := tx.FindTicket(n)
			if errors.Is(err, store.ErrNotFound) {
				err = unknownTicket(n)
			}
			if err == nil {
				err = d.Claim(tx, r.Actor, &t)
			}
			refusal := chat.Refusal{}
			if errors.As(err, &refusal) {
				lines = append(lines, refusal.Text)
				continue
			}
			if err != nil {
				return err
			}
			lines = append(lines, d.claimedLine(tx, t))
		}
		out.Say = append(out.Say, say(strings.Join(lines, "\n")).Say...)
		return nil
	}}, nil
}

func (d *Desk) claimedLine(tx *store.Tx, t store.Ticket) string {
	line := fmt.Sprintf("%s 归你：%s · %s · 报障人 %s", no(&t), chat.Plain(chat.Cut(t.Title, 40)), d.leftWords(t, tx.Now()), d.nameIn(tx, t.Reporter))
	if who := customerOf(t); who != "" {
		line += "，客户 " + lastFour(who)
	}
	return line
}

// lastFour is all of a customer that a group may see.
func lastFour(masked string) string {
	if r := []rune(masked); len(r) > 4 {
		return "****" + string(r[len(r)-4:])
	}
	return masked
}

// transfer is 转 1042 李工 原因.
func (d *Desk) transfer(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	name, why, _ := strings.Cut(rest, " ")
	name = strings.TrimPrefix(strings.TrimSpace(name), "@")
	if !ok || name == "" {
		return Result{}, refuse("转给谁？例：转 1042 李工 需要账户组查")
	}
	found, err := d.colleagues(ctx, name)
	if err != nil {
		return Result{}, err
	}
	switch len(found) {
	case 0:
		return Result{}, refuse(fmt.Sprintf("没有叫「%s」的处理人。请写全名或账号。", chat.Plain(chat.Cut(name, 20))))
	case 1:
	default:
		lines := []string{fmt.Sprintf("有 %d 位，是哪一位？", len(found))}
		res := Result{List: []string{}}
		for i, u := range found[:min(len(found), 8)] {
			lines = append(lines, fmt.Sprintf("%d  %s %s", i+1, chat.Plain(u.Show()), chat.Plain(u.Department)))
			res.List = append(res.List, strings.TrimSpace(fmt.Sprintf("转 T%d %s %s", n, u.ID, why)))
		}
		res.Say = say(strings.Join(lines, "\n")).Say
		return res, nil
	}
	to := found[0]
	res := d.act(n, func(tx *store.Tx, t *store.Ticket) error { return d.Assign(tx, r.Actor, t, to, why) },
		func(_ *store.Tx, t store.Ticket) string {
			return fmt.Sprintf("%s 已转给 %s，已通知 ta。", no(&t), to.Show())
		})
	res.List = []string{}
	return res, nil
}

// colleagues finds who works on tickets by userid, name, or surname with 工.
func (d *Desk) colleagues(ctx context.Context, name string) ([]chat.User, error) {
	all, err := d.Store.ListMembers(ctx)
	if err != nil {
		return nil, err
	}
	var exact, near []chat.User
	surname := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "工"), "姐"), "哥"), "经理")
	for _, u := range all {
		switch {
		case u.Disabled || !works(u):
		case strings.EqualFold(u.ID, name) || u.Name == name:
			exact = append(exact, u)
		case surname != name && surname != "" && strings.HasPrefix(u.Name, surname), strings.Contains(u.Name, name):
			near = append(near, u)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	return near, nil
}

var (
	waitWords = regexp.MustCompile(`^等?\s*(报障人|客户|对方|第三方|厂商|供应商|银行|他|她|回复)?\s*(?:回复|确认)?\s*(?:[,，]?\s*(?:到|至)\s*(.+))?$`)
	waitFor   = map[string]string{"": "reporter", "报障人": "reporter", "他": "reporter", "她": "reporter", "回复": "reporter", "客户": "customer", "对方": "third", "第三方": "third", "厂商": "third", "供应商": "third", "银行": "third"}
)

// hold is 挂起 1042 等客户 到 明天9点.
func (d *Desk) hold(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("挂起 1042 等客户 到 明天9点")
	}
	m := waitWords.FindStringSubmatch(strings.TrimSpace(rest))
	if m == nil {
		return Result{}, refuse(fmt.Sprintf("等谁、到什么时候？例：挂起 T%d 等客户 到 明天9点", n))
	}
	var until time.Time
	if m[2] != "" {
		if until, ok = untilOf(m[2], r.Now); !ok {
			return Result{}, refuse("这个时间我没看懂：" + chat.Plain(chat.Cut(m[2], 20)) + "。例：明天9点、周五 10:30、2小时")
		}
	}
	return d.act(n, func(tx *store.Tx, t *store.Ticket) error { return d.Hold(tx, r.Actor, t, waitFor[m[1]], until) },
		func(tx *store.Tx, t store.Ticket) string {
			line := fmt.Sprintf("%s 已挂起，等%s，时限暂停（已用 %s）。", no(&t), waitTitle[t.WaitFor], short(d.Rules.Used(t, tx.Now())))
			if !t.WaitUntil.IsZero() {
				return line + fmt.Sprintf("%s 自动恢复并提醒你。", when(t.WaitUntil, tx.Now()))
			}
			return line + "有回复就自动恢复。"
		}), nil
}

// inquire is 问 1042 ….
func (d *Desk) inquire(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("问 1042 收不到短信时有没有提示语")
	}
	return d.act(n, func(tx *store.Tx, t *store.Ticket) error {
		return d.Inquire(tx, r.Actor, t, rest)
	}, func(tx *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("已问 %s，回复会转给你；时限先暂停。", d.nameIn(tx, t.Reporter))
	}), nil
}

// answerTo is 回 1042 …: words to the reporter.
func (d *Desk) answerTo(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("回 1042 已在查，10 分钟内给结果")
	}
	return d.act(n, func(tx *store.Tx, t *store.Ticket) error { return d.Reply(tx, r.Actor, t, rest, r.Msg.Media) },
		func(tx *store.Tx, t store.Ticket) string {
			return fmt.Sprintf("已发给 %s。", d.nameIn(tx, t.Reporter))
		}), nil
}

// noteDown is 记入 1042 …, with what is quoted: into the timeline. Without a
// number it goes to the ticket that the actor works on, when that is one.
func (d *Desk) noteDown(ctx context.Context, r Request) (Result, error) {
	if n, rest, ok := alertAndRest(r.Args); ok && leadingLetterA(r.Args) {
		return d.noteAlert(r, n, rest), nil
	}
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		rest = r.Args
		mine, err := d.Store.ListTickets(ctx, store.TicketQuery{States: []store.TicketState{store.TicketInProgress}, Assignee: r.Actor.ID, N: 2})
		if err != nil {
			return Result{}, err
		}
		if len(mine) != 1 {
			return Result{}, which("记入 1042 切到 2 号网关了，观察")
		}
		n = mine[0].Number
	}
	text, media := rest, r.Msg.Media
	if q := r.Msg.Quote; q != nil {
		text, media = strings.TrimSpace(text+"\n「"+q.Text+"」"), append(media, q.Media...)
		if strings.TrimSpace(q.Text) == "" {
			text = rest
		}
	}
	clean, _ := mask.Scrub(text)
	return d.act(n, func(tx *store.Tx, t *store.Ticket) error {
		return d.Note(tx, r.Actor, t, clean, clean, media, r.Msg.ID)
	}, func(tx *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("已记入 %s 的时间线 %s。", no(&t), tx.Now().In(r.Now.Location()).Format("15:04"))
	}), nil
}
