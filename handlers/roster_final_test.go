package handlers

import (
	"testing"
	"time"

	"frontline/handlers/calendar"
	"frontline/store"
)

func TestFinally(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 25, hour, 0, 0, 0, time.UTC) }
	weekly := store.Shift{Group: "trading", Member: "guyuan", From: at(8), Until: at(18), Weekly: true}
	stand := func(from, to int) store.Shift {
		return store.Shift{Group: "trading", Member: "fangyichen", Stands: "guyuan", From: at(from), Until: at(to)}
	}
	show := func(list []store.Shift) (out string) {
		for _, s := range list {
			out += s.Member[:1] + s.From.Format("15") + "-" + s.Until.Format("15") + " "
		}
		return out
	}
	other := stand(9, 10)
	other.Group = "account"
	for _, c := range []struct {
		list []store.Shift
		want string
	}{
		{[]store.Shift{weekly}, "g08-18 "},
		{[]store.Shift{weekly, stand(12, 14)}, "g08-12 f12-14 g14-18 "},
		{[]store.Shift{weekly, stand(7, 9), stand(17, 20)}, "f07-09 g09-17 f17-20 "},
		{[]store.Shift{weekly, stand(7, 19)}, "f07-19 "},
		{[]store.Shift{weekly, stand(10, 13), stand(12, 15)}, "g08-10 f10-13 f12-15 g15-18 "},
		{[]store.Shift{weekly, other}, "g08-18 f09-10 "},
		{[]store.Shift{weekly, stand(18, 20)}, "g08-18 f18-20 "},
	} {
		if got := show(finally(c.list)); got != c.want {
			t.Errorf("%s: got %s, want %s", show(c.list), got, c.want)
		}
	}
}

func TestUncovered(t *testing.T) {
	r := Rules{Calendar: calendar.Default()}
	day := time.Date(2026, 11, 25, 0, 0, 0, 0, r.Calendar.Location())
	at := func(hour int) time.Time { return day.Add(time.Duration(hour) * time.Hour) }
	duty := func(from, to int) Duty { return Duty{Shift: store.Shift{From: at(from), Until: at(to)}} }
	open, end := r.Calendar.Opens(day), r.Calendar.Opens(day).Add(r.Calendar.Day())
	if got := r.Uncovered(day, nil); len(got) != 1 || !got[0].From.Equal(open) || !got[0].Until.Equal(end) {
		t.Errorf("without duties: %v", got)
	}
	if got := r.Uncovered(day, []Duty{duty(0, 12), duty(10, 24)}); len(got) != 0 {
		t.Errorf("covered: %v", got)
	}
	if got := r.Uncovered(day, []Duty{duty(0, 11), duty(13, 24)}); len(got) != 1 || !got[0].From.Equal(at(11)) || !got[0].Until.Equal(at(13)) {
		t.Errorf("a hole at noon: %v", got)
	}
	if got := r.Uncovered(day.AddDate(0, 0, 3), nil); len(got) != 0 {
		t.Errorf("a Saturday: %v", got)
	}
}
