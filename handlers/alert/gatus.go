package alert

import (
	"fmt"
	"regexp"
	"strings"
)

// slackLine is what Gatus' Slack provider says.
var slackLine = regexp.MustCompile(`^An alert for \*(.+)\* has been (triggered|resolved)`)

// parseGatus reads our custom body for Gatus, its n8n provider and its Slack
// provider. Gatus sends no identity and no time: a second outage has the same
// bytes as the first.
func parseGatus(in Input) (Delivery, error) {
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
		s := Signal{Labels: map[string]string{}, Annotations: map[string]string{}}
		group, name, about := f.first("group", "endpoint_group"), f.first("name", "endpoint_name"), f.first("description", "alert_description")
		switch state := strings.ToUpper(f.text("state")); {
		case name != "" && (state == "TRIGGERED" || state == "RESOLVED"):
			s.State = stateIf(state == "RESOLVED")
		case name != "" && f.text("resolved") != "":
			s.State = stateIf(f.text("resolved") == "true")
		default:
			if group, name, s.State, err = slackAlert(f); err != nil {
				return d, err
			}
		}
		s.ID, s.Name = joined(group, name, about), strings.TrimPrefix(group+"/"+name, "/")
		s.Title, s.Text = firstOf(about, s.Name), firstOf(f.text("errors"), f.text("conditions"), f.text("condition_results"))
		if about != "" {
			s.Title = s.Name + " " + about
		}
		s.Labels["endpoint"], s.Labels["endpoint_group"] = name, group
		if group == "" {
			delete(s.Labels, "endpoint_group")
		}
		s.Severity = severityOf(f.text("severity"))
		s.Links = link(s.Links, "地址", f.first("url", "endpoint_url"))
		d.Signals = append(d.Signals, s)
	}
	return d, nil
}

func stateIf(resolved bool) State {
	if resolved {
		return Resolved
	}
	return Firing
}

func slackAlert(f fields) (group, name string, state State, err error) {
	for _, a := range f.list("attachments") {
		m, ok := a.(map[string]any)
		if !ok {
			continue
		}
		if found := slackLine.FindStringSubmatch(fields(m).text("text")); found != nil {
			group, name, ok = strings.Cut(found[1], "/")
			if !ok {
				group, name = "", found[1]
			}
			return group, name, stateIf(found[2] == "resolved"), nil
		}
	}
	return "", "", Firing, fmt.Errorf("%w: no name and state", errShape)
}
