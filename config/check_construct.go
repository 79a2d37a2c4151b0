package config

import "net/netip"

// checkConstruct checks what can be checked without recipes; those are read by
// who runs them.
func (c *Config) checkConstruct(f *Faults) {
	d := c.Construct
	for _, n := range d.DenyCIDRs {
		if _, err := netip.ParsePrefix(n); err != nil {
			f.add("construct.deny_cidrs: %q is no network such as 10.8.0.0/16", n)
		}
	}
	if d.Enabled && d.Zone == "" {
		f.add("construct.zone: must be set")
	}
	if d.Enabled && d.Environments == "" {
		f.add("construct.environments: must name a folder when construct.enabled is true")
	}
}
