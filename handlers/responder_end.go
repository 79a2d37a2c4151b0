package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// What responders type to end a ticket, and to set it right.

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

// split is 拆 1042 …: an other problem becomes a ticket of its own.
func (d *Desk) split(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("拆 1042 对账单金额也不对")
	}
	var part store.Ticket
	return d.act(n, func(tx *store.Tx, t *store.Ticket) (err error) {
		part, err = d.Split(tx, r.Actor, t, rest)
		return err
	}, func(_ *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("已从 %s 拆出 %s：%s", no(&t), no(&part), chat.Plain(part.Title))
	}), nil
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
	keep, list, err := d.keeping(ctx, n)
	if err != nil {
		return Result{}, err
	}
	res := d.act(n, func(tx *store.Tx, t *store.Ticket) error { return d.Resolve(tx, r.Actor, t, resolutionOf(rest)) },
		func(tx *store.Tx, t store.Ticket) string {
			return fmt.Sprintf("%s 已解决，用时 %s，已通知 %s。\n%s", no(&t), short(d.Rules.Used(t, tx.Now())), d.nameIn(tx, t.Reporter), keep)
		})
	res.List = list
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
