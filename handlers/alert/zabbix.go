package alert

import (
	"fmt"
	"strings"
)

// parseZabbix reads the body of our media type for Zabbix (docs/zabbix.md has
// its parameters). A macro that does not apply arrives as it was written.
func parseZabbix(in Input) (Delivery, error) {
	list, err := items(in.Body)
	if err != nil {
		return Delivery{}, err
	}
	var d Delivery
	for _, raw := range list {
		f, err := decode(raw)
		if err != nil {
			return d, err
		}
		s, err := zabbixSignal(f, in)
		if err != nil {
			return d, err
		}
		d.Signals = append(d.Signals, s)
	}
	return d, nil
}

func zabbixSignal(f fields, in Input) (Signal, error) {
	if f.text("event_id") == "" || f.text("event_value") == "" {
		return Signal{}, fmt.Errorf("%w: no event_id or event_value", errShape)
	}
	host := f.first("host_name", "host_host")
	s := Signal{ID: f.text("event_id"), Name: firstOf(f.text("event_name"), f.text("trigger_name"), "Zabbix "+f.text("event_id")), Value: f.first("event_opdata", "item_value"), Text: f.text("trigger_description"),
		Severity: map[string]string{"5": Critical, "4": Major, "3": Warning, "2": Warning, "1": Info, "0": None}[f.text("event_nseverity")],
		Started:  timeOf(f.text("event_date")+" "+f.text("event_time"), in.Zone), Annotations: map[string]string{}, Labels: map[string]string{}}
	for k, v := range map[string]string{"host": host, "host_group": f.text("host_groups"), "item": f.text("item_key"), "trigger": f.text("trigger_id")} {
		if v != "" {
			s.Labels[k] = v
		}
	}
	for _, t := range f.list("event_tags") {
		if m, ok := t.(map[string]any); ok && s.Labels[fields(m).text("tag")] == "" {
			s.Labels[fields(m).text("tag")] = fields(m).text("value")
		}
	}
	delete(s.Labels, "")
	s.Title = s.Name
	if host != "" && !strings.Contains(s.Title, host) {
		s.Title = host + " " + s.Title
	}
	// A problem closed by hand comes first as an update with value 0 and then as
	// a recovery: it ends once, with the recovery.
	switch {
	case f.text("event_update_status") == "1":
		s.State = Update
		s.Annotations["update"] = strings.TrimSpace(f.text("event_update_user") + " " + f.text("event_update_action") + " " + f.text("event_update_message"))
	case f.text("event_value") == "0":
		s.State, s.Ended = Resolved, timeOf(f.text("recovery_date")+" "+f.text("recovery_time"), in.Zone)
	}
	s.Links = link(s.Links, "手册", f.text("trigger_url"))
	return s, nil
}
