package bot

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
)

// skipOrFail skips a test that needs something this machine lacks. In CI, where
// FRONTLINE_TEST_REQUIRE=1 is set, nothing may be lacking.
func skipOrFail(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("FRONTLINE_TEST_REQUIRE") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// peer is a Node process that speaks with npm's @wecom/crypto, the platform's
// own package: an implementation that shares nothing with ours.
type peer struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

type peerAnswer struct {
	Cipher, Message, ID, Signature, Body, Error string
	Status                                      int
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			skipOrFail(t, "%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "peer.mjs"} {
		b, err := os.ReadFile(filepath.Join("testdata", "interop", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = dir
	if text, err := install.CombinedOutput(); err != nil {
		skipOrFail(t, "npm cannot install @wecom/crypto: %v\n%s", err, text)
	}
	cmd := exec.Command("node", "peer.mjs")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		skipOrFail(t, "node does not start: %v", err)
	}
	t.Cleanup(func() {
		in.Close() // ends the process
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return &peer{t: t, in: in, out: lines}
}

func (p *peer) ask(q map[string]any) peerAnswer {
	p.t.Helper()
	text, err := json.Marshal(q)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.in, "%s\n", text); err != nil {
		p.t.Fatal(err)
	}
	if !p.out.Scan() {
		p.t.Fatalf("node gave no answer: %v", p.out.Err())
	}
	var a peerAnswer
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil || a.Error != "" {
		p.t.Fatalf("%v %s", err, a.Error)
	}
	return a
}

func TestInterop(t *testing.T) {
	p := startPeer(t)
	messages := []string{"x", "你好，一线", textXML, botText, strings.Repeat("长", 3000)}
	for n := range 64 {
		messages = append(messages, strings.Repeat("a", n+1)) // every padding
	}
	t.Run("both directions", func(t *testing.T) {
		for _, receive := range []string{testDoor.corp, ""} {
			k := mustKeys(t, rigToken, rigAES, receive)
			for _, m := range messages {
				sealed := p.ask(map[string]any{"do": "encrypt", "key": rigAES, "message": m, "id": receive}).Cipher
				if got, err := k.Decrypt(sealed); err != nil || string(got) != m {
					t.Errorf("theirs, receiver %q, %d bytes: %v", receive, len(m), err)
				}
				ours := k.Encrypt([]byte(m))
				if got := p.ask(map[string]any{"do": "decrypt", "key": rigAES, "cipher": ours}); got.Message != m || got.ID != receive {
					t.Errorf("ours, receiver %q, %d bytes: %q, %q", receive, len(m), got.Message, got.ID)
				}
				if got := p.ask(map[string]any{"do": "sign", "token": rigToken, "timestamp": "1788225300", "nonce": rigNonce, "cipher": ours}).Signature; got != k.Sign("1788225300", rigNonce, ours) {
					t.Errorf("signature: %s", got)
				}
			}
		}
	})
	t.Run("over HTTP", func(t *testing.T) { interopHTTP(t, p) })
}

func interopHTTP(t *testing.T, p *peer) {
	r := newRig(t)
	r.replies.say = []chat.Outgoing{said("已受理 T1042")}
	app, bot := httptest.NewServer(r.AppHandler()), httptest.NewServer(r.BotHandler())
	defer app.Close()
	defer bot.Close()
	ask := func(do, url, message, id, envelope string) peerAnswer {
		return p.ask(map[string]any{"do": do, "url": url, "key": rigAES, "token": rigToken, "message": message, "id": id,
			"timestamp": strconv.FormatInt(testUnix, 10), "nonce": rigNonce, "envelope": envelope})
	}
	if a := ask("check", app.URL, "1616140317555161061", testDoor.corp, ""); a.Status != 200 || a.Body != "1616140317555161061" {
		t.Errorf("address of the app: %+v", a)
	}
	if a := ask("check", bot.URL, "1616140317555161061", "", ""); a.Status != 200 || a.Body != "1616140317555161061" {
		t.Errorf("address of the smart bot: %+v", a)
	}
	if a := ask("post", app.URL, textXML, testDoor.corp, appEnvelopeXML(testDoor.corp, testDoor.agent, "CIPHER")); a.Status != 200 || a.Body != "" {
		t.Errorf("app: %+v", a)
	}
	if m := r.inbox.only(t); m.Text != "报障" {
		t.Errorf("stored: %+v", m)
	}
	a := ask("post", bot.URL, botText, "", `{"encrypt":"CIPHER"}`)
	if a.Status != 200 {
		t.Fatalf("smart bot: %+v", a)
	}
	openReply(t, r.bot, a.Body) // our own reading of the signature
	var e struct{ Encrypt string }
	if err := json.Unmarshal([]byte(a.Body), &e); err != nil {
		t.Fatal(err)
	}
	opened := p.ask(map[string]any{"do": "decrypt", "key": rigAES, "cipher": e.Encrypt})
	if opened.ID != "" || !strings.Contains(opened.Message, `"content":"已受理 T1042"`) {
		t.Errorf("answer: %+v", opened)
	}
	if a := ask("post", bot.URL, botText, testDoor.corp, `{"encrypt":"CIPHER"}`); a.Status != 401 {
		t.Errorf("smart bot with a receiver: %+v", a)
	}
}
