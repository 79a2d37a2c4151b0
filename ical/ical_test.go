package ical

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
)

func sample() Calendar {
	start := time.Date(2026, 11, 26, 16, 0, 0, 0, time.FixedZone("CST", 8*3600))
	return Calendar{Name: "一线：值班与分享", Refresh: time.Hour, Events: []Event{
		{UID: "sharing-S12@desk.example.com", Start: start, End: start.Add(40 * time.Minute), Summary: "S12 两融合同补签，常见问题; 与答疑", Description: "主讲 顾远\n反斜杠 \\ 逗号, 分号;\r\n链接 https://live.example.com/" + strings.Repeat("a", 90),
			Location: "https://live.example.com/1024", URL: "https://desk.example.com/m/s/12?x=1,2;3", Sequence: 3, Changed: start.Add(-24 * time.Hour)},
		{UID: "sharing-S13@desk.example.com", Start: start, End: start.Add(time.Hour), Summary: strings.Repeat("长", 60), Cancelled: true, Changed: start},
		{UID: "odd@x", Start: start, End: start.Add(time.Hour), Summary: "BEGIN:VEVENT\nSUMMARY:injected\x07\xff", URL: "https://x.example.com/\r\nBEGIN:VALARM", Changed: start},
	}}
}

// Every line ends in CRLF, is at most 75 octets and cut between characters.
func TestLines(t *testing.T) {
	b := sample().Bytes()
	if !bytes.HasSuffix(b, []byte("END:VCALENDAR\r\n")) || bytes.Contains(bytes.ReplaceAll(b, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(b, []byte("\r\n"), nil), []byte("\r")) {
		t.Errorf("ends of lines: %q", b)
	}
	folded := 0
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || line == "" {
			t.Errorf("%d octets: %q", len(line), line)
		}
		if line[0] == ' ' {
			folded++
		}
	}
	if folded < 4 {
		t.Errorf("only %d lines are folded", folded)
	}
	for _, want := range []string{"DTSTART:20261126T080000Z\r\n", "DTEND:20261126T084000Z\r\n", "DTSTAMP:20261125T080000Z\r\n", "SEQUENCE:3\r\n", `SUMMARY:S12 两融合同补签，常见问题\; 与答疑`, "STATUS:CANCELLED\r\n", "REFRESH-INTERVAL;VALUE=DURATION:PT60M\r\n", "VERSION:2.0\r\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
	if strings.Contains(strings.ReplaceAll(string(b), "\r\n ", ""), "\r\nBEGIN:VALARM") || strings.Count(string(b), "\r\nBEGIN:VEVENT\r\n") != 3 {
		t.Errorf("a text became a line of its own:\n%s", b)
	}
}

// A line of exactly 75 octets is not folded, one more is.
func TestFoldBorder(t *testing.T) {
	for n, want := range map[int]string{75: "X:" + strings.Repeat("a", 73) + "\r\n", 76: "X:" + strings.Repeat("a", 73) + "\r\n a\r\n", 150: "X:" + strings.Repeat("a", 73) + "\r\n " + strings.Repeat("a", 74) + "\r\n a\r\n"} {
		var b lines
		b.add("X", strings.Repeat("a", n-2))
		if b.String() != want {
			t.Errorf("%d: %q", n, b.String())
		}
	}
	var b lines
	b.add("X", strings.Repeat("a", 72)+"长") // the character would be cut after its first octet
	if want := "X:" + strings.Repeat("a", 72) + "\r\n 长\r\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}

// Another's parser reads what was written.
func TestParsesElsewhere(t *testing.T) {
	want := sample()
	got, err := ics.ParseCalendar(bytes.NewReader(want.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	events := got.Events()
	if len(events) != len(want.Events) {
		t.Fatalf("%d events", len(events))
	}
	value := func(e *ics.VEvent, p ics.ComponentProperty) string {
		if x := e.GetProperty(p); x != nil {
			return ics.FromText(x.Value)
		}
		return ""
	}
	for i, e := range events[:2] {
		w := want.Events[i]
		start, err1 := e.GetStartAt()
		end, err2 := e.GetEndAt()
		if err1 != nil || err2 != nil || !start.Equal(w.Start) || !end.Equal(w.End) || e.Id() != w.UID {
			t.Errorf("%v %v %v %v %s", start, end, err1, err2, e.Id())
		}
		if s := value(e, ics.ComponentPropertySummary); s != w.Summary {
			t.Errorf("summary %q", s)
		}
		if d := value(e, ics.ComponentPropertyDescription); d != strings.ReplaceAll(w.Description, "\r", "") {
			t.Errorf("description %q", d)
		}
		if u := e.GetProperty(ics.ComponentPropertyUrl); w.URL != "" && u.Value != w.URL {
			t.Errorf("url %q", u.Value)
		}
	}
	if s := value(events[1], ics.ComponentPropertyStatus); s != "CANCELLED" {
		t.Errorf("status %q", s)
	}
	if s := value(events[2], ics.ComponentPropertySummary); s != "BEGIN:VEVENT\nSUMMARY:injected" {
		t.Errorf("summary %q", s)
	}
}
