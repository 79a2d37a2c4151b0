package alert

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"
	"strings"
)

// amBody is the webhook of Alertmanager (version 4) and of Grafana (version 1,
// with more fields).
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
type amBody struct {
	Receiver        *string   `json:"receiver"`
	Alerts          []amAlert `json:"alerts"`
	GroupKey        string    `json:"groupKey"`
	TruncatedAlerts int       `json:"truncatedAlerts"`
}

type amAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     string            `json:"startsAt"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
	DashboardURL string            `json:"dashboardURL"`
	PanelURL     string            `json:"panelURL"`
	Values       map[string]any    `json:"values"`
}

// parseAlertmanager reads Alertmanager's webhook, and what Prometheus itself
// posts to an Alertmanager: an array of alerts.
func parseAlertmanager(in Input) (Delivery, error) {
	if strings.HasPrefix(strings.TrimLeft(string(in.Body[:min(len(in.Body), 64)]), " \r\n\t"), "[") {
		var list []amAlert
		if err := json.Unmarshal(in.Body, &list); err != nil {
			return Delivery{}, errShape
		}
		for _, a := range list {
			if len(a.Labels) == 0 {
				return Delivery{}, fmt.Errorf("%w: no labels", errShape)
			}
		}
		return amDelivery(amBody{Alerts: list}, in), nil
	}
	var b amBody
	if err := json.Unmarshal(in.Body, &b); err != nil {
		return Delivery{}, errShape
	}
	if b.Alerts == nil && b.Receiver == nil {
		return Delivery{}, fmt.Errorf("%w: no alerts", errShape)
	}
	return amDelivery(b, in), nil
}

func amDelivery(b amBody, in Input) Delivery {
	d := Delivery{NotListed: max(0, b.TruncatedAlerts), Signals: make([]Signal, 0, len(b.Alerts))}
	for _, a := range b.Alerts {
		d.Signals = append(d.Signals, a.signal(in))
	}
	return d
}

func (a amAlert) signal(in Input) Signal {
	s := Signal{ID: a.Fingerprint, Name: firstOf(a.Labels["alertname"], a.Labels["rulename"]), Severity: firstOf(severityOf(a.Labels["severity"]), severityOf(a.Labels["level"]), severityOf(a.Labels["priority"])), Labels: a.Labels, Annotations: a.Annotations,
		Started: timeOf(a.StartsAt, in.Zone), Ended: timeOf(a.EndsAt, in.Zone)}
	// The state is each alert's own: a group that is partly resolved says firing.
	switch strings.ToLower(a.Status) {
	case "resolved":
		s.State = Resolved
	case "":
		if !s.Ended.IsZero() && !s.Ended.After(in.Now) {
			s.State = Resolved
		}
	}
	if s.ID == "" {
		s.ID = labelFingerprint(a.Labels)
	}
	an := a.Annotations
	s.Title = firstOf(an["summary"], an["title"], an["message"], an["description"], s.Name)
	s.Text = firstOf(an["description"], an["message"])
	s.Value = firstOf(an["value"], valuesText(a.Values))
	if reason := an["grafana_state_reason"]; a.Labels["alertname"] == "DatasourceNoData" || a.Labels["alertname"] == "DatasourceError" || strings.HasPrefix(reason, "NoData") || strings.HasPrefix(reason, "Error") {
		s.NoData = true
	}
	s.Links = link(s.Links, "来源", a.GeneratorURL)
	s.Links = link(s.Links, "看板", firstOf(a.PanelURL, a.DashboardURL))
	s.Links = link(s.Links, "手册", an["runbook_url"])
	return s
}

// valuesText is Grafana's values, as "A=120 B=8000".
func valuesText(values map[string]any) string {
	parts := make([]string, 0, len(values))
	for k, v := range values {
		parts = append(parts, k+"="+textOf(v))
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

// labelFingerprint is Alertmanager's own: FNV-1a over the sorted pairs, each
// name and value followed by a byte 0xFF.
func labelFingerprint(labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for n := range labels {
		names = append(names, n)
	}
	slices.Sort(names)
	h := fnv.New64a()
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0xff})
		h.Write([]byte(labels[n]))
		h.Write([]byte{0xff})
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
