package monitor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/handlers/calendar"
)

func moments(t *testing.T, text string, from string, n int) string {
	t.Helper()
	cal := calendar.Default()
	items, faults := Load(map[string][]byte{"x.yaml": []byte("kind: monitor\nname: xx\nsource: { tcp: { address: 'h:1' } }\nschedule: " + text)}, nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", from, cal.Location())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for range n {
		if at = items[0].When.Next(cal, "xx", at); at.IsZero() {
			break
		}
		out = append(out, at.Format("01-02T15:04:05"))
	}
	return strings.Join(out, " ")
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		text, from string
		n          int
		want       string
	}{
		{"{ every: 10m }", "2026-03-03 09:33:20", 2, "03-03T09:40:00 03-03T09:50:00"},
		{"{ every: 7h }", "2026-03-03 15:00:00", 2, "03-03T21:00:00 03-04T00:00:00"},
		// The lunch break, and the night.
		{"{ every: 30m, only: trading_hours }", "2026-03-03 11:10:00", 3, "03-03T11:30:00 03-03T13:00:00 03-03T13:30:00"},
		{"{ every: 30m, only: trading_hours }", "2026-03-03 15:00:00", 1, "03-04T09:30:00"},
		// 2024-02-09 was closed, and so was the week after it.
		{"{ every: 10m, only: trading_hours }", "2024-02-08 14:55:00", 2, "02-08T15:00:00 02-19T09:30:00"},
		{"{ at: ['09:35', '15:10'], only: trading_days }", "2024-02-08 15:09:00", 3, "02-08T15:10:00 02-19T09:35:00 02-19T15:10:00"},
		// 2026-02-14 is a Saturday on which offices work and exchanges do not.
		{"{ cron: '0 9 * * *', calendar: sse }", "2026-02-13 09:00:00", 1, "02-24T09:00:00"},
		{"{ cron: '0 9 * * *' }", "2026-02-13 09:00:00", 1, "02-14T09:00:00"},
	} {
		if got := moments(t, c.text, c.from, c.n); got != c.want {
			t.Errorf("%s from %s: %s, want %s", c.text, c.from, got, c.want)
		}
	}
}

func TestJitterIsTheItemsOwn(t *testing.T) {
	seen := map[time.Duration]bool{}
	for n := range 50 {
		name := fmt.Sprintf("item-%d", n)
		d := spread(name, 10*time.Second)
		if d < 0 || d >= 10*time.Second || d != spread(name, 10*time.Second) {
			t.Fatalf("%s: %s", name, d)
		}
		seen[d] = true
	}
	if len(seen) < 40 {
		t.Errorf("fifty items share %d moments", len(seen))
	}
}
