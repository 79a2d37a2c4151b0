package construct

import (
	"encoding/json"
	"strings"
)

// request is an action with all its values: what is written down before it
// leaves, sent again after a crash, and frozen for an undo.
type request struct {
	Kind, Target string
	Read         bool    `json:",omitempty"`
	Method, Path string  `json:",omitempty"`
	Query        Ordered `json:",omitempty"`
	Headers      Ordered `json:",omitempty"`
	JSON         any     `json:",omitempty"`
	Form         Ordered `json:",omitempty"`
	Text         string  `json:",omitempty"`
	OK           []int   `json:",omitempty"`
	Any          bool    `json:",omitempty"`
	Op           string  `json:",omitempty"`
	Action       string  `json:",omitempty"`
	Version      string  `json:",omitempty"`
	NS           string  `json:",omitempty"`
	SOAPBody     any     `json:",omitempty"`
	Func         string  `json:",omitempty"`
	In           Ordered `json:",omitempty"`
	SQL          string  `json:",omitempty"`
	Args         Ordered `json:",omitempty"`
	MaxRows      int     `json:",omitempty"`
	recipe       *Recipe
}

// Body is what the data guard looks at: everything that recipes fill in.
func (q *request) Body() any {
	return []any{q.Path, q.Query, q.Headers, q.JSON, q.Form, q.Text, q.SOAPBody, q.In, q.Args}
}

// name is how people know the interface.
func (q *request) name() string {
	switch q.Kind {
	case "http":
		return q.Target + " " + q.Method
	case "soap":
		return q.Target + " " + q.Op
	case "call":
		return q.Target + " " + q.Func
	}
	return q.Target
}

// UnmarshalJSON keeps the order of an object.
func (o *Ordered) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	v, err := orderedFrom(d)
	if err != nil {
		return err
	}
	*o, _ = v.(Ordered)
	return nil
}

func orderedFrom(d *json.Decoder) (any, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '[' {
			out := []any{}
			for d.More() {
				v, err := orderedFrom(d)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			_, err := d.Token()
			return out, err
		}
		out := Ordered{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := orderedFrom(d)
			if err != nil {
				return nil, err
			}
			out = append(out, Pair{k.(string), v})
		}
		_, err := d.Token()
		return out, err
	case json.Number:
		return exact(t), nil
	}
	return tok, nil
}

// decodeRequest reads a request that was written down.
func decodeRequest(b []byte, r *Recipe) (*request, error) {
	var raw struct {
		request
		JSON, SOAPBody json.RawMessage
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	q := raw.request
	q.recipe = r
	for _, f := range []struct {
		from json.RawMessage
		to   *any
	}{{raw.JSON, &q.JSON}, {raw.SOAPBody, &q.SOAPBody}} {
		if len(f.from) == 0 || string(f.from) == "null" {
			continue
		}
		d := json.NewDecoder(strings.NewReader(string(f.from)))
		d.UseNumber()
		v, err := orderedFrom(d)
		if err != nil {
			return nil, err
		}
		*f.to = v
	}
	return &q, nil
}

// render fills in an action of the kinds that call something.
func render(a *Action, r *Recipe, env vars) (*request, error) {
	q := &request{Kind: a.Kind, Target: a.Target, Read: a.Read, recipe: r}
	text := func(name, def string) string {
		if f := a.Fields[name]; f != nil {
			if s, err := f.text(env); err == nil {
				return s
			}
		}
		return def
	}
	all := map[string]any{}
	for name, f := range a.Fields {
		v, err := f.eval(env)
		if err != nil {
			return nil, err
		}
		all[name] = v
	}
	ordered := func(name string) Ordered { o, _ := all[name].(Ordered); return o }
	switch a.Kind {
	case "http":
		q.Method, q.Path, q.Text = strings.ToUpper(text("method", "GET")), text("path", "/"), text("text", "")
		q.Query, q.Headers, q.Form, q.JSON = ordered("query"), ordered("headers"), ordered("form"), all["json"]
		q.Read = q.Method == "GET" || q.Method == "HEAD"
		switch ok := all["ok"].(type) {
		case string:
			q.Any = ok == "any"
		case int:
			q.OK = []int{ok}
		case []any:
			for _, s := range ok {
				if n, isInt := s.(int); isInt {
					q.OK = append(q.OK, n)
				}
			}
		}
	case "soap":
		q.Op, q.Action, q.Version, q.NS, q.SOAPBody = text("op", ""), text("action", ""), text("version", "1.1"), text("ns", ""), all["body"]
		q.Read = strings.HasPrefix(q.Op, "query") || strings.HasPrefix(q.Op, "get")
	case "call":
		q.Func, q.In = text("func", ""), ordered("in")
		q.Read = strings.HasPrefix(q.Func, "QUERY") || strings.HasPrefix(q.Func, "GET")
	case "sql":
		q.SQL, q.Args, q.MaxRows = text("query", ""), ordered("args"), 100
		if n, ok := all["max_rows"].(int); ok {
			q.MaxRows = n
		}
	}
	return q, nil
}

// holes tells whether a value that an undo needs is not there.
func holes(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case Ordered:
		for _, p := range x {
			if holes(p.Val) {
				return true
			}
		}
	case []any:
		for _, o := range x {
			if holes(o) {
				return true
			}
		}
	}
	return false
}
