package alert

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"
)

var beijing = time.FixedZone("CST", 8*3600)

// parseAliyun reads the alarm callback of Alibaba CloudMonitor: a form, in which
// dimensions is a Java map written as text.
// https://help.aliyun.com/zh/cms/cloudmonitor-1-0/user-guide/use-the-alert-callback-feature
func parseAliyun(in Input) (Delivery, error) {
	get := in.Form.Get
	state := strings.ToUpper(get("alertState"))
	if get("alertName") == "" || state == "" {
		return Delivery{}, fmt.Errorf("%w: no alertName or alertState", errShape)
	}
	dims := aliyunDimensions(firstOf(get("dimensionsOriginal"), get("dimensions")))
	s := Signal{Name: get("alertName"), Value: get("curValue"), Labels: dims, Started: timeOf(get("timestamp"), beijing)}
	level := firstOf(get("triggerLevel"), get("preTriggerLevel"))
	if state == "OK" {
		level = firstOf(notNull(get("preTriggerLevel")), get("triggerLevel"))
		s.State, s.Ended, s.Started = Resolved, s.Started, time.Time{}
	}
	s.Severity, s.NoData = severityOf(level), state == "INSUFFICIENT_DATA"
	s.ID = joined(firstOf(get("ruleId"), get("alertName")), sorted(dims))
	if name := get("instanceName"); name != "" {
		s.Title = name + " "
		s.Labels["instance_name"] = name
	}
	s.Title += firstOf(get("alertName"), get("metricName"))
	s.Text = strings.TrimSpace(get("metricName") + " " + get("expression"))
	for k, v := range map[string]string{"namespace": firstOf(get("namespace"), get("metricProject")), "metric": get("metricName")} {
		if v != "" {
			s.Labels[k] = v
		}
	}
	return Delivery{Signals: []Signal{s}}, nil
}

func notNull(s string) string {
	if strings.EqualFold(s, "null") {
		return ""
	}
	return s
}

// aliyunDimensions reads {userId=1, instanceId=i-2}, or the same as JSON.
func aliyunDimensions(text string) map[string]string {
	out := map[string]string{}
	var m map[string]any
	if json.Unmarshal([]byte(text), &m) == nil {
		for k, v := range m {
			out[k] = textOf(v)
		}
		return out
	}
	for _, pair := range strings.Split(strings.Trim(strings.TrimSpace(text), "{}"), ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			out[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return out
}

// sorted is labels in one text, the same in whatever order they came.
func sorted(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for k, v := range labels {
		parts = append(parts, fmt.Sprintf("%q=%q", k, v))
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}
