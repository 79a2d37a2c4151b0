package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/handlers/mask"
	"frontline/store"
)

// What people type about alerts. A word without a number means the alert that
// was told here last, because that is what everybody is looking at.

var (
	leadingAlert = regexp.MustCompile(`^(?:[Aa]\s*([0-9]{1,15})|([0-9]{1,15})(?:\s|$))`)
	toldAlert    = regexp.MustCompile(`\bA([0-9]{1,15})\b`)
)

// alertAndRest reads "A311 30分 原因".
func alertAndRest(args string) (n int64, rest string, ok bool) {
	args = strings.TrimSpace(args)
	m := leadingAlert.FindStringSubmatch(narrow(args))
	if m == nil {
		return 0, args, false
	}
	n, ok = numberOf(m[1]+m[2], "A")
	return n, strings.TrimLeft(string([]rune(args)[len([]rune(m[0])):]), " \t：:,，、"), ok
}

// leadingLetterA tells that a number is an alert's by its letter.
func leadingLetterA(args string) bool {
	args = strings.TrimSpace(args)
	return args != "" && (args[0] == 'A' || args[0] == 'a')
}

// alertOf is alertAndRest, or the alert that was told here last.
func (d *Desk) alertOf(ctx context.Context, r Request, usage string) (n int64, rest string, err error) {
	if n, rest, ok := alertAndRest(r.Args); ok {
		return n, rest, nil
	}
	told, err := d.toldHere(ctx, r)
	if err != nil {
		return 0, "", err
	}
	for _, text := range told {
		if m := toldAlert.FindStringSubmatch(text); m != nil {
			n, _ := numberOf(m[1], "A")
			return n, strings.TrimSpace(r.Args), nil
		}
	}
	return 0, "", refuse("是哪条告警？例：" + usage)
}

// actAlert runs one change of one group of alerts inside the turn's commit.
func (d *Desk) actAlert(change func(tx *store.Tx) (store.AlertGroup, error), done func(tx *store.Tx, g store.AlertGroup) string) Result {
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		g, err := change(tx)
		if err != nil {
			return err
		}
		out.Say = append(out.Say, say(done(tx, g)).Say...)
		return nil
	}}
}

// claimAlert is 认领.
func (d *Desk) claimAlert(ctx context.Context, r Request) (Result, error) {
	n, _, err := d.alertOf(ctx, r, "认领 A311")
	if err != nil {
		return Result{}, err
	}
	return d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) { return d.Alerts.Claim(tx, r.Actor, n, r.Msg.From) },
		func(tx *store.Tx, g store.AlertGroup) string {
			line := fmt.Sprintf("A%d 归你：%s。不再提醒和升级。", n, chat.Plain(g.Title))
			if last, err := d.Alerts.LastTime(tx, g); err == nil && last != "" {
				line += "\n" + chat.Plain(last)
			}
			return line + fmt.Sprintf("\n有进展回「记入 A%d …」，两小时没有消息会放回待认领。", n)
		}), nil
}

// releaseAlert is 放回.
func (d *Desk) releaseAlert(ctx context.Context, r Request) (Result, error) {
	n, _, err := d.alertOf(ctx, r, "放回 A311")
	if err != nil {
		return Result{}, err
	}
	return d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) { return d.Alerts.Release(tx, r.Actor, n, r.Msg.From) },
		func(*store.Tx, store.AlertGroup) string { return fmt.Sprintf("A%d 已放回待认领。", n) }), nil
}

// matcherWord is a condition on a label: system=三方存管.
var matcherWord = regexp.MustCompile(`^[\pL_][\pL\pN_.:-]*(=~|!~|!=|=)\S+$`)

// silenceWords reads 30分 例行切换, 到 明天9点, 2小时 原因:… 确认. Without a time it
// is half an hour.
func silenceWords(text string, now time.Time) (match []string, until time.Time, why string, sure bool) {
	words := strings.Fields(text)
	if n := len(words); n > 0 && words[n-1] == "确认" {
		words, sure = words[:n-1], true
	}
	for len(words) > 0 && matcherWord.MatchString(words[0]) && !strings.HasPrefix(words[0], "原因=") {
		match, words = append(match, words[0]), words[1:]
	}
	until = now.Add(alert.DefaultSilence)
	for n := min(3, len(words)); n > 0; n-- {
		if t, ok := untilOf(strings.Join(words[:n], " "), now); ok {
			until, words = t, words[n:]
			break
		}
	}
	why = strings.Join(words, " ")
	for _, lead := range []string{"原因:", "原因：", "原因="} {
		why = strings.TrimPrefix(why, lead)
	}
	return match, until, strings.TrimSpace(why), sure
}

// silenceAlert is 静默 A311 30分, 静默 system=三方存管 1小时.
func (d *Desk) silenceAlert(ctx context.Context, r Request) (Result, error) {
	if match, until, why, sure := silenceWords(r.Args, r.Now); len(match) > 0 {
		return d.sureSilence(r, strings.Join(match, " "), until, why, Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
			if err := d.Alerts.SilenceMatching(tx, r.Actor, match, until, why, sure); err != nil {
				return err
			}
			out.Say = append(out.Say, say(fmt.Sprintf("已静默 %s，到 %s。", chat.Plain(strings.Join(match, " ")), when(until, r.Now))).Say...)
			return nil
		}}), nil
	}
	n, rest, err := d.alertOf(ctx, r, "静默 A311 30分")
	if err != nil {
		return Result{}, err
	}
	_, until, why, sure := silenceWords(rest, r.Now)
	res := d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) {
		return d.Alerts.Silence(tx, r.Actor, n, until, why, sure, r.Msg.From)
	}, func(*store.Tx, store.AlertGroup) string {
		return fmt.Sprintf("A%d 静默到 %s，到点还在告警会再说一次。要提前结束回「解除静默 A%d」。", n, when(until, r.Now), n)
	})
	return d.sureSilence(r, fmt.Sprintf("A%d", n), until, why, res), nil
}

// sureSilence asks before a long silence: the answer is the first item of a list.
func (d *Desk) sureSilence(r Request, what string, until time.Time, why string, res Result) Result {
	write := res.Write
	res.Write = func(tx *store.Tx, out *Result) error {
		err := write(tx, out)
		if !errors.Is(err, alert.ErrUnsure) {
			return err
		}
		again := strings.Join(strings.Fields(fmt.Sprintf("静默 %s %s %s 确认", what, until.Format("2006-01-02 15:04"), why)), " ")
		out.List = []string{again}
		out.Say = append(out.Say, say(fmt.Sprintf("静默 %s 到 %s 超过 4 小时，还没有执行。\n1  确认静默", chat.Plain(what), when(until, r.Now))).Say...)
		return nil
	}
	return res
}

// unsilenceAlert is 解除静默.
func (d *Desk) unsilenceAlert(ctx context.Context, r Request) (Result, error) {
	n, _, err := d.alertOf(ctx, r, "解除静默 A311")
	if err != nil {
		return Result{}, err
	}
	return d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) {
		return d.Alerts.Unsilence(tx, r.Actor, n, r.Msg.From)
	},
		func(*store.Tx, store.AlertGroup) string {
			return fmt.Sprintf("A%d 已解除静默，还在告警会马上说。", n)
		}), nil
}

// falseAlarm is 误报.
func (d *Desk) falseAlarm(ctx context.Context, r Request) (Result, error) {
	n, rest, err := d.alertOf(ctx, r, "误报 A311 门槛太低")
	if err != nil {
		return Result{}, err
	}
	return d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) {
		return d.Alerts.FalseAlarm(tx, r.Actor, n, rest, r.Msg.From)
	}, func(_ *store.Tx, g store.AlertGroup) string {
		line := fmt.Sprintf("A%d 记为误报，不再提醒和升级；对方恢复时自动结束。", n)
		if rest == "" {
			line += fmt.Sprintf("为什么误报可以补一句：「记入 A%d …」。", n)
		}
		return line
	}), nil
}

// escalateAlert is 升级.
func (d *Desk) escalateAlert(ctx context.Context, r Request) (Result, error) {
	n, rest, err := d.alertOf(ctx, r, "升级 A311 影响全部客户")
	if err != nil {
		return Result{}, err
	}
	return d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) { return d.Alerts.Escalate(tx, r.Actor, n, rest) },
		func(*store.Tx, store.AlertGroup) string { return fmt.Sprintf("A%d 已通知组长。", n) }), nil
}

// noteAlert is 记入 A311 …, with what is quoted.
func (d *Desk) noteAlert(r Request, n int64, rest string) Result {
	text := rest
	if q := r.Msg.Quote; q != nil && strings.TrimSpace(q.Text) != "" {
		text = strings.TrimSpace(text + "\n「" + q.Text + "」")
	}
	clean, _ := mask.Scrub(text)
	return d.actAlert(func(tx *store.Tx) (store.AlertGroup, error) { return d.Alerts.Note(tx, r.Actor, n, clean) },
		func(tx *store.Tx, g store.AlertGroup) string {
			return fmt.Sprintf("已记入 A%d 的时间线 %s。", n, tx.Now().In(r.Now.Location()).Format("15:04"))
		})
}
