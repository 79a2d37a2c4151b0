package handlers

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

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
	found, err := d.Knowledge.Search(ctx, kb.Query{Text: question, N: 5, Now: r.Now, Vectors: true, Person: r.Actor.ID})
	if err != nil {
		return Result{}, fmt.Errorf("search the knowledge: %w", err)
	}
	if found.Band == kb.Answer {
		return d.answer(r, question, found, ""), nil
	}
	if d.soundsLikeReport(ctx, r.Actor.ID, question) {
		return d.startReport(ctx, r, text, true)
	}
	if found.Band == kb.Clarify && len(found.Hits) > 0 {
		if len(found.Hits) == 1 {
			return d.answer(r, question, found, "你可能想问："), nil
		}
		return d.clarify(r, question, found), nil
	}
	return d.dontKnow(r, question, found), nil
}

// greetings are no questions and nothing that is missing from the base.
var greetings = regexp.MustCompile(`(?i)^(你好|您好|hi|hello|嗨|哈喽|在吗|在不在|早上好|早|下午好|晚上好)[啊呀吗呢!！。~～?？ ]*$`)

// answer shows the first hit with its source.
func (d *Desk) answer(r Request, question string, found kb.Result, lead string) Result {
	e := found.Hits[0].Entry
	topic := Topic{Message: r.Msg.ID, Question: question, Entry: e.Number, Title: e.Question}
	for _, h := range found.Hits[1:] {
		topic.Others = append(topic.Others, h.Entry.Number)
	}
	res := Result{Topic: &topic, Say: answerWords(r.Msg, e, lead)}
	band := "answer"
	if lead != "" {
		band = "clarify"
	}
	res.Write = d.keepQuestion(r, question, band, e.Number, found.Hits[0].Score)
	return res
}

// shortAnswer is what still fits on one card (sub_title_text, 160 characters).
const shortAnswer = 160

const feedbackWords = "有用回「有用」，没用回「没解决」，要人处理回「转人工」。"

func answerWords(m chat.Message, e kb.Entry, lead string) []chat.Outgoing {
	ref := " @" + m.ID
	card := &chat.Card{
		TaskID: taskID(fmt.Sprintf("k%d", e.Number), m), Source: "知识库",
		Buttons: []chat.Button{{Text: "解决了", Key: "有用" + ref, Style: 1}, {Text: "没解决", Key: "没解决" + ref}, {Text: "转人工", Key: "转人工" + ref}},
	}
	body, source := answerBody(e), sourceLine(e)
	if plain := e.AnswerText; plain != "" && e.Steps == "" && e.Exceptions == "" && utf8.RuneCountInString(plain) <= shortAnswer {
		card.Title, card.Text = lead+e.Question, plain
		card.Rows = []chat.Row{{Key: "来源", Value: source}}
		card.Twin = fmt.Sprintf("%s【%s】\n%s\n依据 %s\n%s", lead, e.Question, plain, source, feedbackWords)
		return []chat.Outgoing{{Body: chat.Body{Card: card}}}
	}
	card.Title, card.Desc = "这条回答解决问题了吗？", source
	card.Twin = feedbackWords
	text := fmt.Sprintf("%s**%s**\n%s\n> 依据 %s", lead, e.Question, body, source)
	return []chat.Outgoing{{Body: chat.Body{Markdown: text}}, {Body: chat.Body{Card: card}}}
}

func answerBody(e kb.Entry) string {
	var b strings.Builder
	b.WriteString(e.Answer)
	if e.Steps != "" {
		b.WriteString("\n你这边：" + e.Steps)
	}
	if e.Exceptions != "" {
		b.WriteString("\n例外：" + e.Exceptions)
	}
	return b.String()
}

func sourceLine(e kb.Entry) string {
	line := fmt.Sprintf("K%d 第 %d 版", e.Number, max(1, e.Version))
	if e.ReviewAt != "" {
		line += " · 下次复核 " + e.ReviewAt
	}
	if e.Group != "" {
		line += " · " + e.Group
	}
	return line
}

// clarify offers up to three candidates by number.
func (d *Desk) clarify(r Request, question string, found kb.Result) Result {
	hits := found.Hits[:min(3, len(found.Hits))]
	var list []string
	lines := []string{"你想问的是哪一个？回复数字即可："}
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
	card := &chat.Card{TaskID: taskID("which", r.Msg), Source: "知识库", Title: "你想问的是哪一个？", Desc: "选一个，我再给答案",
		Vote: vote, Submit: &chat.Button{Text: "确定", Key: SubmitKey}, Twin: strings.Join(lines, "\n")}
	return Result{
		Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: list,
		Topic: &Topic{Message: r.Msg.ID, Question: question},
		Write: d.keepQuestion(r, question, "clarify", hits[0].Entry.Number, hits[0].Score),
	}
}

// dontKnow says so, offers ways on, and the question is remembered.
func (d *Desk) dontKnow(r Request, question string, found kb.Result) Result {
	card := &chat.Card{
		TaskID: taskID("gap", r.Msg), Source: "一线助手", Title: "这个我没有可靠的答案，不猜", Desc: "原话已记下，会有人补进知识库",
		Buttons: []chat.Button{{Text: "转人工", Key: "转人工 @" + r.Msg.ID, Style: 1}, {Text: "报障", Key: "报障 " + chat.Cut(chat.Plain(question), 100)}, {Text: "有答案了告诉我", Key: "有答案了告诉我 @" + r.Msg.ID}},
		Twin:    "这个我没有可靠的答案，不猜。原话已记下，会有人补进知识库。\n现在就要处理的话：\n1  转人工\n2  报障\n3  有答案了告诉我\n也可以补一句更具体的（哪个页面、什么提示、什么账户）。",
	}
	score := 0.0
	if len(found.Hits) > 0 {
		score = found.Hits[0].Score
	}
	return Result{
		Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: []string{"转人工", "报障 " + question, "有答案了告诉我 @" + r.Msg.ID},
		Topic: &Topic{Message: r.Msg.ID, Question: question},
		Write: d.keepQuestion(r, question, "refuse", 0, score),
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
	return Result{Say: answerWords(m, e, ""), Topic: &topic}, nil
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
