package standin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nodeBot is a smart bot made with the platform's own SDK.
type nodeBot struct {
	t     *testing.T
	in    io.Writer
	lines chan nodeLine
}

type nodeLine struct {
	What, Text, User, Chat, Name, Task, Errmsg string
	Errcode                                    int
}

// nodeFolder installs the SDK once for all tests of the package.
func nodeFolder(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, "%s is not installed: %v", tool, err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "client.mjs"} {
		data, err := os.ReadFile(filepath.Join("testdata", "aibot", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		lacking(t, "npm cannot install @wecom/aibot-node-sdk: %v\n%s", err, out)
	}
	return dir
}

func startNodeBot(t *testing.T, dir string, conf object) *nodeBot {
	t.Helper()
	node := exec.Command("node", "client.mjs", asJSON(conf))
	node.Dir = dir
	in, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	node.Stderr = os.Stderr
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	n := &nodeBot{t: t, in: in, lines: make(chan nodeLine, 100)}
	go func() {
		scan := bufio.NewScanner(out)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			var l nodeLine
			if json.Unmarshal(scan.Bytes(), &l) == nil {
				n.lines <- l
			}
		}
	}()
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	return n
}

func (n *nodeBot) do(command object) {
	n.t.Helper()
	if _, err := fmt.Fprintln(n.in, asJSON(command)); err != nil {
		n.t.Fatal(err)
	}
}

// next waits for the next line about something.
func (n *nodeBot) next(what string) nodeLine {
	n.t.Helper()
	for after := time.After(20 * time.Second); ; {
		select {
		case l := <-n.lines:
			if l.What == what {
				return l
			}
		case <-after:
			n.t.Fatalf("the SDK never said %q", what)
		}
	}
}

func (n *nodeBot) want(what string, code int) nodeLine {
	n.t.Helper()
	l := n.next(what)
	if l.Errcode != code {
		n.t.Errorf("%s: errcode %d %s, want %d", what, l.Errcode, l.Errmsg, code)
	}
	return l
}

func liveWorld(t *testing.T, change ...func(*Options)) *world {
	return newWorld(t, append([]func(*Options){func(o *Options) {
		o.Now, o.Callbacks = nil, nil
		o.Bots[0].CallbackURL, o.Bots[0].Secret = "", "bot-secret"
	}}, change...)...)
}

func (w *world) wsURL() string { return "ws" + strings.TrimPrefix(w.url, "http") + "/standin/ws" }

// TestNodeBot: the platform's own SDK talks to our side of the long connection.
func TestNodeBot(t *testing.T) {
	dir := nodeFolder(t)
	w := liveWorld(t)
	conf := object{"url": w.wsURL(), "bot": "aib-1", "secret": "bot-secret", "card": buttonCard("x")}
	n := startNodeBot(t, dir, conf)
	n.next("authenticated")
	single, group := BotPlace("aib-1"), GroupPlace("wrGroup1")
	say := func(r SayRequest) Receipt {
		t.Helper()
		r.Wait = true
		got, err := w.s.Say(t.Context(), r)
		if err != nil || !got.Outcome.Acknowledged {
			t.Fatalf("say %+v: %+v %v", r, got.Outcome, err)
		}
		return got
	}
	last := func(user string) Entry {
		t.Helper()
		e := w.feed(user)
		return e[len(e)-1]
	}
	n.do(object{"do": "send", "chat": "zhaoyi", "body": object{"msgtype": "markdown", "markdown": object{"content": "x"}}})
	n.want("send", 60011) // nobody has spoken to it yet
	say(SayRequest{User: "zhaoyi", To: single, Text: "流"})
	if l := n.next("text"); l.Text != "流" || l.User != "zhaoyi" || l.Chat != "" {
		t.Errorf("message %+v", l)
	}
	n.want("stream", 0)
	n.want("stream", 0)
	n.want("stream after its end", 846608)
	if e := last("zhaoyi"); e.Text != "查到了" || !e.Stream.Finished || e.MsgType != "stream" {
		t.Errorf("shown %+v", e)
	}
	n.do(object{"do": "send", "chat": "zhaoyi", "body": object{"msgtype": "markdown", "markdown": object{"content": "**主动**"}}})
	n.want("send", 0)
	if e := last("zhaoyi"); e.Text != "**主动**" {
		t.Errorf("shown %+v", e)
	}
	say(SayRequest{User: "qianer", To: group, Text: "@一线助手 卡"})
	if l := n.next("text"); l.Text != "@一线助手 卡" || l.Chat != "wrGroup1" {
		t.Errorf("message %+v", l)
	}
	n.want("card", 0)
	e := w.group("wrGroup1", "zhaoyi")
	task := e[len(e)-1].Card.TaskID
	if _, err := w.s.Click(t.Context(), "zhaoyi", group, task, "yes"); err != nil {
		t.Fatal(err)
	}
	if l := n.next("click"); l.Text != "yes" || l.Task != task {
		t.Errorf("click %+v", l)
	}
	n.want("update", 0)
	if e := w.group("wrGroup1", "qianer"); e[len(e)-1].Card.Title != "已认领" {
		t.Errorf("the card is %+v", e[len(e)-1].Card)
	}
	if _, err := w.s.EnterBot(t.Context(), "sunsan", "aib-1"); err != nil {
		t.Fatal(err)
	}
	n.want("welcome", 0)
	if e := last("sunsan"); e.Text != "你好" {
		t.Errorf("welcome %+v", e)
	}
	say(SayRequest{User: "zhaoyi", To: single, File: &File{Kind: "file", Name: "日志.txt", Data: []byte("line one")}})
	if l := n.next("media"); l.Text != "line one" || l.Name != "日志.txt" {
		t.Errorf("media %+v", l)
	}
	n.do(object{"do": "upload", "type": "file", "name": "大.txt", "text": "0123456789", "times": 120000}) // three chunks
	up := n.want("upload", 0)
	n.do(object{"do": "send", "chat": "zhaoyi", "body": object{"msgtype": "file", "file": object{"media_id": up.Text}}})
	n.want("send", 0)
	if e := last("zhaoyi"); e.Media == nil || e.Media.Name != "大.txt" || e.Media.Size != 1200000 {
		t.Errorf("file %+v", e.Media)
	}
	n.do(object{"do": "send", "chat": "zhaoyi", "body": object{"msgtype": "markdown", "markdown": object{"content": strings.Repeat("x", 20481)}}})
	n.want("send", 40058)
	n.do(object{"do": "send", "chat": "wrOther", "body": object{"msgtype": "markdown", "markdown": object{"content": "x"}}})
	n.want("send", 93006)
	w.s.AddFault(Fault{API: "aibot_send_msg", Errcode: 45009, Count: 1})
	n.do(object{"do": "send", "chat": "zhaoyi", "body": object{"msgtype": "markdown", "markdown": object{"content": "x"}}})
	n.want("send", 45009)

	// The network breaks: the SDK comes back.
	if !w.s.BreakLive("aib-1") {
		t.Fatal("there is no connection")
	}
	n.next("disconnected")
	n.next("authenticated")
	pings := w.s.Counters().Calls["ping"]
	for end := time.Now().Add(time.Minute); w.s.Counters().Calls["ping"] < pings+2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no heartbeat comes")
		}
	}
	if !w.s.Live("aib-1") {
		t.Error("the connection did not stay")
	}
	// A second one throws the first out, and a third with a wrong secret does nothing.
	wrong := startNodeBot(t, dir, object{"url": w.wsURL(), "bot": "aib-1", "secret": "wrong", "card": buttonCard("x")})
	if l := wrong.next("error"); !strings.Contains(l.Errmsg, "853000") {
		t.Errorf("wrong secret: %+v", l)
	}
	second := startNodeBot(t, dir, conf)
	second.next("authenticated")
	n.next("kicked")
	say(SayRequest{User: "zhaoyi", To: single, Text: "谁在"})
	if l := second.next("text"); l.Text != "谁在" {
		t.Errorf("the newer connection hears %+v", l)
	}
}
