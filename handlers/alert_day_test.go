package handlers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/handlers/monitor"
	"frontline/store"
)

// pictures keeps files in memory.
type pictures map[string][]byte

func (p pictures) Put(_ context.Context, content []byte) (string, error) {
	id := fmt.Sprint("file", len(p))
	p[id] = content
	return id, nil
}

const dayItem = `kind: monitor
name: sh-a-trade-status
title: 沪A交易状态监控
system: 集中交易
schedule: { every: 10m }
timeout: 5s
source: { tcp: { address: "127.0.0.1:1" } }
breakdown: { key: status, value: n }
rules:
  - { name: abnormal, when: 'rows["状态异常"].ratio > 0.3' }
`

// dayDesk is a desk with alerts and one monitor.
func dayDesk(t *testing.T, d *clockDesk) {
	t.Helper()
	d.Announce = "support"
	d.Alerts = alert.NewDesk(d.Store, &alert.Rules{Routes: []alert.Route{alert.DefaultRoute("support", alert.MailTo("lead@example.com"))}, Zone: d.now.Location()}, slog.New(slog.DiscardHandler))
	d.Monitors = &monitor.Runner{Store: d.Store, Alerts: d.Alerts, Checker: &monitor.Checker{Sources: monitor.NewSources(nil, ""), Calendar: d.Rules.Calendar}, Log: slog.New(slog.DiscardHandler),
		Load: func() ([]*monitor.Item, []monitor.Fault) {
			return monitor.Load(map[string][]byte{"a.yaml": []byte(dayItem)}, nil)
		}}
	d.Monitors.Read()
	if items, faults := d.Monitors.Items(); len(items) != 1 {
		t.Fatal(faults)
	}
}

func (d *clockDesk) clock(day, h, m int) {
	d.mu.Lock()
	d.now = time.Date(2026, 11, day, h, m, 0, 0, d.now.Location())
	d.mu.Unlock()
}

func (d *clockDesk) found(n, total int) {
	d.t.Helper()
	d.in(func(tx *store.Tx) error {
		return tx.AddMonitorResult(&store.MonitorResult{Item: "sh-a-trade-status", At: tx.Now(), State: monitor.StateOK, Verdicts: []byte("[]"),
			Table: fmt.Appendf(nil, `{"total":%d,"cells":[{"key":"状态异常","n":%d},{"key":"已指定","n":9000}]}`, total, n)})
	})
}

func (d *clockDesk) signal(source, name, system string, state alert.State) {
	d.t.Helper()
	_, err := d.Alerts.Take(context.Background(), alert.Source{Name: source, Kind: alert.Kind{Name: source}}, alert.Delivery{Signals: []alert.Signal{{ID: name, Name: name, Title: name, State: state, Severity: alert.Major, Labels: map[string]string{"system": system}}}}, []byte("{}"), nil)
	if err == nil {
		err = d.Alerts.Tick(context.Background())
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// The table of a prepared week is the one that was made by hand.
func TestAlertDays(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) { // Wednesday, 25 November 2026
		dayDesk(t, d)
		d.clock(25, 9, 30)
		d.found(20, 9346)
		d.signal("monitor", "沪A交易状态监控", "集中交易", alert.Firing)
		d.clock(25, 9, 33)
		d.in(func(tx *store.Tx) error { _, err := d.Alerts.Claim(tx, gu, 1, chat.Address{}); return err })
		d.clock(25, 9, 40)
		d.found(33, 9346)
		d.clock(25, 9, 48)
		d.found(2, 9346)
		d.signal("monitor", "沪A交易状态监控", "集中交易", alert.Resolved)
		d.clock(25, 10, 0)
		d.signal("am", "银证转账超时", "三方存管", alert.Firing)
		d.clock(25, 10, 5)
		d.in(func(tx *store.Tx) error {
			_, err := d.Alerts.FalseAlarm(tx, fang, 2, "门槛太低", chat.Address{})
			return err
		})
		d.clock(26, 9, 30) // Thursday: nothing but checks
		d.found(0, 9346)
		d.clock(27, 10, 0)
		from := time.Date(2026, 11, 25, 0, 0, 0, 0, d.now.Location())
		days, err := d.AlertDays(context.Background(), from, from.AddDate(0, 0, 3))
		if err != nil || len(days) != 3 {
			t.Fatal(len(days), err)
		}
		var got []string
		for _, a := range days {
			for _, e := range a.Effects {
				got = append(got, strings.Join([]string{a.Day.Format(time.DateOnly), e.Key, monitor.Count(e.Abnormal), e.AbnormalShare(), monitor.Count(e.Handled()), e.HandledShare(), e.Rate(), e.Took()}, ","))
			}
			for _, l := range append(a.Lines, a.Sum) {
				if l.Groups > 0 {
					got = append(got, fmt.Sprintf("%s,%s,%s,%d,%d,%d,%s,%d,%d,%d,%s,%d", a.Day.Format(time.DateOnly), l.Title, l.System, l.Groups, l.Alerts, l.Claimed, l.ClaimTook(), l.False, l.Tickets, l.Solved, l.SolveTook(), l.Open))
				}
			}
		}
		want := `2026-11-26,状态异常,0,0.00%,0,0.00%,–,–
2026-11-25,状态异常,33,0.35%,31,0.33%,93.94%,18
2026-11-25,沪A交易状态监控,集中交易,1,1,1,3,0,0,1,18,0
2026-11-25,银证转账超时,三方存管,1,1,1,5,1,0,0,–,1
2026-11-25,,,2,2,2,4,1,0,1,18,1`
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("got\n%s\nwant\n%s", text, want)
		}
	})
}

// The table goes to the group and by mail, once, at half past five on trading
// days only.
func TestTellAlertDay(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		dayDesk(t, d)
		d.PublicURL = "https://desk.example.com"
		files := pictures{}
		d.Files = files
		table := func(who string) (out []string) {
			for _, line := range d.heard(who) {
				if strings.Contains(line, "日报") {
					out = append(out, line)
				}
			}
			return out
		}
		tell := func() {
			t.Helper()
			for range 2 {
				if err := d.TellAlertDay(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		d.clock(25, 17, 31)
		tell() // there is nothing yet
		if len(table("support")) != 0 {
			t.Error("a table of nothing")
		}
		d.clock(24, 10, 0) // the day before
		d.found(1, 9346)
		d.clock(24, 11, 0)
		d.found(0, 9346)
		d.clock(25, 10, 0)
		d.found(33, 9346)
		d.signal("am", "银证转账超时", "三方存管", alert.Firing)
		tell() // not its time
		d.clock(25, 17, 40)
		d.found(2, 9346)
		tell()
		group, mail := table("support"), table("lead@example.com")
		if len(group) != 1 || len(mail) != 1 {
			t.Fatalf("%q %q", group, mail)
		}
		for _, want := range []string{"告警 1 件（1 条）· 认领 0 · 还在告警 1", "沪A交易状态监控 状态异常：异常 33（0.35%） · 处理 31（0.33%）· 处理率 93.94%", "1. 银证转账超时 1 件 · 认领 0", "本月 18 个交易日 · 告警 1 件 · 异常 34 · 处理 32 · 处理率 94.12%", "https://desk.example.com/monitors/daily?day=2026-11-25"} {
			if !strings.Contains(group[0], want) {
				t.Errorf("no %q in %s", want, group[0])
			}
		}
		if !strings.Contains(mail[0], "93.94%") || !strings.Contains(mail[0], "三方存管") || !strings.Contains(mail[0], "本月 18 个交易日") {
			t.Errorf("%s", mail[0])
		}
		sent, err := d.Store.ListDelivered(context.Background(), store.LedgerQuery{N: 200})
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, x := range sent {
			if f := x.Said.Body.File; f != nil && x.Said.To.ID == "support" {
				shown++
				if p := files[f.Path]; f.Kind != "image" || !bytes.HasPrefix(p, []byte("\x89PNG\r\n")) {
					t.Errorf("%+v is not a picture: %.8q", f, p)
				}
			}
		}
		if shown != 1 {
			t.Errorf("%d pictures in the group", shown)
		}
		d.clock(28, 17, 30) // Saturday
		d.found(2, 9346)
		tell()
		if n := len(table("support")); n != 1 {
			t.Errorf("%d tables", n)
		}
	})
}
