package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// Questions for a sharing session, before it and while it runs.

const (
	sharingAskMost   = 20  // questions of one person for one session
	sharingQuestMost = 300 // runes of a question
)

// question is 提问 …: while a session takes questions it is for that; else it is
// a question for sure, whatever it sounds like.
func (d *Desk) question(ctx context.Context, r Request) (Result, error) {
	args := strings.TrimSpace(r.Args)
	if f := sharingNumber.FindStringSubmatch(narrow(args)); f != nil && strings.ContainsAny(args[:1], "sS") {
		n, text := sharingRef(args)
		return d.askSharing(ctx, r, n, text)
	}
	if args == "" && r.Msg.Quote == nil {
		return Result{}, refuse("问什么？直接说就行，例：可转债权限多久生效")
	}
	open, err := d.Store.ListSharings(ctx, store.SharingQuery{States: []store.SharingState{store.SharingAnnounced, store.SharingLive}, N: sharingsTold})
	if err != nil {
		return Result{}, err
	}
	if args == "" || len(open) == 0 {
		return d.ask(ctx, r)
	}
	if s, ok := meantSharing(open, args); ok {
		return d.askSharing(ctx, r, s.Number, args)
	}
	lines, res := []string{"是问哪一场分享的？"}, Result{}
	for i, s := range open {
		lines = append(lines, fmt.Sprintf("%d  S%d %s · %s", i+1, s.Number, chat.Plain(s.Title), sharingTime(s, r.Now)))
		res.List = append(res.List, fmt.Sprintf("提问 S%d %s", s.Number, args))
	}
	res.Say = say(strings.Join(append(lines, "都不是，现在就想知道：直接把问题发给我。"), "\n")).Say
	return res, nil
}

// meantSharing is the session that a question is for: the only one, the one that
// runs, or the one whose topic it names.
func meantSharing(open []store.Sharing, text string) (store.Sharing, bool) {
	if len(open) == 1 {
		return open[0], true
	}
	for _, is := range []func(s store.Sharing) bool{
		func(s store.Sharing) bool { return about(text, s.Words) },
		func(s store.Sharing) bool { return s.State == store.SharingLive },
	} {
		var found []store.Sharing
		for _, s := range open {
			if is(s) {
				found = append(found, s)
			}
		}
		if len(found) == 1 {
			return found[0], true
		}
	}
	return store.Sharing{}, false
}

// about tells whether a text says one of the words.
func about(text string, words []string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, strings.ToLower(w)) })
}

// askSharing keeps a question, and says where the base has an answer already.
func (d *Desk) askSharing(ctx context.Context, r Request, n int64, text string) (Result, error) {
	if text == "" {
		return Result{}, refuse(fmt.Sprintf("想问什么？例：提问 S%d 补签要多久生效", n))
	}
	found, err := d.Knowledge.Search(ctx, query(mask.Text(text), r.Now))
	if err != nil {
		return Result{}, fmt.Errorf("search the knowledge: %w", err)
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		s, err := tx.FindSharing(n)
		if err != nil || !SeesSharing(r.Actor, s) {
			return unknownSharing(n)
		}
		asked, err := d.AskSharing(tx, r.Actor, &s, r.Msg.ID, text)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("已记给 S%d「%s」，第 %d 问，%s 讲。", n, chat.Plain(s.Title), asked.Place, sharingTime(s, r.Now))
		if asked.Asker != r.Actor.ID {
			line = fmt.Sprintf("S%d 第 %d 问和你的一样，已加上你：想知道的人多，主讲会先答。", n, asked.Place)
		}
		if surely(found) {
			e := found.Hits[0].Entry
			line += fmt.Sprintf("\n知识库里已有：\n1  K%d %s", e.Number, chat.Plain(e.Question))
			out.List = []string{fmt.Sprintf("看 K%d", e.Number)}
		}
		out.Say = append(out.Say, say(line).Say...)
		return nil
	}}, nil
}

// AskSharing keeps what somebody wants to know of a session, masked. What
// another asked in the same words counts as theirs too; the question that
// stands is returned.
func (d *Desk) AskSharing(tx *store.Tx, by chat.User, s *store.Sharing, message, text string) (q store.SharingQuestion, err error) {
	text = oneLine(Hidden(text))
	switch n := utf8.RuneCountInString(text); {
	case !s.State.Open():
		return q, refuse(fmt.Sprintf("S%d %s，不再收提问。现在就想知道：直接把问题发给我。", s.Number, s.State.Title()))
	case n < 2:
		return q, refuse("问题太短了，写完整一点。")
	case n > sharingQuestMost:
		return q, refuse(fmt.Sprintf("一问最多 %d 个字，挑要紧的说。", sharingQuestMost))
	}
	list, err := tx.ListSharingQuestions(s.Number)
	if err != nil {
		return q, err
	}
	mine := 0
	for _, other := range list {
		if other.Asker == by.ID {
			mine++
		}
		if other.Text != text {
			continue
		}
		if other.Asker != by.ID {
			err = tx.VoteSharing(other.ID, by.ID, true)
		}
		if err == nil {
			err = tx.JoinSharing(s.Number, by.ID, true)
		}
		return other, err
	}
	if mine >= sharingAskMost {
		return q, refuse(fmt.Sprintf("你已经给这场提了 %d 问，留些时间给别人。", mine))
	}
	q = store.SharingQuestion{Sharing: s.Number, Message: message, Asker: by.ID, Text: text}
	_, err = tx.AskSharing(&q)
	return q, err
}

// settleQuestion is 答疑 S12: the questions that are open; 答疑 S12 3 可以：… settles
// one, with the answer in short.
func (d *Desk) settleQuestion(ctx context.Context, r Request) (Result, error) {
	n, rest := sharingRef(r.Args)
	if n == 0 {
		return Result{}, refuse("是哪一场？例：答疑 S12")
	}
	s, err := d.visibleSharing(ctx, r.Actor, n)
	if err != nil {
		return Result{}, err
	}
	if !Leads(r.Actor, s) {
		return Result{}, refuse("由主讲人或知识管理员答疑。")
	}
	if place, answer := sharingRef(rest); place > 0 {
		return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
			q, err := d.AnswerSharing(tx, r.Actor, n, place, answer, true)
			words := fmt.Sprintf("S%d 第 %d 问记为已答。", n, place)
			if q.Answer != "" {
				words += "结束后会起草成知识。"
			}
			out.Say = append(out.Say, say(words).Say...)
			return err
		}}, nil
	}
	list, err := d.Store.ListSharingQuestions(ctx, n)
	if err != nil {
		return Result{}, err
	}
	list = slices.DeleteFunc(list, func(q store.SharingQuestion) bool { return q.State != store.SharingAsked })
	if len(list) == 0 {
		return say(fmt.Sprintf("S%d 没有待答的提问。", n)), nil
	}
	slices.SortStableFunc(list, func(a, b store.SharingQuestion) int { return int(b.Votes - a.Votes) })
	lines := []string{fmt.Sprintf("S%d 待答 %d 问，想知道的人多的在前：", n, len(list))}
	for _, q := range list[:min(10, len(list))] {
		line := fmt.Sprintf("第 %d 问  %s", q.Place, chat.Plain(chat.Cut(q.Text, 60)))
		if q.Votes > 0 {
			line += fmt.Sprintf("（%d 人）", q.Votes+1)
		}
		lines = append(lines, line)
	}
	return say(strings.Join(append(lines, fmt.Sprintf("答过了回「答疑 S%d %d 答案要点」，要点可不写。", n, list[0].Place)), "\n")), nil
}

// AnswerSharing says that a question was answered, with the answer in short, or
// that it was not after all.
func (d *Desk) AnswerSharing(tx *store.Tx, by chat.User, number, place int64, answer string, answered bool) (q store.SharingQuestion, err error) {
	s, err := tx.FindSharing(number)
	if err != nil {
		return q, err
	}
	if !Leads(by, s) {
		return q, refuse("由主讲人或知识管理员答疑。")
	}
	list, err := tx.ListSharingQuestions(number)
	if err != nil {
		return q, err
	}
	i := slices.IndexFunc(list, func(q store.SharingQuestion) bool { return q.Place == place })
	if i < 0 {
		return q, refuse(fmt.Sprintf("S%d 没有第 %d 问。发「答疑 S%d」看还有哪些。", number, place, number))
	}
	q = list[i]
	answer = chat.Cut(strings.TrimSpace(Hidden(answer)), 2000)
	switch {
	case q.Entry > 0:
		return q, refuse(fmt.Sprintf("这一问已经起草成 K%d，到知识库里改。", q.Entry))
	case answered:
		q.State, q.By = store.SharingAnswered, by.ID
		if answer != "" {
			q.Answer = answer
		}
	case q.State == store.SharingAnswered:
		q.State = store.SharingAsked
	}
	late := s.State == store.SharingEnded && q.State == store.SharingAnswered
	if late && list[i].State == store.SharingGap { // it is no gap any more
		if err := d.settle(tx, by.ID, []string{q.Message}, outcomeLearned, 0); err != nil {
			return q, err
		}
	}
	if s.State == store.SharingEnded && q.State == store.SharingAsked {
		return q, d.toGaps(tx, &q)
	}
	if late && q.Answer != "" {
		if err := d.draftOf(tx, s, &q); err != nil {
			return q, err
		}
	}
	if err := tx.SaveSharingQuestion(q); err != nil {
		return q, err
	}
	return q, tx.Audit(by.ID, "sharing.answer", fmt.Sprintf("S%d/%d", number, place), map[string]bool{"answered": answered})
}

// VoteSharing says that somebody wants to know a question of another too, or no
// more.
func (d *Desk) VoteSharing(tx *store.Tx, by chat.User, s *store.Sharing, place int64, on bool) error {
	if !s.State.Open() {
		return refuse(fmt.Sprintf("S%d %s。", s.Number, s.State.Title()))
	}
	list, err := tx.ListSharingQuestions(s.Number)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(q store.SharingQuestion) bool { return q.Place == place })
	if i < 0 || list[i].Asker == by.ID {
		return refuse(fmt.Sprintf("S%d 没有别人提的第 %d 问。", s.Number, place))
	}
	if err := tx.VoteSharing(list[i].ID, by.ID, on); err != nil || !on {
		return err
	}
	return tx.JoinSharing(s.Number, by.ID, true)
}
