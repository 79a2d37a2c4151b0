package standin

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestControlClient(t *testing.T) {
	w := newWorld(t, answering(t, func(in *incoming) string {
		if in.bot {
			return asJSON(object{"msgtype": "template_card", "template_card": buttonCard("b1")})
		}
		return ""
	}))
	ctx := t.Context()
	c := Dial(w.url+"/", testControl)
	st, err := c.State(ctx, "zhaoyi")
	if err != nil || len(st.People) != 4 || len(st.Chats) != 4 || len(st.Robots) != 1 || st.Apps[0].Place != "app:1000002" {
		t.Fatalf("state %+v, %v", st, err)
	}
	r, err := c.Say(ctx, SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true})
	if err != nil || r.Outcome == nil || !r.Outcome.Acknowledged {
		t.Fatalf("say %+v, %v", r, err)
	}
	page, err := c.Feed(ctx, FeedQuery{User: "zhaoyi"})
	if err != nil || len(page.Entries) != 2 || page.Entries[1].Card.Buttons[0].Key != "yes" {
		t.Fatalf("feed %+v, %v", page, err)
	}
	// A long poll returns as soon as something is said.
	done := make(chan FeedPage)
	go func() {
		p, err := c.Feed(ctx, FeedQuery{User: "zhaoyi", After: page.Next, Wait: 20 * time.Second})
		if err != nil {
			t.Error(err)
		}
		done <- p
	}()
	wantCode(t, w.send(textTo("zhaoyi", "新消息")), 0)
	if p := <-done; len(p.Entries) != 1 || p.Entries[0].Text != "新消息" || p.Next <= page.Next {
		t.Errorf("long poll %+v", p)
	}
	if r, err := c.Act(ctx, Action{Do: "click", User: "zhaoyi", To: BotPlace("aib-1"), TaskID: "b1", Key: "yes", Wait: true}); err != nil || r.Outcome == nil {
		t.Errorf("act %+v, %v", r, err)
	}
	if _, err := c.Act(ctx, Action{Do: "dance", User: "zhaoyi", To: AppPlace(testAgent)}); err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("a nonsensical action: %v", err)
	}
	id, err := c.AddFault(ctx, Fault{API: "message/send", Errcode: -1})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.send(textTo("zhaoyi", "x")), -1)
	if err := c.ClearFaults(ctx, id); err != nil {
		t.Error(err)
	}
	wantCode(t, w.send(textTo("zhaoyi", "x")), 0)
	if rs, err := c.Redeliver(ctx, RedeliverRequest{Callback: r.Callback, Times: 2}); err != nil || len(rs) != 2 || !rs[0].OK {
		t.Errorf("redeliver %+v, %v", rs, err)
	}
	if out, err := c.Inject(ctx, InjectRequest{Target: "app:1000002", Kind: "genuine", User: "zhaoyi", Text: "x"}); err != nil || !out.OK {
		t.Errorf("inject %+v, %v", out, err)
	}
	if res, err := c.CheckURL(ctx, "app:1000002"); err != nil || res.OK || res.Reason == "" {
		t.Errorf("check %+v, %v", res, err)
	}
	if l, err := c.Ledger(ctx, "message/send", 0); err != nil || len(l.Entries) != 3 || l.Entries[1].Errcode != -1 {
		t.Errorf("ledger %+v, %v", l, err)
	}
	if n, err := c.Counters(ctx); err != nil || n.Calls["message/send"] != 3 {
		t.Errorf("counters %+v, %v", n, err)
	}
	if code, err := c.OAuthCode(ctx, "zhaoyi", "snsapi_base"); err != nil || w.get("auth/getuserinfo?access_token=" + w.token("app-secret") + "&code=" + code)["userid"] != "zhaoyi" {
		t.Errorf("oauth %q, %v", code, err)
	}
	checkTraces(t, w, c)
	if err := c.ClearFeeds(ctx); err != nil || len(w.feed("zhaoyi")) != 0 {
		t.Errorf("clear: %v", err)
	}
	if _, err := Dial(w.url, "wrong").State(ctx, ""); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong token: %v", err)
	}
}

// checkTraces: the inspector has clear and encrypted text, and no whole secrets.
func checkTraces(t *testing.T, w *world, c *Client) {
	t.Helper()
	page, err := c.Traces(t.Context(), 0, 500, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, tr := range page.Traces {
		kinds[tr.Kind]++
		if strings.Contains(tr.URL, w.token("app-secret")) || strings.Contains(tr.URL, "app-secret") {
			t.Errorf("a secret in %s", tr.URL)
		}
		if tr.Kind == "callback" && (tr.Request == "" || tr.RequestRaw == "" || strings.Contains(tr.RequestRaw, "zhaoyi")) {
			t.Errorf("trace %+v", tr)
		}
	}
	if kinds["callback"] < 2 || kinds["call"] < 3 || kinds["inject"] != 3 || kinds["check"] != 1 {
		t.Errorf("kinds %v", kinds)
	}
}

func TestControlUpload(t *testing.T) {
	w := newWorld(t)
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("user", "zhaoyi")
	_ = m.WriteField("to", "app:1000002")
	part, _ := m.CreateFormFile("media", "截图.png")
	_, _ = part.Write(png)
	_ = m.Close()
	req, _ := http.NewRequest(http.MethodPost, w.url+"/standin/v1/upload", &body)
	req.Header.Set("Authorization", "Bearer "+testControl)
	req.Header.Set("Content-Type", m.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	e := w.feed("zhaoyi")
	if resp.StatusCode != 200 || len(e) != 1 || e[0].MsgType != "image" || e[0].Media.Name != "截图.png" {
		t.Fatalf("HTTP %d, %+v", resp.StatusCode, e)
	}
	shown, err := http.Get(e[0].Media.URL)
	if err != nil || shown.StatusCode != 200 || shown.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture cannot be shown: %v", err)
	}
	_ = shown.Body.Close()
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no corp":      func(o *Options) { o.CorpID = "" },
		"app twice":    func(o *Options) { o.Apps = append(o.Apps, o.Apps[0]) },
		"short key":    func(o *Options) { o.Apps[0].AESKey = "short" },
		"bot key":      func(o *Options) { o.Bots[0].AESKey = "short" },
		"person twice": func(o *Options) { o.People = append(o.People, o.People[0]) },
		"empty robot":  func(o *Options) { o.Robots[0].Key = "" },
		"group twice":  func(o *Options) { o.Groups = append(o.Groups, o.Groups[0]) },
	} {
		opt := testOptions()
		change(&opt)
		if _, err := New(opt); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(testOptions()); err != nil {
		t.Error(err)
	}
}
