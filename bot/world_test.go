package bot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot"
	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/store"
	"frontline/store/storetest"
)

const (
	corpID   = "ww7f3a2b1c9d8e7f60"
	agentID  = 1000002
	secret   = "canary-app-secret-4c1f"
	robotKey = "canary-7b1e-4c3a-9d55-0123456789ab"
	aesKey   = "kX9vT2mQ4rL8sN6pJ1wE5yU7iO3aZ0cB2dF4gH6jK8l"
	group    = "wrGroup1"
	botID    = "aib-1"
)

var (
	robot  = chat.Address{Kind: chat.Robot, ID: "告警群"}
	qianer = chat.Address{Kind: chat.Person, ID: "qianer", Via: chat.App}
)

// handClock is moved by hand.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is the platform's stand-in behind a real listener, a real store, and
// the client and deliverer between them. All share one clock, moved by hand.
type world struct {
	t       *testing.T
	clock   *handClock
	plat    *standin.Server
	url     string
	dbURL   string
	box     *store.Store
	client  *bot.Client
	deliver *bot.Deliverer
	files   memFiles
	robots  robotKeys
	hooks   *bot.Hooks  // subscribers, if a test has some
	mail    *bot.Mailer // the way to a mail server, if a test has one
	link    *bot.Link   // the smart bot's long connection, if a test has one
	log     *lockedBuffer
	trouble []string
	handler http.Handler // of the smart bot's callbacks
	got     chan chat.Message
	keys    int
	change  func(*bot.ClientOptions)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

type memFiles map[string][]byte

func (f memFiles) Get(_ context.Context, id string) ([]byte, error) {
	if b, ok := f[id]; ok {
		return b, nil
	}
	return nil, errors.New("no such file")
}

// robotKeys are the keys of robots by their groups' names.
type robotKeys map[string]string

func (k robotKeys) key(_ context.Context, group string) (string, error) { return k[group], nil }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newWorld(t *testing.T, change ...func(*standin.Options, *bot.ClientOptions)) *world {
	t.Helper()
	w := &world{t: t, clock: &handClock{now: time.Date(2025, 3, 10, 9, 30, 0, 0, time.UTC)}, files: memFiles{}, robots: robotKeys{robot.ID: robotKey}, log: &lockedBuffer{},
		got: make(chan chat.Message, 10), dbURL: storetest.SQLite(t)}
	opt := standin.Options{CorpID: corpID, Now: w.clock.Now, Rand: rand.New(rand.NewPCG(1, 2)),
		Apps:   []standin.App{{AgentID: agentID, Name: "一线助手", Secret: secret, Token: "tok", AESKey: aesKey, CallbackURL: "http://callback.test/app"}},
		Bots:   []standin.Bot{{ID: botID, Name: "一线助手", Token: "botTok", AESKey: aesKey, CallbackURL: "http://callback.test/bot"}},
		People: []standin.Person{{UserID: "zhaoyi", Name: "赵一"}, {UserID: "qianer", Name: "钱二"}, {UserID: "sunsan", Name: "孙三"}},
		Groups: []standin.Group{{ChatID: group, Name: "支持群", Members: []string{"zhaoyi", "qianer"}, BotIDs: []string{botID}}},
		Robots: []standin.Robot{{Key: robotKey, Name: "告警机器人", Group: group}},
		Callbacks: roundTrip(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			return rec.Result(), nil
		}),
	}
	w.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	clientOpt := bot.ClientOptions{CorpID: corpID, AgentID: agentID, Secret: secret, Robot: w.robots.key, Files: w.files, Now: w.clock.Now}
	for _, c := range change {
		c(&opt, &clientOpt)
	}
	var err error
	if w.plat, err = standin.New(opt); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.plat)
	t.Cleanup(func() { server.Close(); w.plat.Close() })
	w.url = server.URL
	w.plat.SetBaseURL(w.url)
	w.change = func(o *bot.ClientOptions) { *o = clientOpt; o.APIBase = w.url; o.Log = w.logger() }
	w.start()
	return w
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (w *world) newClient() *bot.Client {
	w.t.Helper()
	var o bot.ClientOptions
	w.change(&o)
	c, err := bot.NewClient(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// start opens the store as a new process does, with nothing in memory.
func (w *world) start() {
	w.t.Helper()
	w.box = storetest.Open(w.t, w.dbURL, store.Options{Now: w.clock.Now, Serve: true, Grace: time.Millisecond})
	if err := w.box.Lead(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.client = w.newClient()
	w.deliver = bot.NewDeliverer(w.options(w.box))
}

func (w *world) options(box bot.Outbox) bot.DelivererOptions {
	return bot.DelivererOptions{Outbox: box, Client: w.client, Hooks: w.hooks, Mail: w.mail, Link: w.link, Now: w.clock.Now, Log: w.logger(),
		Trouble: func(to chat.Address, err error) { w.trouble = append(w.trouble, to.ID+": "+err.Error()) }}
}

// crash ends the process without a word and starts another one.
func (w *world) crash() {
	w.box.Close()
	w.start()
}

// say queues words.
func (w *world) say(list ...chat.Outgoing) {
	w.t.Helper()
	err := w.box.InTx(w.t.Context(), func(tx *store.Tx) error {
		for _, out := range list {
			if out.Key == "" {
				w.keys++
				out.Key = fmt.Sprintf("key-%d", w.keys)
			}
			if err := tx.Enqueue(out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func text(to chat.Address, s string) chat.Outgoing {
	return chat.Outgoing{To: to, Body: chat.Body{Text: s}}
}

// run delivers for a time of the clock, which moves to the next due row when
// nothing is due.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	for end := w.clock.Now().Add(d); ; {
		list, err := w.box.Claim(w.t.Context(), 16)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, x := range list {
			w.deliver.Deliver(w.t.Context(), x)
		}
		if len(list) > 0 {
			continue
		}
		now := w.clock.Now()
		if !now.Before(end) {
			return
		}
		next := end
		for _, r := range w.rows() {
			if r.State == "due" && r.Due.After(now) && r.Due.Before(next) {
				next = r.Due
			}
		}
		w.clock.add(next.Sub(now))
	}
}

// rows are the outbox rows, oldest first.
func (w *world) rows() []store.Delivered {
	w.t.Helper()
	list, err := w.box.ListDelivered(w.t.Context(), store.LedgerQuery{N: 200})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// states are the states of the rows with the reasons of the dead.
func (w *world) states() string {
	var out []string
	for _, r := range w.rows() {
		s := r.State
		if s == "dead" {
			s += " " + r.Reason
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

// seen is what a member sees in single chats, or what is in the group.
func (w *world) seen(user string) (texts []string) {
	q := standin.FeedQuery{User: user}
	if user == group {
		q = standin.FeedQuery{Group: group, User: "zhaoyi"}
	}
	for _, e := range w.plat.Feed(w.t.Context(), q).Entries {
		if e.From.Kind != "user" && e.From.Kind != "person" {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

func (w *world) calls(api string) []standin.LedgerEntry { return w.plat.Ledger(api, 0).Entries }

func (w *world) wantSeen(user string, want ...string) {
	w.t.Helper()
	if got := w.seen(user); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		w.t.Errorf("%s sees %q, want %q\nrows:\n%s", user, got, want, w.states())
	}
}

func (w *world) wantStates(want string) {
	w.t.Helper()
	if got := w.states(); got != want {
		w.t.Errorf("states are\n%s\nwant\n%s", got, want)
	}
}

// inbox stores messages and hands them to the test.
type inbox struct {
	*store.Store
	got chan chat.Message
}

func (b inbox) Accept(ctx context.Context, m chat.Message) (bool, error) {
	fresh, err := b.Store.Accept(ctx, m)
	if fresh {
		b.got <- m
	}
	return fresh, err
}

// noReplies lets nothing ride on a callback's answer.
type noReplies struct{}

func (noReplies) Inline(context.Context, string, func(chat.Outgoing) bool) ([]chat.Outgoing, bool, error) {
	return nil, true, nil
}

// ask lets somebody say something to the smart bot and returns it as received,
// with its answer address.
func (w *world) ask(user string, to standin.Place, words string) chat.Message {
	w.t.Helper()
	keys, err := bot.NewKeys("botTok", aesKey, "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.handler = bot.NewCallback(bot.Options{Corp: corpID, AgentID: fmt.Sprint(agentID), BotKeys: []*bot.Keys{keys}, Now: w.clock.Now,
		Inbox: inbox{w.box, w.got}, Replies: noReplies{}, InlineWait: time.Millisecond}).BotHandler()
	if _, err := w.plat.Say(w.t.Context(), standin.SayRequest{User: user, To: to, Text: words, Wait: true}); err != nil {
		w.t.Fatal(err)
	}
	select {
	case m := <-w.got:
		if m.ReplyURL == "" {
			w.t.Fatal("the message has no answer address")
		}
		return m
	default:
		w.t.Fatalf("nothing arrived: %+v", w.plat.Counters())
	}
	return chat.Message{}
}
