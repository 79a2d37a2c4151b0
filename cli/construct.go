package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"frontline/bot/chat"
	"frontline/config"
	"frontline/handlers/construct"
	"frontline/store"
	"frontline/uat"
)

// openConstruct makes the engine of the configuration, nil where it is off.
// Everything that is wrong with recipes and environments comes at once.
func openConstruct(cfg *config.Config, s *store.Store, log *slog.Logger) (*construct.Engine, error) {
	c := cfg.Construct
	if !c.Enabled {
		return nil, nil
	}
	lib, faults := construct.LoadFS(construct.Examples, "recipes")
	if c.Recipes != "" {
		lib, faults = construct.LoadDir(c.Recipes)
	}
	envs, more := construct.LoadEnvironments(c.Environments)
	if faults = append(faults, more...); len(faults) > 0 {
		var f config.Faults
		for _, x := range faults {
			f = append(f, x.Error())
		}
		return nil, f
	}
	guard := &construct.Guard{DenyHosts: c.DenyHosts}
	for _, n := range c.DenyCIDRs {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return nil, err
		}
		guard.DenyCIDR = append(guard.DenyCIDR, p)
	}
	e, err := construct.Open(construct.Options{Zone: c.Zone, Recipes: lib, Envs: envs, Guard: guard, Store: s, Log: log})
	if errors.Is(err, construct.ErrZone) {
		return nil, config.Faults{"construct.zone: " + err.Error()}
	}
	if err != nil {
		return nil, err
	}
	e.Subscribers = subscribersOf(cfg)
	return e, e.Refresh(context.Background())
}

const constructUsage = "construct list | run [-env NAME] [-count N] [-seed N] [-clear] RECIPE KEY=VALUE… | check FILE…"

func runConstruct(ctx context.Context, env Env, args []string) error {
	var file, where string
	var count int
	var seed uint64
	var clear bool
	rest, err := flags(env, "construct", args, func(fs *flag.FlagSet) {
		fs.StringVar(&file, "config", "", "configuration file")
		fs.StringVar(&where, "env", "", "environment")
		fs.IntVar(&count, "count", 0, "how many")
		fs.Uint64Var(&seed, "seed", 0, "the same seed makes the same people")
		fs.BoolVar(&clear, "clear", false, "print the values in clear; this is recorded")
	})
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return usagef(constructUsage)
	}
	if rest[0] == "check" && len(rest) > 1 {
		return checkRecipes(env, rest[1:])
	}
	if rest[0] != "list" && rest[0] != "run" || rest[0] == "run" && len(rest) < 2 || rest[0] == "list" && len(rest) > 1 {
		return usagef(constructUsage)
	}
	e, done, err := env.openForConstruct(ctx, file, rest[0] == "list")
	if err != nil {
		return err
	}
	defer done()
	if rest[0] == "list" {
		return listRecipes(env, e)
	}
	o := construct.Order{Recipe: e.Library().Find(rest[1]), Env: where, Count: count, Seed: seed, Params: map[string]any{}, Source: "cli/" + randomKey(), Requester: chat.User{ID: "cli", Roles: chat.RoleSet{chat.Admin}}}
	if o.Recipe == nil {
		return usagef("no recipe %q; run construct list", rest[1])
	}
	for _, kv := range rest[2:] {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return usagef("%q is no KEY=VALUE", kv)
		}
		if v != "" {
			o.Params[k] = v
		}
	}
	return runRecipe(ctx, env, e, o, clear)
}

func randomKey() string {
	b := make([]byte, 12)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// checkRecipes checks files, or folders of files, as one library.
func checkRecipes(env Env, names []string) error {
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
	lib, faults := construct.Load(files)
	for _, f := range faults {
		fmt.Fprintln(env.Stderr, f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults", len(faults))
	}
	for _, r := range lib.Recipes {
		fmt.Fprintf(env.Stdout, "%s v%d: %d steps, ok\n", r.Name, r.Version, r.StepCount())
	}
	return nil
}

func listRecipes(env Env, e *construct.Engine) error {
	w := tabwriter.NewWriter(env.Stdout, 0, 4, 2, ' ', 0)
	for _, r := range e.Library().Recipes {
		var params []string
		for _, p := range r.Params {
			if p.Required {
				params = append(params, p.Name+"=…")
			} else if !p.Secret {
				params = append(params, "["+p.Name+"]")
			}
		}
		fmt.Fprintf(w, "%s\tv%d\t%s\t%s\t%s\n", r.Name, r.Version, r.Title, strings.Join(r.Environments, ","), strings.Join(params, " "))
	}
	return w.Flush()
}

func runRecipe(ctx context.Context, env Env, e *construct.Engine, o construct.Order, clear bool) error {
	w, err := e.Check(o)
	var no chat.Refusal
	if errors.As(err, &no) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if len(w.Missing) > 0 {
		var names []string
		for _, p := range w.Missing {
			names = append(names, p.Name+"= ("+p.Label+")")
		}
		return usagef("still missing: %s", strings.Join(names, ", "))
	}
	if w.Approval {
		return usagef("this needs a second person's approval: ask for it in chat")
	}
	var r store.Run
	if err := e.Store.InTx(ctx, func(tx *store.Tx) error { r, _, err = e.Create(tx, w); return err }); err != nil {
		return err
	}
	if r, err = e.Finish(ctx, r.Number); err != nil {
		return err
	}
	items, err := e.Store.RunItems(ctx, r.ID)
	if err != nil {
		return err
	}
	if clear {
		if err := e.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.Audit("cli", "run.reveal", fmt.Sprintf("R%d", r.Number), nil)
		}); err != nil {
			return err
		}
	}
	for _, i := range items {
		if i.State != store.ItemDone {
			fmt.Fprintf(env.Stdout, "%d %s %s: %s\n", i.Pos, i.State, i.FaultAt, i.Fault)
			continue
		}
		line := fmt.Sprint(i.Pos, " done")
		if clear {
			var outs map[string]any
			if err := json.Unmarshal(i.Outputs, &outs); err != nil {
				return err
			}
			for _, out := range o.Recipe.Outputs {
				line += fmt.Sprintf(" %s=%v", out.Name, outs[out.Name])
			}
		} else {
			for _, c := range construct.Card(i) {
				line += " " + c[0] + "=" + c[1]
			}
		}
		fmt.Fprintln(env.Stdout, line)
	}
	fmt.Fprintf(env.Stdout, "R%d %s %d/%d seed %d\n", r.Number, r.State, r.Good, r.Wanted, r.Seed)
	if r.State != store.RunDone {
		return fmt.Errorf("R%d ended as %s", r.Number, r.State)
	}
	return nil
}

// openForConstruct opens the engine of the configuration; without one it is the
// built-in recipes, the stand-in for test systems and a database that is thrown away.
func (e Env) openForConstruct(ctx context.Context, file string, quiet bool) (*construct.Engine, func(), error) {
	cfg, err := e.load(file)
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(e.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if cfg.Construct.Enabled {
		s, cfg, err := e.openStore(ctx, file)
		if err != nil {
			return nil, nil, err
		}
		eng, err := openConstruct(cfg, s, log)
		if err != nil {
			s.Close()
			return nil, nil, err
		}
		return eng, func() { eng.Close(); s.Close() }, nil
	}
	if cfg.Construct.Zone == "prod" {
		return nil, nil, config.Faults{"construct.zone: " + construct.ErrZone.Error()}
	}
	if !quiet {
		fmt.Fprintln(e.Stderr, "construct.enabled is not set: this runs against the built-in UAT stand-in, and nothing is kept")
	}
	return builtIn(ctx, log)
}

func builtIn(ctx context.Context, log *slog.Logger) (_ *construct.Engine, _ func(), err error) {
	dir, err := os.MkdirTemp("", "frontline-construct")
	if err != nil {
		return nil, nil, err
	}
	var undo []func()
	done := func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
	undo = append(undo, func() { os.RemoveAll(dir) })
	u, err := uat.Start(uat.Options{Dir: filepath.Join(dir, "uat")})
	if err != nil {
		done()
		return nil, nil, err
	}
	undo = append(undo, u.Close)
	if err := writeEnvironment(filepath.Join(dir, "environments"), u); err != nil {
		done()
		return nil, nil, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	s, err := store.Open(ctx, store.Options{URL: "sqlite:" + filepath.Join(dir, "frontline.db"), Key: key, Log: log})
	if err != nil {
		done()
		return nil, nil, err
	}
	undo = append(undo, func() { s.Close() })
	cfg := config.Default()
	cfg.Construct = config.Construct{Enabled: true, Zone: "demo", Environments: filepath.Join(dir, "environments")}
	eng, err := openConstruct(cfg, s, log)
	if err != nil {
		done()
		return nil, nil, err
	}
	undo = append(undo, eng.Close)
	return eng, done, nil
}

func writeEnvironment(dir string, u *uat.Server) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "uat.yaml"), []byte(u.Environment()), 0o600)
}

// runUAT is the stand-in for test systems, as a program of its own.
func runUAT(ctx context.Context, env Env, args []string) error {
	opt := uat.Options{}
	var show bool
	rest, err := flags(env, "uat", args, func(fs *flag.FlagSet) {
		fs.StringVar(&opt.HTTP, "listen", "127.0.0.1:8090", "address of this machine for HTTP and SOAP")
		fs.StringVar(&opt.TCP, "tcp", "127.0.0.1:8091", "address of this machine for calls over TCP")
		fs.StringVar(&opt.Dir, "dir", "frontline-uat", "folder of its database")
		fs.StringVar(&opt.Name, "name", "uat", "name of the environment")
		fs.DurationVar(&opt.Slow, "slow", 0, "until an account is active")
		fs.BoolVar(&show, "environment", false, "print the file for construct.environments")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("uat takes no arguments")
	}
	if !isLoopback(opt.HTTP) || !isLoopback(opt.TCP) {
		return usagef("uat listens on this machine only")
	}
	if opt.Dir, err = filepath.Abs(opt.Dir); err != nil {
		return err
	}
	u, err := uat.Start(opt)
	if err != nil {
		return err
	}
	defer u.Close()
	if show {
		fmt.Fprint(env.Stdout, u.Environment())
		return nil
	}
	fmt.Fprintf(env.Stdout, "UAT stand-in on %s, database %s\n", u.URL(), u.File())
	<-ctx.Done()
	return nil
}
