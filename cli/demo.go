package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/config"
	"frontline/kb/sample"
	"frontline/store"
	"frontline/uat"
)

func demoDir(dir string) (string, error) {
	if dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder (%w); name one with -dir", err)
	}
	return filepath.Join(cache, "frontline-demo"), nil
}

func runDemo(ctx context.Context, env Env, args []string) error {
	var listen, dir string
	var reset, long bool
	var past pastOptions
	rest, err := flags(env, "demo", args, func(fs *flag.FlagSet) {
		fs.StringVar(&listen, "listen", "127.0.0.1:8080", "address of this machine to listen on")
		fs.StringVar(&dir, "dir", "", "folder of the demo's data (default: frontline-demo in your cache folder)")
		fs.BoolVar(&reset, "reset", false, "begin with empty data")
		past.flags(fs)
		fs.BoolVar(&long, "link", false, "the smart bot by its long connection, not by callbacks")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("demo takes no arguments")
	}
	if !isLoopback(listen) {
		return usagef("demo listens on this machine only, such as 127.0.0.1:8080: it lets anybody in")
	}
	if dir, err = demoDir(dir); err != nil {
		return err
	}
	if reset {
		if err := resetDemo(dir); err != nil {
			return err
		}
	}
	if err := makePast(ctx, env, dir, past); err != nil {
		return err
	}
	d, err := startDemo(ctx, env, demoOptions{dir: dir, listen: listen, long: long})
	if err != nil {
		return err
	}
	defer d.close()
	fmt.Fprintf(env.Stdout, "Frontline demo is ready: http://%s/\nTalk to it in a second terminal: frontline chat   (or: go run . chat)\nData: %s   Stop: Ctrl C\n", d.listener.Addr(), dir)
	return d.run(ctx)
}

func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// demoFiles is what a demo writes into its folder; -reset removes only that.
var demoFiles = []string{"frontline.db", "uat", "environments", "monitors", "frontline.db-wal", "frontline.db-shm", "frontline.db.lock", "frontline.key", "demo.json", "keys.json", "files", "spool", pastFile}

func resetDemo(dir string) error {
	if at, err := readDemo(dir); err == nil && at.answers() {
		return fmt.Errorf("a demo runs on this data (%s); stop it first", at.URL)
	}
	for _, name := range demoFiles {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// demo is a running demo: the product, and the stand-in it talks to.
type demo struct {
	dir      string
	engine   *engine
	listener net.Listener
	standin  *standin.Server
	uat      *uat.Server // the test systems that recipes call
	platform net.Listener
	where    whereabouts
}

type demoOptions struct {
	dir, listen string
	long        bool             // the smart bot has a long connection
	clock       func() time.Time // nil: time.Now
}

// startDemo makes everything ready; run serves it.
func startDemo(ctx context.Context, env Env, o demoOptions) (d *demo, err error) {
	dir := o.dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if o.clock == nil {
		o.clock = time.Now
	}
	d = &demo{dir: dir}
	made := d // a return of nil comes before what is deferred
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	k, err := demoKeys(dir)
	if err != nil {
		return nil, err
	}
	if d.listener, err = net.Listen("tcp", o.listen); err != nil {
		return nil, fmt.Errorf("%w; choose another address with -listen", err)
	}
	if d.platform, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	own, platform := "http://"+d.listener.Addr().String(), "http://"+d.platform.Addr().String()
	people := company(k, own, platform, o.long, hasPast(dir))
	people.Now = o.clock
	if d.standin, err = standin.New(people); err != nil {
		return nil, err
	}
	// The platform answers before the product asks it anything.
	go newServer(d.standin).Serve(d.platform)
	if d.uat, err = uat.Start(uat.Options{Dir: filepath.Join(dir, "uat"), Slow: 300 * time.Millisecond}); err != nil {
		return nil, err
	}
	if err = writeEnvironment(filepath.Join(dir, "environments"), d.uat); err != nil {
		return nil, err
	}
	if err = writeSamples(filepath.Join(dir, "monitors")); err != nil {
		return nil, err
	}
	cfg := demoConfig(k, dir, own, platform)
	if o.long {
		cfg.WeCom.Bot = config.Bot{Name: cfg.WeCom.Bot.Name, ID: demoBot, Secret: config.Secret(k.BotSecret), WSURL: "ws" + strings.TrimPrefix(platform, "http") + "/standin/ws"}
	}
	cfg.Monitors = config.Monitors{Dir: filepath.Join(dir, "monitors"), Sources: sampleSources(d.uat)}
	for to, name := range map[*config.Secret]string{&cfg.Hooks.Token: "FRONTLINE_HOOKS_TOKEN", &cfg.API.Token: "FRONTLINE_API_TOKEN"} {
		if v := env.get(name); v != "" {
			*to = config.Secret(v)
		}
	}
	if cfg.LLM, err = demoModel(env); err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: demoLevel(env)}))
	if d.engine, err = newEngine(ctx, cfg, log, simPlatform{d.standin}, o.clock); err != nil {
		return nil, err
	}
	if err = seed(ctx, d.engine); err != nil {
		return nil, fmt.Errorf("sample data: %w", err)
	}
	d.where = whereabouts{URL: own, Platform: platform, Token: k.Control}
	return d, nil
}

// demoModel is the language model that the variables of serve name: none, unless
// somebody wants to try one.
func demoModel(env Env) (config.LLM, error) {
	var vars []string
	for _, kv := range env.Vars {
		if strings.HasPrefix(kv, config.Prefix+"LLM_") {
			vars = append(vars, kv)
		}
	}
	c, err := config.Load("", vars)
	if err != nil {
		return config.LLM{}, err
	}
	return c.LLM, nil
}

func demoLevel(env Env) slog.Level {
	level := slog.LevelWarn
	if l := env.get("FRONTLINE_LOG_LEVEL"); l != "" {
		level.UnmarshalText([]byte(l))
	}
	return level
}

func (d *demo) run(ctx context.Context) error {
	if err := writeDemo(d.dir, d.where); err != nil {
		return err
	}
	defer os.Remove(filepath.Join(d.dir, whereFile))
	return serve(ctx, d.listener, d.engine)
}

func (d *demo) close() {
	if d.engine != nil {
		d.engine.close()
	}
	if d.standin != nil {
		d.standin.Close()
	}
	if d.uat != nil {
		d.uat.Close()
	}
	for _, l := range []net.Listener{d.listener, d.platform} {
		if l != nil {
			l.Close()
		}
	}
}

// demoConfig is the configuration of a demo: the same options as for serve.
func demoConfig(k keys, dir, own, platform string) *config.Config {
	c := config.Default()
	c.Listen, c.PublicURL = "", own
	c.Database.URL = config.Secret("sqlite:" + filepath.Join(dir, "frontline.db"))
	c.WeCom.CorpID, c.WeCom.APIBase = k.CorpID, platform
	c.WeCom.App = config.App{AgentID: demoAgent, Secret: config.Secret(k.AppSecret), Token: config.Secret(k.AppToken), AESKey: config.Secret(k.AppAESKey)}
	c.WeCom.Bot.Token, c.WeCom.Bot.AESKey = config.Secret(k.BotToken), config.Secret(k.BotAESKey)
	c.Admins = []string{"zhoulan"}
	for _, g := range demoGroups {
		c.Groups = append(c.Groups, config.Group{Name: g.name, Title: g.title, RobotKey: config.Secret(k.Robots[g.name]), ChatID: g.chat, Owners: []string{"zhoulan"}})
	}
	c.ServiceGroups = demoServiceGroups
	c.Alerts.Duty = "trading"
	c.Tickets.Group, c.Alerts.DefaultGroup = "trading-support", "trading-support"
	// Who looks at a demo does not wait two minutes for the end of an alert.
	c.Alerts.Routes = []config.AlertRoute{{Name: "demo", Groups: []string{"trading-support"}, Interval: "5s"}}
	c.Construct = config.Construct{Enabled: true, Zone: "demo", Environments: filepath.Join(dir, "environments")}
	c.Hooks.Token, c.API.Token = config.Secret(k.Hooks), config.Secret(k.API)
	return c
}

// seed gives an empty database its people and its knowledge; what is there
// already stays.
func seed(ctx context.Context, e *engine) error {
	known, err := e.store.ListEntries(ctx, 0, 1)
	if err != nil {
		return err
	}
	return errors.Join(seedPeople(ctx, e.store), seedKnowledge(ctx, e, len(known) > 0))
}

func seedPeople(ctx context.Context, s *store.Store) error {
	return s.InTx(ctx, func(tx *store.Tx) error {
		for _, p := range demoPeople {
			u, err := tx.FindMember(p.id)
			if err == nil && u.Name != "" {
				continue // from an earlier run; roles changed since stay changed
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err := tx.MeetMember(p.id, p.name, p.department); err != nil {
				return err
			}
			if err := tx.SetRoles("demo", p.id, append(chat.RoleSet{chat.Reporter}, p.roles...)); err != nil {
				return err
			}
		}
		return nil
	})
}

func seedKnowledge(ctx context.Context, e *engine, have bool) error {
	if have {
		return nil
	}
	entries := sample.Entries(e.store.Now())
	if err := e.store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.PutEntries("demo", entries)
		return err
	}); err != nil {
		return err
	}
	return e.know.Load(ctx, e.store)
}
