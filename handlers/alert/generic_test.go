package alert

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// The example of the configuration reads what such a sender sends.
func TestMapping(t *testing.T) {
	m, err := NewMapping(MappingText{Items: "body.events", When: "item.type == 'alarm'", Name: "item.rule", Title: "item.host + ' ' + item.rule", Text: "item.detail", State: "item.status", Severity: "item.level",
		Value: "item.current", StartedAt: "item.since", Labels: "item.tags", URL: "item.link", Identity: []string{"item.id"}})
	if err != nil {
		t.Fatal(err)
	}
	read := func(body string) (Delivery, error) {
		var any json.RawMessage
		if err := json.Unmarshal([]byte(body), &any); err != nil {
			t.Fatal(err)
		}
		return parseGeneric(Input{Body: any, Mapping: m, Zone: time.UTC})
	}
	del, err := read(`{"events":[
		{"type":"alarm","id":7,"rule":"行情中断","host":"md-1","detail":"三分钟没有行情","status":"firing","level":"critical","current":0.5,"since":"2026-11-25T09:30:00Z","tags":{"system":"行情","n":1},"link":"https://mon.example.com/7"},
		{"type":"alarm","id":8,"rule":"行情中断","host":"md-2","status":"recovered"},
		{"type":"info","id":9,"rule":"x"}]}`)
	if err != nil || len(del.Signals) != 2 {
		t.Fatalf("%+v, %v", del, err)
	}
	a, b := del.Signals[0], del.Signals[1]
	if a.Name != "行情中断" || a.Title != "md-1 行情中断" || a.Text != "三分钟没有行情" || a.State != Firing || a.Severity != Critical || a.Value != "0.5" || a.Labels["system"] != "行情" || a.Labels["n"] != "1" || len(a.Links) != 1 ||
		!a.Started.Equal(time.Date(2026, 11, 25, 9, 30, 0, 0, time.UTC)) || a.ID == b.ID || b.State != Resolved {
		t.Errorf("%+v\n%+v", a, b)
	}
	for _, body := range []string{`{"events":7}`, `{"other":[]}`, `{"events":["x"]}`, `{"events":[{"type":"alarm"}]}`, `{"events":[{"type":"alarm","rule":"x","host":7}]}`} {
		if del, err := read(body); !errors.Is(err, errShape) {
			t.Errorf("%s: %+v, %v", body, del, err)
		}
	}
	for field, text := range map[string]MappingText{"name": {Name: "item."}, "items": {Items: "nothing.events"}, "title": {Title: "foo(item)"}} {
		if _, err := NewMapping(text); err == nil {
			t.Errorf("%s: a fault is not found", field)
		}
	}
}
