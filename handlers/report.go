package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// reportDraft is what a report has gathered so far.
type reportDraft struct {
	Mark     string // names this draft in button keys
	Fields   Fields
	Lines    []string // as written; sealed with the draft
	Media    []chat.Media
	Missing  []string // asked next, in order
	Guessed  bool     // begun without the word 报障: somebody confirms first
	Reporter string   // whose report it is, when it was quoted
	Class    string   // guessed
	Subclass string
	Sure     float64 // how likely the class is, 0 to 1
	Known    int64   // the open ticket it was compared with
	Alert    int64   // or the alert
	Apart    bool    // and the reporter said that it is another problem
	Ticket   int64   // the ticket it became; what is said in the next moments joins it
}

// stepAfter is the time right after a ticket was made, when more may come.
const stepAfter = "after"

const (
	reportLife = 30 * time.Minute
	joinLife   = 90 * time.Second // parts that belong to the report just made
	titleRunes = 60
)

// priorityTitle is what people call a priority.
var priorityTitle = map[string]string{"P1": "紧急", "P2": "高", "P3": "中", "P4": "低"}

// report is 报障, and every message of its conversation.
func (d *Desk) report(ctx context.Context, r Request) (Result, error) {
	switch r.Step {
	case "confirm":
		return d.confirmReport(ctx, r)
	case "field":
		return d.fillField(ctx, r)
	case "known":
		return d.answerKnown(ctx, r)
	case stepAfter:
		return d.afterReport(ctx, r)
	}
	return d.startReport(ctx, r, r.Args, false)
}

// startReport begins a draft from a text and what it quotes. Where nothing
// required is missing and the word was said, the ticket is made at once.
func (d *Desk) startReport(ctx context.Context, r Request, text string, guessed bool) (Result, error) {
	draft := reportDraft{Mark: r.Msg.ID[:12], Guessed: guessed}
	if q := r.Msg.Quote; q != nil {
		draft.take(q.Text, q.Media)
	}
	draft.take(text, r.Msg.Media)
	d.askModel(ctx, r.Actor.ID, &draft.Fields, draft.Fields.Symptom)
	return d.proceed(ctx, r, draft)
}

func (g *reportDraft) take(text string, media []chat.Media) {
	if clean, _ := mask.Scrub(text); strings.TrimSpace(clean) != "" {
		g.Fields.read(clean)
		g.Fields.add(clean)
		g.Lines = append(g.Lines, clean)
	}
	g.Media = append(g.Media, media...)
}

// proceed shows a known problem that is the same, asks the next required
// unknown field, or for a confirmation, or makes the ticket.
func (d *Desk) proceed(ctx context.Context, r Request, g reportDraft) (Result, error) {
	if !g.Apart {
		same, _, err := d.known(ctx, r.Actor.ID, g.Fields, r.Now)
		if err != nil {
			return Result{}, err
		}
		if same.Number > 0 && same.Number != g.Known {
			return d.askKnown(ctx, r, g, same)
		}
		a, err := d.knownAlert(ctx, g.Fields, r.Now)
		if err != nil {
			return Result{}, err
		}
		if a.Number > 0 && a.Number != g.Alert {
			return d.askAlert(ctx, r, g, a)
		}
	}
	g.Class, g.Subclass, g.Sure = d.GuessClass(ctx, g.Fields.Symptom)
	g.Missing = g.Missing[:0]
	for _, key := range d.required(g.Class) {
		if g.Fields.get(key) == "" && (key != "symptom" || len(g.Media) == 0 || len(g.Lines) == 0) {
			g.Missing = append(g.Missing, key)
		}
	}
	switch {
	case len(g.Missing) > 0:
		return d.withForm(r, g, d.askField(r, g)), nil
	case g.Guessed:
		return d.withForm(r, g, d.askConfirm(r, g)), nil
	}
	return d.file(ctx, r, g)
}

// required are the fields that a report of a class must have, in the order in
// which they are asked.
func (d *Desk) required(class string) []string {
	out := slices.Clone(d.Required)
	if len(out) == 0 {
		out = []string{"symptom"}
	}
	for _, c := range d.Rules.Classes {
		for _, f := range c.Required {
			if c.Name == class && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// choices are the answers to fields that have few.
var choices = map[string][]string{
	"system":  {"安卓", "iOS", "鸿蒙", "电脑端"},
	"urgency": {"很急，影响交易", "不急", "不清楚"},
}

func (d *Desk) askField(r Request, g reportDraft) Result {
	key := g.Missing[0]
	question := ""
	for _, f := range fieldNames {
		if f.key == key {
			question = f.question
		}
	}
	card := d.draftCard(r, g)
	card.Title = question
	card.Desc = fmt.Sprintf("报障单还差 %d 项", len(g.Missing))
	list := choices[key]
	lines := []string{card.Twin}
	if card.Twin == "" {
		lines = nil
	}
	lines = append(lines, question)
	for i, c := range list {
		card.Buttons = append(card.Buttons, chat.Button{Text: chat.Cut(c, 10), Key: ButtonKey(g.Mark, c)})
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, c))
	}
	if len(list) == 0 {
		card.Buttons = nil
		return Result{Say: say(strings.Join(append(lines, "（发「取消」退出）"), "\n")).Say, List: []string{}, Next: &Step{Command: "report", Name: "field", Draft: g, Life: reportLife}}
	}
	card.Twin = strings.Join(lines, "\n")
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: list, Next: &Step{Command: "report", Name: "field", Draft: g, Life: reportLife}}
}

// draftCard shows what is known of a draft.
func (d *Desk) draftCard(r Request, g reportDraft) *chat.Card {
	card := &chat.Card{TaskID: taskID("draft", r.Msg), Source: "一线助手 · 报障"}
	f := g.Fields
	for _, row := range []chat.Row{{Key: "类别", Value: d.classWords(g)}, {Key: "现象", Value: chat.Cut(f.Symptom, 60)}, {Key: "应用", Value: strings.TrimSpace(f.System + " " + f.AppVersion)}, {Key: "客户", Value: f.who()}, {Key: "附件", Value: count(len(g.Media), "个")}} {
		if row.Value != "" {
			card.Rows = append(card.Rows, chat.Row{Key: row.Key, Value: chat.Plain(row.Value)})
		}
	}
	if len(card.Rows) > 0 {
		lines := []string{"这是我替你填好的报障单："}
		for _, row := range card.Rows {
			lines = append(lines, row.Key+" "+row.Value)
		}
		card.Twin = strings.Join(lines, "\n")
	}
	return card
}

// classWords is a draft's class with how likely it is.
func (d *Desk) classWords(g reportDraft) string {
	if g.Class == "" {
		return ""
	}
	words := strings.TrimSpace(d.Rules.ClassTitle(g.Class) + " " + g.Subclass)
	return fmt.Sprintf("%s（把握 %d%%）", words, int(g.Sure*100))
}

func count(n int, unit string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func (d *Desk) askConfirm(r Request, g reportDraft) Result {
	card := d.draftCard(r, g)
	card.Title, card.Desc = "要我报障吗？", "内容不全可以接着发，截图也行"
	card.Buttons = []chat.Button{{Text: "报障", Key: ButtonKey(g.Mark, "提交"), Style: 1}, {Text: "不是，问问", Key: ButtonKey(g.Mark, "只是问问")}}
	card.Twin += "\n要提交吗？\n1  提交\n2  只是问问\n（内容不全可以接着发，截图也行）"
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: []string{"提交", "只是问问"}, Next: &Step{Command: "report", Name: "confirm", Draft: g, Life: reportLife}}
}

func (r Request) reportDraft() (g reportDraft, err error) {
	if err = json.Unmarshal(r.Draft, &g); err != nil {
		err = fmt.Errorf("read the draft: %w", err)
	}
	return g, err
}

func (d *Desk) confirmReport(ctx context.Context, r Request) (Result, error) {
	g, err := r.reportDraft()
	if err != nil {
		return Result{}, err
	}
	switch r.Args {
	case "提交", "是", "对", "好", "好的", "确认", "报", "ok", "OK":
		g.Guessed = false
		return d.proceed(ctx, r, g)
	case "只是问问", "不是", "不用", "不", "否", zeroItem:
		return d.onlyAsking(ctx, r, g)
	}
	g.take(r.Args, r.Msg.Media)
	return d.proceed(ctx, r, g)
}

// onlyAsking treats the draft as the question it was.
func (d *Desk) onlyAsking(ctx context.Context, r Request, g reportDraft) (Result, error) {
	question := g.Fields.Symptom
	found, err := d.Knowledge.Search(ctx, query(question, r.Now))
	if err != nil {
		return Result{}, err
	}
	if len(found.Hits) > 0 {
		return d.clarify(r, asking(question, found)), nil
	}
	return d.dontKnow(r, asking(question, found)), nil
}

func (d *Desk) fillField(ctx context.Context, r Request) (Result, error) {
	g, err := r.reportDraft()
	if err != nil {
		return Result{}, err
	}
	key, text := "", strings.TrimSpace(r.Args)
	if len(g.Missing) > 0 {
		key = g.Missing[0]
	}
	before := g.Fields.get(key)
	g.take(text, r.Msg.Media)
	if g.Fields.get(key) == before && text != "" {
		g.answer(key, text)
	}
	return d.proceed(ctx, r, g)
}

// answer takes a text as the answer to one field.
func (g *reportDraft) answer(key, text string) {
	switch key {
	case "symptom":
		g.Fields.Symptom = mask.Text(text)
	case "system":
		g.Fields.System = chat.Cut(mask.Text(text), 20)
	case "app_version":
		g.Fields.AppVersion = chat.Cut(mask.Text(text), 20)
	case "urgency":
		g.Fields.Urgency = urgencyOf(text)
	case "customer":
		if digits := strings.TrimSpace(text); len(digits) >= 4 && strings.Trim(digits, "0123456789") == "" {
			g.Fields.Customer = digits
		} else {
			g.Fields.Customer = "无"
		}
	}
}

func urgencyOf(text string) string {
	switch {
	case strings.HasPrefix(text, "不急"):
		return "calm"
	case strings.Contains(text, "急"):
		return "urgent"
	}
	return "unknown"
}

// afterReport is the minute and a half after a ticket was made: an answer to
// the question about urgency, or more of the same report. A question that the
// knowledge base surely answers is a question, not a part of the report.
func (d *Desk) afterReport(ctx context.Context, r Request) (Result, error) {
	g, err := r.reportDraft()
	if err != nil {
		return Result{}, err
	}
	for _, c := range choices["urgency"] {
		if r.Args == c {
			return d.setUrgency(r, g, urgencyOf(c))
		}
	}
	if r.Args != "" && thanks.MatchString(r.Args) {
		return say("不客气。有进展我会告诉你。"), nil
	}
	if r.Args != "" {
		found, err := d.Knowledge.Search(ctx, query(mask.Text(r.Args), r.Now))
		if err != nil {
			return Result{}, err
		}
		if surely(found) {
			return d.answer(r, asking(mask.Text(r.Args), found), wording{}), nil
		}
		if found.Band == kb.Clarify && askingWords.MatchString(r.Args) && !brokenWords.MatchString(r.Args) {
			return d.ask(ctx, r) // it is put as a question, and the base may know
		}
	}
	return d.joinTicket(r, g)
}

func (d *Desk) setUrgency(r Request, g reportDraft, urgency string) (Result, error) {
	g.Fields.Urgency = urgency
	priority := g.Fields.priority(g.Class)
	return Result{List: []string{}, Next: &Step{Command: "report", Name: stepAfter, Draft: g, Life: joinLife}, Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(g.Ticket)
		if err != nil {
			return err
		}
		if err := mustBeOpen(&t, "改"); err != nil {
			return err
		}
		if err := d.SetPriority(tx, r.Actor, &t, priority, urgency, "紧急程度："+r.Args); err != nil {
			return err
		}
		out.Say = append(out.Say, say(fmt.Sprintf("好，T%d 记为 %s %s。%s有进展我会告诉你。", t.Number, priority, priorityTitle[priority], d.byWhen(tx, t))).Say...)
		return nil
	}}, nil
}

// joinTicket adds a later part to the ticket just made.
func (d *Desk) joinTicket(r Request, g reportDraft) (Result, error) {
	clean, _ := mask.Scrub(r.Args)
	return Result{Next: &Step{Command: "report", Name: stepAfter, Draft: g, Life: joinLife}, Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(g.Ticket)
		if err != nil {
			return err
		}
		if err := d.Said(tx, r.Actor, &t, clean, clean, r.Msg.Media, r.Msg.ID); err != nil {
			return err
		}
		out.Say = append(out.Say, say(fmt.Sprintf("已补充到 T%d。", t.Number)).Say...)
		return nil
	}}, nil
}
