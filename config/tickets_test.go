package config

import (
	"strings"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{"10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "2d": 17 * time.Hour, "": 0, "0": 0, "d": 0, "-1d": 0, "-5m": 0, "9999h": 0, "1.5d": 0} {
		got, err := Span(text, 8*time.Hour+30*time.Minute)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseDuty(t *testing.T) {
	d, err := ParseDuty("fri-mon 17:30-09:00 a, b")
	if err != nil || d.Days != [7]bool{true, true, false, false, false, true, true} || d.From != 17*time.Hour+30*time.Minute || d.To != 9*time.Hour || len(d.Members) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = ParseDuty("trading 08:30-17:30 a"); err != nil || !d.Trading {
		t.Errorf("%+v, %v", d, err)
	}
	for _, line := range []string{"", "mon", "mon 9:00-17:00 a", "mon 09:00-25:00 a", "moon 09:00-17:00 a", "mon-moon 09:00-17:00 a", "mon 09:00-17:00", "mon 09:00-17:00 ,", "trading,mon 09:00-17:00 a"} {
		if d, err := ParseDuty(line); err == nil {
			t.Errorf("%q was read as %+v", line, d)
		}
	}
}

func TestTicketFaults(t *testing.T) {
	c := Default()
	c.Tickets.Silence = "soon"
	c.Tickets.Required = []string{"mood"}
	c.Tickets.Clocks = []Clock{{Priority: "P9", Respond: "5m", Resolve: "1x"}}
	c.Tickets.Classes = []Class{{Name: "data", Title: "数据", Group: "nobody"}, {Name: "data", Title: "数据"}}
	c.ServiceGroups = []ServiceGroup{{Name: "A b"}, {Name: "trading", Duty: []string{"always me"}}}
	c.Alerts.Duty = "night"
	var f Faults
	c.check(&f)
	all := strings.Join(f, "\n")
	for _, want := range []string{"tickets.silence", "tickets.required", "priority: must be one of", "(P9): resolve", `has no "nobody"`, `"data" stands there twice`, "named other", `"A b"`, "(trading): duty", "alerts.duty"} {
		if !strings.Contains(all, want) {
			t.Errorf("no fault about %s in\n%s", want, all)
		}
	}
}

// A subscriber's secret is whsec_ and base64; what is wrong with one is said
// without it.
func TestWebhookKey(t *testing.T) {
	if key, err := (Webhook{Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}).Key(); err != nil || len(key) != 24 {
		t.Errorf("%x, %v", key, err)
	}
	for _, bad := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_***", "whsec_" + strings.Repeat("A", 400)} {
		if _, err := (Webhook{Secret: Secret(bad)}).Key(); err == nil || strings.Contains(err.Error(), "c2hvcnQ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
