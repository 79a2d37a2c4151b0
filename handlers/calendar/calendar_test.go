package calendar

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(t *testing.T, c *Calendar, s string) time.Time {
	t.Helper()
	x, err := time.ParseInLocation("2006-01-02 15:04", s, c.loc)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestTrading(t *testing.T) {
	c := Default()
	for day, want := range map[string]bool{
		"2026-11-25": true, "2026-11-28": false, // a Wednesday, a Saturday
		"2024-02-08": true, "2024-02-09": false, // closed although offices worked
		"2026-02-13": true, "2026-02-14": false, // a Saturday on which offices work
		"2026-02-23": false, "2026-02-24": true, "2026-10-08": true, "2026-10-10": false,
		"2027-01-04": true, // not known: a weekday
	} {
		if got := c.Trading(at(t, c, day+" 12:00")); got != want {
			t.Errorf("%s: %v", day, got)
		}
	}
	for _, d := range c.Closed() {
		if w := at(t, c, d+" 00:00").Weekday(); w == time.Saturday || w == time.Sunday {
			t.Errorf("%s is a weekend: a slip in the list", d)
		}
		if !c.Known(at(t, c, d+" 00:00").Year()) {
			t.Errorf("%s is of a year that is not listed", d)
		}
	}
	if got := c.Prev(at(t, c, "2026-02-24 10:00")); got != at(t, c, "2026-02-13 00:00") {
		t.Errorf("before the spring festival: %s", got)
	}
}

func TestAdd(t *testing.T) {
	c := Default()
	for _, x := range []struct {
		from string
		d    time.Duration
		want string
	}{
		{"2026-11-25 09:00", 30 * time.Minute, "2026-11-25 09:30"},
		{"2026-11-25 08:00", 30 * time.Minute, "2026-11-25 09:30"},
		{"2026-11-25 17:20", 30 * time.Minute, "2026-11-26 09:20"},
		{"2026-11-27 17:20", 30 * time.Minute, "2026-11-30 09:20"}, // over a weekend
		{"2026-11-28 12:00", time.Hour, "2026-11-30 10:00"},
		{"2026-02-13 17:00", 17 * time.Hour, "2026-02-25 17:00"}, // over the festival
		{"2026-11-25 10:00", 0, "2026-11-25 10:00"},
		{"2026-11-25 09:00", 17 * time.Hour / 2, "2026-11-25 17:30"},
	} {
		if got := c.Add(at(t, c, x.from), x.d); got != at(t, c, x.want) {
			t.Errorf("%s + %s = %s, want %s", x.from, x.d, got, x.want)
		}
	}
}

// What was added is what lies between.
func TestBetweenAdd(t *testing.T) {
	c := Default()
	base := at(t, c, "2026-01-01 00:00")
	rapid.Check(t, func(t *rapid.T) {
		from := base.Add(time.Duration(rapid.Int64Range(0, 300*24*3600).Draw(t, "from")) * time.Second)
		d := time.Duration(rapid.Int64Range(0, 40*3600).Draw(t, "d")) * time.Second
		to := c.Add(from, d)
		if got := c.Between(from, to); got != d {
			t.Fatalf("%s + %s = %s, between %s", from, d, to, got)
		}
		if to.Before(from) {
			t.Fatal("time went back")
		}
	})
}

func TestBadFile(t *testing.T) {
	for _, more := range []string{"2026-13-01", "years soon", "gestern"} {
		if _, err := New(time.UTC, 0, time.Hour, more); err == nil {
			t.Errorf("%q is taken", more)
		}
	}
	if _, err := New(time.UTC, 2*time.Hour, time.Hour, ""); err == nil {
		t.Error("hours that end before they begin")
	}
	c, err := New(time.UTC, 0, time.Hour, "years 2027\n2027-01-01 # new year\n")
	if err != nil || !c.Known(2027) || c.Trading(time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)) {
		t.Error("more days are not read")
	}
}
