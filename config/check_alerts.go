package config

import (
	"fmt"
	"slices"
	"time"
)

// tokens are the bearer tokens by their path.
func (c *Config) tokens() map[string]Secret {
	out := map[string]Secret{"hooks.token": c.Hooks.Token, "api.token": c.API.Token}
	for _, s := range c.Alerts.Sources {
		out[fmt.Sprintf("alerts.sources (%s): token", s.Name)] = s.Token
	}
	return out
}

// checkAlerts checks what can be checked without knowing alerts; expressions
// and matchers are compiled by who uses them.
func (c *Config) checkAlerts(f *Faults) {
	Duration(f, "alerts.escalate", c.Alerts.Escalate)
	Duration(f, "alerts.escalate_leader", c.Alerts.EscalateLeader)
	names := map[string]bool{}
	for _, s := range c.Alerts.Sources {
		at := fmt.Sprintf("alerts.sources (%s)", s.Name)
		if !groupName.MatchString(s.Name) {
			f.add("alerts.sources: the name %q must be small letters, digits and dashes", s.Name)
		}
		if s.Name == "monitor" || s.Name == "frontline" {
			f.add("alerts.sources: the name %q belongs to the program's own alerts", s.Name)
		}
		if names[s.Name] {
			f.add("alerts.sources: the name %q stands there twice", s.Name)
		}
		names[s.Name] = true
		if s.Severity != "" {
			oneOf(f, at+": severity", s.Severity, "critical", "major", "warning", "info", "none")
		}
		if _, err := time.LoadLocation(s.Timezone); err != nil {
			f.add("%s: timezone: not known: %q", at, s.Timezone)
		}
	}
	names = map[string]bool{"default": true}
	for _, r := range c.Alerts.Routes {
		at := fmt.Sprintf("alerts.routes (%s)", r.Name)
		if r.Name == "" || names[r.Name] {
			f.add("alerts.routes: the name %q is missing, taken, or default", r.Name)
		}
		names[r.Name] = true
		for field, v := range map[string]string{"wait": r.Wait, "interval": r.Interval, "repeat": r.Repeat} {
			Duration(f, at+": "+field, v)
		}
		if r.RepeatMost < 0 || r.RepeatMost > 100 {
			f.add("%s: repeat_most: must be between 0 and 100", at)
		}
	}
}

// Duration reads 90s, 5m or 1h; "" and 0 are nothing. A fault names the option.
func Duration(f *Faults, name, text string) time.Duration {
	if text == "" || text == "0" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 366*24*time.Hour {
		f.add("%s: must be a duration such as 90s, 5m or 1h", name)
		return 0
	}
	return d
}

// alertWarnings name groups that nobody has.
func (c *Config) alertWarnings(elsewhere []string) (out []string) {
	known := func(name string) bool {
		return slices.Contains(elsewhere, name) || slices.ContainsFunc(c.Groups, func(g Group) bool { return g.Name == name })
	}
	if g := c.Alerts.DefaultGroup; g != "" && !known(g) {
		out = append(out, fmt.Sprintf("alerts.default_group: this configuration has no group %q; until the console has one, nobody is told of alerts", g))
	}
	for _, r := range c.Alerts.Routes {
		for _, g := range r.Groups {
			if !known(g) {
				out = append(out, fmt.Sprintf("alerts.routes (%s): this configuration has no group %q", r.Name, g))
			}
		}
	}
	return out
}
