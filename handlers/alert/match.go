package alert

import (
	"fmt"
	"regexp"
	"strings"

	"frontline/store"
)

// Matcher compares one label of an alert; =~ and !~ take an expression for the
// whole value. A label that is missing is the empty text.
type Matcher struct {
	store.Matcher
	re *regexp.Regexp
}

var matcherText = regexp.MustCompile(`^\s*([\pL_][\pL\pN_.:-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*$`)

// ParseMatcher reads severity=critical, system=~"三方.*", site!=uat.
func ParseMatcher(text string) (Matcher, error) {
	f := matcherText.FindStringSubmatch(text)
	if f == nil {
		return Matcher{}, fmt.Errorf("%q is no matcher such as severity=critical", clip(text, 60))
	}
	value := f[3]
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	return newMatcher(store.Matcher{Label: f[1], Op: f[2], Value: value})
}

// ParseMatchers reads several; all have to match.
func ParseMatchers(texts []string) ([]Matcher, error) {
	out := make([]Matcher, len(texts))
	for i, t := range texts {
		m, err := ParseMatcher(t)
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

func newMatcher(m store.Matcher) (Matcher, error) {
	out := Matcher{Matcher: m}
	var err error
	if m.Op == "=~" || m.Op == "!~" {
		if len(m.Value) > 500 {
			return out, fmt.Errorf("the expression of %s is longer than 500 bytes", m.Label)
		}
		if out.re, err = regexp.Compile("^(?s:" + m.Value + ")$"); err != nil {
			return out, fmt.Errorf("the expression of %s: %w", m.Label, err)
		}
	}
	return out, nil
}

func (m Matcher) String() string { return m.Label + m.Op + m.Value }

// Labels is an alert as matchers see it.
type Labels struct {
	Source, Kind, Name, Severity string
	Labels                       map[string]string
}

// Of are the labels of a stored alert.
func Of(a store.Alert) Labels { return Labels{a.Source, a.Kind, a.Name, a.Severity, a.Labels} }

// Get is the value of a label; source, kind, name and severity are the alert's own.
func (l Labels) Get(label string) string {
	switch label {
	case "source":
		return l.Source
	case "kind":
		return l.Kind
	case "name":
		return l.Name
	case "severity":
		return l.Severity
	}
	return l.Labels[label]
}

func (m Matcher) match(l Labels) bool {
	v := l.Get(m.Label)
	switch m.Op {
	case "=":
		return v == m.Value
	case "!=":
		return v != m.Value
	case "=~":
		return m.re.MatchString(v)
	}
	return !m.re.MatchString(v)
}

func matchAll(list []Matcher, l Labels) bool {
	for _, m := range list {
		if !m.match(l) {
			return false
		}
	}
	return true
}

// MatchersText is matchers as people write them.
func MatchersText(list []store.Matcher) string {
	parts := make([]string, len(list))
	for i, m := range list {
		parts[i] = m.Label + m.Op + m.Value
	}
	return strings.Join(parts, " ")
}
