package web

import (
	"net/http"
	"net/url"
	"time"

	"frontline/handlers"
	"frontline/store"
)

// The figures of a period for programs: the same sums as the page.

type apiTickets struct {
	Reported   int64 `json:"reported"`
	Withdrawn  int64 `json:"withdrawn"`
	Merged     int64 `json:"merged"`
	Open       int64 `json:"open"`
	Solved     int64 `json:"solved"`
	Answered   int64 `json:"answered"`
	AnswerLate int64 `json:"answer_late"`
	SolveLate  int64 `json:"solve_late"`
	Reopened   int64 `json:"reopened"`
	Rated      int64 `json:"rated"`
	Stars      int64 `json:"stars"` // all together
	Good       int64 `json:"good"`
	Bad        int64 `json:"bad"`
}

type apiQuestions struct {
	Asked     int64 `json:"asked"`
	Answered  int64 `json:"answered"`
	Offered   int64 `json:"offered"`
	Refused   int64 `json:"refused"`
	Useful    int64 `json:"useful"`
	Useless   int64 `json:"useless"`
	Handed    int64 `json:"handed_over"`
	Ticketed  int64 `json:"ticketed"`
	RawSolved int64 `json:"solved_raw"`
	Solved    int64 `json:"solved_true"`
}

// apiTimes are medians in seconds, exact to the step they are counted in; null
// when there were none.
type apiTimes struct {
	Half *int64 `json:"p50"`
	Most *int64 `json:"p90"`
}

type apiClassStats struct {
	Class     string     `json:"class"`
	Tickets   apiTickets `json:"tickets"`
	Before    apiTickets `json:"tickets_before"`
	Questions int64      `json:"questions"` // that became no ticket; of consultation only
	Answer    apiTimes   `json:"first_response"`
	Solve     apiTimes   `json:"time_to_solve"`
}

type apiDayStats struct {
	Day     string           `json:"day"`
	Tickets map[string]int64 `json:"tickets"` // by class; "" has none yet
}

type apiPartStats struct {
	Name    string     `json:"name"`
	Tickets apiTickets `json:"tickets"`
}

type apiSubclassStats struct {
	Class    string `json:"class"`
	Subclass string `json:"subclass"`
	Reported int64  `json:"reported"`
	Before   int64  `json:"before"`
}

type apiEntryStats struct {
	Entry     int64        `json:"entry"`
	Question  string       `json:"question"`
	Questions apiQuestions `json:"questions"`
}

type apiFinding struct {
	Rule string `json:"rule"`
	Text string `json:"text"`
	Path string `json:"path"`
}

// apiStats are the figures of a period.
type apiStats struct {
	From       string             `json:"from"` // first and last day
	To         string             `json:"to"`
	BeforeFrom string             `json:"before_from"`
	BeforeTo   string             `json:"before_to"`
	Zone       string             `json:"time_zone"`
	Complete   bool               `json:"complete"` // false: older data is still being counted
	Tickets    apiTickets         `json:"tickets"`
	Before     apiTickets         `json:"tickets_before"`
	Questions  apiQuestions       `json:"questions"`
	AskedBy    apiQuestions       `json:"questions_before"`
	Answer     apiTimes           `json:"first_response"`
	Solve      apiTimes           `json:"time_to_solve"`
	Classes    []apiClassStats    `json:"classes"`
	Days       []apiDayStats      `json:"days"`
	Subclasses []apiSubclassStats `json:"subclasses"`
	Branches   []apiPartStats     `json:"branches"`
	Groups     []apiPartStats     `json:"groups"`
	Versions   []apiPartStats     `json:"versions"`
	Top        []apiEntryStats    `json:"top_entries"`
	Findings   []apiFinding       `json:"findings"`
	Alerts     *apiAlertStats     `json:"alerts"`             // null with branch or group
	Runs       *apiRunStats       `json:"runs"`               // null with branch or group, and without data construction
	Handlers   []apiHandlerStats  `json:"handlers,omitempty"` // by name; only with the rights of a leader
}

// apiShowStats answers ?period= (today, week, month, quarter) or from= and to=
// (days), narrowed down by branch= or group=.
func (s *Server) apiShowStats(c *apiCall) (any, error) {
	q := c.r.URL.Query()
	for _, name := range []string{"from", "to"} {
		if v := q.Get(name); v != "" {
			if _, err := time.Parse(time.DateOnly, v); err != nil {
				return nil, problem{http.StatusBadRequest, name + ": a day (2006-01-02) is needed"}
			}
		}
	}
	if (q.Get("from") == "") != (q.Get("to") == "") {
		return nil, problem{http.StatusBadRequest, "from and to go together"}
	}
	if p := q.Get("period"); p != "" {
		if _, ok := handlers.NewPeriod(p, s.opt.Now()); !ok {
			return nil, problem{http.StatusBadRequest, "period: one of today, week, month, quarter"}
		}
	}
	f := store.FigureFilter{Branch: q.Get("branch"), Group: q.Get("group")}
	if f.Branch != "" && f.Group != "" {
		return nil, problem{http.StatusBadRequest, "branch or group, not both"}
	}
	a, err := s.opt.Desk.Analyse(c.r.Context(), s.readPeriod(url.Values{"p": {q.Get("period")}, "from": {q.Get("from")}, "to": {q.Get("to")}}), f)
	if err != nil {
		return nil, err
	}
	out := statsOf(a, s.opt.Store.FigureZone())
	if f == (store.FigureFilter{}) {
		found, err := s.opt.Desk.Findings(c.r.Context(), a)
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			out.Findings = append(out.Findings, apiFinding{x.Rule, x.Text, x.Path})
		}
		if handlers.SeesLoads(c.user) {
			loads, err := s.opt.Desk.Loads(c.r.Context(), a)
			if err != nil {
				return nil, err
			}
			for _, l := range loads {
				out.Handlers = append(out.Handlers, apiHandlerStats{l.ID, l.Name, ticketsOf(l.TicketFigures), l.Alerts})
			}
		}
	}
	return out, nil
}

func ticketsOf(f store.TicketFigures) apiTickets {
	return apiTickets{f.Reported, f.Withdrawn, f.Merged, f.Open, f.Solved, f.Answered, f.AnswerLate, f.SolveLate, f.Reopened, f.Rated, f.Stars, f.Good, f.Bad}
}

func questionsOf(f store.QuestionFigures) apiQuestions { return apiQuestions(f) }

func timesOf(t store.Times) (out apiTimes) {
	if half, ok := t.Quantile(0.5); ok {
		most, _ := t.Quantile(0.9)
		out.Half, out.Most = &half, &most
	}
	return out
}

func partsOf(list []handlers.PartFigures) []apiPartStats {
	out := make([]apiPartStats, len(list))
	for i, f := range list {
		out[i] = apiPartStats{f.Name, ticketsOf(f.TicketFigures)}
	}
	return out
}

func statsOf(a handlers.Analysis, zone *time.Location) apiStats {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	out := apiStats{From: day(a.From), To: day(a.Last()), BeforeFrom: day(a.BeforeFrom), BeforeTo: day(a.BeforeTo.AddDate(0, 0, -1)), Zone: zone.String(), Complete: a.Counted,
		Tickets: ticketsOf(a.Tickets), Before: ticketsOf(a.Before), Questions: questionsOf(a.Questions), AskedBy: questionsOf(a.AskedBy), Answer: timesOf(a.Answer), Solve: timesOf(a.Solve),
		Classes: []apiClassStats{}, Days: []apiDayStats{}, Subclasses: []apiSubclassStats{}, Branches: partsOf(a.Branches), Groups: partsOf(a.Groups), Versions: partsOf(a.Versions), Top: []apiEntryStats{}, Findings: []apiFinding{}}
	for _, c := range a.Classes {
		out.Classes = append(out.Classes, apiClassStats{c.Name, ticketsOf(c.Tickets), ticketsOf(c.Before), c.Questions, timesOf(c.Answer), timesOf(c.Solve)})
	}
	for _, d := range a.ByDay {
		x := apiDayStats{Day: day(d.Day), Tickets: map[string]int64{}}
		for i, n := range d.Tickets {
			x.Tickets[a.Classes[i].Name] = n
		}
		out.Days = append(out.Days, x)
	}
	for _, s := range a.Subclasses {
		out.Subclasses = append(out.Subclasses, apiSubclassStats{s.Class, s.Name, s.Reported, s.Before})
	}
	for _, e := range a.Top {
		out.Top = append(out.Top, apiEntryStats{e.Number, e.Title, questionsOf(e.QuestionFigures)})
	}
	if a.Filter == (store.FigureFilter{}) {
		out.Alerts = alertStatsOf(a.Alerts)
		out.Runs = runStatsOf(a.Runs)
	}
	return out
}
