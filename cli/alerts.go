package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/config"
	"frontline/handlers/alert"
)

// alertRules makes the rules and the senders of the configuration; the error is
// config.Faults with everything that is wrong.
func alertRules(cfg *config.Config) (*alert.Rules, map[string]alert.Source, error) {
	var f config.Faults
	add := func(format string, args ...any) { f = append(f, fmt.Sprintf(format, args...)) }
	a := cfg.Alerts
	r := &alert.Rules{Zone: cfg.Location(), URL: cfg.PublicURL, NextStep: config.Duration(&f, "alerts.escalate", a.Escalate), LastStep: config.Duration(&f, "alerts.escalate_leader", a.EscalateLeader)}
	for _, c := range a.Routes {
		r.Routes = append(r.Routes, alertRoute(c, a.Duty, &f))
	}
	last := alert.DefaultRoute()
	last.Duty = a.Duty
	if a.DefaultGroup != "" {
		last.Groups = []string{a.DefaultGroup}
	}
	last.Groups = append(last.Groups, mailsOf(a.DefaultMails)...)
	r.Routes = append(r.Routes, last)
	for i, c := range a.Inhibit {
		source, err := alert.ParseMatchers(c.Source)
		target, err2 := alert.ParseMatchers(c.Target)
		if err := errors.Join(err, err2); err != nil {
			add("alerts.inhibit[%d]: %v", i, err)
		}
		if len(source) == 0 || len(target) == 0 {
			add("alerts.inhibit[%d]: source and target need at least one matcher each", i)
		}
		r.Inhibit = append(r.Inhibit, alert.Inhibit{Source: source, Target: target, Equal: c.Equal})
	}
	for _, c := range a.Maintenance {
		m, err := alert.NewMaintenance(c.Name, c.When, config.Duration(&f, "alerts.maintenance ("+c.Name+"): for", c.For), c.Match, r.Zone)
		if err != nil {
			add("alerts.maintenance (%s): %v", c.Name, err)
		}
		r.Maintenance = append(r.Maintenance, m)
	}
	sources := map[string]alert.Source{}
	for _, k := range alert.Kinds {
		sources[k.Name] = alert.Source{Name: k.Name, Kind: k, Zone: r.Zone}
	}
	for _, c := range a.Sources {
		s, err := alertSource(c, r.Zone)
		if err != nil {
			add("alerts.sources (%s): %v", c.Name, err)
		}
		sources[c.Name] = s
	}
	if len(f) > 0 {
		return nil, nil, f
	}
	return r, sources, nil
}

// mailsOf are addresses as receivers.
func mailsOf(list []string) (out []string) {
	for _, a := range list {
		out = append(out, alert.MailTo(a))
	}
	return out
}

func alertRoute(c config.AlertRoute, duty string, f *config.Faults) alert.Route {
	at := "alerts.routes (" + c.Name + ")"
	r := alert.DefaultRoute(append(slices.Clone(c.Groups), mailsOf(c.Mails)...)...)
	r.Name, r.GroupBy, r.Duty, r.Continue, r.Hears = c.Name, c.GroupBy, c.Duty, c.Continue, c.IgnoresSilences
	if r.Duty == "" {
		r.Duty = duty
	}
	var err error
	if r.Match, err = alert.ParseMatchers(c.Match); err != nil {
		*f = append(*f, fmt.Sprintf("%s: match: %v", at, err))
	}
	for _, d := range []struct {
		to   *time.Duration
		name string
		text string
	}{{&r.Wait, "wait", c.Wait}, {&r.Interval, "interval", c.Interval}, {&r.Repeat, "repeat", c.Repeat}} {
		if d.text != "" {
			*d.to = config.Duration(f, at+": "+d.name, d.text)
		}
	}
	if c.RepeatMost != 0 {
		r.Most = c.RepeatMost
	}
	return r
}

func alertSource(c config.AlertSource, zone *time.Location) (alert.Source, error) {
	kind, known := alert.FindKind(c.Kind)
	s := alert.Source{Name: c.Name, Kind: kind, Token: string(c.Token), Severity: c.Severity, Zone: zone, Owners: c.Owners}
	if !known {
		return s, fmt.Errorf("kind: %q is none of the kinds that are understood", c.Kind)
	}
	if c.Timezone != "" {
		if l, err := time.LoadLocation(c.Timezone); err == nil { // config checks it
			s.Zone = l
		}
	}
	m := c.Mapping
	text := alert.MappingText{Items: m.Items, When: m.When, Name: m.Name, Title: m.Title, Text: m.Text, State: m.State, Severity: m.Severity, Value: m.Value, StartedAt: m.StartedAt, Labels: m.Labels, URL: m.URL, Identity: m.Identity}
	var err error
	if s.Mapping, err = alert.NewMapping(text); err != nil {
		return s, fmt.Errorf("mapping: %w", err)
	}
	return s, nil
}

// runAlerts answers where an alert would go.
func runAlerts(_ context.Context, env Env, args []string) error {
	var file string
	rest, err := flags(env, "alerts", args, func(fs *flag.FlagSet) { fs.StringVar(&file, "config", "", "configuration file") })
	if err != nil {
		return err
	}
	if len(rest) < 2 || rest[0] != "route" {
		return usagef("alerts route [-config FILE] LABEL=VALUE… (source, kind, name and severity are labels too)")
	}
	cfg, err := env.load(file)
	if err != nil {
		return err
	}
	rules, _, err := alertRules(cfg)
	if err != nil {
		return err
	}
	l := alert.Labels{Source: "alertmanager", Kind: "alertmanager", Severity: alert.Warning, Labels: map[string]string{}}
	for _, pair := range rest[1:] {
		k, v, ok := strings.Cut(pair, "=")
		if !ok {
			return usagef("%q is no LABEL=VALUE", pair)
		}
		switch k {
		case "source":
			l.Source = v
		case "kind":
			l.Kind = v
		case "name", "alertname":
			l.Name = v
		case "severity":
			l.Severity = v
		default:
			l.Labels[k] = v
		}
	}
	c := rules.Choose(l)
	fmt.Fprintln(env.Stdout, c.Explain())
	if len(c.Groups) == 0 {
		fmt.Fprintln(env.Stdout, "nobody would be told: the route names no group (alerts.default_group)")
	}
	return nil
}
