package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Quiet hours (免打扰) of a person and of a group: what is not critical and was not
// asked for waits for their end and is then said at once. The store holds it
// (store/quiet.go); here are the words.

const (
	quietUsage = "免打扰 22:00-7:00"
	quietMost  = 16 * 60 // minutes: who is never told is not served
	// Of what is summed up: so much in full, else a line each.
	sumBytes = 1500
	sumLines = 20
	sumRunes = 60
)

var quietSpan = regexp.MustCompile(`^(?:从|每天|每晚)?\s*(.+?)\s*(?:-|－|–|—|~|～|到|至)\s*(?:次日|第二天|明天|明早|早上|早)?\s*(.+)$`)

// marks are what formats a line and must not be cut in the middle.
var marks = regexp.MustCompile("<[^>]*>|\\*\\*|`|\\]\\([^)]*\\)|\\[")

// ReadQuietHours reads 22:00-7:00, 晚上10点到早上7点.
func ReadQuietHours(text string) (q store.QuietHours, err error) {
	f := quietSpan.FindStringSubmatch(strings.TrimSpace(narrow(text)))
	if f == nil {
		return q, refuse("从几点到几点？例：" + quietUsage + "；关掉回「免打扰 关」。")
	}
	from, _, ok1 := clockOf(f[1])
	until, _, ok2 := clockOf(f[2])
	if !ok1 || !ok2 {
		return q, refuse("从几点到几点？例：" + quietUsage)
	}
	return NewQuietHours(int(from.Minutes()), int(until.Minutes()))
}

// NewQuietHours are those from and until minutes since midnight.
func NewQuietHours(from, until int) (q store.QuietHours, err error) {
	q = store.QuietHours{From: from, Until: until}
	switch long := (until - from + 24*60) % (24 * 60); {
	case long == 0:
		return q, refuse("开始和结束不能是同一个时间。")
	case long > quietMost:
		return q, refuse("免打扰一天最多 16 小时，太长就什么都收不到了。")
	}
	return q, nil
}

// QuietWords says quiet hours: 22:00–7:00.
func QuietWords(q store.QuietHours) string {
	return fmt.Sprintf("%d:%02d–%d:%02d", q.From/60, q.From%60, q.Until/60, q.Until%60)
}

// quietHours is 免打扰: in a group it is about the group.
func (d *Desk) quietHours(ctx context.Context, r Request) (Result, error) {
	place, whom := r.Msg.From, "你"
	if place.Kind == chat.Person {
		place = person(r.Actor.ID)
	} else {
		whom = "本群"
	}
	text := strings.TrimSpace(r.Args)
	if text == "" {
		q, err := d.Store.QuietHours(ctx, place)
		if err != nil {
			return Result{}, err
		}
		if !q.Set() {
			return say(whom + "没有设免打扰。例：" + quietUsage), nil
		}
		return say(fmt.Sprintf("%s的免打扰：每天 %s。改：%s；关掉回「免打扰 关」。", whom, QuietWords(q), quietUsage)), nil
	}
	if place.Kind != chat.Person && !works(r.Actor) {
		return Result{}, refuse("群的免打扰由支持同事来设；你自己的，私聊我说「" + quietUsage + "」。")
	}
	var q store.QuietHours
	words := fmt.Sprintf("好，%s的免打扰关了，攒着的马上发。", whom)
	if !slices.Contains([]string{"关", "关闭", "关掉", "取消", "off"}, strings.ToLower(text)) {
		var err error
		if q, err = ReadQuietHours(text); err != nil {
			return Result{}, err
		}
		words = fmt.Sprintf("好，每天 %s %s不打扰：不紧急的攒到 %d:%02d 一起发。P1、严重告警和你问我的照常。关掉回「免打扰 关」。", QuietWords(q), map[bool]string{true: "对你", false: "在本群"}[whom == "你"], q.Until/60, q.Until%60)
	}
	return Result{List: []string{}, Say: say(words).Say, Write: func(tx *store.Tx, _ *Result) error {
		return d.SetQuietHours(tx, r.Actor, place, q)
	}}, nil
}

// SetQuietHours sets the quiet hours of a place, or takes them away. A group is
// one place, whether its robot speaks there or the smart bot.
func (d *Desk) SetQuietHours(tx *store.Tx, by chat.User, place chat.Address, q store.QuietHours) error {
	if place.Kind == chat.Person && place.ID != by.ID || place.Kind != chat.Person && !works(by) {
		return refuse("只能设自己的免打扰；群的由支持同事来设。")
	}
	places, err := d.sameGroup(tx, place)
	if err != nil {
		return err
	}
	q.By = by.ID
	for _, p := range places {
		if err := tx.SetQuietHours(p, q); err != nil {
			return err
		}
	}
	return tx.Audit(by.ID, "quiet.change", place.String(), map[string]int{"from": q.From, "until": q.Until})
}

// sameGroup are the addresses of a group: its robot, and the chat as the smart
// bot knows it.
func (d *Desk) sameGroup(tx *store.Tx, place chat.Address) ([]chat.Address, error) {
	if place.Kind == chat.Person {
		return []chat.Address{place}, nil
	}
	own, err := tx.ListGroups()
	all := slices.Clone(d.Chats)
	for _, g := range own {
		all = append(all, GroupChat{g.Name, g.Title, g.ChatID, g.KeyEnd != ""})
	}
	out := []chat.Address{place}
	for _, g := range all {
		robot, inChat := chat.Address{Kind: chat.Robot, ID: g.Name}, chat.Address{Kind: chat.Group, ID: g.ChatID, Via: chat.Bot}
		if place == robot && g.ChatID != "" {
			out = append(out, inChat)
		} else if place == inChat {
			out = append(out, robot)
		}
	}
	return out, err
}

// LetGo says what was held in quiet hours that are over: words together, cards
// and files as they are. Each place is one commit of its own.
func (d *Desk) LetGo(ctx context.Context) error {
	places, err := d.Store.HeldPlaces(ctx, lookBatch)
	if err != nil {
		return err
	}
	var faults []error
	for _, p := range places {
		err := d.Store.InTx(ctx, func(tx *store.Tx) error { return d.letGo(tx, p) })
		if err != nil && !errors.Is(err, store.ErrStale) {
			faults = append(faults, fmt.Errorf("%s: %w", p, err))
		}
	}
	return errors.Join(faults...)
}

func (d *Desk) letGo(tx *store.Tx, place chat.Address) error {
	until, err := tx.QuietUntil(place)
	if err != nil {
		return err
	}
	if !until.IsZero() { // they were changed meanwhile
		return tx.HoldOn(place, until)
	}
	list, err := tx.Held(place)
	if err != nil {
		return err
	}
	var whole, words []store.Held
	for _, h := range list {
		if h.Said.Body.Text != "" || h.Said.Body.Markdown != "" {
			words = append(words, h)
		} else {
			whole = append(whole, h)
		}
	}
	if len(words) == 1 {
		whole, words = append(whole, words...), nil
	}
	if err := tx.LetGo(heldIDs(whole)); err != nil || len(words) == 0 {
		return err
	}
	if err := tx.SummedUp(heldIDs(words)); err != nil {
		return err
	}
	body := chat.Body{Text: sumUp(words, d.local(tx.Now()), false)}
	if place.Kind == chat.Robot {
		body = chat.Body{Markdown: sumUp(words, d.local(tx.Now()), true)}
	}
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("held/%d", words[0].ID), To: place, Body: body})
}

func heldIDs(list []store.Held) []int64 {
	ids := make([]int64, len(list))
	for i, h := range list {
		ids[i] = h.ID
	}
	return ids
}

// sumUp is what was held, as one message: in full while it is short, else a line
// for each.
func sumUp(list []store.Held, now time.Time, markdown bool) string {
	head := fmt.Sprintf("免打扰期间有 %d 条：", len(list))
	if markdown {
		head = "**" + head + "**"
	}
	full := []string{head}
	for _, h := range list {
		full = append(full, fmt.Sprintf("【%s】%s", when(h.At, now), bodyText(h.Said.Body)))
	}
	if text := strings.Join(full, "\n"); len(text) <= sumBytes {
		return text
	}
	lines := []string{head}
	for _, h := range list[:min(sumLines, len(list))] {
		first, _, _ := strings.Cut(bodyText(h.Said.Body), "\n")
		lines = append(lines, fmt.Sprintf("【%s】%s", when(h.At, now), chat.Cut(strings.TrimSpace(marks.ReplaceAllString(first, "")), sumRunes)))
	}
	if more := len(list) - sumLines; more > 0 {
		lines = append(lines, fmt.Sprintf("还有 %d 条。", more))
	}
	return strings.Join(lines, "\n")
}
