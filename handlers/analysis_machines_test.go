package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/store"
)

// What a person reported before a monitor saw it counts as such once the alert
// hangs on it; what a monitor saw first does not, whoever makes the ticket.
func TestWhoWasFirst(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Alerts = alert.NewDesk(d.Store, &alert.Rules{Routes: []alert.Route{alert.DefaultRoute()}, Zone: time.UTC}, d.Log)
		person := d.opened("lin", "委托全失败")
		d.wait(time.Minute)
		kind, _ := alert.FindKind("alertmanager")
		for _, name := range []string{"委托失败率", "行情延迟", "磁盘使用率"} {
			del := alert.Delivery{Signals: []alert.Signal{{ID: name, Name: name, State: alert.Firing, Severity: alert.Warning}}}
			if _, err := d.Alerts.Take(context.Background(), alert.Source{Name: "am", Kind: kind}, del, []byte("{}"), nil); err != nil {
				t.Fatal(err)
			}
			d.wait(time.Minute)
		}
		made := func(n int64, words, want string) {
			t.Helper()
			err := d.Store.InTx(context.Background(), func(tx *store.Tx) error {
				ticket, _, err := d.TicketOf(tx, gu, n, words, chat.Address{})
				if err == nil && words != "" && ticket.Number != person {
					t.Errorf("A%d got T%d", n, ticket.Number)
				}
				return err
			})
			if got := ""; err != nil {
				if got = err.Error(); want == "" || !strings.Contains(got, want) {
					t.Errorf("A%d %s: %s, want %q", n, words, got, want)
				}
			} else if want != "" {
				t.Errorf("A%d %s: no %q", n, words, want)
			}
		}
		made(1, "T99", "没有找到 T99")
		made(1, no(&store.Ticket{Number: person}), "")
		made(2, "", "")
		p, _ := NewPeriod("today", d.Store.Now().In(d.Store.FigureZone()))
		a, err := d.Analyse(context.Background(), p, store.FigureFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if x := a.Alerts; x.First != 1 || x.Person != 1 || x.Sum.Groups != 3 || x.Sum.Ticketed != 2 || x.Sum.Untouched != 1 || len(x.Days) != 1 || len(x.Rules) != 3 || x.Weeks[len(x.Weeks)-1] != (AlertWeek{x.Weeks[len(x.Weeks)-1].From, 1, 1}) {
			t.Errorf("%+v", x)
		}
		for which, want := range map[string]int64{store.AlertAny: 2, store.AlertBefore: 1, store.AlertAfter: 1} {
			if n, err := d.Store.CountTickets(context.Background(), store.TicketQuery{Alerts: which, From: p.From, To: p.To}); err != nil || n != want {
				t.Errorf("%s: %d tickets, %v", which, n, err)
			}
		}
		text, err := d.Overview(context.Background(), p)
		if err != nil || !strings.Contains(text, "告警 3 件 · 认领 0 · 恢复 0 · 没人管 1 · 挂了告警的单 2 张，人先报 1") || !strings.Contains(text, "1 张单是人先报、监控后响") {
			t.Errorf("%v %s", err, text)
		}
		d.on(person, func(tx *store.Tx, t *store.Ticket) error {
			return d.Resolve(tx, gu, t, Resolution{Method: "已修复"})
		})
		made(3, no(&store.Ticket{Number: person}), "挂不上")
	})
}

// Rules that ring with nobody doing anything are worth managing; the alerts'
// rules stand in docs/analysis.md.
func TestRingingFindings(t *testing.T) {
	rule := func(groups, untouched int64) []AlertRule {
		return []AlertRule{{Title: "磁盘使用率", Source: "zabbix", AlertFigures: store.AlertFigures{Groups: groups, Untouched: untouched}}}
	}
	for _, x := range []struct {
		name string
		part AlertPart
		want string
	}{
		{"nothing", AlertPart{}, ""},
		{"four times", AlertPart{Rules: rule(4, 4)}, ""},
		{"five times", AlertPart{Rules: rule(5, 5)}, "noisy"},
		{"mostly worked on", AlertPart{Rules: rule(20, 10)}, ""},
		{"mostly left", AlertPart{Rules: rule(20, 11)}, "noisy"},
		{"a person was first", AlertPart{First: 9, Person: 1}, "person_first"},
		{"none was", AlertPart{First: 9}, ""},
	} {
		got := ""
		for _, f := range ringing(Analysis{Alerts: x.part}) {
			got += f.Rule
			if f.Path == "" || f.Weight == 0 {
				t.Errorf("%s: %+v", x.name, f)
			}
		}
		if got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

// A period in which only machines did something is told; the words about what
// there was not are left out.
func TestMachinesInOverview(t *testing.T) {
	d := &Desk{}
	quiet := Analysis{}
	if got := d.overviewWords(quiet, nil); !strings.Contains(got, "还没有人报障") || !quiet.quiet() {
		t.Error(got)
	}
	a := Analysis{Runs: RunPart{On: true, Sum: RunSums{Runs: 8, Good: 32, Saved: 480}}, Counted: true}
	if got := d.overviewWords(a, nil); !strings.Contains(got, "造数 8 次 · 做成 32 个 · 省 480 分钟") || strings.Contains(got, "告警") || a.quiet() {
		t.Error(got)
	}
}
