package alert

import (
	"encoding/json"
	"fmt"
)

// parseUptimeKuma reads Uptime Kuma's webhook: JSON, the field data of a form,
// or the same names in a query.
// https://github.com/louislam/uptime-kuma server/notification-providers/webhook.js
func parseUptimeKuma(in Input) (Delivery, error) {
	body := in.Body
	if body == nil && in.Form.Get("data") != "" {
		body = []byte(in.Form.Get("data"))
		if err := checkJSON(body); err != nil {
			return Delivery{}, err
		}
	}
	var f fields
	if body == nil {
		f = fields{"msg": in.Form.Get("msg"), "heartbeat": map[string]any{"status": in.Form.Get("status"), "msg": in.Form.Get("msg")}, "monitor": map[string]any{"id": in.Form.Get("monitorID"), "name": firstOf(in.Form.Get("monitorName"), in.Form.Get("name"))}}
	} else {
		var err error
		if f, err = decode(json.RawMessage(body)); err != nil {
			return Delivery{}, err
		}
	}
	if _, there := f["heartbeat"]; there && f["heartbeat"] == nil {
		return Delivery{}, nil // its test button
	}
	beat, monitor := f.sub("heartbeat"), f.sub("monitor")
	id := firstOf(monitor.text("id"), beat.text("monitorID"))
	name := firstOf(monitor.text("name"), id)
	if name == "" || beat.text("status") == "" {
		return Delivery{}, fmt.Errorf("%w: no monitor or status", errShape)
	}
	s := Signal{ID: firstOf(id, name), Name: name, Title: name + " " + f.text("msg"), Text: beat.text("msg"), Started: timeOf(beat.text("time"), in.Zone), Labels: map[string]string{"monitor": name}}
	switch beat.text("status") {
	case "0":
	case "1":
		s.State, s.Ended, s.Started = Resolved, s.Started, s.Ended
	default: // 2 pending, 3 maintenance: nothing is known to be wrong
		s.State = Update
	}
	s.Links = link(s.Links, "地址", monitor.text("url"))
	return Delivery{Signals: []Signal{s}}, nil
}
