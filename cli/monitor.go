package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"frontline/config"
	"frontline/handlers"
	"frontline/handlers/alert"
	"frontline/handlers/monitor"
	"frontline/handlers/spec"
	"frontline/store"
	"frontline/uat"
)

// monitorSources makes the data sources of the configuration.
func monitorSources(cfg *config.Config) ([]*monitor.Target, error) {
	var f config.Faults
	var out []*monitor.Target
	for _, s := range cfg.Monitors.Sources {
		t, err := monitor.NewTarget(s.Name, string(s.URL), string(s.Token))
		if err != nil {
			f = append(f, fmt.Sprintf("monitors.sources (%s): url: %v", s.Name, err))
			continue
		}
		out = append(out, t)
	}
	if len(f) > 0 {
		return nil, f
	}
	return out, nil
}

// loadMonitors reads the sources and the items of the configuration; what is
// wrong comes at once.
func loadMonitors(cfg *config.Config) (*monitor.Sources, []*monitor.Item, error) {
	targets, err := monitorSources(cfg)
	if err != nil {
		return nil, nil, err
	}
	s := monitor.NewSources(targets, cfg.Monitors.Commands)
	if cfg.Monitors.Dir == "" {
		return s, nil, nil
	}
	items, faults := monitor.LoadDir(cfg.Monitors.Dir, s.Targets)
	return s, items, inConfig(cfg.Monitors.Dir, faults)
}

func inConfig(dir string, faults []spec.Fault) error {
	var f config.Faults
	for _, x := range faults {
		x.File = filepath.Join(dir, x.File)
		f = append(f, x.Error())
	}
	if len(f) > 0 {
		return f
	}
	return nil
}

const monitorUsage = "monitor list | address [-config FILE] NAME | check FILE… | run [-config FILE] NAME|FILE | replay [-config FILE] [-last N] NAME|FILE"

// runMonitor checks items and runs them by hand. Nothing is kept and nobody is
// told.
func runMonitor(ctx context.Context, env Env, args []string) error {
	var file string
	var last int
	rest, err := flags(env, "monitor", args, func(fs *flag.FlagSet) {
		fs.StringVar(&file, "config", "", "configuration file")
		fs.IntVar(&last, "last", 200, "how many results replay looks at")
	})
	if err != nil {
		return err
	}
	if len(rest) == 0 || rest[0] != "list" && len(rest) < 2 || rest[0] != "check" && len(rest) > 2 {
		return usagef(monitorUsage)
	}
	cfg, err := env.load(file)
	if err != nil {
		return err
	}
	if rest[0] == "check" {
		return checkMonitors(env, cfg, rest[1:])
	}
	if rest[0] == "address" {
		return printAddress(ctx, env, file, rest[1])
	}
	if !slices.Contains([]string{"run", "list", "replay"}, rest[0]) {
		return usagef(monitorUsage)
	}
	sources, items, done, err := env.pickMonitors(cfg, rest)
	if err != nil {
		return err
	}
	defer done()
	if rest[0] == "list" {
		for _, i := range items {
			fmt.Fprintf(env.Stdout, "%s %s  %s  %s\n", pad(i.Name, 24), pad(i.Title, 24), pad(i.Probe.Kind(), 8), i.When.Text)
		}
		return nil
	}
	for _, i := range items {
		if i.Name != rest[1] && (len(items) > 1 || !isFile(rest[1])) {
			continue
		}
		if i.Beat != nil {
			return usagef("%s is a heartbeat: it is called, not asked", i.Name)
		}
		c := &monitor.Checker{Sources: sources, Calendar: handlers.DefaultRules().Calendar}
		if rest[0] == "replay" {
			return replayMonitor(ctx, env, file, c, i, last)
		}
		return printOutcome(env.Stdout, c.Check(ctx, i, time.Now().In(cfg.Location()), nil))
	}
	return usagef("no monitor %q; run monitor list", rest[1])
}

// pickMonitors are the items of the configuration, or the one of a file; with
// nothing configured the samples, over the built-in stand-in for test systems.
func (e Env) pickMonitors(cfg *config.Config, args []string) (*monitor.Sources, []*monitor.Item, func(), error) {
	if len(args) > 1 && isFile(args[1]) {
		text, err := os.ReadFile(args[1])
		if err != nil {
			return nil, nil, nil, err
		}
		return oneMonitor(cfg, args[1], text)
	}
	if cfg.Monitors.Dir != "" {
		s, items, err := loadMonitors(cfg)
		if err != nil {
			return nil, nil, nil, err
		}
		return s, items, s.Close, nil
	}
	fmt.Fprintln(e.Stderr, "monitors.dir is not set: these are the built-in samples, over the built-in UAT stand-in")
	dir, err := os.MkdirTemp("", "frontline-monitor")
	if err != nil {
		return nil, nil, nil, err
	}
	u, err := uat.Start(uat.Options{Dir: dir})
	if err != nil {
		os.RemoveAll(dir)
		return nil, nil, nil, err
	}
	done := func() { u.Close(); os.RemoveAll(dir) }
	sample := config.Default()
	sample.Monitors.Sources = sampleSources(u)
	targets, err := monitorSources(sample)
	if err != nil {
		done()
		return nil, nil, nil, err
	}
	s := monitor.NewSources(targets, "")
	items, faults := monitor.LoadFS(monitor.Samples, "items", s.Targets)
	return s, items, func() { s.Close(); done() }, inConfig("", faults)
}

// sampleSources are what the sample items ask.
func sampleSources(u *uat.Server) []config.MonitorSource {
	return []config.MonitorSource{{Name: "uat.db", URL: config.Secret("sqlite:" + u.File())}, {Name: "uat.web", URL: config.Secret(u.URL())}}
}

func isFile(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.Mode().IsRegular()
}

func oneMonitor(cfg *config.Config, name string, text []byte) (*monitor.Sources, []*monitor.Item, func(), error) {
	targets, err := monitorSources(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	s := monitor.NewSources(targets, cfg.Monitors.Commands)
	items, faults := monitor.Load(map[string][]byte{name: text}, s.Targets)
	if err := inConfig("", faults); err != nil {
		return nil, nil, nil, err
	}
	return s, items, s.Close, nil
}

// checkMonitors checks files, or folders of files. Names of sources are checked
// where the configuration has some.
func checkMonitors(env Env, cfg *config.Config, names []string) error {
	targets, err := monitorSources(cfg)
	if err != nil {
		return err
	}
	var known map[string]*monitor.Target
	if len(targets) > 0 {
		known = monitor.NewSources(targets, "").Targets
	}
	files := map[string][]byte{}
	for _, n := range names {
		list := []string{n}
		if st, err := os.Stat(n); err == nil && st.IsDir() {
			if list, err = filepath.Glob(filepath.Join(n, "*.yaml")); err != nil {
				return err
			}
		}
		for _, f := range list {
			b, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			files[f] = b
		}
	}
	items, faults := monitor.Load(files, known)
	for _, f := range faults {
		fmt.Fprintln(env.Stderr, f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults", len(faults))
	}
	for _, i := range items {
		fmt.Fprintf(env.Stdout, "%s: %s, %d rules, ok\n", i.Name, i.When.Text, len(i.Rules))
	}
	return nil
}

func printOutcome(w io.Writer, o monitor.Outcome) error {
	fmt.Fprintf(w, "%s  %s  %d ms\n", o.Item.Title, o.At.Format(time.DateTime), o.Took.Milliseconds())
	if o.State != monitor.StateOK {
		fmt.Fprintln(w, o.Fault)
		return errors.New("the check found nothing to judge")
	}
	width := 8
	for _, c := range o.Table.Cells {
		width = max(width, columns(c.Key))
	}
	for _, c := range o.Table.Cells {
		fmt.Fprintf(w, "  %s %10s %8s\n", pad(c.Key, width), monitor.Count(c.N), c.Share)
	}
	if o.Item.Breakdown != nil {
		fmt.Fprintf(w, "  %s %10s\n", pad("合计", width), monitor.Count(o.Table.Total))
	}
	if len(o.Table.Unexpected) > 0 {
		fmt.Fprintln(w, "  没有列出的：", strings.Join(o.Table.Unexpected, "、"))
	}
	said := map[monitor.Verdict]string{monitor.True: "触发", monitor.False: "正常", monitor.Unknown: "不知道"}
	for i, v := range o.Verdicts {
		fmt.Fprintf(w, "  %s %s %s  %s\n", pad(v.Rule, width), pad(said[v.When], 6), o.Item.Rules[i].Severity, v.Why)
	}
	return nil
}

// replayMonitor applies the rules of an item to what was found before.
func replayMonitor(ctx context.Context, env Env, file string, c *monitor.Checker, i *monitor.Item, n int) error {
	s, cfg, err := env.openStore(ctx, file)
	if err != nil {
		return err
	}
	defer s.Close()
	r := &monitor.Runner{Store: s, Checker: c}
	steps, err := r.Replay(ctx, i, n)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		fmt.Fprintf(env.Stdout, "%s：还没有结果\n", i.Name)
		return nil
	}
	alarms := 0
	for _, st := range steps {
		for _, ch := range st.Changes {
			word := "恢复"
			if !ch.Ends {
				word = "告警"
				alarms++
			}
			fmt.Fprintf(env.Stdout, "%s  %s %s  %s\n", st.At.In(cfg.Location()).Format(time.DateTime), word, pad(ch.Rule, 16), ch.Title)
		}
	}
	fmt.Fprintf(env.Stdout, "%d 次检查，告警 %d 次\n", len(steps), alarms)
	return nil
}

// printAddress prints where the sender of a heartbeat calls.
func printAddress(ctx context.Context, env Env, file, name string) error {
	s, cfg, err := env.openStore(ctx, file)
	if err != nil {
		return err
	}
	defer s.Close()
	r, err := openMonitors(cfg, s, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer r.Checker.Sources.Close()
	i := r.Find(name)
	if i == nil || i.Beat == nil {
		return usagef("no heartbeat %q in monitors.dir", name)
	}
	fmt.Fprintln(env.Stdout, r.Address(i))
	return nil
}

// openMonitors makes what runs the items of the configuration.
func openMonitors(cfg *config.Config, s *store.Store, desk *alert.Desk, log *slog.Logger) (*monitor.Runner, error) {
	sources, _, err := loadMonitors(cfg)
	if err != nil {
		return nil, err
	}
	shelf := &monitor.Shelf{Dir: cfg.Monitors.Dir, Targets: sources.Targets, Store: s, Log: log}
	r := &monitor.Runner{Store: s, Alerts: desk, Checker: &monitor.Checker{Sources: sources, Calendar: handlers.DefaultRules().Calendar}, Log: log, URL: cfg.PublicURL, Shelf: shelf, Load: shelf.Load, Changed: shelf.Stamp}
	r.Read()
	return r, nil
}

// openWatch makes what watches the program itself, from inside and outside.
func (e *engine) openWatch(log *slog.Logger) {
	e.self = &monitor.Self{Store: e.store, Alerts: e.alerts, Runner: e.monitors, Log: log}
	for _, j := range e.jobs.List {
		e.self.Jobs = append(e.self.Jobs, j.Name)
	}
	if e.cfg.Heartbeat.URL != "" {
		var none config.Faults // it was checked with the configuration
		e.alive = &monitor.Alive{Store: e.store, URL: string(e.cfg.Heartbeat.URL), Every: config.Duration(&none, "heartbeat.every", e.cfg.Heartbeat.Every), Log: log}
	}
}

// writeSamples gives a demo its items, as files that people can change; what is
// there already stays.
func writeSamples(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	samples, err := fs.Sub(monitor.Samples, "items")
	if err != nil {
		return err
	}
	return os.CopyFS(dir, samples)
}
