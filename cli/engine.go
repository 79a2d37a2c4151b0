package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"frontline/bot"
	"frontline/bot/chat"
	"frontline/config"
	"frontline/handlers"
	"frontline/handlers/alert"
	"frontline/handlers/construct"
	"frontline/handlers/monitor"
	"frontline/kb"
	"frontline/kb/llm"
	"frontline/store"
	"frontline/web"
)

// engine is the whole program, put together from its parts.
type engine struct {
	cfg      *config.Config
	log      *slog.Logger
	clock    func() time.Time
	meters   *meters
	calls    calls
	store    *store.Store
	redis    *store.Redis
	know     *kb.Engine
	model    *llm.Client // nil: there is none
	vectors  *kb.Vectors // nil: words alone find entries
	slow     *handlers.Jobs
	client   *bot.Client
	callback *bot.Callback
	spool    *bot.FileSpool
	link     *bot.Link // nil: the smart bot has no long connection
	worker   *handlers.Worker
	jobs     *handlers.Jobs
	alerts   *alert.Desk
	hooks    *alert.Hooks
	deliver  *bot.Deliverer
	handler  http.Handler
	files    *store.Files
	data     *construct.Engine // nil: data construction is off
	monitors *monitor.Runner
	alive    *monitor.Alive // nil: nobody hears of us
	self     *monitor.Self
}

// newEngine opens and wires everything; nothing runs yet. platform is the
// stand-in of a demo, nil for the real one; clock is everybody's.
func newEngine(ctx context.Context, cfg *config.Config, log *slog.Logger, platform web.Platform, clock func() time.Time) (e *engine, err error) {
	demo := platform != nil
	e = &engine{cfg: cfg, log: log, clock: clock, meters: newMeters()}
	made := e // a return of nil comes before what is deferred
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	rules, sources, err := alertRules(cfg)
	if err != nil {
		return nil, err
	}
	if err = e.openStore(ctx, log); err != nil {
		return nil, err
	}
	alertLog := log.With("component", "alert")
	e.alerts = alert.NewDesk(e.store, rules, alertLog)
	e.alerts.Chats, e.alerts.Subscribers = chatIDs(cfg), subscribersOf(cfg)
	e.hooks = alert.NewHooks(e.alerts, sources, string(cfg.Hooks.Token), alertLog)
	e.hooks.Observe, e.hooks.Mine = e.meters.sawHook, e.store.AppliesAlerts
	if err = checkGroups(ctx, cfg, e.store); err != nil {
		return nil, err
	}
	e.model = e.openModel()
	e.know = kb.NewEngine(kb.Options{Snapshot: snapshotFile(cfg), Log: log.With("component", "kb"), Observe: e.meters.sawSearch})
	e.openVectors()
	if err = e.know.Load(ctx, e.store); err != nil {
		return nil, fmt.Errorf("load the knowledge base: %w", err)
	}
	TuneGC()
	files, err := e.store.OpenFiles(ctx, filesURL(cfg), store.FilesKeys{AccessKey: cfg.Files.AccessKey, SecretKey: string(cfg.Files.SecretKey)})
	if err != nil {
		return nil, err
	}
	e.files = files
	if err = e.openClient(files); err != nil {
		return nil, err
	}
	keys, err := e.openCallback(demo)
	if err != nil {
		return nil, err
	}
	if e.data, err = openConstruct(cfg, e.store, log.With("component", "construct")); err != nil {
		return nil, err
	}
	if e.monitors, err = openMonitors(cfg, e.store, e.alerts, log.With("component", "monitor")); err != nil {
		return nil, err
	}
	e.monitors.Observe = e.meters.sawCheck
	if err = e.openDesk(files, keys, demo); err != nil {
		return nil, err
	}
	e.openWatch(log.With("component", "monitor"))
	if err = e.worker.Desk.LayRoster(ctx); err != nil { // the configuration may be new
		return nil, fmt.Errorf("lay the roster: %w", err)
	}
	e.handler, err = e.routes(platform)
	return e, err
}

// subscribersOf are the programs that hear of events.
func subscribersOf(cfg *config.Config) (out chat.Subscribers) {
	for _, h := range cfg.Webhooks {
		out = append(out, chat.Subscriber{Name: h.Name, Events: h.Events})
	}
	return out
}

// chatIDs are the chats of the configured groups, by name.
func chatIDs(cfg *config.Config) map[string]string {
	out := map[string]string{}
	for _, g := range cfg.Groups {
		out[g.Name] = g.ChatID
	}
	return out
}

func (e *engine) openStore(ctx context.Context, log *slog.Logger) error {
	key, err := encryptionKey(e.cfg, log)
	if err != nil {
		return err
	}
	opt := store.Options{URL: string(e.cfg.Database.URL), Key: key, Log: log.With("component", "store"), Serve: true, Now: e.now}
	if e.cfg.Redis.URL != "" {
		if e.redis, err = store.OpenRedis(string(e.cfg.Redis.URL)); err != nil {
			return err
		}
		opt.Bell = e.redis
	}
	if e.store, err = store.Open(ctx, opt); err != nil {
		return err
	}
	e.meters.reg.MustRegister(e.store.Collector())
	return e.ensureAdmins(ctx)
}

// now is the clock of everything: in the configured time zone, so that times
// in words are the readers' times.
func (e *engine) now() time.Time { return e.clock().In(e.cfg.Location()) }

// ensureAdmins gives the configured administrators their role.
func (e *engine) ensureAdmins(ctx context.Context) error {
	for _, id := range e.cfg.Admins {
		u, err := e.store.FindMember(ctx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if u.Roles.Has(chat.Admin) {
			continue
		}
		roles, err := chat.ParseRoles(u.Roles.String() + ",reporter,admin")
		if err != nil {
			return err
		}
		if err := e.store.InTx(ctx, func(tx *store.Tx) error { return tx.SetRoles("config", id, roles) }); err != nil {
			return err
		}
	}
	return nil
}

func filesURL(cfg *config.Config) string {
	if cfg.Files.URL != "" {
		return cfg.Files.URL
	}
	if dir, ok := sqliteDir(cfg); ok {
		return "dir:" + filepath.Join(dir, "files")
	}
	return "dir:files"
}

func (e *engine) openClient(files *store.Files) (err error) {
	opt := bot.ClientOptions{CorpID: e.cfg.WeCom.CorpID, AgentID: e.cfg.WeCom.App.AgentID, Secret: string(e.cfg.WeCom.App.Secret), APIBase: e.cfg.WeCom.APIBase,
		Robot: e.robotKey, Files: files, Log: e.log.With("component", "wecom"), Now: e.now, Observe: e.sawCall}
	if e.redis != nil {
		opt.Tokens, opt.Budget = e.redis, e.redis
	}
	e.client, err = bot.NewClient(opt)
	return err
}

func (e *engine) openCallback(demo bool) (botKeys []*bot.Keys, err error) {
	w := e.cfg.WeCom
	opt := bot.Options{Corp: w.CorpID, AgentID: fmt.Sprint(w.App.AgentID), Inbox: e.store, Replies: e.store, Log: e.log, Now: e.now, Observe: e.meters.sawCallback}
	if w.App.Token != "" {
		k, err := bot.NewKeys(string(w.App.Token), string(w.App.AESKey), w.CorpID)
		if err != nil {
			return nil, fmt.Errorf("wecom.app: %w", err)
		}
		opt.AppKeys = append(opt.AppKeys, k)
	}
	if w.Bot.Token != "" {
		k, err := bot.NewKeys(string(w.Bot.Token), string(w.Bot.AESKey), "")
		if err != nil {
			return nil, fmt.Errorf("wecom.bot: %w", err)
		}
		opt.BotKeys = append(opt.BotKeys, k)
	}
	dir := "."
	if d, ok := sqliteDir(e.cfg); ok {
		dir = d
	}
	seal := func(b []byte) ([]byte, error) { return e.store.Seal("spool", b), nil }
	unseal := func(b []byte) ([]byte, error) { return e.store.Unseal("spool", b) }
	if e.spool, err = bot.OpenSpool(filepath.Join(dir, "spool"), seal, unseal); err != nil {
		return nil, err
	}
	opt.Spool = e.spool
	e.callback = bot.NewCallback(opt)
	e.openLink()
	return opt.BotKeys, nil
}

// openLink makes the smart bot's long connection; run holds it.
func (e *engine) openLink() {
	w := e.cfg.WeCom
	if w.Bot.ID == "" {
		return
	}
	e.link = bot.NewLink(bot.LinkOptions{URL: w.Bot.WSURL, BotID: w.Bot.ID, Secret: string(w.Bot.Secret), Corp: w.CorpID, Inbox: e.store, Spool: e.spool, Owner: e.store.SpeaksForBot,
		Log: e.log.With("component", "link"), Now: e.now, Arrived: e.meters.sawCallback, Observe: e.sawCall})
	e.meters.watchLink(e.link)
	e.alerts.Cards = true
}

func (e *engine) openDesk(files *store.Files, keys []*bot.Keys, demo bool) error {
	log := e.log.With("component", "desk")
	desk := &handlers.Desk{Alerts: e.alerts, Monitors: e.monitors, Construct: e.data, Files: files, Store: e.store, Knowledge: e.know, Log: log, Name: e.cfg.WeCom.Bot.Name, PublicURL: e.cfg.PublicURL, SecondPerson: e.cfg.Knowledge.SecondPerson, Announce: e.cfg.Tickets.Group,
		Required: e.cfg.Tickets.Required, Rules: ticketRules(e.cfg)}
	if e.client.HasApp() {
		desk.Directory = directory{e.client}
	}
	desk.Fetcher = &attachments{client: e.client, bot: bot.NewMediaFetcher(maxAttachment, demo), keys: keys, files: files}
	if e.model != nil {
		desk.Model, desk.Answers = model{e.model}, e.cfg.LLM.Answers
	}
	if e.vectors != nil {
		desk.Embedding = &kb.Embedding{Vectors: e.vectors, Store: e.store, Now: e.now}
	}
	for _, g := range e.cfg.Groups {
		desk.Chats = append(desk.Chats, handlers.GroupChat{Name: g.Name, Title: g.Title, ChatID: g.ChatID, Robot: g.RobotKey != ""})
	}
	desk.Subscribers = subscribersOf(e.cfg)
	names := []string{e.cfg.WeCom.Bot.Name}
	e.worker = &handlers.Worker{Store: e.store, Desk: desk, Router: handlers.NewRouter(handlers.NewCommands(desk), names), Log: log, Observe: e.meters.sawTurn}
	e.slow = &handlers.Jobs{Store: e.store, Log: log, List: handlers.NewSlowJobs(desk)}
	e.jobs = &handlers.Jobs{Store: e.store, Log: log, List: handlers.NewJobs(desk, time.Duration(e.cfg.Retention.MessageDays)*24*time.Hour)}
	var subscribers []bot.Hook
	for _, h := range e.cfg.Webhooks {
		key, err := h.Key()
		if err != nil {
			return fmt.Errorf("webhooks (%s): secret: %w", h.Name, err)
		}
		subscribers = append(subscribers, bot.Hook{Name: h.Name, URL: h.URL, Key: key})
	}
	mail, err := openMail(e.cfg, e.now)
	if err != nil {
		return err
	}
	e.deliver = bot.NewDeliverer(bot.DelivererOptions{Mail: mail, Outbox: e.store, Client: e.client, Link: e.link, Hooks: bot.NewHooks(subscribers, e.now), Log: e.log.With("component", "deliver"), Now: e.now, Trouble: e.trouble})
	return nil
}

// trouble tells a group's owners, by the app, that its robot does not work, and
// the administrators that the mail server does not.
func (e *engine) trouble(to chat.Address, cause error) {
	if to.Kind != chat.Robot && to.Kind != chat.Mailbox || !e.client.HasApp() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	text := "邮件发不出去：%[2]v\n要发的都留着，修好后会补发。"
	title, owners, place := "", e.cfg.Admins, "mail"
	if to.Kind == chat.Robot {
		var err error
		text, place = "群「%s」的机器人发不出消息：%v\n要发的话都留着，修好后会补发。", to.ID
		if title, owners, err = e.groupOwners(ctx, to.ID); err != nil {
			e.log.Error("find a group's owners", "err", err)
		}
	}
	for _, owner := range owners {
		err := e.store.InTx(ctx, func(tx *store.Tx) error {
			return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("trouble/%s/%s/%s", place, owner, tx.Now().Format("2006010215")), To: chat.Address{Kind: chat.Person, ID: owner, Via: chat.App},
				Body: chat.Body{Text: fmt.Sprintf(text, title, cause)}})
		})
		if err != nil {
			e.log.Error("tell a group's owner", "err", err)
		}
	}
}

func (e *engine) routes(platform web.Platform) (http.Handler, error) {
	opt := web.Options{DemoPeople: demoIDs(), Version: Version, APIToken: string(e.cfg.API.Token), Demo: platform != nil, Platform: platform, PublicURL: e.cfg.PublicURL, Lang: e.cfg.Lang, Log: e.log.With("component", "web"), Now: e.now,
		Preview: previews, Store: e.store, Desk: e.worker.Desk, Knowledge: e.know, Metrics: e.meters.reg, Doctor: e.doctor, Monitors: e.monitors, Health: e.health, LastCheck: e.monitors.LastCheck, Files: e.files,
		Checks: []web.Check{
			{Name: "database", Test: e.store.Ping},
			{Name: "index", Test: func(context.Context) error {
				if !e.know.Ready() {
					return errors.New("the knowledge index is not loaded")
				}
				return nil
			}},
		}}
	if e.client.HasApp() && platform == nil {
		opt.Login = e.client
	}
	if e.model != nil {
		opt.Model = e.modelState
	}
	for _, i := range e.cfg.List() {
		opt.Settings = append(opt.Settings, web.Setting(i))
	}
	for _, h := range e.cfg.Webhooks {
		opt.Hooks = append(opt.Hooks, web.HookInfo{Name: h.Name, URL: h.URL, Events: h.Events})
	}
	for _, g := range e.cfg.Groups {
		opt.Groups = append(opt.Groups, web.GroupInfo{Name: g.Name, Title: g.Title, HasRobot: g.RobotKey != "", ChatID: g.ChatID, Owners: g.Owners})
	}
	console, err := web.New(opt)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/wecom/app", e.callback.AppHandler())
	mux.Handle("/wecom/bot", e.callback.BotHandler())
	mux.Handle("/hooks/{source}", e.hooks)
	mux.Handle("/hooks/{source}/api/v2/alerts", e.hooks) // where Prometheus itself posts, under a path_prefix
	beats := &monitor.Beats{Runner: e.monitors, Log: e.monitors.Log}
	mux.Handle("/beat/{token}", beats)
	mux.Handle("/beat/{token}/{what}", beats)
	mux.Handle("/", console)
	return mux, nil
}

// entryPoll is how often the index looks for changes of other processes.
const entryPoll = 400 * time.Millisecond

// run works until ctx ends: requests are the caller's; the parts finish what
// they hold, then the leases are released.
func (e *engine) run(ctx context.Context) error {
	if err := e.store.Lead(ctx); err != nil {
		return ignoreCanceled(err) // stopped before it began
	}
	// The leases outlive the parts that work under them.
	leases, release := context.WithCancel(context.WithoutCancel(ctx))
	released := make(chan error, 1)
	go func() { released <- e.store.Run(leases) }()
	// So does the long connection: what is being said is finished over it.
	unlink := e.holdLink(leases)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.worker.Run(gctx) })
	g.Go(func() error { return e.deliver.Run(gctx) })
	g.Go(func() error { return e.jobs.Run(gctx) })
	g.Go(func() error { return e.slow.Run(gctx) })
	g.Go(func() error { return handlers.Importer{Desk: e.worker.Desk}.Run(gctx) })
	g.Go(func() error { return e.alerts.Run(gctx) })
	g.Go(func() error { return e.hooks.Run(gctx) })
	g.Go(func() error { return e.monitors.Run(gctx) })
	g.Go(func() error { return e.self.Run(gctx) })
	if e.alive != nil {
		g.Go(func() error { return e.alive.Run(gctx) })
	}
	g.Go(func() error { return e.know.Follow(gctx, e.store, entryPoll) })
	if e.vectors != nil {
		g.Go(func() error { return e.vectors.Follow(gctx, e.store, vectorPoll) })
	}
	g.Go(func() error { return e.drain(gctx) })
	if e.data != nil {
		g.Go(func() error { return e.data.Run(gctx) })
	}
	err := g.Wait()
	unlink()
	release()
	return errors.Join(ignoreCanceled(err), ignoreCanceled(<-released))
}

// holdLink holds the long connection until the returned function is called,
// which waits until what was received is stored.
func (e *engine) holdLink(ctx context.Context) (unlink func()) {
	if e.link == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.link.Run(ctx) // it ends only with ctx
	}()
	return func() { cancel(); <-done }
}

// drain brings spooled messages into the inbox once the database is back.
func (e *engine) drain(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if e.spool.Waiting() > 0 {
			err := e.spool.Drain(ctx, func(ctx context.Context, m chat.Message) error {
				_, err := e.store.Accept(ctx, m)
				return err
			})
			if err != nil && ctx.Err() == nil {
				e.log.Warn("drain the spool", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (e *engine) close() {
	if e.monitors != nil {
		e.monitors.Checker.Sources.Close()
	}
	if e.client != nil {
		e.client.Close()
	}
	if e.store != nil {
		if err := e.store.Close(); err != nil {
			e.log.Warn("close the store", "err", err)
		}
	}
	if e.spool != nil {
		e.spool.Close()
	}
	if e.redis != nil {
		e.redis.Close()
	}
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
