package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/calendar"
)

// A colleague stands in for another, a leader adds and ends; who is concerned
// is told, and what makes no sense changes nothing.
func TestOncall(t *testing.T) {
	week := handlers.DutyLine{From: 0, To: 24 * time.Hour, Members: []string{"leader"}}
	for i := range week.Days {
		week.Days[i] = true
	}
	c := startConsole(t, func(o *Options) {
		o.Desk.Rules = handlers.Rules{Calendar: calendar.Default(), Groups: []handlers.ServiceGroup{{Name: "trading", Title: "交易支持组", Duty: []handlers.DutyLine{week}}}}
	})
	b, lead := c.as(chat.Responder), c.as(chat.Leader)
	loc := calendar.Default().Location()
	from := time.Now().In(loc).Add(time.Hour)
	until := from.Add(2 * time.Hour)
	form := func(change url.Values) url.Values {
		f := url.Values{"group": {"trading"}, "member": {"responder"}, "stands": {"leader"}, "from": {from.Format("2006-01-02T15:04")}, "until": {until.Format("2006-01-02T15:04")}}
		for k, v := range change {
			f[k] = v
		}
		return f
	}
	for words, change := range map[string]url.Values{
		"只有组长和管理员": {"stands": {""}},
		"两个时间都要填":  {"until": {"soon"}},
		"结束时间要在开始": {"until": {from.Add(-30 * time.Minute).Format("2006-01-02T15:04")}},
		"最多排 31 天": {"until": {from.AddDate(0, 2, 0).Format("2006-01-02T15:04")}},
		"没有这个服务组":  {"group": {"nobody"}},
		"没有这个人":    {"stands": {"nobody"}},
		"不能替自己":    {"stands": {"responder"}},
	} {
		if code, body := b.post("/oncall", form(change)); code != http.StatusUnprocessableEntity || !strings.Contains(body, words) {
			t.Errorf("%v: %d, without %q", change, code, words)
		}
	}
	if list := c.said("leader"); len(list) != 0 {
		t.Errorf("told %v", list)
	}
	if code, body := b.post("/oncall", form(nil)); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	if list := c.said("leader"); len(list) != 1 || !strings.Contains(list[0], "改了值班。交易支持组 某支持 替 某管理者") {
		t.Errorf("the leader was told %v", list)
	}
	_, body := b.get("/oncall?from=" + from.Format("2006-01-02"))
	for _, want := range []string{"替 某管理者", from.Format("15:04") + "–" + until.Format("15:04"), "–" + from.Format("15:04")} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in the week", want)
		}
	}
	end := regexp.MustCompile(`/oncall/\d+/end`).FindString(body)
	if code, _ := c.as(chat.Curator).post(end, nil); code != http.StatusUnprocessableEntity {
		t.Errorf("a stranger to the shift ended it: %d", code)
	}
	if code, _ := lead.post(end, nil); code != http.StatusSeeOther {
		t.Errorf("the leader: %d", code)
	}
	if code, _ := lead.post(end, nil); code != http.StatusNotFound {
		t.Errorf("again: %d", code)
	}
	if _, body := b.get("/oncall"); strings.Contains(body, "替 某管理者") || !strings.Contains(body, "某管理者") {
		t.Error("the stand-in is still there")
	}
	if list := c.said("responder"); len(list) != 1 || !strings.Contains(list[0], "撤了这个班") {
		t.Errorf("who stood in was told %v", list)
	}
	if code, _ := c.as(chat.Reporter).get("/oncall"); code != http.StatusForbidden {
		t.Error(fmt.Sprint("a reporter got ", code))
	}
}
