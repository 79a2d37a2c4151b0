package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// 排期: a session in one sentence.

const scheduleUsage = "排期 周四16:00 主讲 张工 主题 两融合同补签与常见问题"

const (
	stepScheduleWhen = "when"
	scheduleLife     = 30 * time.Minute
)

var sharingParts = regexp.MustCompile(`(?:^|[\s,，;；])(主讲|主题|时长|链接|群|话题)[\s:：]+`)

// sharingWish is what somebody wrote about a session: parts by name, "" is the
// time before all of them.
type sharingWish map[string]string

func readWish(text string) sharingWish {
	text, w := strings.TrimSpace(text), sharingWish{}
	name, from := "", 0
	for _, m := range sharingParts.FindAllStringSubmatchIndex(text, -1) {
		w[name] = strings.Trim(text[from:m[0]], " ,，;；\n")
		name, from = text[m[2]:m[3]], m[1]
	}
	w[name] = strings.Trim(text[from:], " ,，;；\n")
	return w
}

// apply puts what was written into a session; what was not stays.
func (d *Desk) applyWish(ctx context.Context, w sharingWish, s *store.Sharing, all []GroupChat, now time.Time) error {
	if text := w[""]; text != "" {
		at, ok := untilOf(text, now)
		if !ok {
			return refuse("什么时候？「" + chat.Plain(chat.Cut(text, 20)) + "」我没看懂，或已经过去了。例：" + scheduleUsage)
		}
		long := sharingLength
		if !s.Until.IsZero() {
			long = s.Until.Sub(s.From)
		}
		s.From, s.Until = at, at.Add(long)
	}
	if text := w["时长"]; text != "" {
		long, ok := spanOf(text)
		if !ok {
			return refuse("多长时间？例：时长 40分钟")
		}
		s.Until = s.From.Add(long)
	}
	if w["主题"] != "" {
		s.Title = w["主题"]
	}
	if w["链接"] != "" {
		s.Link = w["链接"]
	}
	if w["话题"] != "" {
		s.Words = SplitNames(w["话题"])
	}
	if names := SplitNames(w["群"]); len(names) > 0 {
		s.Groups = nil
		for _, n := range names {
			i := slices.IndexFunc(all, func(g GroupChat) bool { return g.Name == n || g.Title == n })
			if i < 0 {
				return knownGroups([]string{n}, all)
			}
			s.Groups = append(s.Groups, all[i].Name)
		}
	}
	if w["主讲"] != "" {
		return d.SetSpeaker(ctx, s, w["主讲"])
	}
	return nil
}

// SetSpeaker takes a colleague by name; somebody whom nobody knows here comes
// from outside.
func (d *Desk) SetSpeaker(ctx context.Context, s *store.Sharing, name string) error {
	name = strings.TrimPrefix(name, "@")
	all, err := d.Store.ListMembers(ctx)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(all, func(u chat.User) bool { return u.Disabled || u.Name != name && u.ID != name })
	if len(found) == 0 { // 张工
		found, err = d.colleagues(ctx, name)
	}
	switch {
	case err != nil:
		return err
	case len(found) > 1:
		return refuse(fmt.Sprintf("叫「%s」的有 %d 位，请写全名或账号。", chat.Plain(chat.Cut(name, 20)), len(found)))
	case len(found) == 1:
		s.Speaker, s.SpeakerName = found[0].ID, found[0].Show()
	default:
		s.Speaker, s.SpeakerName = "", name
	}
	return nil
}

// SplitNames reads names that stand apart by commas, spaces or 、.
func SplitNames(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("、,， ;；\n\t", r) })
}

// schedule is 排期: a session is kept, and the next word announces it. With 话题
// alone it asks for the rest.
func (d *Desk) schedule(ctx context.Context, r Request) (Result, error) {
	s := store.Sharing{}
	if r.Step == stepScheduleWhen {
		if err := json.Unmarshal(r.Draft, &s); err != nil {
			return Result{}, fmt.Errorf("read the draft: %w", err)
		}
	}
	w := readWish(r.Args)
	if r.Step == "" && w[""] == "" && w["主题"] == "" && w["话题"] != "" {
		return d.scheduleTopic(ctx, w["话题"])
	}
	if r.Step == "" && (w[""] == "" || w["主讲"] == "" || w["主题"] == "") {
		return Result{}, refuse("什么时候、谁主讲、讲什么？例：" + scheduleUsage + "\n还可以加：时长 40分钟 链接 https://… 群 营业部一线群")
	}
	all, err := d.GroupChats(ctx)
	if err != nil {
		return Result{}, err
	}
	s.Groups = d.FrontGroups(all)
	if err := d.applyWish(ctx, w, &s, all, r.Now); err != nil {
		return Result{}, err
	}
	if s.From.IsZero() || s.SpeakerName == "" {
		return Result{}, refuse("什么时候、谁主讲？例：周四16:00 主讲 张工。不排了回「取消」。")
	}
	if err := d.LinkTopic(ctx, &s); err != nil {
		return Result{}, err
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		if err := d.PlanSharing(tx, r.Actor, &s, all); err != nil {
			return err
		}
		out.List = []string{fmt.Sprintf("预告 S%d", s.Number), fmt.Sprintf("取消分享 S%d", s.Number)}
		lines := []string{fmt.Sprintf("已排期 S%d：%s", s.Number, chat.Plain(s.Title)), fmt.Sprintf("%s · 主讲 %s · 关联 %d 个缺口", sharingTime(s, r.Now), chat.Plain(s.SpeakerName), len(s.Gaps)), "还没告诉任何人。发到：" + groupTitles(s.Groups, all), "1  发预告", "2  不做了", fmt.Sprintf("要改：改期 S%d 周五16:00；补链接：改期 S%d 链接 https://…", s.Number, s.Number)}
		if d.PublicURL != "" {
			lines = append(lines, "细节在网页上改："+d.PublicURL+fmt.Sprintf("/sessions/%d", s.Number))
		}
		out.Say = append(out.Say, say(strings.Join(lines, "\n")).Say...)
		return nil
	}}, nil
}

func groupTitles(names []string, all []GroupChat) string {
	if len(names) == 0 {
		return "没有群"
	}
	titles := slices.Clone(names)
	for i, n := range names {
		if at := slices.IndexFunc(all, func(g GroupChat) bool { return g.Name == n && g.Title != "" }); at >= 0 {
			titles[i] = all[at].Title
		}
	}
	more := ""
	if len(titles) > 5 {
		more, titles = fmt.Sprintf(" 等 %d 个群", len(titles)), titles[:5]
	}
	return chat.Plain(strings.Join(titles, "、")) + more
}

// scheduleTopic begins with a topic that was proposed.
func (d *Desk) scheduleTopic(ctx context.Context, word string) (Result, error) {
	t, err := d.TopicOf(ctx, word)
	if err != nil {
		return Result{}, err
	}
	res := say(fmt.Sprintf("「%s」什么时候讲、谁主讲？例：周四16:00 主讲 张工 主题 %s\n不排了回「取消」。", chat.Plain(t.Word), chat.Plain(t.Title())))
	res.List = []string{}
	res.Next = &Step{Name: stepScheduleWhen, Draft: store.Sharing{Title: t.Title(), Words: []string{t.Word}, Gaps: t.Gaps, Entries: t.Entries}, Life: scheduleLife}
	return res, nil
}

// notNow is 先不 两融: the topic is not proposed for four weeks.
func (d *Desk) notNow(_ context.Context, r Request) (Result, error) {
	word := strings.TrimSpace(r.Args)
	if word == "" {
		return Result{}, refuse("先不做哪个话题的分享？例：先不 两融")
	}
	res := say(fmt.Sprintf("好，四周内不再提「%s」。想做随时「排期」。", chat.Plain(chat.Cut(word, 40))))
	res.List = []string{}
	res.Write = func(tx *store.Tx, _ *Result) error { return d.PauseTopic(tx, r.Actor, word) }
	return res, nil
}
