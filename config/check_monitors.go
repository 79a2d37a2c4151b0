package config

import (
	"regexp"
	"time"
)

var sourceName = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,47}$`)

// checkMonitors checks what can be checked without items; those are read by who
// runs them.
func (c *Config) checkMonitors(f *Faults) {
	names := map[string]bool{}
	for _, s := range c.Monitors.Sources {
		if !sourceName.MatchString(s.Name) {
			f.add("monitors.sources: the name %q must be small letters, digits, dots and dashes", s.Name)
		}
		if names[s.Name] {
			f.add("monitors.sources: the name %q stands there twice", s.Name)
		}
		names[s.Name] = true
	}
	webAddress(f, "heartbeat.url", string(c.Heartbeat.URL))
	if d := Duration(f, "heartbeat.every", c.Heartbeat.Every); c.Heartbeat.URL != "" && (d < 10*time.Second || d > 24*time.Hour) {
		f.add("heartbeat.every: must be between 10s and 24h")
	}
}
