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
		return Result{}, refuse(fmt.Sprintf("没有叫「%s」的处理人。发「值班」看看今天谁在。", chat.Plain(chat.Cut(name, 20))))
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
		if err := d.Ask(tx, r.Actor, t, rest); err != nil {
			return err
		}
		return d.expectAnswer(tx, t)
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

var mergeWords = regexp.MustCompile(`^(.*?)\s*(?:并?到|进|入|->|→)\s*([Tt#＃]?\s*[0-9０-９]{1,15})\s*$`)

// merge is 并 1043 到 1042; with several at once: 并 1043 1044 到 1042.
func (d *Desk) merge(ctx context.Context, r Request) (Result, error) {
	m := mergeWords.FindStringSubmatch(r.Args)
	if m == nil {
		return Result{}, refuse("并到哪张？例：并 1043 到 1042")
	}
	into, ok := numberOf(m[2], "T")
	parts := numberWords.FindAllString(narrow(m[1]), 20)
	if !ok || len(parts) == 0 {
		return Result{}, refuse("并到哪张？例：并 1043 到 1042")
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		master, err := tx.FindTicket(into)
		if errors.Is(err, store.ErrNotFound) {
			return unknownTicket(into)
		}
		if err != nil {
			return err
		}
		var done []string
		for _, p := range parts {
			n, _ := numberOf(p, "T")
			t, err := tx.FindTicket(n)
			if errors.Is(err, store.ErrNotFound) {
				return unknownTicket(n)
			}
			if err != nil {
				return err
			}
			if err := d.Merge(tx, r.Actor, &t, &master); err != nil {
				return err
			}
			done = append(done, no(&t))
		}
		out.Say = append(out.Say, say(fmt.Sprintf("%s 已并到 %s，修好后一起通知（共 %d 人）。", strings.Join(done, "、"), no(&master), master.Joined+1)).Say...)
		return nil
	}}, nil
}

var resolutionParts = regexp.MustCompile(`(?:^|[\s,，;；。])(原因|办法|方法|措施|话术|回复|对客)\s*[:：是]\s*`)

// resolutionOf reads 原因:… 办法:… 话术:…; words without a head are the method.
func resolutionOf(text string) (res Resolution) {
	cuts := resolutionParts.FindAllStringSubmatchIndex(text, -1)
	head := text
	if len(cuts) > 0 {
		head = text[:cuts[0][0]]
	}
	res.Method = strings.TrimSpace(head)
	for i, c := range cuts {
		end := len(text)
		if i+1 < len(cuts) {
			end = cuts[i+1][0]
		}
		value := strings.Trim(text[c[1]:end], " \t\n,，;；")
		switch text[c[2]:c[3]] {
		case "原因":
			res.Reason = value
		case "办法", "方法", "措施":
			res.Method = strings.TrimSpace(res.Method + " " + value)
		default:
			res.Reply = value
		}
	}
	return res
}

// resolve is 解决 1042 原因:… 办法:….
func (d *Desk) resolve(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("解决 1042 原因:当天获取次数超限 办法:已清零，请重新获取")
	}
	res := d.act(n, func(tx *store.Tx, t *store.Ticket) error { return d.Resolve(tx, r.Actor, t, resolutionOf(rest)) },
		func(tx *store.Tx, t store.Ticket) string {
			return fmt.Sprintf("%s 已解决，用时 %s，已通知 %s。\n这次的办法要留下吗？\n1  沉淀为知识\n2  不必", no(&t), short(d.Rules.Used(t, tx.Now())), d.nameIn(tx, t.Reporter))
		})
	res.List = []string{fmt.Sprintf("沉淀 T%d", n), fmt.Sprintf("不必 T%d", n)}
	return res, nil
}

// workaround is 办法 1042 …: what helps until it is solved; whoever reports the
// same hears it at once.
func (d *Desk) workaround(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	rest = strings.TrimSpace(rest)
	if !ok || rest == "" {
		return Result{}, refuse("什么临时办法？例：办法 1042 先走「交易 > 更多 > 转账」入口")
	}
	return d.act(n, func(tx *store.Tx, t *store.Ticket) error {
		if err := mustBeOpen(t, "加临时办法"); err != nil {
			return err
		}
		if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "workaround", Author: r.Actor.ID, Text: mask.Text(rest), Message: r.Msg.ID}); err != nil {
			return err
		}
		words := fmt.Sprintf("%s 有临时办法：%s", no(t), chat.Plain(mask.Text(rest)))
		if err := d.tellNow(tx, t, t.Reporter, words); err != nil {
			return err
		}
		people, err := tx.TicketPeople(t.Number)
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := d.tellOne(tx, t, p.Member, "workaround/"+r.Msg.ID, words); err != nil {
				return err
			}
		}
		return nil
	}, func(_ *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("已记下，并告诉了 %d 位同事。", t.Joined+1)
	}), nil
}

// watch is 关注 1042.
func (d *Desk) watch(ctx context.Context, r Request) (Result, error) {
	t, err := d.ticketFor(ctx, r, "关注 1042")
	if err != nil {
		return Result{}, err
	}
	return d.act(t.Number, func(tx *store.Tx, t *store.Ticket) error {
		fresh, err := tx.FollowTicket(store.TicketPerson{Ticket: t.Number, Member: r.Actor.ID, As: store.Watcher})
		if err == nil && !fresh {
			return refuse(fmt.Sprintf("你已经在关注 %s。", no(t)))
		}
		return err
	}, func(_ *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("好，%s 有进展我私聊告诉你。", no(&t))
	}), nil
}

// reclass is 分类 1042 数据.
func (d *Desk) reclass(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("分类 1042 数据")
	}
	for _, c := range d.Rules.Classes {
		sub := ""
		name, after, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if strings.TrimSuffix(name, "问题") != c.Title && name != c.Name {
			continue
		}
		for _, s := range c.Subclasses {
			if strings.TrimSpace(after) == s {
				sub = s
			}
		}
		return d.act(n, func(tx *store.Tx, t *store.Ticket) error { return d.SetClass(tx, r.Actor, t, c.Name, sub) },
			func(_ *store.Tx, t store.Ticket) string {
				return strings.TrimSpace(fmt.Sprintf("%s 记为 %s %s", no(&t), c.Title, sub)) + "。"
			}), nil
	}
	var names []string
	for _, c := range d.Rules.Classes {
		names = append(names, c.Title)
	}
	return Result{}, refuse("分类有：" + strings.Join(names, "、") + fmt.Sprintf("。例：分类 T%d %s", n, names[0]))
}

// rank is 优先级 1042 P1.
func (d *Desk) rank(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	level, why, _ := strings.Cut(strings.TrimSpace(rest), " ")
	level = strings.ToUpper(level)
	for p, title := range priorityTitle {
		if level == title {
			level = p
		}
	}
	if !ok || priorityTitle[level] == "" {
		return Result{}, refuse("改成几级？例：优先级 1042 P1 全部客户登不上")
	}
	return d.act(n, func(tx *store.Tx, t *store.Ticket) error {
		if err := mustBeOpen(t, "改优先级"); err != nil {
			return err
		}
		return d.SetPriority(tx, r.Actor, t, level, t.Urgency, strings.TrimSpace(fmt.Sprintf("优先级改为 %s %s", level, why)))
	}, func(tx *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("%s 现在是 %s %s。%s", no(&t), level, priorityTitle[level], d.byWhen(tx, t))
	}), nil
}

// onDuty is 值班.
func (d *Desk) onDuty(ctx context.Context, r Request) (Result, error) {
	shifts, err := d.Store.OnDuty(ctx, "", r.Now)
	if err != nil {
		return Result{}, err
	}
	if len(shifts) == 0 {
		return say("现在没有排班。急的话回「转人工」，支持组的同事都能看到。"), nil
	}
	lines := []string{"现在值班："}
	for _, s := range shifts {
		title := s.Group
		if g, ok := d.Rules.Group(s.Group); ok {
			title = g.Title
		}
		line := fmt.Sprintf("%s  %s（到 %s）", chat.Plain(title), d.nameOf(ctx, s.Member), when(s.Until, r.Now))
		if s.Stands != "" {
			line += "，替 " + d.nameOf(ctx, s.Stands)
		}
		lines = append(lines, line)
	}
	return say(strings.Join(lines, "\n")), nil
}
