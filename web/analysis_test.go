package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/history"
	"frontline/store"
	"frontline/store/storetest"
)

// startPast starts a console with a made-up past up to yesterday, and returns its
// first and last day.
func startPast(t *testing.T, days int, change func(o *Options)) (c *console, from, last time.Time) {
	t.Helper()
	now := time.Now()
	to := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	from = to.AddDate(0, 0, -days)
	clock := &history.Clock{}
	clock.Set(from)
	database := storetest.SQLite(t)
	s := storetest.Open(t, database, store.Options{Now: func() time.Time { return clock.Now().In(now.Location()) }})
	made, err := history.Make(context.Background(), s, clock, history.Options{From: from, To: to, Seed: 7, Daily: 12, Entries: []history.Entry{{Number: 1, Question: "新股中签怎么缴款"}}, Handlers: []string{"responder", "leader"}, Groups: [2]string{"account", "trading"}, Recipes: []history.Recipe{{Name: "open-account", Title: "普通开户"}, {Name: "gone", Title: "旧配方"}}})
	if err != nil || made.Tickets < 80 || made.Questions < 300 || made.Alerts < 40 || made.Runs < 20 {
		t.Fatal(made, err)
	}
	s.Close()
	return startConsoleOn(t, database, func(o *Options) {
		lib, faults := construct.LoadFS(construct.Examples, "recipes")
		e, err := construct.Open(construct.Options{Recipes: lib, Store: o.Store})
		if err != nil || len(faults) > 0 {
			t.Fatal(err, faults)
		}
		o.Desk.Construct = e
		if change != nil {
			change(o)
		}
	}), from, to.AddDate(0, 0, -1)
}

var (
	figureLink = regexp.MustCompile(`<td class="num"><a href="([^"]+)">(\d+)</a>`)
	listCount  = regexp.MustCompile(`共 (\d+) (?:条|问)`)
	partRow    = regexp.MustCompile(`<tr><td><a href="([^"]+)">[^<]+</a></td><td>(?:<span class="mini">.*?</span>)?(\d+)</td>`)
)

// Every figure on the page is a link to its list, and the list is as long as
// the figure says.
func TestFiguresAreTheirLists(t *testing.T) {
	c, from, last := startPast(t, 45, nil)
	b := c.as(chat.Leader)
	for _, span := range [][2]time.Time{{from, last}, {last, last}, {from.AddDate(0, 0, 3), last.AddDate(0, 0, -9)}} {
		address := fmt.Sprintf("/analysis?from=%s&to=%s", span[0].Format(time.DateOnly), span[1].Format(time.DateOnly))
		code, page := b.get(address)
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", address, code, page)
		}
		links := append(figureLink.FindAllStringSubmatch(page, -1), partRow.FindAllStringSubmatch(page, -1)...)
		for _, kind := range []string{"/alerts?", "alert=before", "kind=untouched", "rule=", "by=responder", "who=responder", "/construct/runs?", "done=1", "recipe=", "dept="} {
			if span[0] != span[1] && !strings.Contains(page, kind) {
				t.Errorf("%s has no %s", address, kind)
			}
		}
		if len(links) < 21 || span[0] != span[1] && len(links) < 60 {
			t.Fatalf("%s: %d links", address, len(links))
		}
		for _, l := range links {
			path := html.UnescapeString(l[1])
			code, list := b.get(path)
			got := "0"
			if m := listCount.FindStringSubmatch(list); m != nil {
				got = m[1]
			}
			if code != http.StatusOK || got != l[2] {
				t.Errorf("%s says %s, its list %s has %s (%d)", address, l[2], path, got, code)
			}
		}
	}
}

// The heat map's cells lead to the tickets of that weekday and hour.
func TestHeatCells(t *testing.T) {
	c, from, last := startPast(t, 21, nil)
	b := c.as(chat.Leader)
	_, page := b.get(fmt.Sprintf("/analysis?from=%s&to=%s", from.Format(time.DateOnly), last.Format(time.DateOnly)))
	cells := regexp.MustCompile(`<a href="([^"]*hour=[^"]*)" aria-label="[^"]*"><rect[^>]*><title>周. \d+ 时：(\d+) 件`).FindAllStringSubmatch(page, -1)
	all := 0
	for _, l := range cells {
		_, list := b.get(html.UnescapeString(l[1]))
		got := "0"
		if m := listCount.FindStringSubmatch(list); m != nil {
			got = m[1]
		}
		if got != l[2] {
			t.Errorf("%s: %s tickets, the cell says %s", l[1], got, l[2])
		}
		if got != "0" {
			all++
		}
	}
	if len(cells) < 45 || all < 10 {
		t.Errorf("%d cells, %d of them with tickets", len(cells), all)
	}
}

func TestAnalysisNarrowedDown(t *testing.T) {
	c, from, last := startPast(t, 20, nil)
	b := c.as(chat.Responder)
	base := fmt.Sprintf("/analysis?from=%s&to=%s", from.Format(time.DateOnly), last.Format(time.DateOnly))
	for _, more := range []string{"&dept=" + url.QueryEscape("滨江路营业部"), "&group=trading", "&dept=nowhere"} {
		code, page := b.get(base + more)
		if code != http.StatusOK || strings.Contains(page, "NaN") {
			t.Errorf("%s: %d", more, code)
		}
		for _, l := range figureLink.FindAllStringSubmatch(page, -1) {
			_, list := b.get(html.UnescapeString(l[1]))
			got := "0"
			if m := listCount.FindStringSubmatch(list); m != nil {
				got = m[1]
			}
			if got != l[2] {
				t.Errorf("%s: %s says %s and has %s", more, l[1], l[2], got)
			}
		}
	}
	for _, bad := range []string{"?from=x&to=y", "?from=2026-02-30&to=1", "?p=never", "?from=9999-12-31&to=0001-01-01", "?dept=" + strings.Repeat("x", 5000)} {
		if code, _ := b.get("/analysis" + bad); code != http.StatusOK {
			t.Errorf("%s: %d", bad, code)
		}
	}
}

// Only leaders see what single people had to do, on the page and in the file, by
// name.
func TestLoadsAreForLeaders(t *testing.T) {
	c, from, last := startPast(t, 20, nil)
	q := fmt.Sprintf("from=%s&to=%s", from.Format(time.DateOnly), last.Format(time.DateOnly))
	for _, role := range []chat.Role{chat.Leader, chat.Responder, chat.Admin} {
		b := c.as(role)
		_, page := b.get("/analysis?" + q)
		_, raw := b.get("/analysis/export?" + q)
		f, err := excelize.OpenReader(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := f.GetRows(f.GetSheetName(0))
		if err != nil {
			t.Fatal(err)
		}
		sheet := fmt.Sprint(rows)
		if on := strings.Contains(page, "认领告警"); on != (role == chat.Leader) {
			t.Errorf("%s: on the page %v", role, on)
		}
		if on := strings.Contains(sheet, "认领告警"); on != (role == chat.Leader) {
			t.Errorf("%s: in the file %v", role, on)
		}
		for _, want := range []string{"最吵的规则", "人先报", "全部做成的", "处理耗时"} {
			if !strings.Contains(sheet, want) || !strings.Contains(page, want) {
				t.Errorf("%s: no %s", role, want)
			}
		}
		if all := strings.Contains(page, `href="/construct/runs?`); all != (role != chat.Responder) {
			t.Errorf("%s: links to everybody's runs: %v", role, all)
		}
	}
}

func TestAnalysisFilesAndTelling(t *testing.T) {
	c, from, last := startPast(t, 20, func(o *Options) { o.Desk.Announce = "desk" })
	q := fmt.Sprintf("from=%s&to=%s", from.Format(time.DateOnly), last.Format(time.DateOnly))
	b := c.as(chat.Leader)
	if code, body := b.get("/analysis/picture?" + q); code != http.StatusOK || !strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("picture: %d", code)
	}
	if code, body := b.get("/analysis/export?" + q); code != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("export: %d", code)
	}
	b.wantPost("/analysis/tell", url.Values{"from": {from.Format(time.DateOnly)}, "to": {last.Format(time.DateOnly)}}, http.StatusSeeOther)
	list, err := c.store.ListDelivered(t.Context(), store.LedgerQuery{N: 10})
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Said.Body.Markdown, "运营小结") {
		t.Errorf("%v %v", list, err)
	}
}

// The API says what the page says.
func TestStatsAPI(t *testing.T) {
	c, from, last := startPast(t, 20, nil)
	p := c.program("leader", "read")
	path := fmt.Sprintf("/stats?from=%s&to=%s", from.Format(time.DateOnly), last.Format(time.DateOnly))
	code, body := p.call("GET", path, nil)
	var got apiStats
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &got); code != http.StatusOK || err != nil {
		t.Fatal(code, err, body)
	}
	n, err := c.store.CountTickets(t.Context(), store.TicketQuery{From: from, To: last.AddDate(0, 0, 1), Counted: true})
	if err != nil || n != got.Tickets.Reported || n < 50 {
		t.Errorf("%d tickets, %d in the answer, %v", n, got.Tickets.Reported, err)
	}
	asked, err := c.store.CountQuestions(t.Context(), store.QuestionQuery{From: from, To: last.AddDate(0, 0, 1), Kind: "solved"})
	if err != nil || asked != got.Questions.Solved {
		t.Errorf("%d solved, %d in the answer, %v", asked, got.Questions.Solved, err)
	}
	sum := int64(0)
	for _, d := range got.Days {
		for _, k := range d.Tickets {
			sum += k
		}
	}
	if sum != n || len(got.Days) != 20 {
		t.Errorf("the days have %d tickets in %d days", sum, len(got.Days))
	}
	alerts, err := c.store.CountAlertGroups(t.Context(), store.AlertGroupQuery{Since: from, Until: last.AddDate(0, 0, 1)})
	if err != nil || got.Alerts == nil || got.Alerts.Sum.Groups != alerts || alerts < 10 || len(got.Alerts.Weeks) != 12 || len(got.Alerts.Rules) == 0 {
		t.Errorf("%d alerts, in the answer %+v, %v", alerts, got.Alerts, err)
	}
	runs, err := c.store.CountRuns(t.Context(), store.RunQuery{From: from, To: last.AddDate(0, 0, 1), Counted: true})
	if err != nil || got.Runs == nil || got.Runs.Sum.Runs != runs || runs < 10 || got.Runs.Sum.Saved == 0 {
		t.Errorf("%d runs, in the answer %+v, %v", runs, got.Runs, err)
	}
	if len(got.Handlers) < 2 || !slices.IsSortedFunc(got.Handlers, func(x, y apiHandlerStats) int { return strings.Compare(x.Name, y.Name) }) {
		t.Errorf("handlers %+v", got.Handlers)
	}
	for _, role := range []chat.Role{chat.Responder, chat.Admin} {
		if code, body := c.program(string(role), "read").call("GET", path, nil); code != http.StatusOK || body["handlers"] != nil || body["alerts"] == nil {
			t.Errorf("%s: %d, handlers %v", role, code, body["handlers"])
		}
	}
	if _, body := p.call("GET", path+"&group=trading", nil); body["alerts"] != nil || body["runs"] != nil || body["handlers"] != nil {
		t.Error("a service group has alerts, runs or handlers")
	}
	for _, bad := range []string{"/stats?from=x&to=y", "/stats?from=2026-01-01", "/stats?period=never", "/stats?branch=a&group=b"} {
		if code, _ := p.call("GET", bad, nil); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
	if code, _ := c.program("reporter", "read").call("GET", path, nil); code != http.StatusForbidden {
		t.Errorf("a reporter: %d", code)
	}
}
