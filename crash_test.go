//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/handlers/alert/alerttest"
	"frontline/store"
	"frontline/store/storetest"
)

// These tests run the real program as a child process, with the stand-in as
// the platform in this one. Members report faults and ask questions all the
// time, a few answers get lost on the way, and the child is killed. At the end
// nothing that was acknowledged may be missing, and nothing may be there twice.

const (
	crashCorp  = "wwcrash0000000001"
	crashAgent = 1000002
	crashAES   = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	crashUsers = 120
	probeUsers = 60
)

// kills is how often the child is killed.
func kills(t *testing.T) int {
	n := 3
	if v := os.Getenv("FRONTLINE_CRASH_KILLS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatalf("FRONTLINE_CRASH_KILLS: %v", err)
		}
	}
	return n
}

// buildDir holds the binary of this run.
var buildDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "frontline-crash")
	if err != nil {
		return "", err
	}
	buildDir = dir
	bin := filepath.Join(dir, "frontline")
	cmd := exec.Command("go", "build", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

// world is the company: platform, members, and the ledger of what they said.
type world struct {
	t        *testing.T
	seed     uint64
	platform *standin.Server
	server   *httptest.Server
	dbURL    string
	replicas []*replica
	turn     atomic.Int64 // whose turn it is in front of the replicas
	lossy    atomic.Bool  // some answers get lost
	mu       sync.Mutex
	rnd      *rand.Rand
	said     map[string][]string // by member: texts in order, each acknowledged
	tries    int
	probes   int
	halt     chan struct{}
	members  sync.WaitGroup
}

// The group and the key of its robot.
const (
	crashGroup = "wrCrash"
	crashRobot = "robot-of-the-crash-tests"
)

// replica is one child process and its address, which it keeps over restarts.
type replica struct {
	w    *world
	addr string
	dir  string
	mu   sync.Mutex
	cmd  *exec.Cmd
	dead chan error
	log  *os.File
	// under is a program that the child runs under, such as strace.
	under []string
	env   []string // besides the usual
}

func newWorld(t *testing.T, dbURL string, replicas int) *world {
	t.Helper()
	if os.Getenv("FRONTLINE_BENCH") == "" { // what is measured runs alone
		t.Parallel()
	}
	if _, err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	var err error
	w := &world{t: t, seed: uint64(time.Now().UnixNano()), dbURL: dbURL, said: map[string][]string{}, halt: make(chan struct{})}
	if v := os.Getenv("FRONTLINE_CRASH_SEED"); v != "" {
		if w.seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("FRONTLINE_CRASH_SEED: %v", err)
		}
	}
	w.rnd = rand.New(rand.NewPCG(w.seed, 1))
	opt := standin.Options{CorpID: crashCorp, ControlToken: "control", Callbacks: w,
		Apps:   []standin.App{{AgentID: crashAgent, Name: "一线助手", Secret: "app-secret", Token: "app-token", AESKey: crashAES, CallbackURL: "http://balancer/wecom/app"}},
		Groups: []standin.Group{{ChatID: crashGroup, Name: "值班群", Members: []string{"member0"}}},
		Robots: []standin.Robot{{Key: crashRobot, Name: "告警", Group: crashGroup}},
		Limits: standin.Limits{CorpMinute: -1, CorpHour: -1, IPMinute: -1, IPHour: -1, CallbackPause: 100 * time.Millisecond},
		Keep:   standin.Keep{Feed: 100_000, Entries: 1_000_000, Trace: 100},
	}
	for i := range crashUsers {
		opt.People = append(opt.People, standin.Person{UserID: fmt.Sprint("member", i), Name: fmt.Sprint("成员", i)})
	}
	for i := range probeUsers {
		opt.People = append(opt.People, standin.Person{UserID: fmt.Sprint("probe", i), Name: fmt.Sprint("探针", i)})
	}
	if w.platform, err = standin.New(opt); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	w.platform.SetBaseURL(w.server.URL)
	for i := range replicas {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{w: w, addr: l.Addr().String(), dir: filepath.Join(t.TempDir(), fmt.Sprint("replica", i))}
		l.Close()
		if err := os.MkdirAll(r.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if r.log, err = os.Create(filepath.Join(r.dir, "log")); err != nil {
			t.Fatal(err)
		}
		w.replicas = append(w.replicas, r)
	}
	t.Cleanup(func() {
		for _, r := range w.replicas {
			r.kill()
			r.log.Close()
			if t.Failed() {
				b, _ := os.ReadFile(r.log.Name())
				t.Logf("log of %s:\n%s", r.addr, tail(string(b), 6000))
			}
		}
		w.platform.Close()
		w.server.Close()
		if t.Failed() {
			t.Logf("again with FRONTLINE_CRASH_SEED=%d", w.seed)
		}
	})
	return w
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (w *world) random(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

// serve is the platform's API. Each answer is held for a moment after the work
// was done, so that a kill often falls between the two.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	w.platform.ServeHTTP(rec, r)
	if strings.HasSuffix(r.URL.Path, "/message/send") {
		time.Sleep(time.Duration(w.random(30)) * time.Millisecond)
		if w.lossy.Load() && w.random(50) == 0 {
			panic(http.ErrAbortHandler) // delivered, and nobody knows
		}
	}
	for k, v := range rec.Header() {
		rw.Header()[k] = v
	}
	rw.WriteHeader(rec.Code)
	_, _ = rw.Write(rec.Body.Bytes())
}

// pushed are the messages of the group robot so far.
func (w *world) pushed() []alerttest.Push {
	return alerttest.Pushes(w.platform, crashGroup)
}

var callbackTransport = &http.Transport{MaxIdleConnsPerHost: 256, DialContext: (&net.Dialer{Timeout: 300 * time.Millisecond}).DialContext, ResponseHeaderTimeout: 4 * time.Second}

// RoundTrip is the balancer between the platform and the replicas: it goes
// round, and passes over one that takes no connection.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	var last error
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	for range w.replicas {
		to := w.replicas[int(w.turn.Add(1))%len(w.replicas)]
		out := req.Clone(req.Context())
		out.URL.Host, out.Body = to.addr, io.NopCloser(strings.NewReader(string(body)))
		resp, err := callbackTransport.RoundTrip(out)
		if err != nil {
			last = err
			var op *net.OpError
			if errors.As(err, &op) && op.Op == "dial" {
				continue
			}
			return nil, err
		}
		if w.lossy.Load() && w.random(30) == 0 {
			resp.Body.Close()
			return nil, errors.New("the answer got lost")
		}
		return resp, nil
	}
	return nil, last
}

// environment is what the replica's program, and its commands, are configured by.
func (r *replica) environment() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "FRONTLINE_LISTEN=" + r.addr, "FRONTLINE_DATABASE_URL=" + r.w.dbURL,
		"FRONTLINE_ENCRYPTION_KEY=" + base64.StdEncoding.EncodeToString(storetest.Key),
		"FRONTLINE_WECOM_CORP_ID=" + crashCorp, "FRONTLINE_WECOM_API_BASE=" + r.w.server.URL, fmt.Sprint("FRONTLINE_WECOM_APP_AGENT_ID=", crashAgent),
		"FRONTLINE_WECOM_APP_SECRET=app-secret", "FRONTLINE_WECOM_APP_TOKEN=app-token", "FRONTLINE_WECOM_APP_AES_KEY=" + crashAES, "FRONTLINE_LOG_LEVEL=warn",
	}, r.env...)
}

func (r *replica) start() {
	r.w.t.Helper()
	bin, _ := buildOnce()
	args := append(slices.Clone(r.under), bin, "serve")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Dir = r.dir
	cmd.Env = r.environment()
	cmd.Stdout, cmd.Stderr = r.log, r.log
	if err := cmd.Start(); err != nil {
		r.w.t.Fatal(err)
	}
	dead := make(chan error, 1)
	go func() { dead <- cmd.Wait() }()
	r.mu.Lock()
	r.cmd, r.dead = cmd, dead
	r.mu.Unlock()
}

func (r *replica) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd != nil {
		_ = syscall.Kill(-r.cmd.Process.Pid, s) // whatever it runs under too
	}
}

// kill ends the process with SIGKILL and waits for it.
func (r *replica) kill() {
	r.signal(syscall.SIGKILL)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd != nil {
		<-r.dead
		r.cmd = nil
	}
}

// get returns the body of one of the replica's pages, "" when it does not answer.
func (r *replica) get(path string) string {
	c := http.Client{Timeout: 2 * time.Second}
	resp, err := c.Get("http://" + r.addr + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(b)
}

func (w *world) until(what string, most time.Duration, ok func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for time.Since(began) < most {
		if ok() {
			return time.Since(began)
		}
		time.Sleep(3 * time.Millisecond)
	}
	w.t.Fatalf("not within %s: %s (seed %d)", most, what, w.seed)
	return 0
}

// word turns a number into letters, which no mask takes for personal data.
func word(n int) string {
	s := ""
	for range 4 {
		s = string(rune('a'+n%26)) + s
		n /= 26
	}
	return "q" + s
}

// drive lets the members talk until halt. Odd ones report, even ones ask; each
// says the next thing when the last one was acknowledged, and says a thing
// again, under the same id, until it is.
func (w *world) drive() {
	w.lossy.Store(true)
	for i := range crashUsers {
		rnd := rand.New(rand.NewPCG(w.seed, uint64(100+i)))
		w.members.Go(func() {
			user := fmt.Sprint("member", i)
			for n := 0; ; n++ {
				pause := time.Duration(rnd.IntN(7000)) * time.Millisecond
				if n == 0 {
					pause /= 10
				}
				select {
				case <-w.halt:
					return
				case <-time.After(pause):
				}
				text := fmt.Sprintf("怎么查 %s 的流水", word(i*1000+n))
				if i%2 == 1 {
					// Unlike every other report, or it would be offered as a known problem.
					q := word(i*1000 + n)
					text = fmt.Sprintf("报障 登录时闪退 %s x%[1]s y%[1]s z%[1]s", q)
				}
				w.say(user, text, fmt.Sprintf("%d%06d%04d", 7, i, n))
			}
		})
	}
}

// say says a text until it is acknowledged.
func (w *world) say(user, text, msgID string) {
	at := time.Now().Unix()
	for {
		got, err := w.platform.Say(context.Background(), standin.SayRequest{User: user, To: standin.AppPlace(crashAgent), Text: text, MsgID: msgID, CreateTime: at, Wait: true})
		if err != nil {
			w.t.Errorf("say: %v", err)
			return
		}
		w.mu.Lock()
		w.tries += got.Outcome.Tries
		if got.Outcome.Acknowledged {
			w.said[user] = append(w.said[user], text)
		}
		w.mu.Unlock()
		if got.Outcome.Acknowledged {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// probe says something as somebody new every few milliseconds until it is
// acknowledged, straight to one replica.
func (w *world) probe(r *replica, most time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	w.probes++
	n := w.probes
	w.mu.Unlock()
	user := fmt.Sprint("probe", n%probeUsers)
	text := "怎么查 " + word(400_000+n) + " 的流水"
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>9%09d</MsgId><AgentID>%d</AgentID></xml>",
		crashCorp, user, time.Now().Unix(), text, n, crashAgent)
	w.until("an acknowledgement", most, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		// Straight to the replica's address: the balancer would choose another.
		got, err := w.platform.Inject(ctx, standin.InjectRequest{Target: fmt.Sprint("app:", crashAgent), Kind: "genuine", User: user, Inner: inner, URL: "http://" + r.addr + "/wecom/app"})
		return err == nil && got.OK
	})
	w.mu.Lock()
	w.said[user] = append(w.said[user], text)
	w.mu.Unlock()
}

var depth = regexp.MustCompile(`frontline_queue_depth\{queue="(inbox|outbox)"\} (\d+)`)

// settle stops the members and waits until nothing is left to do.
func (w *world) settle() {
	w.t.Helper()
	close(w.halt)
	w.members.Wait()
	w.lossy.Store(false)
	took := w.until("inbox and outbox are empty", 90*time.Second, func() bool {
		m := depth.FindAllStringSubmatch(w.replicas[0].get("/metrics"), -1)
		time.Sleep(50 * time.Millisecond)
		return len(m) == 2 && m[0][2] == "0" && m[1][2] == "0"
	})
	w.t.Logf("settled in %s", took.Round(time.Millisecond))
}

// check compares what was said, what the database has and what members see.
func (w *world) check() {
	t := w.t
	t.Helper()
	s := storetest.Open(t, w.dbURL, store.Options{})
	tickets := map[string]int{}
	tag := regexp.MustCompile(`q[a-z]{4}`)
	for before := int64(0); ; {
		page, err := s.ListTickets(t.Context(), store.TicketQuery{N: 200, Before: before})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, tk := range page {
			tickets[tag.FindString(tk.Title)]++
			before = tk.ID
		}
	}
	messages, reports, answers := 0, 0, 0
	for user, texts := range w.said {
		messages += len(texts)
		for _, text := range texts {
			if !strings.HasPrefix(text, "报障") {
				continue
			}
			reports++
			if n := tickets[tag.FindString(text)]; n != 1 {
				t.Errorf("%s: %d tickets for %q", user, n, text)
			}
		}
		w.checkTurns(s, user, texts)
		a := w.checkWords(s, user)
		answers += a
		if a < len(texts) {
			t.Errorf("%s said %d things and got %d answers", user, len(texts), a)
		}
	}
	c := w.platform.Counters()
	if c.DroppedSilent != 0 {
		t.Errorf("%d messages were dropped by the platform", c.DroppedSilent)
	}
	if t.Failed() {
		return
	}
	t.Logf("nothing lost, nothing twice: %d messages acknowledged in %d deliveries, %d reports and as many tickets, %d answers seen, %d sends recognised as repeats; seed %d",
		messages, w.tries, reports, answers, c.Duplicates, w.seed)
}

// checkTurns: every message is done, in the order in which it was said.
func (w *world) checkTurns(s *store.Store, user string, texts []string) {
	var rows []store.Received
	for before := int64(0); ; {
		page, err := s.ListReceived(w.t.Context(), store.LedgerQuery{Person: user, N: 200, Before: before})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if r.State != "done" {
				w.t.Errorf("%s: %q is %s: %s", user, r.Message.Text, r.State, r.Err)
			}
			if r.Message.Kind == chat.KindText {
				rows = append(rows, r)
			}
			before = r.ID
		}
	}
	slices.SortFunc(rows, func(a, b store.Received) int { return a.Done.Compare(b.Done) })
	var done []string
	for _, r := range rows {
		done = append(done, r.Message.Text)
	}
	at := map[string]int{}
	for i, text := range done {
		if _, twice := at[text]; twice {
			w.t.Errorf("%s: %q was received twice", user, text)
		}
		at[text] = i
	}
	for i, text := range texts {
		n, there := at[text]
		switch {
		case !there:
			w.t.Errorf("%s: %q was acknowledged and is lost", user, text)
		case n != i && rows[n].Done.After(rows[min(i, len(rows)-1)].Done):
			w.t.Errorf("%s: %q was the %d. said and the %d. done", user, text, i+1, n+1)
		}
	}
}

// checkWords: what the member sees is what the outbox sent, once and in order.
// A sign of life is written while its turn's own words wait for their commit,
// so it has no place in that order.
func (w *world) checkWords(s *store.Store, user string) (answers int) {
	var rows []store.Delivered
	for before := int64(0); ; {
		page, err := s.ListDelivered(w.t.Context(), store.LedgerQuery{Person: user, N: 200, Before: before})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			rows, before = append(rows, d), d.ID
		}
	}
	slices.Reverse(rows)
	var sent []string
	signs := map[string]int{} // of signs of life, how often each was seen
	perhaps := 0
	for _, d := range rows {
		switch {
		case d.State == "sent" && len(d.Parts) == 1 && d.Said.Progress:
			signs[d.Receipt.MsgID] = 0
		case d.State == "sent" && len(d.Parts) == 1:
			sent = append(sent, d.Receipt.MsgID)
		case d.State == "dead" && d.Said.AtMostOnce:
			perhaps++ // said at most once, by its own wish
		default:
			w.t.Errorf("%s: words %d are %s in %d parts: %s", user, d.ID, d.State, len(d.Parts), d.Reason)
		}
	}
	var seen []string
	for _, e := range w.platform.Feed(w.t.Context(), standin.FeedQuery{User: user}).Entries {
		if e.From.Kind != "app" {
			continue
		}
		if _, sign := signs[e.MsgID]; sign {
			signs[e.MsgID]++
			continue
		}
		seen = append(seen, e.MsgID)
	}
	for id, n := range signs {
		if n != 1 {
			w.t.Errorf("%s sees the sign of life %s %d times", user, id, n)
		}
	}
	if perhaps == 0 && !slices.Equal(sent, seen) || len(seen) < len(sent) || len(seen) > len(sent)+perhaps {
		w.t.Errorf("%s sees %v, sent were %v (%d may have arrived or not)", user, seen, sent, perhaps)
	}
	return len(seen)
}

// quick is what a quarter of them stayed within: other tests share the
// processors with the program that is measured.
func quick(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/4]
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func TestCrashSQLite(t *testing.T) {
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), 1)
	r := w.replicas[0]
	r.start()
	w.probe(r, 20*time.Second)
	w.drive()
	var back []time.Duration
	for range kills(t) {
		time.Sleep(time.Duration(150+w.random(900)) * time.Millisecond)
		r.kill()
		began := time.Now()
		r.start()
		w.probe(r, 20*time.Second)
		back = append(back, time.Since(began))
	}
	w.settle()
	w.check()
	if len(back) > 0 {
		m := median(back)
		t.Logf("restart to first acknowledgement, %d kills: median %s, worst %s", len(back), m.Round(time.Millisecond), back[len(back)-1].Round(time.Millisecond))
		if q := quick(back); q > time.Second {
			t.Errorf("restart to first acknowledgement takes %s, want at most 1s", q)
		}
	}
}

// The same on MariaDB with two replicas: one is killed, the other takes over
// what it was working on.
func TestCrashReplicas(t *testing.T) {
	w := newWorld(t, storetest.MySQL(t), 2)
	for _, r := range w.replicas {
		r.start()
		w.probe(r, 20*time.Second)
	}
	w.drive()
	var over []time.Duration
	for i := range max(1, kills(t)/3) {
		time.Sleep(time.Duration(1500+w.random(2000)) * time.Millisecond)
		victim, heir := w.replicas[i%2], w.replicas[(i+1)%2]
		victim.kill()
		began := time.Now()
		w.until("the other replica works on everything", 20*time.Second, func() bool { return strings.Contains(heir.get("/metrics"), "frontline_shards_held 64") })
		over = append(over, time.Since(began))
		victim.start()
		w.probe(victim, 20*time.Second)
	}
	w.settle()
	w.check()
	m := median(over)
	t.Logf("a dead replica's work is taken over, %d kills: median %s, worst %s", len(over), m.Round(time.Millisecond), over[len(over)-1].Round(time.Millisecond))
	if q := quick(over); q > 5*time.Second {
		t.Errorf("taking over takes %s, want at most 5s", q)
	}
}

// A replica that is stopped for longer than its lease, and wakes up, writes
// nothing that another one took over.
func TestCrashSleeper(t *testing.T) {
	w := newWorld(t, storetest.MySQL(t), 2)
	for _, r := range w.replicas {
		r.start()
		w.probe(r, 20*time.Second)
	}
	w.drive()
	for i := range 2 {
		time.Sleep(time.Duration(500+w.random(1000)) * time.Millisecond)
		sleeper, other := w.replicas[i%2], w.replicas[(i+1)%2]
		sleeper.signal(syscall.SIGSTOP)
		w.until("the other replica works on everything", 20*time.Second, func() bool { return strings.Contains(other.get("/metrics"), "frontline_shards_held 64") })
		time.Sleep(time.Second)
		sleeper.signal(syscall.SIGCONT)
		w.until("both share again", 20*time.Second, func() bool { return strings.Contains(other.get("/metrics"), "frontline_shards_held 32") })
	}
	w.settle()
	w.check()
}

// A clean stop under load finishes what is in hand, soon, and loses nothing.
func TestCrashTerm(t *testing.T) {
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), 1)
	r := w.replicas[0]
	r.start()
	w.probe(r, 20*time.Second)
	w.drive()
	for range 2 {
		time.Sleep(time.Duration(500+w.random(1000)) * time.Millisecond)
		began := time.Now()
		r.signal(syscall.SIGTERM)
		select {
		case err := <-r.dead:
			r.mu.Lock()
			r.cmd = nil
			r.mu.Unlock()
			if err != nil {
				t.Errorf("the stopped program ended with %v", err)
			}
		case <-time.After(15 * time.Second):
			t.Fatal("does not stop")
		}
		took := time.Since(began)
		t.Logf("stopped in %s", took.Round(time.Millisecond))
		if took > 10*time.Second {
			t.Errorf("stopping takes %s, want at most 10s", took)
		}
		r.start()
		w.probe(r, 20*time.Second)
	}
	w.settle()
	w.check()
}
