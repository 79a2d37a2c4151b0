package web

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/calendar"
	"frontline/store"
)

// A person sets their own quiet hours and subscriptions, and nobody else's.
func TestProfile(t *testing.T) {
	c := sharingConsole(t)
	lin, leader, admin := c.as(chat.Reporter), c.as(chat.Leader), c.as(chat.Admin)
	for words, f := range map[string]url.Values{
		"两个时间都要填":  {"do": {"set"}, "from": {"22:00"}, "until": {""}},
		"同一个时间":    {"do": {"set"}, "from": {"22:00"}, "until": {"22:00"}},
		"最多 16 小时": {"do": {"set"}, "from": {"07:00"}, "until": {"06:00"}},
	} {
		if code, body := lin.post("/profile/quiet", f); code != http.StatusUnprocessableEntity || !strings.Contains(body, words) {
			t.Errorf("%v: %d, without %q", f, code, words)
		}
	}
	if code, _ := lin.post("/profile/quiet", url.Values{"do": {"set"}, "from": {"22:30"}, "until": {"07:00"}}); code != http.StatusSeeOther {
		t.Fatalf("%d", code)
	}
	if _, body := lin.get("/profile"); !strings.Contains(body, "每天 22:30–7:00") || !strings.Contains(body, `value="22:30"`) {
		t.Error("not shown")
	}
	if q, _ := c.store.QuietHours(t.Context(), mine(chat.User{ID: "reporter"})); q.From != 22*60+30 || q.By != "reporter" {
		t.Errorf("%+v", q)
	}
	if code, _ := lin.post("/profile/quiet", url.Values{"do": {"off"}}); code != http.StatusSeeOther {
		t.Errorf("off: %d", code)
	}
	if q, _ := c.store.QuietHours(t.Context(), mine(chat.User{ID: "reporter"})); q.Set() {
		t.Errorf("%+v", q)
	}
	if _, body := lin.get("/profile"); strings.Contains(body, "日报") || !strings.Contains(body, "分享预告") {
		t.Error("a reporter is offered what is not theirs")
	}
	if code, _ := lin.post("/profile/subscriptions", url.Values{"kind": {"daily"}, "wanted": {"1"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("a reporter subscribed to the figures: %d", code)
	}
	if code, _ := leader.post("/profile/subscriptions", url.Values{"kind": {"daily"}, "wanted": {"1"}}); code != http.StatusSeeOther {
		t.Errorf("%d", code)
	}
	if said, _ := c.store.Subscriptions(t.Context(), "daily"); !said[mine(chat.User{ID: "leader"})] {
		t.Errorf("%v", said)
	}
	if code, _ := leader.post("/profile/subscriptions", url.Values{"kind": {"nothing"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("%d", code)
	}
	if code, _ := leader.post("/groups/north/quiet", url.Values{"do": {"off"}}); code != http.StatusForbidden {
		t.Errorf("a leader set a group's: %d", code)
	}
	if code, _ := admin.post("/groups/nowhere/quiet", url.Values{"do": {"off"}}); code != http.StatusNotFound {
		t.Errorf("of no group: %d", code)
	}
}

func (c *console) fetch(path string, header http.Header) (int, http.Header, []byte) {
	c.t.Helper()
	req, _ := http.NewRequest("GET", c.URL+path, nil)
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, body
}

// The feed has one's own shifts and the sessions, knows what did not change, and
// ends with its address, its member or another address.
func TestCalendarFeed(t *testing.T) {
	day := handlers.DutyLine{From: 9 * time.Hour, To: 17 * time.Hour, Members: []string{"responder", "leader"}}
	for i := range day.Days {
		day.Days[i] = true
	}
	c := startConsole(t, func(o *Options) {
		o.PublicURL = "http://desk.example.com"
		o.Desk.Rules = handlers.Rules{Calendar: calendar.Default(), Groups: []handlers.ServiceGroup{{Name: "trading", Title: "交易支持组", Duty: []handlers.DutyLine{day}}}}
		o.Desk.Chats = []handlers.GroupChat{{Name: "north", Robot: true}}
	})
	loc := calendar.Default().Location()
	now := time.Now().In(loc)
	at := func(days, hour int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, hour, 0, 0, 0, loc)
	}
	err := c.store.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddShift(&store.Shift{Group: "trading", Member: "leader", Stands: "responder", From: at(3, 13), Until: at(3, 15)}); err != nil {
			return err
		}
		return tx.AddShift(&store.Shift{Group: "trading", Member: "responder", Stands: "leader", From: at(4, 18), Until: at(4, 20)})
	})
	if err != nil {
		t.Fatal(err)
	}
	zhao, b := c.as(chat.Curator), c.as(chat.Responder)
	for range 3 {
		if code, body := zhao.post("/sessions", url.Values{"title": {"两融, 展期; 与补签"}, "speaker": {"某支持"}, "from": {at(2, 16).Format(formTime)}, "minutes": {"40"}, "link": {"https://live.example.com/1"}, "group": {"north"}, "then": {"announce"}}); code != http.StatusSeeOther {
			t.Fatalf("%d %.300s", code, body)
		}
	}
	zhao.post("/sessions/2/act", url.Values{"do": {"cancel"}})
	_, page := b.get("/oncall")
	if !strings.Contains(page, "放进手机日历") {
		t.Error("the page of duty does not offer it")
	}
	code, page := b.post("/profile/calendar", url.Values{"do": {"make"}})
	link := regexp.MustCompile(`http://desk\.example\.com(/ical/cal_[A-Za-z0-9_-]+\.ics)`).FindStringSubmatch(page)
	if code != http.StatusOK || link == nil {
		t.Fatalf("%d %.500s", code, page)
	}
	if _, again := b.get("/profile"); strings.Contains(again, link[1]) {
		t.Error("the address is shown again")
	}
	code, head, body := c.fetch(link[1], nil)
	if code != http.StatusOK || head.Get("Content-Type") != "text/calendar; charset=utf-8" {
		t.Fatalf("%d %v", code, head)
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	uids := map[string]bool{}
	for _, e := range cal.Events() {
		start, _ := e.GetStartAt()
		end, _ := e.GetEndAt()
		summary := ics.FromText(e.GetProperty(ics.ComponentPropertySummary).Value)
		seen[summary]++
		if uids[e.Id()] {
			t.Errorf("two events are called %s", e.Id())
		}
		uids[e.Id()] = true
		if start.Equal(at(3, 9)) && !end.Equal(at(3, 13)) || start.Equal(at(3, 15)) && !end.Equal(at(3, 17)) {
			t.Errorf("the stood-in shift goes from %v to %v", start, end)
		}
		if e.Id() == "sharing-S2@desk.example.com" && (e.GetProperty(ics.ComponentPropertyStatus).Value != "CANCELLED" || e.GetProperty(ics.ComponentPropertySequence).Value != "1") {
			t.Errorf("the cancelled session: %s", e.Serialize(&ics.SerializationConfiguration{MaxLength: 75, NewLine: "\r\n"}))
		}
	}
	if seen["值班：交易支持组"] < 80 || seen["值班：交易支持组（替 某管理者）"] != 1 || seen["S1 两融, 展期; 与补签"] != 1 || seen["S2 两融, 展期; 与补签"] != 1 {
		t.Errorf("%v", seen)
	}
	if strings.Contains(string(body), "leader") {
		t.Error("an id of another stands in the feed")
	}
	if code, _, again := c.fetch(link[1], http.Header{"If-None-Match": {`"x", W/` + head.Get("ETag")}}); code != http.StatusNotModified || len(again) != 0 {
		t.Errorf("not known again: %d", code)
	}
	zhao.post("/sessions/3/act", url.Values{"do": {"cancel"}})
	if code, other, _ := c.fetch(link[1], http.Header{"If-None-Match": {head.Get("ETag")}}); code != http.StatusOK || other.Get("ETag") == head.Get("ETag") {
		t.Errorf("a change is not seen: %d", code)
	}
	for _, path := range []string{strings.TrimSuffix(link[1], ".ics"), "/ical/.ics", "/ical/cal_nobody.ics", "/ical/x"} {
		if code, _, _ := c.fetch(path, nil); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	// Another address, none, and nobody.
	_, page = b.post("/profile/calendar", url.Values{"do": {"make"}})
	next := regexp.MustCompile(`/ical/cal_[A-Za-z0-9_-]+\.ics`).FindString(page)
	if code, _, _ := c.fetch(link[1], nil); code != http.StatusNotFound {
		t.Errorf("the old address answers: %d", code)
	}
	if code, _, _ := c.fetch(next, nil); code != http.StatusOK {
		t.Errorf("the new address: %d", code)
	}
	disable := func(off bool) {
		if err := c.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.SetDisabled("test", "responder", off) }); err != nil {
			t.Fatal(err)
		}
	}
	disable(true)
	if code, _, _ := c.fetch(next, nil); code != http.StatusNotFound {
		t.Errorf("who left still reads: %d", code)
	}
	disable(false)
	b = c.as(chat.Responder)
	if code, _ := b.post("/profile/calendar", url.Values{"do": {"drop"}}); code != http.StatusSeeOther {
		t.Errorf("drop: %d", code)
	}
	if code, _, _ := c.fetch(next, nil); code != http.StatusNotFound {
		t.Errorf("a revoked address answers: %d", code)
	}
	code, page = c.as(chat.Reporter).get("/m/s/1/calendar.ics")
	if one, err := ics.ParseCalendar(strings.NewReader(page)); code != http.StatusOK || err != nil || len(one.Events()) != 1 {
		t.Errorf("%d %v", code, err)
	}
}
