package alert

import "fmt"

// parseNightingale reads events of Nightingale (夜莺): one object, or an array.
// The hash covers rule, labels, data source, severity and query.
// https://github.com/ccfos/nightingale models/alert_cur_event.go
func parseNightingale(in Input) (Delivery, error) {
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
		if f.text("hash") == "" || f.text("rule_name") == "" {
			return d, fmt.Errorf("%w: no hash or rule_name", errShape)
		}
		s := Signal{ID: f.text("hash"), Name: f.text("rule_name"), Labels: f.texts("tags_map"), Annotations: f.texts("annotations"), Value: f.text("trigger_value"), Text: f.text("rule_note"),
			Severity: map[string]string{"1": Critical, "2": Warning, "3": Info}[f.text("severity")], Started: timeOf(firstOf(f.text("first_trigger_time"), f.text("trigger_time")), in.Zone)}
		if s.Started.IsZero() {
			s.Started = timeOf(f.text("trigger_time"), in.Zone)
		}
		if f.text("is_recovered") == "true" {
			s.State = Resolved
			// The value of a recovery is the old one.
			s.Value, s.Ended = "", timeOf(firstOf(f.text("last_eval_time"), f.text("recover_time")), in.Zone)
		}
		s.Title = firstOf(s.Annotations["summary"], s.Name)
		for k, v := range map[string]string{"group": f.text("group_name"), "target": f.text("target_ident"), "cluster": f.text("cluster")} {
			if s.Labels[k] == "" && v != "" {
				s.Labels[k] = v
			}
		}
		s.Links = link(s.Links, "手册", f.text("runbook_url"))
		d.Signals = append(d.Signals, s)
	}
	return d, nil
}
