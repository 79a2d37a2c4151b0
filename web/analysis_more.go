package web

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/sheet"
	"frontline/store"
)

// AskedAs is the list of questions that count for one figure.
func (p analysisPage) AskedAs(kind string) string { return p.asked(kind) }

// Coverage is the share of questions that got any answer.
func (p analysisPage) Coverage() string {
	share, ok := handlers.Share(p.Questions.Asked-p.Questions.Refused, p.Questions.Asked)
	if !ok {
		return none
	}
	return fmt.Sprintf("%.1f%%", share)
}

// TakenBack are answers that nobody objected to and that solved nothing after all.
func (p analysisPage) TakenBack() int64 { return p.Questions.RawSolved - p.Questions.Solved }

// Subclass is the list of a subclass's tickets.
func (p analysisPage) Subclass(s handlers.SubclassFigures) string {
	return p.list("class="+s.Class, "subclass="+s.Name)
}

// analysisPicture is the period as the picture that is sent into chats.
func (s *Server) analysisPicture(v *visit) error {
	a, err := s.readAnalysis(v)
	if err != nil {
		return err
	}
	b, err := handlers.Poster(a).PNG(2)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "image/png")
	_, err = v.w.Write(b)
	return err
}

func (s *Server) tellAnalysis(v *visit) error {
	p := s.readPeriod(url.Values{"from": {v.r.PostFormValue("from")}, "to": {v.r.PostFormValue("to")}})
	if err := s.opt.Desk.TellPeriod(v.r.Context(), v.user.ID, p); err != nil {
		return err
	}
	v.notice(v.t("已放入发送队列，马上发到群里"))
	return v.redirect(handlers.AnalysisPath(p))
}

func (s *Server) exportAnalysis(v *visit) error {
	a, err := s.readAnalysis(v)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(v.t("分析")+"-"+a.From.Format("20060102")+"-"+a.Last().Format("20060102")+".xlsx"))
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w, err := sheet.XLSX(v.w, v.t("分析"))
	if err != nil {
		return err
	}
	rows := append(v.analysisRows(a), v.machineRows(a)...)
	if a.Filter == (store.FigureFilter{}) && handlers.SeesLoads(v.user) {
		loads, err := s.opt.Desk.Loads(v.r.Context(), a)
		if err != nil {
			return err
		}
		rows = append(rows, v.loadRows(loads)...)
	}
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			return err
		}
	}
	return w.Close()
}

// analysisRows are the figures as a sheet, block after block.
func (v *visit) analysisRows(a handlers.Analysis) [][]string {
	n := func(i int64) string { return strconv.FormatInt(i, 10) }
	head := v.words
	rows := [][]string{{v.t("时间段"), a.From.Format(time.DateOnly), a.Last().Format(time.DateOnly)}, {v.t("上期"), a.BeforeFrom.Format(time.DateOnly), a.BeforeTo.AddDate(0, 0, -1).Format(time.DateOnly)}, {}}
	line := func(title string, f, b store.TicketFigures) []string {
		return []string{title, n(f.Reported), n(b.Reported), n(f.Open), n(f.Solved), n(f.Merged), n(f.Withdrawn), n(f.AnswerLate), n(f.SolveLate), n(f.Reopened), n(f.Rated), n(f.Good), n(f.Bad)}
	}
	rows = append(rows, head("分类", "工单", "上期", "未关闭", "已解决", "并单", "撤回", "首响超时", "解决超时", "重开过", "已评价", "4 星以上", "2 星以下"))
	for _, c := range a.Classes {
		rows = append(rows, line(v.class(c.Title), c.Tickets, c.Before))
	}
	rows = append(rows, line(v.t("合计"), a.Tickets, a.Before), []string{})
	q, was := a.Questions, a.AskedBy
	rows = append(rows, head("提问", "本期", "上期"))
	for _, x := range []struct {
		title    string
		now, was int64
	}{{"提问", q.Asked, was.Asked}, {"直接回答", q.Answered, was.Answered}, {"给选项", q.Offered, was.Offered}, {"没答上", q.Refused, was.Refused}, {"说有用", q.Useful, was.Useful}, {"说没用", q.Useless, was.Useless},
		{"转人工", q.Handed, was.Handed}, {"转成工单", q.Ticketed, was.Ticketed}, {"表面解决", q.RawSolved, was.RawSolved}, {"真解决", q.Solved, was.Solved}} {
		rows = append(rows, []string{v.t(x.title), n(x.now), n(x.was)})
	}
	rows = append(rows, []string{}, append(head("日期"), append(v.classTitles(a), v.t("合计"))...))
	for _, d := range a.ByDay {
		r := []string{d.Day.Format(time.DateOnly)}
		for _, k := range d.Tickets {
			r = append(r, n(k))
		}
		rows = append(rows, append(r, n(d.All)))
	}
	for _, part := range []struct {
		title string
		list  []handlers.PartFigures
	}{{"营业部", a.Branches}, {"服务组", a.Groups}, {"应用版本", a.Versions}} {
		if len(part.list) == 0 {
			continue
		}
		rows = append(rows, []string{}, head(part.title, "工单", "未关闭", "已解决", "首响超时", "解决超时", "重开过", "已评价"))
		for _, f := range part.list {
			rows = append(rows, []string{f.Title, n(f.Reported), n(f.Open), n(f.Solved), n(f.AnswerLate), n(f.SolveLate), n(f.Reopened), n(f.Rated)})
		}
	}
	if len(a.Subclasses) > 0 {
		rows = append(rows, []string{}, head("分类", "子类", "本期", "上期"))
		for _, s := range a.Subclasses {
			rows = append(rows, []string{v.class(s.ClassTitle), s.Name, n(s.Reported), n(s.Before)})
		}
	}
	if len(a.Top) > 0 {
		rows = append(rows, []string{}, head("知识", "问题", "提问", "上期", "真解决"))
		for _, e := range a.Top {
			rows = append(rows, []string{fmt.Sprintf("K%d", e.Number), e.Title, n(e.Asked), n(e.Before), n(e.Solved)})
		}
	}
	return rows
}

// words are some words in the visitor's language.
func (v *visit) words(list ...string) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = v.t(w)
	}
	return out
}

func (v *visit) classTitles(a handlers.Analysis) []string {
	out := make([]string, len(a.Classes))
	for i, c := range a.Classes {
		out[i] = v.class(c.Title)
	}
	return out
}

// questionsSize is how many questions a page shows.
const questionsSize = 50

type questionsPage struct {
	handlers.Period
	Rows   []store.Question
	Total  int64
	Kind   string
	Branch string
	Entry  int64
	Page   int
}

// Kinds are the figures whose questions can be listed.
func (questionsPage) Kinds() []string { return store.QuestionKinds }

// More tells that there is another page.
func (p questionsPage) More() bool { return int64(p.Page*questionsSize) < p.Total }

// Pages tells that there is more than one page.
func (p questionsPage) Pages() bool { return p.Total > questionsSize }

// Band makes one of the three bands of what was kept.
func (questionsPage) Band(kept string) string {
	if kept == "answer" || kept == "clarify" {
		return kept
	}
	return "refuse"
}

// At is the address of the page so many pages further.
func (p questionsPage) At(by int) template.URL {
	q := url.Values{"from": {p.From.Format(time.DateOnly)}, "to": {p.Last().Format(time.DateOnly)}, "kind": {p.Kind}, "page": {strconv.Itoa(p.Page + by)}}
	if p.Branch != "" {
		q.Set("dept", p.Branch)
	}
	if p.Entry > 0 {
		q.Set("entry", strconv.FormatInt(p.Entry, 10))
	}
	return template.URL("/analysis/questions?" + q.Encode())
}

// questionList is the list behind the figures over questions; its texts are
// masked, and it names nobody.
func (s *Server) questionList(v *visit) error {
	q := v.r.URL.Query()
	p := questionsPage{Period: s.readPeriod(q), Kind: "asked", Branch: chat.Cut(strings.TrimSpace(q.Get("dept")), 128), Entry: number(q.Get("entry")), Page: 1}
	if k := q.Get("kind"); slices.Contains(store.QuestionKinds, k) {
		p.Kind = k
	}
	if n := number(q.Get("page")); n > 1 && n*questionsSize < store.CountMost {
		p.Page = int(n)
	}
	query := store.QuestionQuery{From: p.From, To: p.To, Branch: p.Branch, Kind: p.Kind, Entry: p.Entry, N: questionsSize, Skip: (p.Page - 1) * questionsSize}
	var err error
	if p.Rows, err = s.opt.Store.ListQuestions(v.r.Context(), query); err != nil {
		return err
	}
	if p.Total, err = s.opt.Store.CountQuestions(v.r.Context(), query); err != nil {
		return err
	}
	return v.show("questions", p)
}
