package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Sharing sessions in chat: 预告, 改期, 取消分享, 开播, 结束分享, 观看, 分享, 报名.

// sharingRef reads S12 and what follows; without a number it is the one session
// that may be meant.
func sharingRef(args string) (number int64, rest string) {
	f := sharingNumber.FindStringSubmatch(strings.TrimSpace(narrow(args)))
	if f == nil {
		return 0, strings.TrimSpace(args)
	}
	number, _ = strconv.ParseInt(f[1], 10, 64)
	return number, strings.TrimSpace(f[2])
}

var sharingNumber = regexp.MustCompile(`(?s)^[Ss#＃]?\s*([0-9]{1,15})(?:[\s:：,，、]+(.*))?$`)

// onSharing changes a session in the commit of the turn.
func (d *Desk) onSharing(r Request, usage string, do func(tx *store.Tx, s *store.Sharing, rest string) (string, error)) (Result, error) {
	n, rest := sharingRef(r.Args)
	if n == 0 {
		return Result{}, refuse("是哪一场？发「分享」看编号。例：" + usage)
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		s, err := tx.FindSharing(n)
		if errors.Is(err, store.ErrNotFound) {
			return unknownSharing(n)
		}
		if err != nil {
			return err
		}
		words, err := do(tx, &s, rest)
		if errors.Is(err, store.ErrStale) {
			return refuse("刚被别人改过，再发一次。")
		}
		if err == nil {
			out.Say = append(out.Say, say(words).Say...)
		}
		return err
	}}, nil
}

func unknownSharing(n int64) error {
	return refuse(fmt.Sprintf("没有找到 S%d。发「分享」看近期的。", n))
}

func (d *Desk) announceSharing(_ context.Context, r Request) (Result, error) {
	return d.onSharing(r, "预告 S12", func(tx *store.Tx, s *store.Sharing, _ string) (string, error) {
		n, err := d.AnnounceSharing(tx, r.Actor, s)
		words := fmt.Sprintf("S%d 已预告，已发 %d 个群，提前 15 分钟再提醒。提前提问回「提问 S%d …」，已收 %d 问。", s.Number, n, s.Number, s.Asked)
		if s.Link == "" {
			words += fmt.Sprintf("\n还没有直播链接，定了回「改期 S%d 链接 https://…」，会告诉群里。", s.Number)
		}
		return words, err
	})
}

// reschedule is 改期 S12 周五16:00, or another link, speaker or length.
func (d *Desk) reschedule(ctx context.Context, r Request) (Result, error) {
	all, err := d.GroupChats(ctx)
	if err != nil {
		return Result{}, err
	}
	n, rest := sharingRef(r.Args)
	s, err := d.Store.FindSharing(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return Result{}, unknownSharing(n)
	}
	if err != nil {
		return Result{}, err
	}
	if rest == "" {
		return Result{}, refuse(fmt.Sprintf("改到什么时候？例：改期 S%d 周五16:00", n))
	}
	want := s
	if err := d.applyWish(ctx, readWish(rest), &want, all, r.Now); err != nil {
		return Result{}, err
	}
	return d.onSharing(r, "改期 S12 周五16:00", func(tx *store.Tx, s *store.Sharing, _ string) (string, error) {
		err := d.ChangeSharing(tx, r.Actor, s, all, func(s *store.Sharing) {
			s.From, s.Until, s.Title, s.Link, s.Words, s.Groups, s.Speaker, s.SpeakerName = want.From, want.Until, want.Title, want.Link, want.Words, want.Groups, want.Speaker, want.SpeakerName
		})
		words := fmt.Sprintf("好，S%d 现在是 %s，主讲 %s。", s.Number, sharingTime(*s, r.Now), chat.Plain(s.SpeakerName))
		if s.State.Open() {
			words += "群里和提过问、报过名的人已告知。"
		}
		return words, err
	})
}

func (d *Desk) cancelSharing(_ context.Context, r Request) (Result, error) {
	return d.onSharing(r, "取消分享 S12 主讲人出差", func(tx *store.Tx, s *store.Sharing, reason string) (string, error) {
		told := s.State == store.SharingAnnounced
		err := d.CancelSharing(tx, r.Actor, s, reason)
		if told {
			return fmt.Sprintf("S%d 已取消，群里和提过问、报过名的人已告知。", s.Number), err
		}
		return fmt.Sprintf("S%d 已取消，没有预告过，不用通知谁。", s.Number), err
	})
}

func (d *Desk) beginSharing(_ context.Context, r Request) (Result, error) {
	return d.onSharing(r, "开播 S12", func(tx *store.Tx, s *store.Sharing, _ string) (string, error) {
		err := d.BeginSharing(tx, r.Actor, s)
		return fmt.Sprintf("S%d 直播中，已收 %d 问。「答疑 S%d」看问题，讲完回「结束分享 S%d」。", s.Number, s.Asked, s.Number, s.Number), err
	})
}

func (d *Desk) endSharing(_ context.Context, r Request) (Result, error) {
	return d.onSharing(r, "结束分享 S12", func(tx *store.Tx, s *store.Sharing, _ string) (string, error) {
		err := d.EndSharing(tx, r.Actor, s)
		return fmt.Sprintf("S%d 已结束，小结发给你。", s.Number), err
	})
}

var viewWords = regexp.MustCompile(`^([0-9]{1,7})\s*(?:人|位)?(?:[\s,，/]*(?:人均)?\s*([0-9]{1,4})\s*(?:分钟|分|min)?)?$`)

// viewers is 观看 S12 286人 23分钟.
func (d *Desk) viewers(_ context.Context, r Request) (Result, error) {
	return d.onSharing(r, "观看 S12 286人 23分钟", func(tx *store.Tx, s *store.Sharing, rest string) (string, error) {
		m := viewWords.FindStringSubmatch(narrow(rest))
		if m == nil {
			return "", refuse(fmt.Sprintf("多少人看、人均多少分钟？例：观看 S%d 286人 23分钟", s.Number))
		}
		people, _ := strconv.ParseInt(m[1], 10, 64)
		minutes, _ := strconv.ParseInt(m[2], 10, 64)
		f, err := d.NoteViewers(tx, r.Actor, s, people, minutes)
		return fmt.Sprintf("S%d %s", s.Number, sharingSummary(*s, f)), err
	})
}

// NoteViewers keeps how many watched a session, and how long on average.
func (d *Desk) NoteViewers(tx *store.Tx, by chat.User, s *store.Sharing, people, minutes int64) (f SharingFigures, err error) {
	switch {
	case !Organises(by):
		return f, refuse("观看数字由知识管理员或管理者来填。")
	case s.State != store.SharingEnded && s.State != store.SharingLive:
		return f, refuse(fmt.Sprintf("S%d 还没开播，没有观看数字。", s.Number))
	case people < 1 || minutes < 0 || minutes > int64(2*sharingMost/time.Minute):
		return f, refuse("人数至少 1，人均分钟数要在 0 到 960 之间。")
	}
	s.Viewers, s.Minutes = people, minutes
	if err := d.keepSharing(tx, s); err != nil {
		return f, err
	}
	list, err := tx.ListSharingQuestions(s.Number)
	if err != nil {
		return f, err
	}
	return SharingFiguresOf(list), tx.Audit(by.ID, "sharing.viewers", sharingNo(*s), map[string]int64{"people": people, "minutes": minutes})
}

const sharingsTold = 5

// sharings is 分享: what is coming; with a number, one of them.
func (d *Desk) sharings(ctx context.Context, r Request) (Result, error) {
	if n, _ := sharingRef(r.Args); n > 0 {
		return d.oneSharing(ctx, r, n)
	}
	states := []store.SharingState{store.SharingAnnounced, store.SharingLive}
	if Organises(r.Actor) {
		states = append(states, store.SharingPlanned)
	}
	list, err := d.Store.ListSharings(ctx, store.SharingQuery{States: states, N: sharingsTold + 1})
	if err != nil {
		return Result{}, err
	}
	if len(list) == 0 {
		text := "近期没有直播分享。想第一时间知道回「订阅 分享预告」。"
		if Organises(r.Actor) {
			text += "\n要排一场：" + scheduleUsage
		}
		return say(text), nil
	}
	lines, res := []string{"近期的直播分享："}, Result{}
	for i, s := range list[:min(sharingsTold, len(list))] {
		lines = append(lines, fmt.Sprintf("%d  S%d %s · %s · 主讲 %s · %s", i+1, s.Number, chat.Plain(s.Title), sharingTime(s, r.Now), chat.Plain(s.SpeakerName), s.State.Title()))
		res.List = append(res.List, fmt.Sprintf("分享 S%d", s.Number))
	}
	if len(list) > sharingsTold {
		lines = append(lines, "其余在网页上"+d.atPage("/sessions"))
	}
	res.Say = say(strings.Join(append(lines, "回数字看详情；提前提问：提问 S编号 …"), "\n")).Say
	return res, nil
}

// visibleSharing finds a session; one that nobody was told of is seen by those
// who plan sessions.
func (d *Desk) visibleSharing(ctx context.Context, u chat.User, n int64) (store.Sharing, error) {
	s, err := d.Store.FindSharing(ctx, n)
	if errors.Is(err, store.ErrNotFound) || err == nil && !SeesSharing(u, s) {
		return s, unknownSharing(n)
	}
	return s, err
}

// SeesSharing tells whether a person may know of a session.
func SeesSharing(u chat.User, s store.Sharing) bool { return !s.Announced.IsZero() || Leads(u, s) }

func (d *Desk) oneSharing(ctx context.Context, r Request, n int64) (Result, error) {
	s, err := d.visibleSharing(ctx, r.Actor, n)
	if err != nil {
		return Result{}, err
	}
	lines := []string{fmt.Sprintf("S%d %s（%s）", s.Number, chat.Plain(s.Title), s.State.Title()), fmt.Sprintf("%s · 主讲 %s · 已收 %d 问", sharingTime(s, r.Now), chat.Plain(s.SpeakerName), s.Asked)}
	if s.Note != "" {
		lines = append(lines, chat.Plain(chat.Cut(oneLine(s.Note), 120)))
	}
	if s.Link != "" && s.State.Open() {
		lines = append(lines, "进入直播："+s.Link)
	}
	if s.Recording != "" {
		lines = append(lines, "回看："+s.Recording)
	}
	var list []string
	offer := func(words, show string) {
		list = append(list, words)
		lines = append(lines, fmt.Sprintf("%d  %s", len(list), show))
	}
	if s.State.Open() {
		offer(fmt.Sprintf("报名 S%d", n), "报名，开始前提醒我")
	}
	if Organises(r.Actor) && s.State == store.SharingPlanned {
		offer(fmt.Sprintf("预告 S%d", n), "发预告")
	}
	if Leads(r.Actor, s) && s.Asked > 0 {
		offer(fmt.Sprintf("答疑 S%d", n), "看问题")
	}
	if d.PublicURL != "" {
		lines = append(lines, d.PublicURL+SharingPath(n))
	}
	res := say(strings.Join(lines, "\n"))
	if res.List = list; list == nil {
		res.List = []string{}
	}
	return res, nil
}

// joinSharing is 报名 S12.
func (d *Desk) joinSharing(_ context.Context, r Request) (Result, error) {
	return d.onSharing(r, "报名 S12", func(tx *store.Tx, s *store.Sharing, _ string) (string, error) {
		if !SeesSharing(r.Actor, *s) {
			return "", unknownSharing(s.Number)
		}
		return fmt.Sprintf("已报名 S%d「%s」，%s，开始前 15 分钟提醒你。", s.Number, chat.Plain(s.Title), sharingTime(*s, d.local(tx.Now()))), d.SignUp(tx, r.Actor, s, true)
	})
}

// SignUp signs somebody up for a session, or off.
func (d *Desk) SignUp(tx *store.Tx, u chat.User, s *store.Sharing, on bool) error {
	if on && !s.State.Open() {
		return refuse(fmt.Sprintf("S%d %s，不能报名。", s.Number, s.State.Title()))
	}
	return tx.JoinSharing(s.Number, u.ID, on)
}
