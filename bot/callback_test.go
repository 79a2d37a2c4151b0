package bot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot/chat"
)

// memInbox is an Inbox in memory.
type memInbox struct {
	mu    sync.Mutex
	rows  map[string]chat.Message
	calls int
	err   error
	block bool // until the context is over
}

func (b *memInbox) Accept(ctx context.Context, m chat.Message) (bool, error) {
	if b.block {
		<-ctx.Done()
		return false, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.err != nil {
		return false, b.err
	}
	_, known := b.rows[m.ID]
	if !known {
		b.rows[m.ID] = m
	}
	return !known, nil
}

func (b *memInbox) Seen(_ context.Context, id string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.rows[id]
	return known, b.err
}

// only returns the single message that is stored.
func (b *memInbox) only(t *testing.T) chat.Message {
	t.Helper()
	if len(b.rows) != 1 {
		t.Fatalf("%d messages are stored", len(b.rows))
	}
	for _, m := range b.rows {
		return m
	}
	panic("unreachable")
}

// memReplies plays the turns: what each says, and whether it is over.
type memReplies struct {
	mu   sync.Mutex
	say  []chat.Outgoing
	done bool
	err  error
	left []chat.Outgoing // what did not fit
}

func (r *memReplies) Inline(ctx context.Context, _ string, fits func(chat.Outgoing) bool) ([]chat.Outgoing, bool, error) {
	if !r.done && r.say == nil && r.err == nil {
		<-ctx.Done()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = nil
	var say []chat.Outgoing
	for _, out := range r.say {
		if fits(out) {
			say = append(say, out)
		} else {
			r.left = append(r.left, out)
		}
	}
	return say, r.done, r.err
}

type memSpool struct {
	rows []chat.Message
	err  error
}

func (s *memSpool) Append(m chat.Message) error {
	if s.err == nil {
		s.rows = append(s.rows, m)
	}
	return s.err
}

const (
	rigToken = "frontlineTestToken"
	rigAES   = "frontlineTestKeyAbcdefghijklmnopqrstuvwxyz0"
	oldAES   = "frontlineOldKeyAbcdefghijklmnopqrstuvwxyz01"
	rigNonce = "nonce_-1"
)

// rig is a Callback with everything around it in memory.
type rig struct {
	*Callback
	inbox   *memInbox
	replies *memReplies
	spool   *memSpool
	app     *Keys
	bot     *Keys
	log     bytes.Buffer
	results []CallbackResult
}

func mustKeys(tb testing.TB, token, key, receive string) *Keys {
	tb.Helper()
	k, err := NewKeys(token, key, receive)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func newRig(tb testing.TB, change ...func(*Options)) *rig {
	tb.Helper()
	r := &rig{
		inbox: &memInbox{rows: map[string]chat.Message{}}, replies: &memReplies{done: true}, spool: &memSpool{},
		app: mustKeys(tb, rigToken, rigAES, testDoor.corp), bot: mustKeys(tb, rigToken, rigAES, ""),
	}
	var mu sync.Mutex
	opt := Options{
		Corp: testDoor.corp, AgentID: testDoor.agent, AppKeys: []*Keys{r.app}, BotKeys: []*Keys{r.bot},
		Inbox: r.inbox, Replies: r.replies, Spool: r.spool, Log: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return testNow }, InlineWait: time.Nanosecond, ClickWait: time.Nanosecond,
		Observe: func(c CallbackResult) {
			mu.Lock()
			defer mu.Unlock()
			r.results = append(r.results, c)
		},
	}
	for _, c := range change {
		c(&opt)
	}
	r.Callback = NewCallback(opt)
	return r
}

// got is what the platform sees. Status 0: the connection was closed unanswered.
type got struct {
	status int
	body   string
	header http.Header
}

func (r *rig) do(via chat.Via, req *http.Request) (g got) {
	h := r.AppHandler()
	if via == chat.Bot {
		h = r.BotHandler()
	}
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			g = got{}
		}
	}()
	h.ServeHTTP(w, req)
	return got{w.Code, w.Body.String(), w.Header()}
}

// query signs a ciphertext.
func query(k *Keys, unix int64, nonce, cipher string) url.Values {
	ts := strconv.FormatInt(unix, 10)
	return url.Values{"msg_signature": {k.Sign(ts, nonce, cipher)}, "timestamp": {ts}, "nonce": {nonce}}
}

func appEnvelopeXML(corp, agent, cipher string) string {
	return "<xml><ToUserName><![CDATA[" + corp + "]]></ToUserName><AgentID><![CDATA[" + agent + "]]></AgentID><Encrypt><![CDATA[" + cipher + "]]></Encrypt></xml>"
}

func post(q, body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, "/callback?"+q, strings.NewReader(body))
}

// sendApp sends inner XML as the platform would, at a given second.
func (r *rig) sendApp(plain string, unix int64) got {
	cipher := r.app.Encrypt([]byte(plain))
	return r.do(chat.App, post(query(r.app, unix, rigNonce, cipher).Encode(), appEnvelopeXML(testDoor.corp, testDoor.agent, cipher)))
}

// sendBot sends inner JSON and decrypts the answer.
func (r *rig) sendBot(tb testing.TB, plain string, unix int64) (got, string) {
	tb.Helper()
	cipher := r.bot.Encrypt([]byte(plain))
	g := r.do(chat.Bot, post(query(r.bot, unix, rigNonce, cipher).Encode(), `{"encrypt":"`+cipher+`"}`))
	if g.body == "" {
		return g, ""
	}
	return g, openReply(tb, r.bot, g.body)
}

func openReply(tb testing.TB, k *Keys, body string) string {
	tb.Helper()
	var e struct {
		Encrypt, MsgSignature, Nonce string
		Timestamp                    int64
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		tb.Fatalf("%v: %s", err, body)
	}
	if e.Nonce != rigNonce || k.Sign(strconv.FormatInt(e.Timestamp, 10), e.Nonce, e.Encrypt) != e.MsgSignature {
		tb.Fatalf("the answer is not signed: %s", body)
	}
	plain, err := k.Decrypt(e.Encrypt)
	if err != nil {
		tb.Fatal(err)
	}
	return string(plain)
}

var textXML = appXML("text", "<Content><![CDATA[报障]]></Content><MsgId>7348901234567890123</MsgId>")

// TestBadCallbacks is the part of the bad-input corpus that never gets inside.
// Nothing of it may be stored, and no answer may have a body.
func TestBadCallbacks(t *testing.T) {
	r := newRig(t)
	cipher := r.app.Encrypt([]byte(textXML))
	env := appEnvelopeXML(testDoor.corp, testDoor.agent, cipher)
	good := func() url.Values { return query(r.app, testUnix, rigNonce, cipher) }
	with := func(key, value string) string {
		q := good()
		q.Set(key, value)
		return q.Encode()
	}
	signedBody := func(inner string) (string, string) { // any envelope around a right signature
		c := r.app.Encrypt([]byte(inner))
		return query(r.app, testUnix, rigNonce, c).Encode(), appEnvelopeXML(testDoor.corp, testDoor.agent, c)
	}
	sig := good().Get("msg_signature")
	moved := good() // B08: the last digit of the timestamp goes over to the nonce
	moved.Set("timestamp", moved.Get("timestamp")[:9])
	moved.Set("nonce", good().Get("timestamp")[9:]+rigNonce)

	type badCase struct {
		name   string
		req    *http.Request
		status int
	}
	cases := []badCase{
		{"B01 no signature", post(with("msg_signature", ""), env), 401},
		{"B01 no query", post("", env), 401},
		{"B02 upper case", post(with("msg_signature", strings.ToUpper(sig)), env), 401},
		{"B02 39", post(with("msg_signature", sig[:39]), env), 401},
		{"B02 41", post(with("msg_signature", sig+"0"), env), 401},
		{"B02 spaces", post(with("msg_signature", " "+sig[:39]), env), 401},
		{"B03 two timestamps", post(good().Encode()+"&timestamp="+good().Get("timestamp"), env), 400},
		{"B03 two timestamps, one escaped", post(good().Encode()+"&time%73tamp=1", env), 400},
		{"B03 two signatures", post("msg_signature=x&"+good().Encode(), env), 400},
		{"B07 in the future", post(query(r.app, testUnix+301, rigNonce, cipher).Encode(), env), 401},
		{"B05 old and unknown", post(query(r.app, testUnix-301, rigNonce, cipher).Encode(), env), 401},
		{"B08 digit moved", post(moved.Encode(), env), 401},
		{"B09 nonce empty", post(query(r.app, testUnix, "", cipher).Encode(), env), 401},
		{"B09 nonce of 10 KB", post(query(r.app, testUnix, strings.Repeat("n", 10<<10), cipher).Encode(), env), 401},
		{"B09 nonce with NUL", post(query(r.app, testUnix, "a\x00", cipher).Encode(), env), 401},
		{"B09 nonce with CR LF", post(query(r.app, testUnix, "a\r\n", cipher).Encode(), env), 401},
		{"B09 nonce with a broken escape", post("msg_signature="+sig+"&timestamp=1788225300&nonce=%zz", env), 401},
		{"B12 query in the body", post("", good().Encode()), 401},
		{"B16 gzip", func() *http.Request {
			req := post(good().Encode(), env)
			req.Header.Set("Content-Encoding", "gzip")
			return req
		}(), 415},
		{"B17 empty body", post(good().Encode(), ""), 400},
		{"B17 64 KiB and one", post(good().Encode(), strings.Repeat(" ", 64<<10+1)), 413},
		{"B17 64 KiB and one, length unknown", func() *http.Request {
			req := post(good().Encode(), strings.Repeat(" ", 64<<10+1))
			req.ContentLength = -1
			return req
		}(), 413},
		{"B18 other corp", post(good().Encode(), appEnvelopeXML("ww9999999999999999", testDoor.agent, cipher)), 401},
		{"B18 no corp", post(good().Encode(), appEnvelopeXML("", testDoor.agent, cipher)), 401},
		{"B18 other agent", post(good().Encode(), appEnvelopeXML(testDoor.corp, "1000003", cipher)), 401},
		{"B38 300,000 attributes", post(good().Encode(), "<xml"+strings.Repeat(` a=""`, 300000)+"/>"), 413},
		{"envelope is no XML", post(good().Encode(), "{}"), 400},
		{"envelope with two ciphers", post(good().Encode(), strings.Replace(env, "</xml>", "<Encrypt>x</Encrypt></xml>", 1)), 400},
		{"envelope with a DOCTYPE", post(good().Encode(), "<!DOCTYPE x>"+env), 400},
		{"other token", func() *http.Request {
			k := mustKeys(t, "otherToken", rigAES, testDoor.corp)
			return post(query(k, testUnix, rigNonce, cipher).Encode(), env)
		}(), 401},
	}
	for _, ts := range []string{"0", "-1", "1e9", "17000000001", "9223372036854775808", "１７８８２２５３００", "178822530", " 178822530"} {
		q := good()
		q.Set("timestamp", ts)
		q.Set("msg_signature", r.app.Sign(ts, rigNonce, cipher))
		cases = append(cases, badCase{"B04 timestamp " + ts, post(q.Encode(), env), 401})
	}
	for _, method := range []string{"PUT", "DELETE", "TRACE", "HEAD", "OPTIONS", "PATCH"} {
		cases = append(cases, badCase{"B13 " + method, httptest.NewRequest(method, "/callback?"+good().Encode(), strings.NewReader(env)), 405})
	}
	for name, bad := range map[string]string{
		"B20 not base64": "!" + cipher[1:], "B20 line break": cipher[:8] + "\n" + cipher[8:], "B21 empty": "",
		"B21 16 bytes": base64.StdEncoding.EncodeToString(make([]byte, 16)), "B24": r.app.encryptRaw(plainBlocks(0xFFFFFFF8, "", bytes.Repeat([]byte{12}, 12))),
		"B25 no receiver": r.bot.Encrypt([]byte(textXML)),
	} {
		cases = append(cases, badCase{name, post(query(r.app, testUnix, rigNonce, bad).Encode(), appEnvelopeXML(testDoor.corp, testDoor.agent, bad)), 401})
	}
	for name, inner := range map[string]string{
		"B29 not XML": "hello", "B29 JSON": botJSON("", `"msgtype":"text"`), "B35 DOCTYPE inside": `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/">` + textXML,
		"B39 two senders inside": strings.Replace(textXML, "<MsgType>", "<FromUserName>a</FromUserName><MsgType>", 1), "B40 trailing bytes inside": textXML + "x",
	} {
		q, body := signedBody(inner)
		cases = append(cases, badCase{name, post(q, body), 400})
	}
	for _, c := range cases {
		g := r.do(chat.App, c.req)
		if g.status != c.status || g.body != "" {
			t.Errorf("%s: %d %q, want %d and nothing", c.name, g.status, g.body, c.status)
		}
	}
	if r.inbox.calls != 0 {
		t.Errorf("%d of them were stored", r.inbox.calls)
	}
	if len(r.results) != len(cases) {
		t.Errorf("%d of %d were counted", len(r.results), len(cases))
	}
	if n := strings.Count(r.log.String(), "another corp or app"); n != 3 {
		t.Errorf("B18 is logged %d times", n)
	}
	for _, secret := range []string{rigToken, rigAES, "报障", cipher[:20]} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestAppCallback(t *testing.T) {
	r := newRig(t)
	if g := r.sendApp(textXML, testUnix); g.status != 200 || g.body != "" {
		t.Fatalf("%+v", g)
	}
	m := r.inbox.only(t)
	if m.Text != "报障" || m.Sender != "zhoulan" || m.Kind != chat.KindText {
		t.Errorf("%+v", m)
	}
	// A repeat comes with a new timestamp, a new nonce and a new ciphertext.
	if g := r.sendApp(textXML, testUnix+6); g.status != 200 || len(r.inbox.rows) != 1 {
		t.Errorf("repeat: %+v, %d rows", g, len(r.inbox.rows))
	}
	if g := r.sendApp(textXML, testUnix-301); g.status != 200 || r.inbox.calls != 2 {
		t.Errorf("B06 known and old: %+v, %d calls", g, r.inbox.calls)
	}
	var ends []Result
	for _, c := range r.results {
		ends = append(ends, c.Result)
	}
	if fmt.Sprint(ends) != "[accepted repeated replayed]" || r.results[2].Skew != 301*time.Second {
		t.Errorf("%+v", r.results)
	}
}

// F43: the platform's four deliveries of one message at once are one row.
func TestFourfoldDelivery(t *testing.T) {
	r := newRig(t)
	var wait sync.WaitGroup
	status := make([]int, 4)
	for i := range status {
		wait.Go(func() { status[i] = r.sendApp(textXML, testUnix+int64(i)).status })
	}
	wait.Wait()
	if fmt.Sprint(status) != "[200 200 200 200]" || len(r.inbox.rows) != 1 {
		t.Errorf("%v, %d rows", status, len(r.inbox.rows))
	}
}

func TestNotStoredIsNotAnswered(t *testing.T) {
	r := newRig(t)
	r.inbox.err = errors.New("database is away")
	if g := r.sendApp(textXML, testUnix); g.status != 0 {
		t.Errorf("answered %+v", g)
	}
	if g := r.sendApp(textXML, testUnix-301); g.status != 0 {
		t.Errorf("old one answered %+v", g)
	}
	if n := strings.Count(r.log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d errors are logged:\n%s", n, r.log.String())
	}
}

func TestKeyRotation(t *testing.T) {
	now := testNow
	old := mustKeys(t, rigToken, oldAES, testDoor.corp)
	old.Until = testNow.Add(time.Minute)
	r := newRig(t, func(o *Options) {
		o.AppKeys = append(o.AppKeys, old)
		o.Now = func() time.Time { return now }
	})
	send := func() int {
		cipher := old.Encrypt([]byte(textXML))
		return r.do(chat.App, post(query(old, testUnix, rigNonce, cipher).Encode(), appEnvelopeXML(testDoor.corp, testDoor.agent, cipher))).status
	}
	if got := send(); got != 200 {
		t.Errorf("B28 previous key: %d", got)
	}
	now = testNow.Add(2 * time.Minute)
	if got := send(); got != 401 {
		t.Errorf("B28 previous key after its end: %d", got)
	}
}

func get(q url.Values) *http.Request {
	return httptest.NewRequest(http.MethodGet, "/callback?"+q.Encode(), nil)
}

func (r *rig) checkQuery(k *Keys, unix int64, plain string) url.Values {
	echo := k.Encrypt([]byte(plain))
	q := query(k, unix, rigNonce, echo)
	q.Set("echostr", echo)
	return q
}

func TestURLCheck(t *testing.T) {
	r := newRig(t)
	const echo = "1616140317555161061"
	for via, k := range map[chat.Via]*Keys{chat.App: r.app, chat.Bot: r.bot} {
		if g := r.do(via, get(r.checkQuery(k, testUnix, echo))); g.status != 200 || g.body != echo {
			t.Errorf("%s: %+v", via, g)
		}
	}
	r = newRig(t)
	spaced := url.Values{}
	for range 1000 { // until one has a + in it
		if spaced = r.checkQuery(r.app, testUnix, echo); strings.Contains(spaced.Get("echostr"), "+") {
			break
		}
	}
	spaced.Set("echostr", strings.ReplaceAll(spaced.Get("echostr"), "+", " "))
	if g := r.do(chat.App, get(spaced)); g.status != 200 || g.body != echo {
		t.Errorf("B11 + turned into a space: %+v", g)
	}
	spaced.Set("echostr", "x"+spaced.Get("echostr")[1:])
	two := r.checkQuery(r.app, testUnix, echo)
	two.Add("echostr", "x")
	captured := r.app.Encrypt([]byte(textXML))
	oracle := query(r.app, testUnix, rigNonce, captured)
	oracle.Set("echostr", captured)
	for _, c := range []struct {
		name   string
		q      url.Values
		status int
	}{
		{"B11 wrong one", spaced, 401},
		{"two", two, 400},
		{"none", query(r.app, testUnix, rigNonce, ""), 401},
		{"B10 captured POST", oracle, 401},
		{"captured JSON", r.checkQuery(r.app, testUnix, `{"a":1}`), 401},
		{"65 bytes", r.checkQuery(r.app, testUnix, strings.Repeat("1", 65)), 401},
		{"not ASCII", r.checkQuery(r.app, testUnix, "一"), 401},
		{"control character", r.checkQuery(r.app, testUnix, "a\nb"), 401},
		{"other receiver", r.checkQuery(r.bot, testUnix, echo), 401},
		{"old", r.checkQuery(r.app, testUnix-301, echo), 401},
		{"future", r.checkQuery(r.app, testUnix+301, echo), 401},
	} {
		if g := r.do(chat.App, get(c.q)); g.status != c.status || g.body != "" {
			t.Errorf("%s: %d %q", c.name, g.status, g.body)
		}
	}
	off := newRig(t, func(o *Options) { o.DisableURLCheck = true })
	if g := off.do(chat.App, get(off.checkQuery(off.app, testUnix, echo))); g.status != 404 {
		t.Errorf("switched off: %+v", g)
	}
}

func TestURLCheckIsLimited(t *testing.T) {
	now := testNow
	r := newRig(t, func(o *Options) { o.Now = func() time.Time { return now } })
	ask := func() int { return r.do(chat.App, get(r.checkQuery(r.app, testUnix, "1"))).status }
	for i := range 10 {
		if got := ask(); got != 200 {
			t.Fatalf("check %d: %d", i, got)
		}
	}
	if got := ask(); got != 429 {
		t.Errorf("the eleventh check: %d", got)
	}
	forgedQuery := r.checkQuery(r.app, testUnix, "1")
	forgedQuery.Set("nonce", "other")
	if g := r.do(chat.App, get(forgedQuery)); g.status != 401 {
		t.Errorf("a forged one: %+v", g)
	}
	now = now.Add(6 * time.Second)
	if got := ask(); got != 200 {
		t.Errorf("after six seconds: %d", got)
	}
}

// FuzzAppCallback sends anything, both as a whole body and, properly encrypted,
// as the inner XML.
func FuzzAppCallback(f *testing.F) {
	f.Add("msg_signature=x&timestamp=1&nonce=n", textXML)
	f.Add("timestamp=1&timestamp=2", `<xml><Encrypt>x</Encrypt></xml>`)
	f.Add("a=%zz", eventXML("template_card_event", "<TaskId>t</TaskId><SelectedItems><SelectedItem><QuestionKey>q</QuestionKey></SelectedItem></SelectedItems>"))
	f.Add("", appXML("location", "<Label>a</Label>"))
	f.Fuzz(func(t *testing.T, q, body string) {
		r := newRig(t)
		g := r.do(chat.App, &http.Request{Method: "POST", URL: &url.URL{RawQuery: q}, ContentLength: int64(len(body)), Body: http.NoBody, Header: http.Header{}})
		if g.status == 200 || len(r.inbox.rows) != 0 {
			t.Fatalf("unsigned: %+v", g)
		}
		if body == "" {
			return
		}
		if g := r.do(chat.App, post("", body)); g.status == 200 {
			t.Fatalf("unsigned: %+v", g)
		}
		if g = r.sendApp(body, testUnix); g.body != "" || g.status != 200 && g.status != 400 && g.status != 413 {
			t.Fatalf("%+v", g)
		}
		if g.status == 200 {
			checkStored(t, r.inbox.only(t))
		}
	})
}

// checkStored holds for every message, whatever it came from.
func checkStored(t *testing.T, m chat.Message) {
	t.Helper()
	if len(m.ID) != 24 || m.At.IsZero() || m.Kind == "" {
		t.Fatalf("%+v", m)
	}
	if m.From != (chat.Address{}) && !validUserID(m.Sender) {
		t.Fatalf("words could be sent to %q", m.Sender)
	}
	if m.From == (chat.Address{}) && m.Kind != chat.KindOther && m.Kind != chat.KindContact {
		t.Fatalf("%s without an address", m.Kind)
	}
	if (m.Kind == chat.KindClick) != (m.Click != nil) && m.Kind != chat.KindOther {
		t.Fatalf("%+v", m)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back chat.Message
	if err := json.Unmarshal(text, &back); err != nil || back.Text != m.Text || back.Sender != m.Sender {
		t.Fatalf("does not survive JSON: %+v, %v", m, err)
	}
}
