package bot

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"frontline/bot/chat"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		name, text string
		n          int
		want       []string
	}{
		{"fits", "短", 20, []string{"短"}},
		{"fits exactly", strings.Repeat("字", 10), 30, []string{strings.Repeat("字", 10)}},
		{"empty", "", 20, []string{""}},
		{"at a paragraph", "aaaaaaaaaaaaa\n\nbbbbbb\ncccccccc", 29, []string{"(1/2)\naaaaaaaaaaaaa", "(2/2)\nbbbbbb\ncccccccc"}},
		{"at a line", "aaaaaa\naaaaaaaaaa\nbbbbbbbbbbbbbbb", 30, []string{"(1/2)\naaaaaa\naaaaaaaaaa", "(2/2)\nbbbbbbbbbbbbbbb"}},
		{"after a sentence", "一二三四五。六七八九十", 30, []string{"(1/2)\n一二三四五。", "(2/2)\n六七八九十"}},
		{"between characters", strings.Repeat("😀", 12), 30, []string{"(1/3)\n😀😀😀😀😀", "(2/3)\n😀😀😀😀😀", "(3/3)\n😀😀"}},
		{"not UTF-8", strings.Repeat("\xff", 40), 30, []string{"�"}}, // one run, one mark
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Split(tt.text, tt.n); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// Nothing of a text that is too long even for all parts is lost without a word.
func TestSplitTooLong(t *testing.T) {
	got := Split(strings.Repeat("很长的一行日志，", 6000), appText)
	if len(got) != maxParts || !strings.HasSuffix(got[maxParts-1], cutNote) {
		t.Errorf("%d parts, the last ends with %q", len(got), got[len(got)-1][max(0, len(got[len(got)-1])-60):])
	}
	for i, s := range got {
		if len(s) > appText || !utf8.ValidString(s) {
			t.Errorf("part %d has %d bytes", i, len(s))
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("短", 30)
	f.Add(strings.Repeat("一条。\n\n", 900), 2048)
	f.Add(strings.Repeat("😀👨‍👩‍👧", 700), 2048)
	f.Add(strings.Repeat("\xe4\xb8", 3000), 4096)
	f.Add("\n\n \n"+strings.Repeat(" ", 5000)+"x", 2048)
	f.Fuzz(func(t *testing.T, text string, n int) {
		n = 100 + (n%4000+4000)%4000
		list := Split(text, n)
		if len(list) == 0 || len(list) > maxParts {
			t.Fatalf("%d parts", len(list))
		}
		var whole strings.Builder
		for i, s := range list {
			if len(s) > n || !utf8.ValidString(s) {
				t.Fatalf("part %d has %d bytes of %d: %q", i, len(s), n, s)
			}
			if len(list) > 1 {
				var numbered bool
				if s, numbered = strings.CutPrefix(s, fmt.Sprintf("(%d/%d)\n", i+1, len(list))); !numbered {
					t.Fatalf("part %d is not numbered", i)
				}
			}
			whole.WriteString(s)
		}
		// Only line ends and spaces at the cuts may be missing.
		bare := strings.NewReplacer("\n", "", " ", "")
		want, got := bare.Replace(strings.ToValidUTF8(text, "\uFFFD")), bare.Replace(whole.String())
		if cutShort, was := strings.CutSuffix(got, bare.Replace(cutNote)); was && len(list) == maxParts && got != want {
			if !strings.HasPrefix(want, cutShort) {
				t.Fatal("what is left of a long text is not its beginning")
			}
			return
		}
		if got != want {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	})
}

type renderFiles map[string][]byte

func (f renderFiles) Get(_ context.Context, id string) ([]byte, error) {
	if b, ok := f[id]; ok {
		return b, nil
	}
	return nil, errors.New("gone")
}

func renderer(t *testing.T) *Deliverer {
	t.Helper()
	c, err := NewClient(ClientOptions{CorpID: "c", AgentID: 7, Secret: "s", APIBase: "http://127.0.0.1:1", Robot: func(context.Context, string) (string, error) { return "k", nil },
		Files: renderFiles{"png": png, "txt": []byte("abcdef")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	now := time.Date(2025, 3, 10, 9, 30, 0, 0, time.UTC)
	return NewDeliverer(DelivererOptions{Outbox: noBox{}, Client: c, Now: func() time.Time { return now }})
}

type noBox struct{ Outbox }

func (noBox) Recent(context.Context, chat.Address, time.Time) ([]time.Time, error) { return nil, nil }

// fields decodes the body of the only part.
func fields(t *testing.T, list []chat.Part, err error) map[string]any {
	t.Helper()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d parts, %v", len(list), err)
	}
	var m map[string]any
	if err := json.Unmarshal(list[0].Body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRenderRoads(t *testing.T) {
	d, ctx := renderer(t), t.Context()
	person := chat.Address{Kind: chat.Person, ID: "zhangsan", Via: chat.App}
	card := &chat.Card{TaskID: "T1", Title: "标题", Twin: "标题：回复 好", Buttons: []chat.Button{{Text: "好", Key: "ok"}}}
	tests := []struct {
		name string
		out  chat.Outgoing
		r    road
		want string // within the body
	}{
		{"app text", chat.Outgoing{To: person, Body: chat.Body{Text: "a<b"}}, roadApp, `"msgtype":"text","text":{"content":"a<b"},"touser":"zhangsan"`},
		{"app markdown", chat.Outgoing{To: person, Body: chat.Body{Markdown: "**a**"}}, roadApp, `"markdown":{"content":"**a**"}`},
		{"app card", chat.Outgoing{To: person, Body: chat.Body{Card: card}}, roadApp, `"card_type":"button_interaction"`},
		{"app, a card without an address has words", chat.Outgoing{To: person, Body: chat.Body{Card: &chat.Card{TaskID: "T", Title: "x", Twin: "只有字"}}}, roadApp, `"content":"只有字"`},
		{"chat made by the app has no cards", chat.Outgoing{To: chat.Address{Kind: chat.Group, ID: "c1", Via: chat.App}, Body: chat.Body{Card: card}}, roadChat, `"chatid":"c1","msgtype":"text","text":{"content":"标题：回复 好"}`},
		{"robot text mentions", chat.Outgoing{Body: chat.Body{Text: "a"}, Mention: []string{"zhangsan", "@all"}}, roadRobot, `"mentioned_list":["zhangsan","@all"]`},
		{"robot markdown mentions members only", chat.Outgoing{Body: chat.Body{Markdown: "a"}, Mention: []string{"zhangsan", "@all", "x>y"}}, roadRobot, `"content":"a <@zhangsan>"`},
		{"robot, no buttons", chat.Outgoing{Body: chat.Body{Card: card}}, roadRobot, `"content":"标题：回复 好"`},
		{"smart bot, no colour", chat.Outgoing{To: person, Body: chat.Body{Markdown: `<font color="info">好</font>`}}, roadResponse, `"markdown":{"content":"好"}`},
		{"smart bot card", chat.Outgoing{To: person, Body: chat.Body{Card: card}}, roadResponse, `"msgtype":"template_card"`},
		{"smart bot, in a group words", chat.Outgoing{To: chat.Address{Kind: chat.Group, ID: "g", Via: chat.Bot}, Body: chat.Body{Card: card}}, roadResponse, `"content":"标题：回复 好"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := d.render(ctx, tt.out, tt.r)
			if err != nil || len(list) != 1 || !strings.Contains(string(list[0].Body), tt.want) {
				t.Errorf("got %s, %v\nwant %s", list, err, tt.want)
			}
		})
	}
}

// Every part of a long text keeps to the platform's limit, with mentions.
func TestRenderLimits(t *testing.T) {
	d := renderer(t)
	long := strings.Repeat("很长的告警😀 <b> & ", 1500)
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprint("member", i))
	}
	for _, tt := range []struct {
		r    road
		body chat.Body
		most int
	}{
		{roadApp, chat.Body{Text: long}, 2048}, {roadApp, chat.Body{Markdown: long}, 2048}, {roadChat, chat.Body{Markdown: long}, 2048},
		{roadRobot, chat.Body{Text: long}, 2048}, {roadRobot, chat.Body{Markdown: long}, 4096}, {roadResponse, chat.Body{Text: long}, 20480},
	} {
		list, err := d.render(t.Context(), chat.Outgoing{To: chat.Address{Kind: chat.Person, ID: "u"}, Body: tt.body, Mention: many}, tt.r)
		if err != nil || len(list) == 0 {
			t.Fatal(err)
		}
		for i, p := range list {
			var m struct{ Text, Markdown struct{ Content string } }
			if err := json.Unmarshal(p.Body, &m); err != nil {
				t.Fatal(err)
			}
			if c := m.Text.Content + m.Markdown.Content; len(c) > tt.most || c == "" || !utf8.ValidString(c) {
				t.Errorf("%s: part %d of %d has %d bytes, most %d", tt.r, i, len(list), len(c), tt.most)
			}
		}
	}
}

func TestRenderFile(t *testing.T) {
	d := renderer(t)
	sum := md5.Sum(png)
	list, err := d.render(t.Context(), chat.Outgoing{To: chat.Address{Kind: chat.Robot, ID: "g"}, Body: chat.Body{File: &chat.File{Kind: "image", Name: "a.png", Path: "png"}}}, roadRobot)
	image, _ := fields(t, list, err)["image"].(map[string]any)
	if image["md5"] != hex.EncodeToString(sum[:]) || image["base64"] != base64.StdEncoding.EncodeToString(png) {
		t.Errorf("image is %v", image)
	}
	for name, r := range map[string]road{"not one member": roadApp, "answer address": roadResponse} {
		_, err := d.render(t.Context(), chat.Outgoing{To: chat.Address{ID: "@all"}, Body: chat.Body{File: &chat.File{Kind: "file", Path: "txt"}}}, r)
		if !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", r, err)
		}
	}
}

// The same words to the same member never make the same bytes within four hours.
func TestEqualWordsDiffer(t *testing.T) {
	d := renderer(t)
	now := d.opt.Now()
	d.opt.Now = func() time.Time { return now }
	seen := map[string]time.Time{}
	again := func() {
		for range 2 {
			list, err := d.renderApp(chat.Outgoing{To: chat.Address{ID: "u"}, Body: chat.Body{Text: "已收到"}})
			m := fields(t, list, err)
			key := string(list[0].Body)
			seconds := m["duplicate_check_interval"].(float64)
			if before, there := seen[key]; there && now.Sub(before) < 4*time.Hour {
				t.Fatalf("%s after %v", key, now.Sub(before))
			}
			if seconds < 7200 || seconds > 14400 {
				t.Fatalf("interval %v", seconds)
			}
			seen[key] = now
		}
	}
	for range 4000 { // 5.5 hours
		again()
		now = now.Add(5 * time.Second)
		d.opt.Now = func() time.Time { return now }
	}
	if len(d.said) > 2*4*3600/5+100 {
		t.Errorf("%d words are remembered", len(d.said))
	}
}

func TestSafeUserID(t *testing.T) {
	for _, id := range []string{"zhangsan", "ZhangSan", "a", "1042", "zhang.san@corp-x.com", "woAJ2GCAAAXtWyujaWJHDDGi0mACH71w", strings.Repeat("a", 64)} {
		if !safeUserID(id) {
			t.Errorf("%q is refused", id)
		}
	}
	for _, id := range []string{"", "@all", "a|b", "|", "a b", "a\n", "a\x00", "张三", "a>", "a\"", strings.Repeat("a", 65), "@zhangsan", "-a"} {
		if safeUserID(id) {
			t.Errorf("%q is taken", id)
		}
	}
}

// Foreign text inside our words mentions, links and colours nothing.
func TestPlainCannotMention(t *testing.T) {
	d := renderer(t)
	for _, foreign := range []string{"<@all>", "<@zhangsan>", "＜@all>", "<font color=\"warning\">x</font>", "[x](javascript:alert(1))", "`rm`", "\r\n# 大标题", "> 引用", "@all", "<\x00@all>"} {
		list, err := d.render(t.Context(), chat.Outgoing{Body: chat.Body{Markdown: "标题：" + chat.Plain(foreign)}}, roadRobot)
		m := fields(t, list, err)
		content := m["markdown"].(map[string]any)["content"].(string)
		if strings.ContainsAny(content, "<>[]`@") || strings.Contains(content, "\n#") {
			t.Errorf("%q became %q", foreign, content)
		}
	}
}

func TestClasses(t *testing.T) {
	tests := []struct {
		err  error
		want Class
	}{
		{errors.New("anything"), ClassRetry},
		{fmt.Errorf("x: %w", &CallError{Unknown: true}), ClassUnknown},
		{&CallError{}, ClassRetry},
		{notSent(&CallError{Unknown: true}), ClassRetry},
		{fmt.Errorf("%w: %w", ErrRejected, &APIError{Code: -1}), ClassFinal},
		{&APIError{API: "message/send", Code: 40001}, ClassRetry},
		{&APIError{API: "gettoken", Code: 40001}, ClassConfig},
	}
	for code, want := range map[int64]Class{-1: ClassRetry, 45033: ClassRetry, 42001: ClassRetry, 40014: ClassRetry, 45009: ClassRate, 93000: ClassConfig, 93004: ClassConfig,
		60020: ClassConfig, 48002: ClassConfig, 40007: ClassMedia, 60140: ClassSpent, 40058: ClassFinal, 44004: ClassFinal, 81013: ClassFinal, 60111: ClassFinal, 999999: ClassFinal} {
		tests = append(tests, struct {
			err  error
			want Class
		}{&APIError{API: "message/send", Code: code}, want})
	}
	for _, tt := range tests {
		if got := Classify(tt.err); got != tt.want {
			t.Errorf("%v is %v, want %v", tt.err, got, tt.want)
		}
	}
}
