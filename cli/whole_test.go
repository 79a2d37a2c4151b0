package cli

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"frontline/bot/standin"
	"frontline/kb"
	"frontline/store"
)

func pngBytes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The same delivery, three times one after the other and four times at once,
// makes one ticket and one answer.
func TestRedeliveryMakesOneTicketAndOneAnswer(t *testing.T) {
	for _, door := range []string{"app", "bot"} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			r := startTestDemo(t, t.TempDir())
			a := r.as(t, "linxiaowen")
			if door == "bot" {
				a.bot()
			}
			ctx := context.Background()
			got, err := r.standin.Say(ctx, standin.SayRequest{User: a.user, To: a.place, Text: "报障 行情不刷新", Wait: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, parallel := range []bool{false, true} {
				results, err := r.standin.Redeliver(ctx, standin.RedeliverRequest{Callback: got.Callback, Times: 4, Parallel: parallel})
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range results {
					if x.Status != http.StatusOK {
						t.Errorf("a repeat was answered %d", x.Status)
					}
				}
			}
			heard := a.listen()
			if n := strings.Count(heard, "已建单"); n != 1 {
				t.Errorf("answered %d times:\n%s", n, heard)
			}
			if _, err := r.engine.store.FindTicket(ctx, 2); err == nil {
				t.Error("there is a second ticket")
			}
		})
	}
}

// Whatever is not from the platform is refused and has no effect.
func TestForgedCallsHaveNoEffect(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	ctx := context.Background()
	for _, target := range []string{string(standin.AppPlace(demoAgent)), string(standin.BotPlace(demoBot))} {
		for _, kind := range []string{"bad_signature", "no_signature", "wrong_token", "wrong_receiver", "wrong_key", "bad_padding", "truncated", "not_base64", "old_timestamp", "future_timestamp", "forged", "garbage", "empty", "huge"} {
			got, err := r.standin.Inject(ctx, standin.InjectRequest{Target: target, Kind: kind, User: "linxiaowen", Text: "报障 不该有的单"})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status < 400 || got.Status >= 500 {
				t.Errorf("%s %s was answered %d", target, kind, got.Status)
			}
		}
	}
	r.as(t, "linxiaowen").settled(ctx)
	if _, err := r.engine.store.FindTicket(ctx, 1); err == nil {
		t.Error("a forged call made a ticket")
	}
	if err := r.standin.CheckURL(ctx, "app:"+fmt.Sprint(demoAgent)); err != nil {
		t.Errorf("the platform's own check of the address: %v", err)
	}
	if err := r.standin.CheckURL(ctx, "bot:"+demoBot); err != nil {
		t.Errorf("the smart bot's: %v", err)
	}
}

// Pictures are fetched while their address is good, kept sealed, and stand in
// the ticket.
func TestAttachmentsJoinTheTicket(t *testing.T) {
	for _, door := range []string{"app", "bot"} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			r := startTestDemo(t, t.TempDir())
			a := r.as(t, "linxiaowen")
			if door == "bot" {
				a.bot()
			}
			a.say("报障 持仓页显示不对")
			picture := pngBytes(t)
			ctx := context.Background()
			if _, err := r.standin.Say(ctx, standin.SayRequest{User: a.user, To: a.place, File: &standin.File{Kind: "image", Name: "shot.png", Data: picture}, Wait: true}); err != nil {
				t.Fatal(err)
			}
			if heard := a.listen(); !strings.Contains(heard, "已补充到 T1") {
				t.Fatalf("heard %q", heard)
			}
			tk, err := r.engine.store.FindTicket(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := r.engine.store.ListTicketEntries(ctx, tk.ID, 10)
			if err != nil {
				t.Fatal(err)
			}
			var file string
			for _, e := range entries {
				for _, m := range e.Media {
					file = m.File
				}
			}
			files, err := r.engine.store.OpenFiles(t.Context(), filesURL(r.engine.cfg), store.FilesKeys{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := files.Get(ctx, file)
			if err != nil || !bytes.Equal(got, picture) {
				t.Errorf("kept %d bytes, want %d: %v", len(got), len(picture), err)
			}
		})
	}
}

// A new ticket is told to the support group by its robot, within its budget.
func TestGroupHearsOfNewTickets(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	a := r.as(t, "linxiaowen")
	a.say("报障 客户号 12345678 行情不刷新")
	group := r.as(t, "guyuan").in("trading-support")
	heard := group.listen()
	if !strings.Contains(heard, "新工单 T1") || !strings.Contains(heard, "林晓雯") || !strings.Contains(heard, "＊＊＊＊5678") || strings.Contains(heard, "12345678") {
		t.Errorf("the group heard:\n%s", heard)
	}
}

// Who opens the smart bot's chat is greeted; the app greets only newcomers.
func TestWelcome(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	ctx := context.Background()
	a := r.as(t, "linxiaowen").bot()
	if _, err := r.standin.EnterBot(ctx, a.user, demoBot); err != nil {
		t.Fatal(err)
	}
	if heard := a.listen(); !strings.Contains(heard, "我是一线助手") {
		t.Errorf("the smart bot said %q", heard)
	}
	b := r.as(t, "hejun")
	if _, err := r.standin.EnterApp(ctx, b.user, demoAgent); err != nil {
		t.Fatal(err)
	}
	if heard := b.listen(); heard != "" {
		t.Errorf("a known member was greeted: %q", heard)
	}
}

// An old card's button does not act on a newer conversation.
func TestOldButtonsAreRefused(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	a := r.as(t, "linxiaowen")
	a.say("客户点银证转账一直转圈")
	old := a.cards[len(a.cards)-1]
	a.say("取消")
	a.say("客户查持仓一直白屏")
	a.cards = append(a.cards, old)
	if heard := a.press(1); !strings.Contains(heard, "过期") {
		t.Errorf("the old button said %q", heard)
	}
	if _, err := r.engine.store.FindTicket(context.Background(), 1); err == nil {
		t.Error("the old button made a ticket")
	}
}

// The status page and health say what is true, and carry the safe headers.
func TestPages(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	for path, want := range map[string]string{"/": "选一位示例同事登录", "/healthz": "ok", "/readyz": "database ok", "/metrics": "frontline_queue_depth"} {
		resp, err := http.Get(r.where.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d\n%s", path, resp.StatusCode, body)
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no safe headers", path)
		}
	}
	resp, err := http.Get(r.where.URL + "/nothing")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown page: %d", resp.StatusCode)
	}
}

// An import by another process answers within a second.
func TestImportIsLiveWithinASecond(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	a := r.as(t, "linxiaowen")
	if heard := a.say("月球分公司的班车几点发"); strings.Contains(heard, "七点半") {
		t.Fatal("known already")
	}
	file := t.TempDir() + "/new.jsonl"
	writeTestFile(t, file, `{"question":"月球分公司的班车几点发","answer":"每天早上七点半从南门发车。","answer_text":"每天早上七点半从南门发车。"}`+"\n")
	out := &logBuffer{}
	env := Env{Vars: []string{"FRONTLINE_DATABASE_URL=" + string(r.engine.cfg.Database.URL)}, Stdout: out, Stderr: out}
	if code := Run(context.Background(), []string{"kb", "import", file}, env); code != 0 {
		t.Fatalf("import: %d\n%s", code, out)
	}
	began := time.Now()
	for { // the index itself is asked: a member hears at most 28 messages a minute
		found, err := r.engine.know.Search(context.Background(), kb.Query{Text: "月球分公司的班车几点发", N: 1})
		if err != nil {
			t.Fatal(err)
		}
		if found.Band == kb.Answer {
			break
		}
		if time.Since(began) > 3*time.Second {
			t.Fatal("the import is not live after three seconds")
		}
		time.Sleep(5 * time.Millisecond) // the poll's own interval; what is measured is the engine's
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("live only after %v", took)
	}
	if heard := a.say("月球分公司的班车几点发"); !strings.Contains(heard, "七点半") {
		t.Errorf("heard %q", heard)
	}
}
