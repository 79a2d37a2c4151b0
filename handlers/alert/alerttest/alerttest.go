// Package alerttest makes storms of alerts for tests, and checks what a group was
// told of them.
package alerttest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontline/bot/standin"
)

// Push is one message that a group got.
type Push struct {
	At   time.Time
	Text string
}

// Pushes are the messages that robots brought into a group so far.
func Pushes(platform *standin.Server, group string) (out []Push) {
	for _, e := range platform.Feed(context.Background(), standin.FeedQuery{Group: group}).Entries {
		if e.From.Kind == "robot" {
			out = append(out, Push{e.At, e.Text})
		}
	}
	return out
}

// StormBody is a delivery of n alerts of many rules, one in twenty critical once
// the first critical one is out.
func StormBody(from, n int, critical bool) []byte {
	list := make([]map[string]any, n)
	for k := range list {
		id := from + k
		name, severity := fmt.Sprint("主机告警", id%120), "warning"
		if critical && id%20 == 0 {
			name, severity = fmt.Sprint("交易告警", id/20%10), "critical"
		}
		list[k] = map[string]any{"labels": map[string]string{"alertname": name, "severity": severity, "instance": fmt.Sprint("host-", id)},
			"annotations": map[string]string{"summary": fmt.Sprintf("%s，主机 %d", name, id)}}
	}
	body, _ := json.Marshal(list)
	return body
}

// FirstCritical is the name of the first critical alert.
const FirstCritical = "核心柜台不可用"

// FirstCriticalBody is its delivery.
var FirstCriticalBody = []byte(`[{"labels":{"alertname":"` + FirstCritical + `","severity":"critical"}}]`)

var (
	digestSaid = regexp.MustCompile(`过去 .*告警 (\d+) 条、恢复 \d+ 条`)
	overSaid   = regexp.MustCompile(`高峰已过.*告警 (\d+) 条、恢复 \d+ 条`)
	moreSaid   = regexp.MustCompile(`（新增 (\d+)，恢复 \d+）`)
	firstSaid  = regexp.MustCompile(` · (\d+) 条在告警`)
)

// told is what the messages of a group say of alerts that began.
type told struct {
	alone, digests, over int // alerts in messages of their own, in digests, in the words after the storm
	messages             int
}

func readTold(t testing.TB, texts []string) (out told) {
	number := func(re *regexp.Regexp, text string) (int, bool) {
		m := re.FindStringSubmatch(text)
		if m == nil {
			return 0, false
		}
		n, err := strconv.Atoi(m[1])
		return n, err == nil
	}
	out.messages = len(texts)
	for _, text := range texts {
		if n, ok := number(overSaid, text); ok {
			out.over += n
		} else if n, ok := number(digestSaid, text); ok {
			out.digests += n
		} else if n, ok := number(moreSaid, text); ok {
			out.alone += n
		} else if n, ok := number(firstSaid, text); ok && !strings.Contains(text, "仍在告警") {
			out.alone += n
		} else {
			t.Logf("says nothing of new alerts: %s", text)
		}
	}
	return out
}

// Densest is the most that fall into one minute, wherever it begins.
func Densest(at []time.Time) (most int) {
	for i := range at {
		n := 0
		for _, b := range at[i:] {
			if b.Sub(at[i]) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// CheckStorm looks at what the group was told of a storm of firing alerts.
func CheckStorm(t testing.TB, pushes []Push, came int, critical time.Time) {
	t.Helper()
	var texts []string
	var at []time.Time
	var seen time.Time
	for _, p := range pushes {
		texts, at = append(texts, p.Text), append(at, p.At)
		if seen.IsZero() && strings.Contains(p.Text, FirstCritical) {
			seen = p.At
		}
	}
	got := readTold(t, texts)
	minute, wait := Densest(at), seen.Sub(critical)
	t.Logf("%d alerts came: %d in messages of their own and %d in digests, together %d; %d messages, at most %d in a minute; first critical seen after %s", came, got.alone, got.digests, got.alone+got.digests, got.messages, minute, wait.Round(time.Millisecond))
	if got.alone+got.digests != came {
		t.Errorf("the messages speak of %d alerts, %d came", got.alone+got.digests, came)
	}
	if got.over != got.digests {
		t.Errorf("after the storm it is said that %d were put together, the digests say %d", got.over, got.digests)
	}
	if minute > 20 {
		t.Errorf("%d messages in a minute", minute)
	}
	if seen.IsZero() {
		t.Errorf("no message names the first critical alert")
	} else if wait > 5*time.Second {
		t.Errorf("the first critical alert was seen after %s", wait)
	}
}
