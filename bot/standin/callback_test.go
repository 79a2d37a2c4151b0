package standin

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f in a synctest bubble with a stand-in whose clock is the
// bubble's and whose callbacks go to receiver.
func bubble(t *testing.T, receiver func(*http.Request) (*http.Response, error), f func(*testing.T, *Server)) {
	synctest.Test(t, func(t *testing.T) {
		opt := testOptions()
		opt.BaseURL = "http://standin.test"
		opt.Callbacks = roundTrip(receiver)
		s, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f(t, s)
	})
}

func TestRetryThreeTimesWithTheSameInnerFields(t *testing.T) {
	var mu sync.Mutex
	var seen []*incoming
	var at []time.Duration
	var start time.Time
	hang := func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		seen = append(seen, receive(t, r))
		at = append(at, time.Since(start))
		mu.Unlock()
		<-r.Context().Done() // no answer: the platform gives up after five seconds
		return nil, r.Context().Err()
	}
	bubble(t, hang, func(t *testing.T, s *Server) {
		start = time.Now()
		got, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "行情不刷新 <&]]>", Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		o := got.Outcome
		if o.Acknowledged || o.Tries != 3 || !strings.Contains(o.Err, "no answer") {
			t.Errorf("outcome %+v", o)
		}
		if fmt.Sprint(at) != "[0s 6s 12s]" { // five seconds without an answer, one second of pause
			t.Errorf("tries at %v", at)
		}
		for i, in := range seen {
			if in.inner != seen[0].inner {
				t.Errorf("try %d has other inner fields", i+1)
			}
			if i > 0 && (in.nonce == seen[0].nonce || in.encrypted == seen[0].encrypted || in.timestamp == seen[0].timestamp) {
				t.Errorf("try %d repeats the envelope", i+1)
			}
		}
		x := seen[0].xml
		if x.value("Content") != "行情不刷新 <&]]>" || x.value("MsgType") != "text" || x.value("FromUserName") != "zhaoyi" || x.value("AgentID") != "1000002" || x.value("ToUserName") != testCorp || len(x.value("MsgId")) != 19 {
			t.Errorf("inner %s", seen[0].inner)
		}
		if c := s.Counters(); c.CallbackLost != 1 || c.CallbackTries != 3 {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestAnythingButTwoHundredIsRetried(t *testing.T) {
	for _, status := range []int{201, 204, 302, 404, 500, 503} {
		calls := 0
		bubble(t, func(r *http.Request) (*http.Response, error) {
			calls++
			if calls < 3 {
				return respond(status, ""), nil
			}
			return respond(200, ""), nil
		}, func(t *testing.T, s *Server) {
			got, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true})
			if err != nil || !got.Outcome.Acknowledged || got.Outcome.Tries != 3 {
				t.Errorf("HTTP %d: %+v, %v", status, got.Outcome, err)
			}
		})
	}
}

func TestSlowAnswerIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		tries int
	}{{4900 * time.Millisecond, 1}, {5100 * time.Millisecond, 3}} {
		bubble(t, func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(c.after):
				return respond(200, ""), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}, func(t *testing.T, s *Server) {
			got, _ := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true})
			if got.Outcome.Tries != c.tries {
				t.Errorf("an answer after %v: %d tries, want %d", c.after, got.Outcome.Tries, c.tries)
			}
		})
	}
}

func TestPassiveReplies(t *testing.T) {
	reply := func(kind, rest string) string {
		return "<xml><ToUserName>zhaoyi</ToUserName><FromUserName>" + testCorp + "</FromUserName><CreateTime>1</CreateTime><MsgType>" + kind + "</MsgType>" + rest + "</xml>"
	}
	for _, c := range []struct {
		name, reply, shown, wrong string
	}{
		{"text", reply("text", "<Content><![CDATA[收到]]></Content>"), "收到", ""},
		{"empty text", reply("text", "<Content></Content>"), "", "Content is empty"},
		{"markdown", reply("markdown", "<Content>x</Content>"), "", "cannot be sent passively"},
		{"for another", strings.Replace(reply("text", "<Content>x</Content>"), "zhaoyi", "qianer", 1), "", "it is for"},
		{"of another company", strings.Replace(reply("text", "<Content>x</Content>"), testCorp, "ww", 1), "", "corp id"},
		{"update of no card", reply("update_button", "<Button><ReplaceName>x</ReplaceName></Button>"), "", "is no reply to text"},
		{"news", reply("news", "<ArticleCount>1</ArticleCount><Articles><item><Title>t</Title><Url>u</Url></item></Articles>"), "", ""},
		{"no XML", "{}", "", "inner XML"},
	} {
		w := newWorld(t, answering(t, func(*incoming) string { return c.reply }))
		got, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		entries := w.feed("zhaoyi")
		last := entries[len(entries)-1]
		if c.wrong == "" && (got.Outcome.Err != "" || len(entries) != 2 || last.Text != c.shown) {
			t.Errorf("%s: outcome %+v, shown %+v", c.name, got.Outcome, last)
		}
		if c.wrong != "" && (!strings.Contains(got.Outcome.Err, c.wrong) || len(entries) != 1 || !got.Outcome.Acknowledged) {
			t.Errorf("%s: outcome %+v, %d entries", c.name, got.Outcome, len(entries))
		}
	}
}

func TestForgedPassiveReplyIsRefused(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Callbacks = roundTrip(func(r *http.Request) (*http.Response, error) {
			in := receive(t, r)
			body := in.answer("<xml><ToUserName>zhaoyi</ToUserName></xml>")
			return respond(200, strings.Replace(body, "<MsgSignature><![CDATA[", "<MsgSignature><![CDATA[0", 1)), nil
		})
	})
	got, _ := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true})
	if !strings.Contains(got.Outcome.Err, "signature") || len(w.feed("zhaoyi")) != 1 {
		t.Errorf("outcome %+v", got.Outcome)
	}
}

func TestClicksOnAppCards(t *testing.T) {
	var last *incoming
	next := ""
	w := newWorld(t, answering(t, func(in *incoming) string { last = in; return next }))
	wantCode(t, w.send(cardTo("zhaoyi|qianer", buttonCard("T1@1"))), 0)
	if _, err := w.s.Click(t.Context(), "zhaoyi", AppPlace(testAgent), "T1@1", "nothing"); err == nil {
		t.Error("a button that is not there can be clicked")
	}
	if _, err := w.s.Click(t.Context(), "sunsan", AppPlace(testAgent), "T1@1", "yes"); err == nil {
		t.Error("a member without a copy can click")
	}
	if _, err := w.s.Click(t.Context(), "zhaoyi", AppPlace(testAgent), "T1@1", "withdraw"); err != nil {
		t.Fatal(err)
	}
	if last.xml.value("Event") != "template_card_menu_event" || last.xml.child("SelectedItems") != nil {
		t.Errorf("menu event %s", last.inner)
	}
	next = "<xml><ToUserName>zhaoyi</ToUserName><FromUserName>" + testCorp + "</FromUserName><MsgType>update_button</MsgType><Button><ReplaceName>已点</ReplaceName></Button></xml>"
	if _, err := w.s.Click(t.Context(), "zhaoyi", AppPlace(testAgent), "T1@1", "yes"); err != nil {
		t.Fatal(err)
	}
	x := last.xml
	if x.value("Event") != "template_card_event" || x.value("EventKey") != "yes" || x.value("TaskId") != "T1@1" || x.value("CardType") != "button_interaction" || x.value("MsgId") != "" {
		t.Errorf("event %s", last.inner)
	}
	if c := w.feed("zhaoyi")[0].Card; c.Active || c.Buttons[0].Text != "已点" || c.Buttons[1].Text != "没解决" {
		t.Errorf("after update_button %+v", c)
	}
	if c := w.feed("qianer")[0].Card; !c.Active {
		t.Error("the passive update changes the clicker's copy only")
	}
	if _, err := w.s.Click(t.Context(), "zhaoyi", AppPlace(testAgent), "T1@1", "no"); err == nil {
		t.Error("a replaced button can be clicked")
	}
	// The code of the event is good for one update of any copy.
	code := x.value("ResponseCode")
	wantCode(t, w.update(object{"userids": []string{"qianer"}, "response_code": code, "button": object{"replace_name": "赵一已处理"}}), 0)
	wantCode(t, w.update(object{"userids": []string{"qianer"}, "response_code": code, "button": object{"replace_name": "x"}}), 60140)
}

func TestVoteAndSelect(t *testing.T) {
	var last *incoming
	w := newWorld(t, answering(t, func(in *incoming) string {
		last = in
		return "<xml><ToUserName>zhaoyi</ToUserName><FromUserName>" + testCorp + "</FromUserName><MsgType>update_template_card</MsgType><TemplateCard><CardType>vote_interaction</CardType>" +
			"<MainTitle><Title>谢谢</Title></MainTitle><Checkbox><QuestionKey>rating</QuestionKey><OptionList><Id>5</Id><Text>满意</Text><IsChecked>true</IsChecked></OptionList><Disable>1</Disable><Mode>0</Mode></Checkbox>" +
			"<SubmitButton><Text>提交</Text><Key>submit</Key></SubmitButton><HorizontalContentList><KeyName>工单</KeyName><Value>T1</Value></HorizontalContentList><ReplaceText>已评价</ReplaceText></TemplateCard></xml>"
	}))
	wantCode(t, w.send(cardTo("zhaoyi", voteCard("T1-rate"))), 0)
	at := AppPlace(testAgent)
	for name, sel := range map[string]map[string][]string{"nothing": nil, "no option": {"rating": {"9"}}, "two": {"rating": {"5", "1"}}} {
		if _, err := w.s.Submit(t.Context(), "zhaoyi", at, "T1-rate", sel); err == nil {
			t.Errorf("%s can be submitted", name)
		}
	}
	got, err := w.s.Submit(t.Context(), "zhaoyi", at, "T1-rate", map[string][]string{"rating": {"5"}})
	if err != nil || got.Outcome.Err != "" {
		t.Fatalf("%+v %v", got.Outcome, err)
	}
	if item := last.xml.child("SelectedItems").child("SelectedItem"); item.value("QuestionKey") != "rating" || item.child("OptionIds").value("OptionId") != "5" {
		t.Errorf("event %s", last.inner)
	}
	c := w.feed("zhaoyi")[0].Card
	if c.Title != "谢谢" || c.Active || c.Submit.Text != "已评价" || c.Rows[0].Key != "工单" || !c.Selects[0].Options[0].Checked || c.TaskID != "T1-rate" {
		t.Errorf("after the update %+v", c)
	}
}

func TestAppEvents(t *testing.T) {
	var inner []string
	w := newWorld(t, answering(t, func(in *incoming) string { inner = append(inner, in.inner); return "" }))
	ctx := t.Context()
	at := AppPlace(testAgent)
	for _, a := range []Action{
		{Do: "enter", User: "zhaoyi", To: at}, {Do: "menu", User: "zhaoyi", To: at, Key: "报障"}, {Do: "menu", User: "zhaoyi", To: at, Key: "https://desk.example.com/m"},
		{Do: "unfollow", User: "zhaoyi", To: at}, {Do: "follow", User: "zhaoyi", To: at},
		{Do: "location", User: "zhaoyi", To: at, Location: &Location{Lat: 31.23, Lng: 121.5}},
		{Do: "contact", To: at, Contact: &ContactChange{Type: "create_user", UserID: "zhouwu", Name: "周五", Departments: []int{2, 3}}},
		{Do: "contact", To: at, Contact: &ContactChange{Type: "delete_user", UserID: "qianer"}},
		{Do: "contact", To: at, Contact: &ContactChange{Type: "update_tag", TagID: 9, AddUsers: []string{"zhaoyi"}, DelUsers: []string{"sunsan"}}},
	} {
		a.Wait = true
		if _, err := w.s.Act(ctx, a); err != nil {
			t.Errorf("%s: %v", a.Do, err)
		}
	}
	for i, want := range []string{"<Event><![CDATA[enter_agent]]>", "<EventKey><![CDATA[report]]>", "<Event><![CDATA[view]]>", "[unsubscribe]", "[subscribe]", "<Latitude>31.23</Latitude>",
		"<Department><![CDATA[2,3]]>", "<FromUserName><![CDATA[sys]]>", "<AddUserItems><![CDATA[zhaoyi]]>"} {
		if !strings.Contains(inner[i], want) {
			t.Errorf("event %d lacks %s: %s", i, want, inner[i])
		}
	}
	wantCode(t, w.send(textTo("zhouwu", "欢迎")), 0)
	wantCode(t, w.send(textTo("qianer", "x")), 81013)
}

func TestRedeliverAndInject(t *testing.T) {
	var mu sync.Mutex
	var seen []*incoming
	var raw []*http.Request
	w := newWorld(t, func(o *Options) {
		o.Callbacks = roundTrip(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.Query().Get("raw") != "" {
				raw = append(raw, r)
				return respond(403, ""), nil
			}
			seen = append(seen, receive(t, r))
			return respond(200, ""), nil
		})
	})
	got, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	results, err := w.s.Redeliver(t.Context(), RedeliverRequest{Callback: got.Callback, Times: 4, Parallel: true, URLs: []string{"http://a.test/app", "http://b.test/app"}})
	if err != nil || len(results) != 4 || len(seen) != 5 {
		t.Fatalf("%d results, %d received, %v", len(results), len(seen), err)
	}
	nonces := map[string]bool{}
	for _, in := range seen {
		nonces[in.nonce] = true
		if in.inner != seen[0].inner {
			t.Error("a redelivery has other inner fields")
		}
	}
	if len(nonces) != 5 {
		t.Error("a redelivery repeats a nonce")
	}
	for _, target := range []Place{AppPlace(testAgent), BotPlace("aib-1")} {
		for kind := range forgeries {
			out, err := w.s.Inject(t.Context(), InjectRequest{Target: string(target), Kind: kind, User: "zhaoyi", Text: "x", URL: "http://c.test/" + target.kind() + "?raw=1"})
			if err != nil || out.Status != 403 || out.OK {
				t.Errorf("%s %s: %+v %v", target, kind, out, err)
			}
		}
	}
	if len(raw) != 2*len(forgeries) {
		t.Errorf("%d injections arrived", len(raw))
	}
}

func TestCheckURL(t *testing.T) {
	answer := func(string) (int, string) { return 200, "" }
	w := newWorld(t, func(o *Options) {
		o.Callbacks = roundTrip(func(r *http.Request) (*http.Response, error) {
			q := r.URL.Query()
			echo := q.Get("echostr")
			token, keyText := "QDG6eK", testKey
			if strings.HasSuffix(r.URL.Path, "/bot") {
				token, keyText = "botToken", testBotKey
			}
			if sign(token, q.Get("timestamp"), q.Get("nonce"), echo) != q.Get("msg_signature") {
				t.Error("the signature of the check is wrong")
			}
			key, _ := parseAESKey(keyText)
			text, _, err := open(key, echo)
			if err != nil {
				t.Error(err)
			}
			status, body := answer(string(text))
			return respond(status, body), nil
		})
	})
	for _, target := range []string{"app:1000002", "bot:aib-1"} {
		for _, c := range []struct {
			f    func(string) (int, string)
			want string
		}{
			{func(s string) (int, string) { return 200, s }, ""},
			{func(s string) (int, string) { return 200, s + "\n" }, "line end"},
			{func(s string) (int, string) { return 200, `"` + s + `"` }, "quotes"},
			{func(s string) (int, string) { return 500, s }, "HTTP 500"},
			{func(string) (int, string) { return 200, "hello" }, "not the decrypted"},
		} {
			answer = c.f
			err := w.s.CheckURL(t.Context(), target)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %v, want %q", target, err, c.want)
			}
		}
	}
	if err := w.s.CheckURL(t.Context(), "app:1000003"); err == nil {
		t.Error("an app without a callback URL passes")
	}
}
