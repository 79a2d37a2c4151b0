package alert

import (
	"fmt"
	"strings"
)

// parseTencent reads the alarm callback of Tencent Cloud Monitor: metric and
// event alarms. https://cloud.tencent.com/document/product/248/50409
func parseTencent(in Input) (Delivery, error) {
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
		status, policy := f.text("alarmStatus"), f.sub("alarmPolicyInfo")
		if status == "" || policy == nil {
			return d, fmt.Errorf("%w: no alarmStatus or alarmPolicyInfo", errShape)
		}
		d.Signals = append(d.Signals, tencentSignal(f, policy, status, in))
	}
	return d, nil
}

func tencentSignal(f, policy fields, status string, in Input) Signal {
	obj, cond := f.sub("alarmObjInfo"), policy.sub("conditions")
	dims := obj.sub("dimensions")
	s := Signal{Name: firstOf(policy.text("policyName"), policy.text("policyId")), Started: timeOf(f.text("firstOccurTime"), beijing), Labels: map[string]string{}, State: stateIf(status == "0")}
	s.ID = firstOf(f.text("alertId"), f.text("sessionId"))
	if f.text("alarmType") == "event" {
		s.ID = joined(policy.text("policyId"), dims.text("objId"), cond.text("eventName"))
		s.Title = strings.TrimSpace(cond.first("productShowName", "productName") + " " + cond.first("eventShowName", "eventName"))
	} else {
		s.Title = strings.TrimSpace(cond.first("metricShowName", "metricName") + " " + cond.text("calcType") + " " + cond.text("calcValue") + cond.text("calcUnit"))
		if v := cond.text("currentValue"); v != "" {
			s.Value = v + cond.first("unit", "calcUnit")
		}
	}
	if who := firstOf(dims.text("objName"), dims.text("objId")); who != "" {
		s.Title = who + " " + s.Title
	}
	if s.State == Resolved {
		s.Ended = timeOf(f.text("recoverTime"), beijing)
	}
	for suffix, severity := range map[string]string{"_Remind": Info, "_Warn": Warning, "_Serious": Critical} {
		if strings.HasSuffix(f.text("alertId"), suffix) {
			s.Severity = severity
		}
	}
	for k, v := range map[string]string{"region": obj.text("region"), "namespace": obj.text("namespace"), "object": firstOf(dims.text("objName"), dims.text("objId")), "policy": policy.text("policyName")} {
		if v != "" {
			s.Labels[k] = v
		}
	}
	return s
}
