package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"frontline/bot"
	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/store"
)

func serve(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func toApp(words string) (chat.Outgoing, chat.Part) {
	body := fmt.Sprintf(`{"touser":"qianer","msgtype":"text","agentid":%d,"text":{"content":%q}}`, agentID, words)
	return text(qianer, words), chat.Part{API: "message/send", Body: json.RawMessage(body)}
}

// A token that ended is fetched once for all who noticed.
func TestTokenIsFetchedOnce(t *testing.T) {
	for _, how := range []string{"expired", "revoked"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			if err := w.client.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			if how == "expired" {
				w.plat.ExpireTokens(agentID)
			} else {
				w.plat.RevokeTokens(agentID)
			}
			sendMany(t, 16, w.client)
			if n := w.plat.Counters().Calls["gettoken"]; n != 2 {
				t.Errorf("%d gettoken calls, want 2: at the start and once for all", n)
			}
			if n := len(w.seen("qianer")); n != 16 {
				t.Errorf("%d of 16 arrived", n)
			}
		})
	}
}

// sendMany sends n messages at once, by each client in turn.
func sendMany(t *testing.T, n int, clients ...*bot.Client) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			out, p := toApp(fmt.Sprint("话 ", i))
			if _, err := clients[i%len(clients)].Send(t.Context(), out, p, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Replicas that share a token store fetch once together.
func TestReplicasShareTheToken(t *testing.T) {
	server := miniredis.RunT(t)
	shared, err := store.OpenRedis("redis://" + server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.Close() })
	w := newWorld(t, func(s *standin.Options, c *bot.ClientOptions) {
		s.Now, c.Now = time.Now, time.Now // the store's own clock is the real one
		c.Tokens = shared
	})
	clients := []*bot.Client{w.newClient(), w.newClient(), w.newClient()}
	gettoken := func() int64 { return w.plat.Counters().Calls["gettoken"] }
	sendMany(t, 12, clients...)
	if n := gettoken(); n != 1 {
		t.Errorf("%d gettoken calls for three replicas, want 1", n)
	}
	w.plat.RevokeTokens(agentID)
	sendMany(t, 12, clients...)
	if n := gettoken(); n != 2 {
		t.Errorf("%d gettoken calls after the token died, want 2", n)
	}
	server.Close() // without the shared store each fetches for itself
	w.plat.RevokeTokens(agentID)
	sendMany(t, 3, clients...)
	if n := gettoken(); n != 5 {
		t.Errorf("%d gettoken calls without Redis, want 5", n)
	}
}

// A token that dies again and again costs one repeat a message, no more.
func TestTokenRepeatOnce(t *testing.T) {
	w := newWorld(t)
	w.plat.AddFault(standin.Fault{API: "message/send", Errcode: 42001})
	out, p := toApp("话")
	_, err := w.client.Send(t.Context(), out, p, "")
	if got := bot.Classify(err); got != bot.ClassRetry {
		t.Errorf("%v is %v", err, got)
	}
	if n := len(w.calls("message/send")); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

// One caller's end neither ends the fetch for the others nor waits for it.
func TestTokenFetchOutlivesItsCaller(t *testing.T) {
	w := newWorld(t)
	w.plat.AddFault(standin.Fault{API: "gettoken", DelayMS: 300, Count: 1})
	first, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.client.Token(first) }()
	for w.plat.Faults() != nil && len(w.plat.Faults()) > 0 { // until it is hit
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || bot.Classify(err) == bot.ClassUnknown {
		t.Errorf("got %v", err)
	}
	if err := w.client.Token(t.Context()); err != nil {
		t.Error(err)
	}
	if n := w.plat.Counters().Calls["gettoken"]; n != 1 {
		t.Errorf("%d gettoken calls", n)
	}
}

// The bytes that were frozen are the bytes that leave, with < and & as they are.
func TestFrozenBytesLeave(t *testing.T) {
	w := newWorld(t)
	want := `{"agentid":1000002,"duplicate_check_interval":7300,"enable_duplicate_check":1,"msgtype":"markdown","touser":"qianer","markdown":{"content":"<font color=\"info\">a & b</font>"}}`
	_, err := w.client.Send(t.Context(), text(qianer, ""), chat.Part{API: "message/send", Body: json.RawMessage(want)}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.calls("message/send")[0].Body; got != want {
		t.Errorf("left as\n%s\nwant\n%s", got, want)
	}
	robotBody := `{"msgtype":"text","text":{"content":"a < b"}}`
	if _, err := w.client.Send(t.Context(), text(robot, ""), chat.Part{API: "webhook/send", Body: json.RawMessage(robotBody)}, ""); err != nil {
		t.Fatal(err)
	}
	if got := w.calls("webhook/send")[0].Body; got != robotBody {
		t.Errorf("left as %s", got)
	}
}

// The end of a context ends the call, and the answer says that it is unknown.
func TestContextEndsACall(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.plat.AddFault(standin.Fault{API: "*", DelayMS: 60_000})
	for _, to := range []chat.Address{qianer, robot} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		out, p := toApp("话")
		if to == robot {
			out, p = text(robot, "话"), chat.Part{API: "webhook/send", Body: json.RawMessage(`{"msgtype":"text","text":{"content":"a"}}`)}
		}
		began := time.Now()
		_, err := w.client.Send(ctx, out, p, "")
		cancel()
		if bot.Classify(err) != bot.ClassUnknown || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
}

func TestPeople(t *testing.T) {
	w := newWorld(t, func(s *standin.Options, _ *bot.ClientOptions) {
		s.Departments = []standin.Department{{ID: 1, Name: "示例证券"}, {ID: 2, Name: "交易支持", ParentID: 1}}
		s.People = append(s.People, standin.Person{UserID: "lisi", Name: "李四", Departments: []int{2}, OpenUserID: "wo-open-lisi"})
	})
	name, dep, err := w.client.Person(t.Context(), "lisi")
	if name != "李四" || dep != "交易支持" || err != nil {
		t.Error(name, dep, err)
	}
	if _, _, err := w.client.Person(t.Context(), "lisi&access_token=x"); !errors.Is(err, bot.ErrRejected) {
		t.Error(err)
	}
	ids, err := w.client.PlainUserIDs(t.Context(), []string{"wo-open-lisi"})
	if ids["wo-open-lisi"] != "lisi" || err != nil {
		t.Error(ids, err)
	}
	if ips, err := w.client.CallbackIPs(t.Context()); len(ips) == 0 || err != nil {
		t.Error(ips, err)
	}
}

// Whose certificate nobody vouches for gets nothing.
func TestWrongCertificate(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	w := newWorld(t)
	change := w.change
	w.change = func(o *bot.ClientOptions) { change(o); o.APIBase = s.URL }
	w.crash()
	w.say(text(qianer, "话"), text(robot, "话"))
	w.run(time.Minute)
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	for _, r := range w.rows() {
		if r.State != "due" || r.Unsure || !strings.Contains(r.Reason, "certificate") {
			t.Errorf("row is %s (unsure %v): %s", r.State, r.Unsure, r.Reason)
		}
	}
}

func TestObserve(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	w := newWorld(t, func(_ *standin.Options, c *bot.ClientOptions) {
		c.Observe = func(api, code string, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, api+" "+code)
		}
	})
	w.plat.AddFault(standin.Fault{API: "message/send", Errcode: 42001, Count: 1})
	w.plat.AddFault(standin.Fault{API: "webhook/send", Status: 502, Count: 1})
	w.plat.AddFault(standin.Fault{API: "webhook/send", Drop: standin.DropBefore, Count: 1})
	w.say(text(qianer, "话"))
	w.run(0)
	w.say(text(robot, "话"))
	w.run(time.Minute)
	want := []string{"gettoken 0", "message/send 42001", "gettoken 0", "message/send 0", "webhook/send http502", "webhook/send none", "webhook/send 0"}
	if !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}
}

// No failing call, in whatever way it fails, tells a secret: neither its error
// nor any line of the log nor the reason kept with the row.
func TestNoSecretLeaks(t *testing.T) {
	const token, code = "canary-token-%2B/9f", "canary-code-77"
	echo := func(rw http.ResponseWriter, r *http.Request, format string) {
		u, _ := url.QueryUnescape(r.URL.String())
		fmt.Fprintf(rw, format, strings.ReplaceAll(r.URL.String()+" "+u, `"`, ""))
	}
	faults := map[string]http.HandlerFunc{
		"404":        func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(404); echo(rw, r, "no %s") },
		"500":        func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(500); echo(rw, r, "no %s") },
		"redirect":   func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, r.URL.String()+"&x=1", 302) },
		"bad JSON":   func(rw http.ResponseWriter, r *http.Request) { echo(rw, r, "<html>%s") },
		"JSON list":  func(rw http.ResponseWriter, r *http.Request) { echo(rw, r, `["%s"]`) },
		"other type": func(rw http.ResponseWriter, r *http.Request) { echo(rw, r, `{"errcode":"%s"}`) },
		"errcode":    func(rw http.ResponseWriter, r *http.Request) { echo(rw, r, `{"errcode":40058,"errmsg":"bad %s"}`) },
		"token code": func(rw http.ResponseWriter, r *http.Request) { echo(rw, r, `{"errcode":40014,"errmsg":"bad %s"}`) },
		"hang up":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no HTTP": func(rw http.ResponseWriter, r *http.Request) {
			c, _, _ := rw.(http.Hijacker).Hijack()
			fmt.Fprintf(c, "SSH-2.0 %s\r\n\r\n", r.URL)
			c.Close()
		},
		"cut short": func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Length", "1000")
			echo(rw, r, `{"errcode":0,"x":"%s`)
		},
		"time-out": func(rw http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	}
	gettoken := func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(rw, `{"errcode":0,"access_token":%q,"expires_in":7200}`, token)
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, func(rw http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/gettoken") {
					gettoken(rw, r)
					return
				}
				fault(rw, r)
			})
			callAll(t, base, code, token)
			callAll(t, serve(t, fault), code, token) // gettoken fails as well
		})
	}
	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		callAll(t, "http://"+l.Addr().String(), code, token)
	})
}

// callAll makes every kind of call, which all have to fail without telling.
func callAll(t *testing.T, base, code, token string) {
	t.Helper()
	log := &lockedBuffer{}
	c, err := bot.NewClient(bot.ClientOptions{CorpID: corpID, AgentID: agentID, Secret: secret, APIBase: base, Robot: robotKeys{"g": robotKey}.key,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	send := func(ctx context.Context, to chat.Address, api string) error {
		_, err := c.Send(ctx, text(to, "x"), chat.Part{API: api, Body: json.RawMessage(`{"a":1}`)}, base+"/cgi-bin/aibot/response?response_code="+code)
		return err
	}
	person, group := chat.Address{Kind: chat.Person, ID: "u"}, chat.Address{Kind: chat.Robot, ID: "g"}
	calls := map[string]func(ctx context.Context) error{
		"send":     func(ctx context.Context) error { return send(ctx, person, "message/send") },
		"appchat":  func(ctx context.Context) error { return send(ctx, person, "appchat/send") },
		"update":   func(ctx context.Context) error { return send(ctx, person, "message/update_template_card") },
		"robot":    func(ctx context.Context) error { return send(ctx, group, "webhook/send") },
		"response": func(ctx context.Context) error { return send(ctx, person, "response") },
		"person":   func(ctx context.Context) error { _, _, err := c.Person(ctx, "u"); return err },
		"ips":      func(ctx context.Context) error { _, err := c.CallbackIPs(ctx); return err },
		"ids":      func(ctx context.Context) error { _, err := c.PlainUserIDs(ctx, []string{"x"}); return err },
		"media":    func(ctx context.Context) error { _, _, err := c.MediaByID(ctx, "m", 10); return err },
		"upload": func(ctx context.Context) error {
			_, err := c.Upload(ctx, person, chat.File{Kind: "file", Name: "a"}, []byte("abcdef"))
			return err
		},
		"upload, robot": func(ctx context.Context) error {
			_, err := c.Upload(ctx, group, chat.File{Kind: "file", Name: "a"}, []byte("abcdef"))
			return err
		},
	}
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err := call(ctx)
		cancel()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		told := fmt.Sprintf("%v %+v %q %s", err, err, err, log)
		for e := err; e != nil; e = errors.Unwrap(e) {
			told += fmt.Sprintf(" %#v %v", e, e)
		}
		for _, canary := range []string{secret, robotKey, code, token, url.QueryEscape(token), "canary"} {
			if strings.Contains(told, canary) {
				t.Errorf("%s tells %s: %s", name, canary, told)
			}
		}
	}
}

// The whole path, with its log at debug and its reasons in the database.
func TestNoSecretInLogAndRows(t *testing.T) {
	w := newWorld(t)
	for _, api := range []string{"message/send", "webhook/send", "media/upload", "gettoken"} {
		for _, f := range []standin.Fault{{Status: 500}, {Drop: standin.DropAfter}, {Drop: standin.DropBefore}, {Errcode: 40014}, {Errcode: 93000}} {
			f.API, f.Count = api, 1
			w.plat.AddFault(f)
		}
	}
	w.files["f"] = []byte("eine Datei")
	w.say(text(qianer, "话"), text(robot, "话"), chat.Outgoing{To: qianer, Body: chat.Body{File: &chat.File{Kind: "file", Name: "a", Path: "f"}}})
	w.run(2 * time.Hour)
	told := w.log.String() + w.states() + strings.Join(w.trouble, " ")
	for _, r := range w.rows() {
		told += r.Reason + r.Receipt.MsgID
	}
	if strings.Contains(told, "canary") {
		t.Errorf("a secret is told: %.2000s", told)
	}
	if !strings.Contains(told, "errcode 93000") {
		t.Error("the faults did not happen")
	}
}
