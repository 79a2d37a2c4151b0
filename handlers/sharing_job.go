package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// TickSharings does what is due for sharing sessions: reminders, beginnings,
// ends, and the count a week later. It may run at any time and any number of
// times; each session is one commit of its own.
func (d *Desk) TickSharings(ctx context.Context) error {
	due, err := d.Store.SharingsToLookAt(ctx, lookBatch)
	if err != nil {
		return err
	}
	var faults []error
	for _, n := range due {
		s, err := d.Store.FindSharing(ctx, n)
		if err == nil && s.State == store.SharingEnded {
			err = d.SharingEffect(ctx, &s) // counted before the transaction: it reads two weeks of questions
		}
		if err == nil {
			err = d.Store.InTx(ctx, func(tx *store.Tx) error { return d.lookAtSharing(tx, n, s) })
		}
		if err != nil && !errors.Is(err, store.ErrStale) { // stale: somebody changed it, the next look sees it
			faults = append(faults, fmt.Errorf("S%d: %w", n, err))
		}
	}
	return errors.Join(faults...)
}

// SharingEffect counts the questions on the topic of a session in the week
// before it and in the week after it, as far as that is over.
func (d *Desk) SharingEffect(ctx context.Context, s *store.Sharing) (err error) {
	if s.Before, err = d.Store.CountAbout(ctx, s.Words, s.Entries, s.From.Add(-SharingEffect), s.From); err != nil || s.Ended.IsZero() {
		return err
	}
	s.After, err = d.Store.CountAbout(ctx, s.Words, s.Entries, s.Ended, s.Ended.Add(SharingEffect))
	return err
}

// lookAtSharing does the one thing that is due for a session; counted is the
// session as read before, with its effect.
func (d *Desk) lookAtSharing(tx *store.Tx, number int64, counted store.Sharing) error {
	s, err := tx.FindSharing(number)
	now := tx.Now()
	if err != nil || s.Look.IsZero() || s.Look.After(now) {
		return err
	}
	switch {
	case s.State == store.SharingPlanned && !now.Before(s.Until):
		if err := d.CancelSharing(tx, byClock, &s, "到时间没有预告"); err != nil {
			return err
		}
		return d.tellSharingLeads(tx, s, "lapsed", fmt.Sprintf("S%d「%s」到时间没有预告，已自动取消。还想做就重新「排期」。", s.Number, chat.Plain(s.Title)))
	case s.State == store.SharingPlanned:
		s.Reminded = now
		if err := d.keepSharing(tx, &s); err != nil {
			return err
		}
		return d.tellSharingLeads(tx, s, fmt.Sprintf("unannounced/%d", s.Edition), fmt.Sprintf("S%d「%s」约在 %s，还没有预告。回「预告 S%d」发到群里，或「改期 S%d 周五16:00」。", s.Number, chat.Plain(s.Title), sharingTime(s, d.local(now)), s.Number, s.Number))
	case s.State == store.SharingAnnounced && !now.Before(s.Until.Add(sharingOverrun)):
		return d.EndSharing(tx, byClock, &s) // nobody was there when it was live
	case s.State == store.SharingAnnounced && !now.Before(s.From):
		late := s.Reminded.IsZero()
		if late {
			s.Reminded = now
		}
		if err := d.BeginSharing(tx, byClock, &s); err != nil || !late {
			return err
		}
		return d.tellSharing(tx, s, fmt.Sprintf("reminder/%d", s.Edition), "正在直播", "")
	case s.State == store.SharingAnnounced:
		s.Reminded = now
		if err := d.keepSharing(tx, &s); err != nil {
			return err
		}
		return d.remindSharing(tx, s)
	case s.State == store.SharingLive:
		return d.EndSharing(tx, byClock, &s)
	case s.State == store.SharingEnded:
		s.Before, s.After, s.Counted = counted.Before, counted.After, now
		if err := d.keepSharing(tx, &s); err != nil {
			return err
		}
		return d.tellSharingLeads(tx, s, "effect", fmt.Sprintf("S%d「%s」%s", s.Number, chat.Plain(s.Title), effectWords(s)))
	}
	return d.keepSharing(tx, &s)
}

func (d *Desk) keepSharing(tx *store.Tx, s *store.Sharing) error {
	s.Look = nextSharingLook(*s)
	return tx.SaveSharing(s)
}

// remindSharing reminds everybody of a session that begins soon.
func (d *Desk) remindSharing(tx *store.Tx, s store.Sharing) error {
	head := fmt.Sprintf("%d 分钟后直播", max(1, int(s.From.Sub(tx.Now()).Round(time.Minute).Minutes())))
	if err := d.tellSharing(tx, s, fmt.Sprintf("reminder/%d", s.Edition), head, ""); err != nil || s.Link != "" {
		return err
	}
	return d.tellSharingLeads(tx, s, fmt.Sprintf("nolink/%d", s.Edition), fmt.Sprintf("S%d 还没有直播链接，大家进不来。补上：改期 S%d 链接 https://…%s", s.Number, s.Number, d.atPage(fmt.Sprintf("/sessions/%d", s.Number))))
}

// RemindSharing reminds at once, because somebody wants it.
func (d *Desk) RemindSharing(tx *store.Tx, by chat.User, s *store.Sharing) error {
	if !Leads(by, *s) {
		return refuse("由主讲人或知识管理员提醒。")
	}
	if !s.State.Open() {
		return refuse(fmt.Sprintf("S%d %s，不用提醒。", s.Number, s.State.Title()))
	}
	s.Reminded = tx.Now()
	if err := d.keepSharing(tx, s); err != nil {
		return err
	}
	head := "直播分享就要开始"
	if s.State == store.SharingLive {
		head = "正在直播"
	}
	if err := d.tellSharing(tx, *s, fmt.Sprintf("asked/%d", s.Version), head, by.ID); err != nil {
		return err
	}
	return tx.Audit(by.ID, "sharing.remind", sharingNo(*s), map[string]string{})
}

// EndSharing ends a session: what was not answered goes to the list of gaps, and
// who asked is told when it has an answer; answers that were written down become
// drafts of knowledge.
func (d *Desk) EndSharing(tx *store.Tx, by chat.User, s *store.Sharing) error {
	if !Leads(by, *s) && by.ID != byClock.ID {
		return refuse("由主讲人或知识管理员结束。")
	}
	if s.State == store.SharingAnnounced && by.ID != byClock.ID {
		return refuse(fmt.Sprintf("S%d 还没开播；不讲了回「取消分享 S%d 原因」。", s.Number, s.Number))
	}
	s.Ended = tx.Now()
	if err := moveSharing(tx, s, store.SharingEnded); err != nil {
		return err
	}
	list, err := tx.ListSharingQuestions(s.Number)
	if err != nil {
		return err
	}
	for i := range list {
		q := &list[i]
		switch {
		case q.State == store.SharingAsked:
			err = d.toGaps(tx, q)
		case q.State == store.SharingAnswered && q.Answer != "" && q.Entry == 0:
			err = d.draftOf(tx, *s, q)
		}
		if err != nil {
			return err
		}
	}
	text := fmt.Sprintf("S%d「%s」结束了：%s", s.Number, chat.Plain(s.Title), sharingSummary(*s, SharingFiguresOf(list)))
	if s.Viewers == 0 {
		text += fmt.Sprintf("\n观看人数还没填：回「观看 S%d 286人 23分钟」，或在网页上传名单%s", s.Number, d.atPage(fmt.Sprintf("/sessions/%d", s.Number)))
	}
	if err := d.tellSharingLeads(tx, *s, "ended", text); err != nil {
		return err
	}
	return tx.Audit(by.ID, "sharing.end", sharingNo(*s), SharingFiguresOf(list))
}

// toGaps makes a question of a session one that the base does not answer.
func (d *Desk) toGaps(tx *store.Tx, q *store.SharingQuestion) error {
	q.State = store.SharingGap
	if err := tx.KeepQuestion(store.Question{Message: q.Message, Asker: q.Asker, Place: person(q.Asker), Text: q.Text, Band: kb.Refuse.String()}); err != nil {
		return err
	}
	if err := tx.SettleQuestions([]string{q.Message}, ""); err != nil { // it may have been answered for a while
		return err
	}
	if err := tx.WatchQuestion(store.Watch{Member: q.Asker, Message: q.Message, Text: q.Text}); err != nil {
		return err
	}
	return tx.SaveSharingQuestion(*q)
}

// draftOf makes a draft of a question and its answer. One that the base has
// already is that one; words that cannot be kept stay where they are.
func (d *Desk) draftOf(tx *store.Tx, s store.Sharing, q *store.SharingQuestion) error {
	e := kb.Clean(kb.Entry{Question: Hidden(q.Text), Answer: Hidden(q.Answer), Owner: s.Speaker})
	if e.Owner == "" {
		e.Owner = s.Organiser
	}
	if kb.Validate(e) != nil {
		return nil
	}
	e.State = kb.Draft
	n, err := tx.NewEntry(q.By, e)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	q.Entry = n
	if err == nil {
		if err := tx.Audit(q.By, "entry.create", fmt.Sprintf("K%d", n), map[string]string{"from": sharingNo(s)}); err != nil {
			return err
		}
	}
	return tx.SaveSharingQuestion(*q)
}
