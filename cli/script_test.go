package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/handlers"
	"frontline/store"
)

// running is a demo in this process, with its outside within reach.
type running struct {
	*demo
	stop func()
	log  *logBuffer
	opt  demoOptions
}

// logBuffer collects the log; it is printed when the test fails.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startTestDemo(t *testing.T, dir string) *running {
	t.Helper()
	return startTestDemoWith(t, demoOptions{dir: dir})
}

func startTestDemoWith(t *testing.T, o demoOptions, vars ...string) *running {
	t.Helper()
	o.listen = "127.0.0.1:0"
	log := &logBuffer{}
	env := Env{Vars: append([]string{"FRONTLINE_LOG_LEVEL=debug"}, vars...), Stdout: log, Stderr: log}
	d, err := startDemo(context.Background(), env, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	r := &running{demo: d, log: log, opt: o}
	for end := time.Now().Add(10 * time.Second); o.long && !d.standin.Live(demoBot); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the bot does not connect")
		}
	}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with %v", err)
		}
		d.close()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	t.Cleanup(r.stop)
	return r
}

// actor plays one member in a test.
type actor struct {
	t     *testing.T
	r     *running
	user  string
	place standin.Place
	group string
	after int64
	cards []standin.Entry
	heard []string
	last  int64 // the newest line of a member that this one sees
	quote int64 // the line that the next words quote
}

func (r *running) as(t *testing.T, user string) *actor {
	return &actor{t: t, r: r, user: user, place: standin.AppPlace(demoAgent)}
}

// bot moves the member to the single chat with the smart bot, in to a group.
func (a *actor) bot() *actor { a.place = standin.BotPlace(demoBot); return a }

func (a *actor) in(group string) *actor {
	for _, g := range demoGroups {
		if g.name == group {
			a.group, a.place = g.chat, standin.GroupPlace(g.chat)
		}
	}
	return a
}

// say says something and waits until the desk has answered and is quiet.
func (a *actor) say(text string) string {
	a.t.Helper()
	req := standin.SayRequest{User: a.user, To: a.place, Text: text, Wait: true, Quote: a.quote}
	a.quote = 0
	if a.group != "" {
		req.Mention = []string{demoBot}
	}
	got, err := a.r.standin.Say(context.Background(), req)
	if err != nil {
		a.t.Fatalf("say %q: %v", text, err)
	}
	a.arrived(got)
	return a.listen()
}

// arrived waits until what was handed to the long connection is in the inbox:
// there is no answer to it that says so.
func (a *actor) arrived(got standin.Receipt) {
	a.t.Helper()
	if !a.r.opt.long || got.Callback == "" || strings.HasPrefix(string(a.place), "app:") {
		return
	}
	id := chat.MessageID(chat.Bot, a.r.engine.cfg.WeCom.CorpID, demoBot, a.user, "m:"+got.MsgID)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		seen, err := a.r.engine.store.Seen(context.Background(), id)
		if seen {
			return
		}
		if err != nil || time.Now().After(end) {
			a.t.Fatalf("the message never arrived: %v %+v", err, got)
		}
	}
}

// press clicks the n-th button, or ticks the n-th option, of the newest card.
func (a *actor) press(n int) string {
	a.t.Helper()
	if len(a.cards) == 0 {
		a.t.Fatal("there is no card to press")
	}
	e := a.cards[len(a.cards)-1]
	act := standin.Action{User: a.user, To: a.place, TaskID: e.Card.TaskID, Entry: e.ID, Wait: true}
	switch {
	case n >= 1 && n <= len(e.Card.Buttons):
		act.Do, act.Key = "click", e.Card.Buttons[n-1].Key
	case len(e.Card.Selects) == 1 && n >= 1 && n <= len(e.Card.Selects[0].Options):
		s := e.Card.Selects[0]
		act.Do, act.Selected = "submit", map[string][]string{s.QuestionKey: {s.Options[n-1].ID}}
	default:
		a.t.Fatalf("the card has no button %d: %+v", n, e.Card)
	}
	got, err := a.r.standin.Act(context.Background(), act)
	if err != nil {
		a.t.Fatal(err)
	}
	a.arrived(got)
	return a.listen()
}

// listen returns what is new in the feed: everything that came until the
// member's thread has no work left.
func (a *actor) listen() string {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a.settled(ctx)
	var said []string
	for {
		page := a.r.standin.Feed(ctx, standin.FeedQuery{User: a.user, Group: a.group, After: a.after})
		if len(page.Entries) == 0 {
			break
		}
		a.after = page.Next
		for _, e := range page.Entries {
			if e.From.Kind == "user" {
				a.last = e.ID
				continue
			}
			if e.Card != nil && e.Card.Active {
				a.cards = append(a.cards, e)
			}
			said = append(said, strings.Join(entryLines(e), "\n"))
		}
	}
	a.heard = said
	return strings.Join(said, "\n---\n")
}

// until lets the knowledge jobs run until the member hears something that
// holds the text: the index follows the store in its own time.
func (a *actor) until(text string) string {
	a.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	var all []string
	for time.Now().Before(deadline) {
		if err := a.r.engine.worker.Desk.TellAwaited(context.Background()); err != nil {
			a.t.Fatal(err)
		}
		if heard := a.listen(); heard != "" {
			all = append(all, heard)
			if strings.Contains(heard, text) {
				return heard
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	a.t.Fatalf("did not hear %q, only %q", text, all)
	return ""
}

// settled waits until inbox and outbox are empty, asking the database, not the
// clock.
func (a *actor) settled(ctx context.Context) {
	a.t.Helper()
	for {
		making, err := a.r.engine.store.ListRuns(ctx, store.RunQuery{States: []string{store.RunQueued, store.RunRunning, store.RunUndoing}, N: 1})
		if err != nil {
			a.t.Fatal(err)
		}
		in, err := a.r.engine.store.InboxDepth(ctx)
		if err != nil {
			a.t.Fatal(err)
		}
		out, err := a.r.engine.store.OutboxDepth(ctx)
		if err != nil {
			a.t.Fatal(err)
		}
		if in.Waiting == 0 && out.Waiting == 0 && len(making) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			a.t.Fatalf("inbox %+v, outbox %+v are not done", in, out)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestScripts plays the conversations in testdata/script through signed
// callbacks. A script is a text file:
//
//	as USER            who talks, to the app
//	bot                … to the smart bot
//	in GROUP           … in a group, with an @
//	> text             says it
//	quote text         says it, quoting what a member said last
//	aside text         says it in a group without an @: the desk does not hear it
//	press N            presses a button of the newest card
//	< text             the answer holds this
//	<! text            … does not hold this
//	until text         waits for something the desk says by itself that holds this
//	alert STATE NAME … Alertmanager posts a critical alert: firing or resolved, its name, its title
//	clock N 15:46      it is that time of the day after N days, for everybody
//	job NAME           what runs by the clock runs now
//	restart            the program stops and starts again
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			playScript(t, file, false)
		})
	}
}

// The smart bot says the same over its long connection.
func TestScriptsOverTheLongConnection(t *testing.T) {
	files, err := filepath.Glob("../testdata/script/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\nbot\n") && !strings.Contains(string(text), "\nin ") {
			continue
		}
		if filepath.Base(file) == "construct-group.txt" {
			continue // its first words are a sign of life, which the last ones replace in the same stream
		}
		played++
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			playScript(t, file, true)
		})
	}
	if played < 3 {
		t.Errorf("only %d scripts talk to the bot", played)
	}
}

func playScript(t *testing.T, file string, long bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	began, ahead := time.Now(), &atomic.Int64{}
	opt := demoOptions{dir: t.TempDir(), long: long, clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	r := startTestDemoWith(t, opt)
	people := map[string]*actor{}
	var a *actor
	heard := ""
	for i, line := range strings.Split(string(text), "\n") {
		at := fmt.Sprintf("%s:%d", filepath.Base(file), i+1)
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "", "#":
		case "as":
			if a = people[rest]; a == nil {
				a = r.as(t, rest)
				people[rest] = a
			}
			a.r, a.group, a.place = r, "", standin.AppPlace(demoAgent)
		case "bot":
			a.bot()
		case "in":
			a.in(rest)
		case ">":
			heard = a.say(rest)
		case "aside":
			if _, err := r.standin.Say(t.Context(), standin.SayRequest{User: a.user, To: a.place, Text: rest, Wait: true}); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			heard = a.listen()
		case "press":
			n, _ := strconv.Atoi(rest)
			heard = a.press(n)
		case "listen":
			heard = a.listen()
		case "quote":
			a.listen()
			a.quote = a.last
			heard = a.say(rest)
		case "until":
			heard = a.until(rest)
		case "clock":
			day, hour, _ := strings.Cut(rest, " ")
			n, err := strconv.Atoi(day)
			clock, err2 := time.Parse("15:04", hour)
			if err != nil || err2 != nil {
				t.Fatalf("%s: %v %v", at, err, err2)
			}
			local := began.In(r.engine.cfg.Location())
			ahead.Store(int64(time.Until(time.Date(local.Year(), local.Month(), local.Day()+n, clock.Hour(), clock.Minute(), 0, 0, local.Location()))))
		case "job":
			i := slices.IndexFunc(r.engine.jobs.List, func(j handlers.Job) bool { return j.Name == rest })
			if i < 0 {
				t.Fatalf("%s: no job %q", at, rest)
			}
			if err := r.engine.jobs.List[i].Run(t.Context()); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			heard = a.listen()
		case "alert":
			r.postAlert(t, strings.SplitN(rest, " ", 3))
		case "restart":
			r.stop()
			r = startTestDemoWith(t, opt)
			for _, p := range people {
				p.r, p.after, p.cards = r, 0, nil
			}
		case "<":
			if !strings.Contains(heard, rest) {
				t.Errorf("%s: wanted %q in\n%s", at, rest, heard)
			}
		case "<!":
			if strings.Contains(heard, rest) {
				t.Errorf("%s: did not want %q in\n%s", at, rest, heard)
			}
		default:
			t.Fatalf("%s: unknown line %q", at, line)
		}
	}
}

// postAlert sends what Alertmanager would: state, name, title.
func (r *running) postAlert(t *testing.T, f []string) {
	t.Helper()
	title := ""
	if len(f) > 2 {
		title = f[2]
	}
	body, err := json.Marshal(map[string]any{"version": "4", "status": f[0], "alerts": []any{map[string]any{
		"status": f[0], "fingerprint": f[1], "startsAt": time.Now().Add(-3 * time.Minute).Format(time.RFC3339),
		"labels":      map[string]string{"alertname": f[1], "severity": "critical", "system": "柜台"},
		"annotations": map[string]string{"summary": title}}}})
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest("POST", "/hooks/alertmanager", bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+string(r.engine.cfg.Hooks.Token))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	if r.engine.handler.ServeHTTP(w, req); w.Code != 200 {
		t.Fatalf("alert: %d %s", w.Code, w.Body)
	}
	// It is kept by now and applied in its turn: what follows is about that.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		d, err := r.engine.store.AlertDepth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d.Waiting == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the alert is not applied")
		}
	}
}

func writeTestFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
