package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// Knowledge is taught in chat: what is taught is shown first, with what the
// base has already, and saved only when the curator says so.

// curators keep the knowledge base; proposers may draft for them.
var (
	curators  = []chat.Role{chat.Curator, chat.Leader, chat.Admin}
	proposers = []chat.Role{chat.Responder, chat.Curator, chat.Leader, chat.Admin}
)

// lesson is what a talk about a new entry has gathered.
type lesson struct {
	Question string   `json:"question"`
	Similar  []string `json:"similar,omitempty"`
	Answer   string   `json:"answer"`
	Source   []string `json:"source,omitempty"` // messages whose questions it answers
	Reason   string   `json:"reason,omitempty"`
	Twin     int64    `json:"twin,omitempty"` // the entry that is most like it
	Masked   bool     `json:"masked,omitempty"`
	Machine  bool     `json:"machine,omitempty"` // the model wrote the answer
}

const (
	stepLessonQuestion = "question"
	stepLessonAnswer   = "answer"
	stepLessonConfirm  = "confirm"
	lessonLife         = 30 * time.Minute
)

var lessonForm = regexp.MustCompile(`(?s)^问\s*[:：]\s*(.*?)\s*[\n;；,，。\s]答\s*[:：]\s*(.+)$`)

const lessonUsage = "这样教我：教 问:两融合同补签在哪里 答:手机端「业务办理 > 两融 > 合同补签」"

// teach is 教 问:… 答:…, and the talk that follows.
func (d *Desk) teach(ctx context.Context, r Request) (Result, error) {
	if r.Step == "" {
		form := lessonForm.FindStringSubmatch(strings.TrimSpace(r.Args))
		if form == nil {
			return Result{}, refuse(lessonUsage)
		}
		return d.preview(ctx, r, lesson{Question: form[1], Answer: form[2], Reason: "教"})
	}
	var l lesson
	if err := json.Unmarshal(r.Draft, &l); err != nil {
		return Result{}, fmt.Errorf("read the draft: %w", err)
	}
	text := strings.TrimSpace(r.Args)
	switch r.Step {
	case stepLessonQuestion:
		if text == "" {
			return Result{}, refuse("它回答的是什么问题？用一线同事的话说一句。")
		}
		l.Question = text
	case stepLessonAnswer:
		if text == "" {
			return Result{}, refuse("这个问题怎么答？直接发答案。")
		}
		l.Answer = text
	default:
		if done, err := d.confirmLesson(ctx, r, l, text); done != nil || err != nil {
			return orEmpty(done), err
		}
		if !l.amend(text) {
			return Result{}, refuse("还没存。回 1 或 2；要改就发「问:…」或「答:…」，不要了回「取消」。")
		}
	}
	return d.preview(ctx, r, l)
}

func orEmpty(r *Result) Result {
	if r == nil {
		return Result{}
	}
	return *r
}

// amend changes one part of a lesson that is not saved yet.
func (l *lesson) amend(text string) bool {
	if form := lessonForm.FindStringSubmatch(text); form != nil {
		l.Question, l.Answer = form[1], form[2]
		return true
	}
	for _, part := range []struct {
		name string
		at   *string
	}{{"问", &l.Question}, {"答", &l.Answer}} {
		if rest, ok := strings.CutPrefix(text, part.name); ok {
			if rest := strings.TrimLeft(rest, " :："); rest != "" {
				*part.at = rest
				return true
			}
		}
	}
	return false
}

func (l *lesson) entry(r Request) kb.Entry {
	e := kb.Entry{Question: l.Question, Similar: l.Similar, Answer: l.Answer, Owner: r.Actor.ID}
	if l.Machine {
		e.Tags = []string{MachineTag}
	}
	return kb.Clean(e)
}

// hide takes what identifies people out of a lesson: an entry is read by all.
func (l *lesson) hide() {
	for _, text := range []*string{&l.Question, &l.Answer} {
		clean, found := mask.Scrub(*text)
		masked := mask.Text(clean)
		l.Masked = l.Masked || found || masked != *text
		*text = masked
	}
	l.Question = oneLine(l.Question)
}

// promises are words that a house must not say to a customer.
var promises = regexp.MustCompile(`稳赚|保本|保收益|保证收益|包赚|零风险|无风险|一定涨|必涨|只赚不赔|承诺收益|稳赢`)

const likeTwin = 0.3

// preview shows a lesson with what is like it, before anything is saved.
func (d *Desk) preview(ctx context.Context, r Request, l lesson) (Result, error) {
	l.hide()
	e := l.entry(r)
	if err := kb.Validate(e); err != nil {
		return Result{}, refuse("这样还不能存：" + err.Error() + "。")
	}
	found, err := d.Knowledge.Search(ctx, query(l.Question, r.Now))
	if err != nil {
		return Result{}, fmt.Errorf("search the knowledge: %w", err)
	}
	if len(found.Hits) > 0 && (found.Reason == "exact" || found.Reason == "ambiguous") {
		at := found.Hits[0].Entry
		return Result{}, refuse(fmt.Sprintf("知识库里已有同样的问题：K%d %s，没有另存。要改它的答案，在它的页面上改%s", at.Number, chat.Plain(at.Question), d.atPage(fmt.Sprintf("/kb/%d", at.Number))))
	}
	lines := []string{"预览，还没存：", "问：" + chat.Plain(l.Question)}
	if n := len(e.Similar); n > 0 {
		lines = append(lines, fmt.Sprintf("也这样问（%d 种）：%s", n, chat.Plain(strings.Join(e.Similar[:min(n, 5)], "／"))))
	}
	lines = append(lines, "答："+l.Answer)
	if l.Masked {
		lines = append(lines, "其中的个人信息已隐去。")
	}
	l.Twin = 0
	for i, h := range found.Hits[:min(3, len(found.Hits))] {
		if h.Score < likeTwin {
			break
		}
		if i == 0 {
			l.Twin = h.Entry.Number
			lines = append(lines, "已有很像的：")
		}
		lines = append(lines, fmt.Sprintf("· K%d %s（%.0f%%）", h.Entry.Number, chat.Plain(h.Entry.Question), 100*h.Score))
	}
	if line := d.replayLine(ctx, e); line != "" {
		lines = append(lines, line)
	}
	var list []string
	option := func(words, show string) {
		list = append(list, words)
		lines = append(lines, fmt.Sprintf("%d  %s", len(list), show))
	}
	promise := promises.FindString(l.Answer)
	if promise != "" {
		lines = append(lines, fmt.Sprintf("答案里有承诺性的说法「%s」，改掉才能发布。", promise))
	} else if Curates(r.Actor) && !d.SecondPerson && !l.Machine {
		option(lessonPublish, "发布")
	}
	option(lessonDraft, "存为草稿")
	if promise == "" && (d.SecondPerson || l.Machine || !Curates(r.Actor)) {
		option(lessonSubmit, "提交复核，另一位知识管理员看过就用")
	}
	if l.Twin != 0 && r.Actor.Roles.Has(curators...) {
		option(lessonMerge, fmt.Sprintf("不另存，问法加到 K%d", l.Twin))
	}
	lines = append(lines, "要改就发「问:…」或「答:…」，不要了回「取消」。")
	res := say(strings.Join(lines, "\n"))
	res.List = list
	res.Next = &Step{Command: "teach", Name: stepLessonConfirm, Draft: l, Life: lessonLife}
	return res, nil
}

const (
	lessonPublish = "发布"
	lessonSubmit  = "提交复核"
	lessonDraft   = "存草稿"
	lessonMerge   = "加到已有"
)

// confirmLesson saves; nil when the text is no such word.
func (d *Desk) confirmLesson(_ context.Context, r Request, l lesson, text string) (*Result, error) {
	if text == lessonDraft {
		return d.saveLesson(r, l, kb.Draft), nil
	}
	if text == lessonSubmit {
		return d.saveLesson(r, l, kb.Review), nil
	}
	if text != lessonPublish && text != lessonMerge {
		return nil, nil
	}
	if text == lessonPublish && (d.SecondPerson || l.Machine) {
		return nil, refuse("发布要由另一位知识管理员来做；可以提交复核。")
	}
	if !r.Actor.Roles.Has(curators...) {
		return nil, refuse("发布由知识管理员来做；可以先存为草稿。")
	}
	if text == lessonPublish {
		if p := promises.FindString(l.Answer); p != "" {
			return nil, refuse(fmt.Sprintf("答案里有承诺性的说法「%s」，改掉才能发布。发「答:…」改。", p))
		}
		return d.saveLesson(r, l, kb.Published), nil
	}
	if l.Twin == 0 {
		return nil, refuse("没有很像的条目。回 1 或 2。")
	}
	return d.addQuestions(r, l.Twin, append([]string{l.Question}, l.Similar...), l.Source), nil
}

func (d *Desk) saveLesson(r Request, l lesson, state string) *Result {
	e := l.entry(r)
	e.State = state
	return &Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		number, err := tx.NewEntry(r.Actor.ID, e)
		if errors.Is(err, store.ErrExists) {
			return refuse(fmt.Sprintf("知识库里已有同样的问题 K%d，没有另存。不要了回「取消」；要改它的答案，在它的页面上改%s", number, d.atPage(fmt.Sprintf("/kb/%d", number))))
		}
		if err != nil {
			return err
		}
		if err := d.settle(tx, r.Actor.ID, l.Source, outcomeLearned, number); err != nil {
			return err
		}
		if err := d.EmitEntry(tx, chat.EntryPublished, r.Actor.ID, number, false); err != nil {
			return err
		}
		if err := tx.Audit(r.Actor.ID, "entry.create", fmt.Sprintf("K%d", number), state); err != nil {
			return err
		}
		e.Number = number
		if state == kb.Review {
			if err := d.tellMove(tx, r.Actor, e, r.Actor.ID, MoveSubmit, ""); err != nil {
				return err
			}
		}
		words := fmt.Sprintf("K%d 已发布，马上就用来回答。改错了回「回滚 K%d」。", number, number)
		if state == kb.Review {
			words = fmt.Sprintf("K%d 已提交复核，另一位知识管理员发布后就用来回答，到时告诉你。", number)
		}
		if state == kb.Draft {
			words = fmt.Sprintf("K%d 已存为草稿，发布后才会用来回答：知识管理员回「发布 K%d」。", number, number) + d.entryLine(number)
		}
		out.Say = append(out.Say, say(words).Say...)
		return nil
	}}
}

// What becomes of a question that had no answer.
const (
	outcomeLearned = "learned"
	outcomeIgnored = "ignored"
)

// addQuestions makes questions find an entry that is there.
func (d *Desk) addQuestions(r Request, number int64, questions, source []string) *Result {
	return &Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		e, added, err := d.AddWordings(tx, r.Actor, number, questions, source, false)
		if err != nil {
			return err
		}
		words := fmt.Sprintf("好，%d 种问法加到 K%d %s。改错了回「回滚 K%d」。", added, number, chat.Plain(e.Question), number)
		if d.SecondPerson {
			words = fmt.Sprintf("好，%d 种问法加进 K%d 的修改，已提交复核。", added, number)
		}
		out.Say = append(out.Say, say(words).Say...)
		return nil
	}}
}

// collect is 收录: a quoted message becomes the answer of a draft, a solved
// ticket is cultivated.
func (d *Desk) collect(ctx context.Context, r Request) (Result, error) {
	if _, ok := numberOf(r.Args, "T"); ok {
		if !works(r.Actor) {
			return Result{}, refuse("把工单沉淀成知识由处理工单的同事来做。")
		}
		return d.cultivate(ctx, r)
	}
	if r.Msg.Quote == nil || strings.TrimSpace(r.Msg.Quote.Text) == "" {
		return Result{}, refuse("引用一段讲得清楚的话，再发「收录」；或「收录 T12」把解决了的单沉淀下来。")
	}
	text := strings.TrimSpace(r.Msg.Quote.Text)
	if form := lessonForm.FindStringSubmatch(text); form != nil {
		return d.preview(ctx, r, lesson{Question: form[1], Answer: form[2], Reason: "收录"})
	}
	res := say("好，这段话作答案。它回答的是什么问题？用一线同事的话说一句。")
	res.Next = &Step{Command: "teach", Name: stepLessonQuestion, Draft: lesson{Answer: text, Reason: "收录"}, Life: lessonLife}
	return res, nil
}

// rollback is 回滚 K12: the version before the present one comes back; an
// entry that has only one is retired.
func (d *Desk) rollback(_ context.Context, r Request) (Result, error) {
	n, ok := numberOf(r.Args, "K")
	if !ok {
		return Result{}, refuse("回滚哪一条？例：回滚 K12")
	}
	return Result{Write: func(tx *store.Tx, out *Result) error {
		was, err := tx.FindEntry(n)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(fmt.Sprintf("没有找到 K%d。", n))
		}
		if err != nil {
			return err
		}
		e, err := tx.RestoreEntry(r.Actor.ID, n, 0)
		words := ""
		switch {
		case errors.Is(err, store.ErrFirst):
			if e, err = tx.ChangeEntry(r.Actor.ID, "回滚", n, 0, func(e *kb.Entry) error { e.State = kb.Retired; return nil }); err != nil {
				return err
			}
			words = fmt.Sprintf("K%d 只有这一版，已停用，不再用来回答。", n)
		case err != nil:
			return err
		case e.State != kb.Published:
			words = fmt.Sprintf("K%d 已回到%s（现为第 %d 版），不再用来回答。", n, kb.StateTitle(e.State), e.Version)
		default:
			words = fmt.Sprintf("K%d 已回到上一版（现为第 %d 版）：%s", n, e.Version, chat.Plain(e.Question))
		}
		out.Say = append(out.Say, say(words).Say...)
		if err := d.EmitEntry(tx, chat.EntryRolledBack, r.Actor.ID, n, was.Live()); err != nil {
			return err
		}
		return tx.Audit(r.Actor.ID, "entry.restore", fmt.Sprintf("K%d", n), "")
	}}, nil
}
