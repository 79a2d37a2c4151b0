package alert

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontline/store"
)

// fields reads values of a decoded JSON object, whatever type the sender chose.
type fields map[string]any

func decode(raw json.RawMessage) (fields, error) {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var f fields
	if err := dec.Decode(&f); err != nil || f == nil {
		return nil, errShape
	}
	return f, nil
}

// macro is a placeholder that the sender did not fill in, because it does not
// apply: no value.
var macro = regexp.MustCompile(`^(\{[A-Z0-9_.]+\}|\*UNKNOWN\*)$`)

func (f fields) text(key string) string {
	s := textOf(f[key])
	if macro.MatchString(s) {
		return ""
	}
	return s
}

// first is the first of some keys that holds a text.
func (f fields) first(keys ...string) string {
	for _, k := range keys {
		if s := f.text(k); s != "" {
			return s
		}
	}
	return ""
}

func (f fields) sub(key string) fields {
	m, _ := f[key].(map[string]any)
	return m
}

// texts is an object of texts, as labels are.
func (f fields) texts(key string) map[string]string {
	out := map[string]string{}
	for k, v := range f.sub(key) {
		if s := textOf(v); s != "" {
			out[k] = s
		}
	}
	return out
}

func (f fields) list(key string) []any {
	l, _ := f[key].([]any)
	return l
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// timeOf reads a time as RFC 3339, as "2006-01-02 15:04:05" of a zone, or as
// unix seconds or milliseconds; what is none of these, or before 2000, is no time.
func timeOf(s string, zone *time.Location) time.Time {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n > 1e11 {
			return sane(time.UnixMilli(n))
		}
		return sane(time.Unix(n, 0))
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return sane(t)
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006.01.02 15:04:05", "2006-01-02T15:04:05", "2006/01/02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return sane(t)
		}
	}
	return time.Time{}
}

func sane(t time.Time) time.Time {
	if t.Year() < 2000 || t.Year() > 2100 {
		return time.Time{}
	}
	return t
}

// link adds an address to look at. One that is not http or https, or carries a
// password, is dropped.
func link(to []store.AlertLink, title, address string) []store.AlertLink {
	u, err := url.Parse(address)
	if address == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > 1000 {
		return to
	}
	return append(to, store.AlertLink{Title: title, URL: u.String()})
}

func firstOf(list ...string) string {
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

func joined(parts ...string) string { return fmt.Sprintf("%q", parts) }
