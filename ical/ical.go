// Package ical writes calendars that calendar programs subscribe to, as
// RFC 5545 says. Times go out in UTC, so that no time zone has to be described.
package ical

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Calendar is a feed.
type Calendar struct {
	Name    string
	Refresh time.Duration // how often programs should look; 0 leaves it to them
	Events  []Event
}

// Event is one VEVENT. UID is the same for as long as it is the same event;
// Sequence grows when its time or place changes.
type Event struct {
	UID         string
	Start, End  time.Time
	Summary     string
	Description string
	Location    string
	URL         string
	Cancelled   bool
	Sequence    int64
	Changed     time.Time // when it was last revised
}

const utc = "20060102T150405Z"

// Bytes is the calendar as it goes out: lines end in CRLF and are no longer than
// 75 octets.
func (c Calendar) Bytes() []byte {
	var b lines
	b.add("BEGIN", "VCALENDAR")
	b.add("VERSION", "2.0")
	b.add("PRODID", "-//Frontline//Frontline//ZH")
	b.add("CALSCALE", "GREGORIAN")
	b.text("NAME", c.Name)         // RFC 7986, section 5.1
	b.text("X-WR-CALNAME", c.Name) // what programs read that know no RFC 7986
	if m := int(c.Refresh.Minutes()); m > 0 {
		b.add("REFRESH-INTERVAL;VALUE=DURATION", "PT"+strconv.Itoa(m)+"M")
		b.add("X-PUBLISHED-TTL", "PT"+strconv.Itoa(m)+"M")
	}
	for _, e := range c.Events {
		b.event(e)
	}
	b.add("END", "VCALENDAR")
	return b.Bytes()
}

type lines struct{ bytes.Buffer }

func (b *lines) event(e Event) {
	b.add("BEGIN", "VEVENT")
	b.text("UID", e.UID)
	b.add("DTSTAMP", e.Changed.UTC().Format(utc))
	b.add("LAST-MODIFIED", e.Changed.UTC().Format(utc))
	b.add("SEQUENCE", strconv.FormatInt(e.Sequence, 10))
	b.add("DTSTART", e.Start.UTC().Format(utc))
	b.add("DTEND", e.End.UTC().Format(utc))
	b.text("SUMMARY", e.Summary)
	b.text("DESCRIPTION", e.Description)
	b.text("LOCATION", e.Location)
	if e.URL != "" {
		b.add("URL", clean(e.URL)) // a URI is not escaped
	}
	if e.Cancelled {
		b.add("STATUS", "CANCELLED")
	} else {
		b.add("STATUS", "CONFIRMED")
	}
	b.add("END", "VEVENT")
}

// text adds a property whose value is TEXT; none when it is empty.
func (b *lines) text(name, value string) {
	if value != "" {
		b.add(name, escape.Replace(clean(strings.ReplaceAll(value, "\n", "\x00"))))
	}
}

// escape is section 3.3.11; line feeds come here as zero bytes.
var escape = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\x00", `\n`)

// clean leaves out what may not stand in a line: control characters but the
// mark of a line feed, and bytes that are no UTF-8.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != 0 || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// foldAt is how many octets a line may have, without its end (section 3.1).
const foldAt = 75

// add writes a line, folded between characters.
func (b *lines) add(name, value string) {
	line := name + ":" + value
	for room := foldAt; len(line) > room; room = foldAt - 1 { // the space that begins a folded line counts
		at := room
		for !utf8.RuneStart(line[at]) {
			at--
		}
		b.WriteString(line[:at] + "\r\n ")
		line = line[at:]
	}
	b.WriteString(line + "\r\n")
}
