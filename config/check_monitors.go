package config

import "regexp"

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
}
