package handlers

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// asked is a question, masked, with what the base found for it.
type asked struct {
	text  string
	note  string // how it was read, to be shown; "" as it was said
	found kb.Result
}

// asking is a question with what was found, and how its letters were read.
func asking(question string, found kb.Result) asked {
	a := asked{text: question, found: found}
	if found.Read != "" && found.Band > kb.Refuse {
		a.note = readNote(found.Read)
	}
	return a
}

func readNote(text string) string { return fmt.Sprintf("按「%s」查的", chat.Plain(text)) }

// ask answers a question from the knowledge base in three bands: sure, maybe
// (up to three candidates by number), not sure (said so, and remembered).
func (d *Desk) ask(ctx context.Context, r Request) (Result, error) {
	if r.Text == zeroItem {
		return d.noneOfThese(ctx, r)
	}
	text := r.Args
	if text == "" && r.Msg.Quote != nil {
		text = r.Msg.Quote.Text
	}
	if text == "" {
		return d.mediaOnly(ctx, r)
	}
	if greetings.MatchString(text) {
		return say("你好，直接说问题就行：问业务、报障、查工单都可以。发「帮助」看全部说法。"), nil
	}
	if thanks.MatchString(text) {
		return say("不客气。"), nil
	}
	// The knowledge base and everything kept of the question see it masked.
	question := chat.Cut(mask.Text(text), 500)
	found, err := d.search(ctx, r, question)
	if err != nil {
		return Result{}, err
	}
	a := asking(question, found)
	if words := notHere(text, a); words != "" {
		res := say(words)
		res.Topic = &Topic{Message: r.Msg.ID, Question: a.text}
		return res, nil
	}
	think, stop := context.WithTimeout(ctx, modelTurn)
	defer stop()
	if a, err = d.complete(ctx, think, r, a); err != nil {
		return Result{}, err
	}
	if a.found.Band == kb.Answer {
		if above, err := d.seeAbove(ctx, r, a); above != nil || err != nil {
			return orEmpty(above), err
		}
	} else if d.soundsLikeReport(think, r.Actor.ID, question) {
		return d.startReport(ctx, r, text, true)
	}
	return d.replyWith(r, d.decide(think, r, a)), nil
}

// search is for somebody who waits for the answer: vectors may help.
func (d *Desk) search(ctx context.Context, r Request, question string) (kb.Result, error) {
	found, err := d.Knowledge.Search(ctx, kb.Query{Text: question, N: 5, Now: r.Now, Vectors: true, Person: r.Actor.ID})
	if err != nil {
		return found, fmt.Errorf("search the knowledge: %w", err)
	}
	return found, nil
}

// greetings are no questions and nothing that is missing from the base.
var greetings = regexp.MustCompile(`(?i)^(你好|您好|hi|hello|嗨|哈喽|在吗|在不在|早上好|早|下午好|晚上好)[啊呀吗呢!！。~～?？ ]*$`)

// replyWith says in chat what was decided.
func (d *Desk) replyWith(r Request, v decided) Result {
	switch {
	case v.band == kb.Refuse:
		return d.dontKnow(r, v.asked)
	case v.one:
		return d.answer(r, v.asked, v.w)
	}
	return d.clarify(r, v.asked)
}

const leadMaybe = "你可能想问："

// first puts an entry before the other hits.
func (a asked) first(number int64) asked {
	hits := make([]kb.Hit, 0, len(a.found.Hits))
	for _, h := range a.found.Hits {
		if h.Entry.Number == number {
			hits = append([]kb.Hit{h}, hits...)
		} else {
			hits = append(hits, h)
		}
	}
	a.found.Hits = hits
	return a
}

// answer shows the first hit with its source.
func (d *Desk) answer(r Request, a asked, w wording) Result {
	e := a.found.Hits[0].Entry
	topic := Topic{Message: r.Msg.ID, Question: a.text, Entry: e.Number, Title: e.Question, Others: numbersOf(a.found.Hits[1:])}
	w.link = d.groupLink(r.Msg, e.Number)
	res := Result{Topic: &topic, Say: answerWords(r.Msg, e, a.note, w)}
	band := "answer"
	if w.lead != "" {
		band = "clarify"
	}
	res.Write = d.keepQuestion(r, a.text, band, e.Number, a.found.Hits[0].Score)
	return res
}

func numbersOf(hits []kb.Hit) (out []int64) {
	for _, h := range hits {
		out = append(out, h.Entry.Number)
	}
	return out
}

// clarify offers up to three candidates by number.
func (d *Desk) clarify(r Request, a asked) Result {
	hits := a.found.Hits[:min(3, len(a.found.Hits))]
	var list []string
	lines := []string{a.noted("你想问的是哪一个？回复数字即可：")}
	vote := &chat.Choice{Key: "which"}
	for i, h := range hits {
		show := h.Entry.Question
		if h.Entry.ShortTitle != "" {
			show = h.Entry.ShortTitle
		}
		words := fmt.Sprintf("看 K%d", h.Entry.Number)
		list = append(list, words)
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, h.Entry.Question))
		vote.Options = append(vote.Options, chat.Option{ID: words, Text: show})
	}
	vote.Options = append(vote.Options, chat.Option{ID: zeroItem, Text: "都不是，转人工"})
	lines = append(lines, "0  都不是，转人工")
	card := &chat.Card{TaskID: taskID("which", r.Msg), Source: "知识库", Title: "你想问的是哪一个？", Desc: a.noteOr("选一个，我再给答案"),
		Vote: vote, Submit: &chat.Button{Text: "确定", Key: SubmitKey}, Twin: strings.Join(lines, "\n")}
	return Result{
		Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: list,
		Topic: &Topic{Message: r.Msg.ID, Question: a.text},
		Write: d.keepQuestion(r, a.text, "clarify", hits[0].Entry.Number, hits[0].Score),
	}
}

// noted is a text under the note.
func (a asked) noted(text string) string {
	if a.note == "" {
		return text
	}
	return a.note + "\n" + text
}

func (a asked) noteOr(text string) string {
	if a.note == "" {
		return text
	}
	return a.note
}

// dontKnow says so, offers ways on, and the question is remembered.
func (d *Desk) dontKnow(r Request, a asked) Result {
	card := &chat.Card{
		TaskID: taskID("gap", r.Msg), Source: "一线助手", Title: "这个我没有可靠的答案，不猜", Desc: a.noteOr("原话已记下，会有人补进知识库"),
		Buttons: []chat.Button{{Text: "转人工", Key: "转人工 @" + r.Msg.ID, Style: 1}, {Text: "报障", Key: "报障 " + chat.Cut(chat.Plain(a.text), 100)}, {Text: "有答案了告诉我", Key: "有答案了告诉我 @" + r.Msg.ID}},
		Twin:    a.noted("这个我没有可靠的答案，不猜。原话已记下，会有人补进知识库。\n现在就要处理的话：\n1  转人工\n2  报障\n3  有答案了告诉我\n也可以补一句更具体的（哪个页面、什么提示、什么账户）。"),
	}
	score := 0.0
	topic := Topic{Message: r.Msg.ID, Question: a.text}
	if len(a.found.Hits) > 0 {
		score = a.found.Hits[0].Score
	}
	if a.found.Band == kb.Clarify {
		topic.Others = numbersOf(a.found.Hits) // the model took none of them; the asker may want to see
	}
	return Result{
		Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: []string{"转人工", "报障 " + a.text, "有答案了告诉我 @" + r.Msg.ID},
		Topic: &topic,
		Write: d.keepQuestion(r, a.text, "refuse", 0, score),
	}
}

func (d *Desk) keepQuestion(r Request, question, band string, entry int64, score float64) func(*store.Tx, *Result) error {
	q := store.Question{Message: r.Msg.ID, Asker: r.Actor.ID, Place: r.Msg.From, Text: question, Band: band, Entry: entry, Score: score}
	return func(tx *store.Tx, _ *Result) error { return tx.KeepQuestion(q) }
}

// entry shows one entry by its number: what a candidate of a list stands for.
func (d *Desk) entry(ctx context.Context, r Request) (Result, error) {
	n, ok := numberOf(r.Args, "K")
	if !ok {
		return Result{}, refuse("看哪一条？例：看 K12")
	}
	e, err := d.Store.FindEntry(ctx, n)
	if err == nil && e.State != kb.Published && Proposes(r.Actor) {
		return d.showDraft(e), nil
	}
	if err != nil || e.State != kb.Published {
		return Result{}, refuse(fmt.Sprintf("没有找到 K%d。", n))
	}
	topic := r.Topic
	if topic.Message == "" {
		topic = Topic{Message: r.Msg.ID, Question: e.Question}
	}
	topic.Entry, topic.Title = n, e.Question
	m := r.Msg
	m.ID = topic.Message // 有用 and 没解决 are about the question that was asked
	res := Result{Say: answerWords(m, e, "", wording{link: d.groupLink(m, n)}), Topic: &topic}
	if r.Topic.Message != "" {
		res.Write = func(tx *store.Tx, _ *Result) error { return tx.PickEntry(topic.Message, r.Actor.ID, n) }
	}
	return res, nil
}

// noneOfThese is 0 after a list of candidates.
func (d *Desk) noneOfThese(ctx context.Context, r Request) (Result, error) {
	return d.person(ctx, r)
}

// mediaOnly is a picture without words: it joins the ticket just made, or
// begins a report.
func (d *Desk) mediaOnly(ctx context.Context, r Request) (Result, error) {
	return d.startReport(ctx, r, "", true)
}
