package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/calendar"
	"frontline/store"
)

func sharingConsole(t *testing.T) *console {
	t.Helper()
	return startConsole(t, func(o *Options) {
		o.Desk.Rules = handlers.Rules{Calendar: calendar.Default()}
		o.Desk.Chats = []handlers.GroupChat{{Name: "north", Title: "城北营业部", Robot: true}}
		files, err := o.Store.OpenFiles(t.Context(), "dir:"+filepath.Join(t.TempDir(), "files"), store.FilesKeys{})
		if err != nil {
			t.Fatal(err)
		}
		o.Files = files
	})
}

func sharingValues(from time.Time, change url.Values) url.Values {
	f := url.Values{"title": {"两融合同补签"}, "speaker": {"某支持"}, "from": {from.In(calendar.Default().Location()).Format(formTime)}, "minutes": {"40"}, "link": {"https://live.example.com/1"}, "words": {"两融"}, "group": {"north"}}
	for k, v := range change {
		f[k] = v
	}
	return f
}

// postFile posts a form with a file.
func (b *browser) postFile(path string, fields map[string]string, name, content string) (int, string) {
	b.c.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	w.WriteField("csrf", b.csrf)
	for k, v := range fields {
		w.WriteField(k, v)
	}
	if name != "" {
		f, _ := w.CreateFormFile("file", name)
		f.Write([]byte(content))
	}
	w.Close()
	resp, err := b.client.Post(b.c.URL+path, w.FormDataContentType(), &body)
	if err != nil {
		b.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	out.ReadFrom(resp.Body)
	return resp.StatusCode, out.String()
}

// A session from its form to its figures, seen by who plans, who speaks and who
// watches.
func TestSharingPages(t *testing.T) {
	c := sharingConsole(t)
	zhao, speaker, lin := c.as(chat.Curator), c.as(chat.Responder), c.as(chat.Reporter)
	from := time.Now().Add(40 * time.Minute)
	for words, change := range map[string]url.Values{
		"写上主题":            {"title": {" "}},
		"日期和时间都要填":        {"from": {"soon"}},
		"开始时间要在现在之后":      {"from": {"2020-01-01T10:00"}},
		"时长填分钟数":          {"minutes": {"long"}},
		"5 分钟到 8 小时":      {"minutes": {"1"}},
		"链接要以 https://":   {"link": {"javascript:alert(1)"}},
		"没有「nobody」这个群":   {"group": {"nobody"}},
		"没有 K99 这条知识":     {"entries": {"K99"}},
		"知识写编号":           {"entries": {"第一条"}},
		"谁主讲":             {"speaker": {""}},
		"话题词每个 2 到 20 个字": {"words": {"两"}},
	} {
		code, body := zhao.post("/sessions", sharingValues(from, change))
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, words) {
			t.Errorf("%v: %d, without %q", change, code, words)
		}
		if !change.Has("title") && !strings.Contains(body, "两融合同补签") {
			t.Errorf("%v: what was typed is gone", change)
		}
	}
	if code, _ := speaker.post("/sessions", sharingValues(from, nil)); code != http.StatusForbidden {
		t.Errorf("a responder planned one: %d", code)
	}
	if code, body := zhao.post("/sessions", sharingValues(from, url.Values{"entries": {"K1"}})); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	// Nobody else knows of it yet, except who speaks.
	for _, path := range []string{"/m/s/1", "/m/s/9"} {
		if code, _ := lin.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if _, body := lin.get("/sessions"); strings.Contains(body, "两融合同补签") {
		t.Error("listed before it was announced")
	}
	if code, _ := speaker.get("/sessions/1"); code != http.StatusOK {
		t.Errorf("the speaker: %d", code)
	}
	if code, _ := c.as(chat.Tester).get("/sessions/1"); code != http.StatusNotFound {
		t.Errorf("a stranger: %d", code)
	}
	if code, body := zhao.post("/sessions/1/act", url.Values{"do": {"announce"}}); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	if code, _ := lin.post("/sessions/1/act", url.Values{"do": {"cancel"}}); code != http.StatusForbidden {
		t.Errorf("a reporter called it off: %d", code)
	}
	if code, _ := speaker.post("/sessions/1/act", url.Values{"do": {"cancel"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("the speaker called it off: %d", code)
	}
	// The phone page.
	_, body := lin.get("/m/s/1")
	for _, want := range []string{"两融合同补签", "https://live.example.com/1", "报名，开始前提醒我", "还没有人提问"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the phone page", want)
		}
	}
	if code, body := lin.post("/m/s/1", url.Values{"do": {"ask"}, "text": {"<b>补签</b>多久生效 13900000001"}}); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	if code, body := lin.post("/m/s/1", url.Values{"do": {"ask"}, "text": {"?"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "太短") {
		t.Errorf("%d", code)
	}
	if code, _ := lin.post("/m/s/1", url.Values{"do": {"vote"}, "place": {"1"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("voted for one's own: %d", code)
	}
	if code, _ := speaker.post("/m/s/1", url.Values{"do": {"vote"}, "place": {"1"}}); code != http.StatusSeeOther {
		t.Errorf("vote: %d", code)
	}
	if _, body = speaker.get("/sessions/1"); strings.Contains(body, "<b>补签") || strings.Contains(body, "13900000001") || !strings.Contains(body, "1 人同问") {
		t.Error("the question is not shown as it must be")
	}
	// Materials are of known kinds, whatever they are called, and downloads.
	for name, content := range map[string]string{"a.html": "<script>alert(1)</script>", "a.png": "<?php echo 1;", "a.pdf": "MZ\x90\x00", "a.svg": "<svg/>", "a.txt": "<html><script>alert(1)</script>", "a.exe": "MZ", "a": "x"} {
		if code, body := speaker.postFile("/sessions/1/materials", nil, name, content); code != http.StatusUnprocessableEntity || !strings.Contains(body, "只收 pdf") {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code, body := speaker.postFile("/sessions/1/materials", map[string]string{"title": "讲义"}, "a.txt", "补签要带什么：身份证"); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	if code, _ := c.as(chat.Tester).postFile("/sessions/1/materials", nil, "b.txt", "x"); code != http.StatusForbidden {
		t.Errorf("a stranger added material: %d", code)
	}
	if code, body := speaker.postFile("/sessions/1/materials", map[string]string{"link": "data:text/html,x"}, "", ""); code != http.StatusUnprocessableEntity || !strings.Contains(body, "https://") {
		t.Errorf("%d", code)
	}
	if code, _ := speaker.postFile("/sessions/1/materials", nil, "", ""); code != http.StatusUnprocessableEntity {
		t.Errorf("nothing was added: %d", code)
	}
	_, body = lin.get("/m/s/1")
	at := strings.Index(body, "/m/s/1/material/")
	if at < 0 {
		t.Fatal("no material")
	}
	link, _, _ := strings.Cut(body[at:], `"`)
	resp, err := lin.client.Get(c.URL + link)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("sent as %v", resp.Header)
	}
	// Two change it: the second keeps what was typed.
	_, body = zhao.get("/sessions/1/edit")
	if !strings.Contains(body, `value="两融合同补签"`) {
		t.Error("the form is empty")
	}
	x, _ := c.store.FindSharing(t.Context(), 1)
	edit := func(title string, version int64) url.Values {
		return sharingValues(from, url.Values{"title": {title}, "version": {fmt.Sprint(version)}, "entries": {"K1"}})
	}
	if code, body := zhao.post("/sessions/1", edit("两融合同补签（上）", x.Version)); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	if code, body := zhao.post("/sessions/1", edit("两融合同补签（下）", x.Version)); code != http.StatusConflict || !strings.Contains(body, "两融合同补签（下）") {
		t.Errorf("%d", code)
	}
	// Live, settled, over, measured.
	if code, _ := speaker.post("/sessions/1/act", url.Values{"do": {"end"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("ended before it began: %d", code)
	}
	if code, _ := speaker.post("/sessions/1/act", url.Values{"do": {"begin"}}); code != http.StatusSeeOther {
		t.Errorf("begin: %d", code)
	}
	if code, _ := speaker.post("/sessions/1/questions", url.Values{"place": {"1"}, "answer": {"次一交易日生效"}}); code != http.StatusSeeOther {
		t.Errorf("settle: %d", code)
	}
	if code, _ := speaker.post("/sessions/1/questions", url.Values{"place": {"7"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("settle nothing: %d", code)
	}
	if code, _ := speaker.post("/sessions/1/act", url.Values{"do": {"end"}}); code != http.StatusSeeOther {
		t.Errorf("end: %d", code)
	}
	if code, body := zhao.postFile("/sessions/1/viewers", nil, "a.csv", "姓名,时长\n甲,乱\n"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "第 2 行") {
		t.Errorf("%d", code)
	}
	if code, body := zhao.postFile("/sessions/1/viewers", map[string]string{"people": "0"}, "", ""); code != http.StatusUnprocessableEntity || !strings.Contains(body, "人数至少 1") {
		t.Errorf("%d", code)
	}
	if code, _ := zhao.postFile("/sessions/1/viewers", nil, "a.csv", "姓名,时长\n甲,30\n乙,10\n"); code != http.StatusSeeOther {
		t.Errorf("viewers: %d", code)
	}
	_, body = zhao.get("/sessions/1")
	for _, want := range []string{"2 人", "人均 20 分钟", "1（已答 1）", "1 问成了知识"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if code, _ := zhao.get("/sessions/1/export"); code != http.StatusOK {
		t.Errorf("export: %d", code)
	}
	if code, _ := c.as(chat.Tester).get("/sessions/1/export"); code != http.StatusForbidden {
		t.Errorf("a stranger exported: %d", code)
	}
	if _, body = lin.get("/sessions?view=over"); !strings.Contains(body, "/m/s/1") {
		t.Error("not listed as over")
	}
	if code, body := lin.post("/m/s/1", url.Values{"do": {"ask"}, "text": {"还能问吗"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "不再收提问") {
		t.Errorf("asked after the end: %d", code)
	}
}

// A topic leads to a filled form, or is put off.
func TestSharingTopicsOnPage(t *testing.T) {
	c := sharingConsole(t)
	err := c.store.InTx(t.Context(), func(tx *store.Tx) error {
		for i := range 6 {
			if err := tx.KeepQuestion(store.Question{Message: fmt.Sprintf("%024d", i), Asker: fmt.Sprint("p", i), Text: "两融合同在哪补签", Band: "refuse"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := c.as(chat.Leader)
	_, body := b.get("/sessions")
	at := strings.Index(body, "/sessions/new?topic=")
	if at < 0 || !strings.Contains(body, "缺口 6 问 / 6 人") {
		t.Fatalf("no topic: %.2000s", body)
	}
	link, _, _ := strings.Cut(body[at:], `"`)
	if _, form := b.get(link); !strings.Contains(form, "常见问题") {
		t.Error("the form is not filled")
	}
	word, _ := url.QueryUnescape(strings.TrimPrefix(link, "/sessions/new?topic="))
	if code, _ := b.post("/sessions/topics", url.Values{"topic": {word}}); code != http.StatusSeeOther {
		t.Errorf("put off: %d", code)
	}
	if _, body := b.get("/sessions"); strings.Contains(body, "缺口 6 问") {
		t.Error("still proposed")
	}
}
