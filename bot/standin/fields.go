package standin

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reader takes the fields out of one JSON object as strictly as the platform:
// exact names, exact types, unknown fields tolerated. All readers of one body
// share the first failure, so that the callers read on and look once at the end.
type reader struct {
	at    string // path of this object, for errmsg: "template_card.main_title"
	m     map[string]json.RawMessage
	first **apiError
}

// readObject parses a request body.
func readObject(body []byte) (reader, *apiError) {
	var first *apiError
	r := reader{first: &first}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return r, refuse(codeBadJSON, "the body is not UTF-8")
	}
	if err := json.Unmarshal(body, &r.m); err != nil || r.m == nil {
		return r, refuse(codeBadJSON, "data format error, wrong json format")
	}
	return r, nil
}

func (r reader) failed() *apiError { return *r.first }

func (r reader) fail(code int, format string, args ...any) {
	if *r.first == nil {
		*r.first = refuse(code, format, args...)
	}
}

func (r reader) path(name string) string {
	if r.at == "" {
		return name
	}
	return r.at + "." + name
}

func (r reader) wrongType(name, want string) {
	r.fail(codeBadParameter, "%s should be %s. invalid Request Parameter", r.path(name), want)
}

// has tells whether the field is there and not null.
func (r reader) has(name string) bool {
	raw, ok := r.m[name]
	return ok && string(raw) != "null"
}

func (r reader) text(name string) string {
	if !r.has(name) {
		return ""
	}
	var s string
	if json.Unmarshal(r.m[name], &s) != nil {
		r.wrongType(name, "a string")
	}
	return s
}

// needText is a text that must be there and not empty.
func (r reader) needText(name string) string {
	s := r.text(name)
	if s == "" {
		r.fail(codeBadParameter, "%s missing or empty. invalid Request Parameter", r.path(name))
	}
	return s
}

// number is a whole number; the platform does not take a fraction.
func (r reader) number(name string) int {
	if !r.has(name) {
		return 0
	}
	n, err := strconv.ParseInt(string(r.m[name]), 10, 64)
	if err != nil {
		r.wrongType(name, "an integer")
	}
	return int(n)
}

// looseNumber also takes a number inside a string, as agentid and safe do in practice.
func (r reader) looseNumber(name string) int {
	if raw := r.m[name]; len(raw) > 0 && raw[0] == '"' {
		n, err := strconv.ParseInt(strings.TrimSpace(r.text(name)), 10, 64)
		if err != nil {
			r.wrongType(name, "an integer")
		}
		return int(n)
	}
	return r.number(name)
}

func (r reader) float(name string) float64 {
	var f float64
	if r.has(name) && json.Unmarshal(r.m[name], &f) != nil {
		r.wrongType(name, "a number")
	}
	return f
}

func (r reader) truth(name string) bool {
	var b bool
	if r.has(name) && json.Unmarshal(r.m[name], &b) != nil {
		r.wrongType(name, "a boolean")
	}
	return b
}

// object is a nested object; an empty reader when it is missing.
func (r reader) object(name string) reader {
	o := reader{at: r.path(name), first: r.first}
	if r.has(name) && json.Unmarshal(r.m[name], &o.m) != nil {
		r.wrongType(name, "an object")
	}
	return o
}

func (r reader) objects(name string) []reader {
	if !r.has(name) {
		return nil
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(r.m[name], &list) != nil {
		r.wrongType(name, "a list of objects")
	}
	out := make([]reader, len(list))
	for i, m := range list {
		out[i] = reader{at: r.path(name) + "[" + strconv.Itoa(i) + "]", m: m, first: r.first}
	}
	return out
}

func (r reader) texts(name string) []string {
	if !r.has(name) {
		return nil
	}
	var list []string
	if json.Unmarshal(r.m[name], &list) != nil {
		r.wrongType(name, "a list of strings")
	}
	return list
}

func (r reader) numbers(name string) []int {
	if !r.has(name) {
		return nil
	}
	var list []int
	if json.Unmarshal(r.m[name], &list) != nil {
		r.wrongType(name, "a list of integers")
	}
	return list
}

// raw is the text of the field as it was sent.
func (r reader) raw(name string) json.RawMessage { return r.m[name] }

// bounded fails with 40058 when the list does not have min to max elements.
func (r reader) bounded(name string, n, min, max int) {
	if n < min || n > max {
		r.fail(codeBadParameter, "%s should have %d to %d elements, has %d. invalid Request Parameter", r.path(name), min, max, n)
	}
}

// cutBytes cuts s to at most max bytes at a character border.
func cutBytes(s string, max int) (string, bool) {
	if len(s) <= max {
		return s, false
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max], true
}
