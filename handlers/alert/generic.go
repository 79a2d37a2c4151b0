package alert

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// MappingText says, in expressions over body, item, headers and query, where an
// unknown sender keeps what we need. Empty fields take the usual names.
type MappingText struct {
	Items, When, Name, Title, Text, State, Severity, Value, StartedAt, Labels, URL string
	Identity                                                                       []string
}

// Mapping is a MappingText that was compiled.
type Mapping struct {
	items, when, name, title, text, state, severity, value, started, labels, url *vm.Program
	identity                                                                     []*vm.Program
}

// longestExpr bounds an expression: there is no limit on steps, so the text and
// what it is given are kept small.
const longestExpr = 1000

// NewMapping compiles a mapping; the error names the field.
func NewMapping(t MappingText) (*Mapping, error) {
	m := &Mapping{}
	var err error
	compile := func(field, text string) *vm.Program {
		if text == "" || err != nil {
			return nil
		}
		if len(text) > longestExpr {
			err = fmt.Errorf("%s: longer than %d bytes", field, longestExpr)
			return nil
		}
		p, e := expr.Compile(text, expr.Env(mappingVars{}), expr.MaxNodes(200))
		if e != nil {
			err = fmt.Errorf("%s: %s", field, strings.SplitN(e.Error(), "\n", 2)[0])
		}
		return p
	}
	m.items, m.when, m.name = compile("items", t.Items), compile("when", t.When), compile("name", t.Name)
	m.title, m.text, m.state = compile("title", t.Title), compile("text", t.Text), compile("state", t.State)
	m.severity, m.value, m.started = compile("severity", t.Severity), compile("value", t.Value), compile("started_at", t.StartedAt)
	m.labels, m.url = compile("labels", t.Labels), compile("url", t.URL)
	for _, id := range t.Identity {
		m.identity = append(m.identity, compile("identity", id))
	}
	return m, err
}

// mappingVars are what expressions may name. The types tell the compiler that a
// body and an item may be anything.
type mappingVars struct {
	Body    any               `expr:"body"`
	Item    any               `expr:"item"`
	Headers map[string]string `expr:"headers"`
	Query   map[string]string `expr:"query"`
}

func mappingEnv(body, item any, in Input) mappingVars {
	headers, query := map[string]string{}, map[string]string{}
	for k := range in.Header {
		headers[strings.ToLower(k)] = in.Header.Get(k)
	}
	for k := range in.Query {
		query[k] = in.Query.Get(k)
	}
	return mappingVars{body, item, headers, query}
}

func eval(p *vm.Program, env mappingVars) (any, error) {
	if p == nil {
		return nil, nil
	}
	v, err := expr.Run(p, env)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errShape, strings.SplitN(err.Error(), "\n", 2)[0])
	}
	return v, nil
}

// parseGeneric reads any JSON: by the mapping of its source, or by the usual
// names (docs/alerts.md).
func parseGeneric(in Input) (Delivery, error) {
	m := in.Mapping
	if m == nil {
		m = &Mapping{}
	}
	var body any
	if err := json.Unmarshal(in.Body, &body); err != nil {
		return Delivery{}, errShape
	}
	list := []any{body}
	if m.items != nil {
		v, err := eval(m.items, mappingEnv(body, body, in))
		if err != nil {
			return Delivery{}, err
		}
		ok := false
		if list, ok = v.([]any); !ok {
			return Delivery{}, fmt.Errorf("%w: items is no list", errShape)
		}
	} else if l, ok := body.([]any); ok {
		list = l
	} else if l, ok := body.(map[string]any)["alerts"].([]any); ok {
		list = l
	}
	var d Delivery
	for _, item := range list {
		s, wanted, err := m.signal(body, item, in)
		if err != nil {
			return d, err
		}
		if wanted {
			d.Signals = append(d.Signals, s)
		}
	}
	return d, nil
}

func (m *Mapping) signal(body, item any, in Input) (s Signal, wanted bool, err error) {
	obj, ok := item.(map[string]any)
	if !ok {
		return s, false, fmt.Errorf("%w: an alert is no object", errShape)
	}
	f, env := fields(obj), mappingEnv(body, item, in)
	if m.when != nil {
		v, err := eval(m.when, env)
		if yes, _ := v.(bool); err != nil || !yes {
			return s, false, err
		}
	}
	get := func(p *vm.Program, usual ...string) string {
		if p == nil {
			return f.first(usual...)
		}
		v, e := eval(p, env)
		if e != nil && err == nil {
			err = e
		}
		return textOf(v)
	}
	s.Name = get(m.name, "name", "alertname", "title", "subject", "summary")
	s.Title = firstOf(get(m.title, "title", "summary", "subject"), s.Name)
	s.Text = get(m.text, "text", "description", "message", "content", "note")
	s.Value = get(m.value, "value", "current_value")
	s.Severity = severityOf(get(m.severity, "severity", "level", "priority"))
	s.Started = timeOf(get(m.started, "started_at", "startsAt", "start_time"), in.Zone)
	switch state := strings.ToLower(get(m.state, "state", "status")); state {
	case "resolved", "ok", "recovered", "recovery", "up", "closed", "normal", "0", "恢复", "已恢复", "正常":
		s.State = Resolved
	}
	s.Links = link(s.Links, "来源", get(m.url, "url", "link"))
	s.Labels = f.texts("labels")
	if m.labels != nil {
		v, e := eval(m.labels, env)
		if l, ok := v.(map[string]any); ok && e == nil {
			s.Labels = map[string]string{}
			for k, v := range l {
				s.Labels[k] = textOf(v)
			}
		}
	}
	if len(m.identity) > 0 {
		parts := make([]string, len(m.identity))
		for i, p := range m.identity {
			parts[i] = get(p)
		}
		s.ID = joined(parts...)
	} else {
		s.ID = f.first("id", "fingerprint", "alert_id", "event_id", "key")
	}
	if err == nil && s.Name == "" {
		err = fmt.Errorf("%w: no name", errShape)
	}
	return s, true, err
}
