package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testCorp    = "ww7f3a2b1c9d8e7f60"
	testKey     = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	testBotKey  = "kX9vT2mQ4rL8sN6pJ1wE5yU7iO3aZ0cB2dF4gH6jK8l"
	testAgent   = 1000002
	otherAgent  = 1000003
	testControl = "control-token-of-the-tests"
	robotKey    = "693a91f6-7b1e-4c3a-9d55-0123456789ab"
)

// clock is a hand-moved clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func testOptions() Options {
	people := []Person{
		{UserID: "zhaoyi", Name: "赵一", Departments: []int{2}, Mobile: "13800000001", Email: "zhaoyi@example.com", OpenUserID: "wo-open-zhaoyi", Leader: true},
		{UserID: "qianer", Name: "钱二", Departments: []int{3}, Mobile: "13800000002"},
		{UserID: "sunsan", Name: "孙三", Departments: []int{3, 2}, Position: "支持工程师", Leaders: []string{"zhaoyi"}},
		{UserID: "lisi", Name: "李四", Disabled: true},
	}
	return Options{
		CorpID: testCorp, CorpName: "示例证券", ControlToken: testControl, ContactSecret: "contact-secret",
		Apps: []App{
			{AgentID: testAgent, Name: "一线助手", Secret: "app-secret", Token: "QDG6eK", AESKey: testKey, CallbackURL: "http://callback.test/app",
				Menu: []MenuItem{{"报障", "click", "report"}, {"工单", "view", "https://desk.example.com/m"}}},
			{AgentID: otherAgent, Name: "别的应用", Secret: "other-secret", Visible: []string{"zhaoyi"}},
		},
		Bots:        []Bot{{ID: "aib-1", Name: "一线助手", Token: "botToken", AESKey: testBotKey, CallbackURL: "http://callback.test/bot"}},
		People:      people,
		Departments: []Department{{ID: 1, Name: "示例证券"}, {ID: 2, Name: "交易支持", ParentID: 1, Leaders: []string{"zhaoyi"}}, {ID: 3, Name: "营业部", ParentID: 2}},
		Groups:      []Group{{ChatID: "wrGroup1", Name: "交易系统支持群", Members: []string{"zhaoyi", "qianer"}, BotIDs: []string{"aib-1"}}},
		Robots:      []Robot{{Key: robotKey, Name: "告警机器人", Group: "wrGroup1"}},
		Tags:        []Tag{{ID: 9, Name: "值班", UserIDs: []string{"sunsan"}}},
		Rand:        rand.New(rand.NewPCG(1, 2)),
	}
}

// world is a stand-in behind a real listener.
type world struct {
	t     *testing.T
	s     *Server
	url   string
	clock *clock
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2025, 3, 10, 9, 30, 0, 0, time.UTC)}}
	opt := testOptions()
	opt.Now = w.clock.Now
	opt.Callbacks = roundTrip(func(*http.Request) (*http.Response, error) { return respond(200, ""), nil })
	for _, c := range change {
		c(&opt)
	}
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.Close(); s.Close() })
	w.s, w.url = s, srv.URL
	s.SetBaseURL(srv.URL)
	return w
}

// got is an answer of the platform.
type got map[string]any

func (g got) code() int {
	n, ok := g["errcode"].(float64)
	if !ok {
		return -999
	}
	return int(n)
}

func (w *world) do(method, path, ctype string, body io.Reader) got {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+"/cgi-bin/"+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if ctype != "" {
		req.Header.Set("Content-Type", ctype)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: HTTP %d, errors come with HTTP 200", path, resp.StatusCode)
	}
	var g got
	if err := json.Unmarshal(data, &g); err != nil {
		w.t.Fatalf("%s: %v in %q", path, err, data)
	}
	return g
}

func (w *world) get(path string) got { w.t.Helper(); return w.do(http.MethodGet, path, "", nil) }

// post sends a body: a string as it is, anything else as JSON.
func (w *world) post(path string, body any) got {
	w.t.Helper()
	text, ok := body.(string)
	if !ok {
		text = asJSON(body)
	}
	return w.do(http.MethodPost, path, "application/json", strings.NewReader(text))
}

func (w *world) token(secret string) string {
	w.t.Helper()
	g := w.get("gettoken?corpid=" + testCorp + "&corpsecret=" + secret)
	if g.code() != 0 {
		w.t.Fatalf("gettoken: %v", g)
	}
	return g["access_token"].(string)
}

// send is message/send by the app.
func (w *world) send(body any) got {
	w.t.Helper()
	return w.post("message/send?access_token="+w.token("app-secret"), body)
}

func textTo(user, text string) map[string]any {
	return map[string]any{"touser": user, "agentid": testAgent, "msgtype": "text", "text": map[string]any{"content": text}}
}

// feed lists what a member sees.
func (w *world) feed(user string) []Entry {
	return w.s.Feed(context.Background(), FeedQuery{User: user}).Entries
}

func (w *world) group(chat, as string) []Entry {
	return w.s.Feed(context.Background(), FeedQuery{Group: chat, User: as}).Entries
}

func wantCode(t *testing.T, g got, code int) {
	t.Helper()
	if g.code() != code {
		t.Errorf("errcode %d, want %d: %v", g.code(), code, g["errmsg"])
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// incoming is one callback as the receiver under test would read it.
type incoming struct {
	bot                         bool
	signature, timestamp, nonce string
	encrypted                   string
	inner                       string
	json                        map[string]any // of a bot
	xml                         *node          // of an app
}

// receive opens a callback request; it fails the test when the signature is wrong.
func receive(t *testing.T, r *http.Request) *incoming {
	t.Helper()
	body, _ := io.ReadAll(r.Body)
	q := r.URL.Query()
	in := &incoming{bot: strings.HasSuffix(r.URL.Path, "/bot"), signature: q.Get("msg_signature"), timestamp: q.Get("timestamp"), nonce: q.Get("nonce")}
	token, keyText, receiver := "QDG6eK", testKey, testCorp
	if in.bot {
		token, keyText, receiver = "botToken", testBotKey, ""
		var env struct{ Encrypt string }
		if err := json.Unmarshal(body, &env); err != nil {
			t.Errorf("envelope: %v", err)
		}
		in.encrypted = env.Encrypt
	} else {
		doc, err := parseXML(body)
		if err != nil {
			t.Errorf("envelope: %v", err)
			return in
		}
		in.encrypted = doc.value("Encrypt")
	}
	if sign(token, in.timestamp, in.nonce, in.encrypted) != in.signature {
		t.Errorf("the signature of the callback is wrong")
	}
	key, _ := parseAESKey(keyText)
	inner, to, err := open(key, in.encrypted)
	if err != nil || to != receiver {
		t.Errorf("open the callback: %v, receiver %q", err, to)
	}
	in.inner = string(inner)
	if in.bot {
		_ = json.Unmarshal(inner, &in.json)
	} else {
		in.xml, _ = parseXML(inner)
	}
	return in
}

// answer wraps a passive reply.
func (in *incoming) answer(inner string) string {
	key, _ := parseAESKey(testKey)
	if in.bot {
		key, _ = parseAESKey(testBotKey)
		enc := seal(key, bytes.Repeat([]byte{1}, 16), []byte(inner), "")
		return fmt.Sprintf(`{"encrypt":%q,"msgsignature":%q,"timestamp":%s,"nonce":%q}`, enc, sign("botToken", in.timestamp, in.nonce, enc), in.timestamp, in.nonce)
	}
	enc := seal(key, bytes.Repeat([]byte{1}, 16), []byte(inner), testCorp)
	return fmt.Sprintf("<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>%s</TimeStamp><Nonce><![CDATA[%s]]></Nonce></xml>",
		enc, sign("QDG6eK", in.timestamp, "n1", enc), in.timestamp, "n1")
}

// answering is a receiver that answers each callback with f's inner text; "" acknowledges only.
func answering(t *testing.T, f func(*incoming) string) func(*Options) {
	return func(o *Options) {
		o.Callbacks = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return respond(200, "hello"), nil
			}
			in := receive(t, r)
			if inner := f(in); inner != "" {
				return respond(200, in.answer(inner)), nil
			}
			return respond(200, ""), nil
		})
	}
}
