package standin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lacking skips a test, or fails it when the environment demands all tests.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("FRONTLINE_TEST_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// nodeReceiver starts the independent receiver and returns its port and what it prints.
func nodeReceiver(t *testing.T, conf any) (int, *bufio.Scanner) {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, "%s is not installed: %v", tool, err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "receiver.mjs"} {
		data, err := os.ReadFile(filepath.Join("testdata", "receiver", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		lacking(t, "npm cannot install @wecom/crypto: %v\n%s", err, out)
	}
	node := exec.Command("node", "receiver.mjs", asJSON(conf))
	node.Dir = dir
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	node.Stderr = os.Stderr
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var first struct{ Port int }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &first) != nil {
		t.Fatalf("the receiver does not start: %q", lines.Text())
	}
	return first.Port, lines
}

// TestNodeReceiver: the platform's own crypto package understands our callbacks,
// and we understand its replies, at every length of padding.
func TestNodeReceiver(t *testing.T) {
	port, lines := nodeReceiver(t, object{
		"app": object{"token": "QDG6eK", "key": testKey, "id": testCorp},
		"bot": object{"token": "botToken", "key": testBotKey, "id": ""},
	})
	w := newWorld(t, func(o *Options) {
		o.Now, o.Callbacks, o.Limits.BotInFlight = nil, nil, -1
		o.Apps[0].CallbackURL = fmt.Sprintf("http://127.0.0.1:%d/app", port)
		o.Bots[0].CallbackURL = fmt.Sprintf("http://127.0.0.1:%d/bot?x=1", port)
	})
	read := func() (line struct {
		Signed, IDOk bool
		Message      string
	}) {
		t.Helper()
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &line) != nil {
			t.Fatalf("the receiver says %q", lines.Text())
		}
		return line
	}
	for _, target := range []Place{AppPlace(testAgent), BotPlace("aib-1")} {
		if err := w.s.CheckURL(t.Context(), string(target)); err != nil {
			t.Errorf("%s: %v", target, err)
		}
		if l := read(); !l.Signed || !l.IDOk {
			t.Errorf("%s: check %+v", target, l)
		}
		for n := range 40 {
			text := strings.Repeat("行", n) + strings.Repeat("x", n%3+1)
			r, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: target, Text: text, Wait: true})
			if err != nil || !r.Outcome.Acknowledged || r.Outcome.Err != "" {
				t.Fatalf("%s: %+v %v", target, r.Outcome, err)
			}
			if l := read(); !l.Signed || !l.IDOk || !strings.Contains(l.Message, text) {
				t.Errorf("%s: %+v", target, l)
			}
			entries := w.feed("zhaoyi")
			if last := entries[len(entries)-1].Text; !strings.HasSuffix(last, "收到："+text) {
				t.Errorf("%s: shown %q", target, last)
			}
		}
		for _, kind := range []string{"bad_signature", "wrong_receiver", "wrong_token"} {
			out, err := w.s.Inject(t.Context(), InjectRequest{Target: string(target), Kind: kind, User: "zhaoyi", Text: "x"})
			if err != nil || out.Status != 403 {
				t.Errorf("%s %s: %+v %v", target, kind, out, err)
			}
			read()
		}
	}
}
