package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"frontline/bot/chat"
	"frontline/store"
)

// open makes a ticket of the reporter's and returns it.
func (c *console) open(title string, change func(t *store.Ticket)) store.Ticket {
	c.t.Helper()
	t := store.Ticket{Title: title, Reporter: "reporter", Priority: "P3", Class: "program", Place: chat.Address{Kind: chat.Person, ID: "reporter", Via: chat.App}}
	if change != nil {
		change(&t)
	}
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		if err := c.web.opt.Desk.Open(tx, chat.User{ID: "reporter"}, &t); err != nil {
			return err
		}
		return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: "reporter", Text: title})
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return t
}

func (c *console) read(n int64) store.Ticket {
	c.t.Helper()
	t, err := c.store.FindTicket(context.Background(), n)
	if err != nil {
		c.t.Fatal(err)
	}
	return t
}

func (c *console) said(person string) (out []string) {
	c.t.Helper()
	list, err := c.store.ListDelivered(context.Background(), store.LedgerQuery{Person: person, N: 50})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range list {
		out = append(out, saidText(d.Said.Body))
	}
	return out
}

func has(list []string, part string) bool {
	for _, s := range list {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// A filter survives the way through the address; what makes no sense is dropped.
func TestFilterAddress(t *testing.T) {
	for in, want := range map[string]string{
		"": "/tickets", "state=new": "/tickets?state=new", "state=nonsense&priority=P9&n=7": "/tickets", "n=50&page=3&who=me": "/tickets?n=50&who=me",
		"q=%E8%A1%8C%E6%83%85&class=data&soon=1&rated=2&sort=new&day=7": "/tickets?class=data&day=7&q=%E8%A1%8C%E6%83%85&rated=2&soon=1&sort=new", "from=2026-01-01&to=2026-13-99": "/tickets?from=2026-01-01", "page=99999999": "/tickets",
	} {
		q, _ := url.ParseQuery(in)
		f := readFilter(q)
		if got := f.address(1); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.FixedZone("", 8*3600))
	id := "11010519491231002X"
	q := ticketFilter{Text: id, Size: 20, Page: 1}.query("me", now)
	if q.Identity != id || q.Text != "" {
		t.Errorf("an identity number is looked for as %+v", q)
	}
	if q := (ticketFilter{Day: "7", Size: 20, Page: 1}).query("me", now); !q.From.Equal(time.Date(2026, 2, 24, 0, 0, 0, 0, now.Location())) {
		t.Errorf("seven days begin on %v", q.From)
	}
	if q := (ticketFilter{From: "2026-03-01", To: "2026-03-01", Who: "me", Size: 20, Page: 1}).query("gu", now); q.To.Sub(q.From) != 24*time.Hour || q.Assignee != "gu" {
		t.Errorf("one day is %v to %v", q.From, q.To)
	}
}

func TestQueuePage(t *testing.T) {
	c := startConsole(t, nil)
	urgent := c.open("银证转账未到账", func(t *store.Ticket) { t.Priority = "P1" })
	c.open("行情不刷新", nil)
	done := c.open("已经好了", nil)
	b := c.as(chat.Responder)
	b.post(fmt.Sprintf("/tickets/%d/act", done.Number), url.Values{"do": {"resolve"}, "method": {"重启"}})
	_, body := b.get("/tickets")
	if i, j := strings.Index(body, "银证转账未到账"), strings.Index(body, "行情不刷新"); i < 0 || j < i {
		t.Error("the urgent one does not come first")
	}
	if strings.Contains(body, "已经好了") {
		t.Error("a resolved one is in the queue")
	}
	for _, want := range []string{"2 件未关闭 · 今日新增 3", "共 2 条，第 1–2 条", "首响剩 ", "紧急", `data-count`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	for path, want := range map[string][2]string{"/tickets?state=resolved": {"已经好了", "行情不刷新"}, "/tickets?priority=P1": {"未到账", "行情不刷新"}, "/tickets?q=" + url.QueryEscape("行情"): {"行情不刷新", "未到账"}, "/tickets?who=-&state=all": {"行情不刷新", "已经好了"}} {
		if _, body := b.get(path); !strings.Contains(body, want[0]) || strings.Contains(body, want[1]) {
			t.Errorf("%s does not show just %s", path, want[0])
		}
	}
	if code, to := b.get(fmt.Sprintf("/tickets?q=T%d", urgent.Number)); code != http.StatusSeeOther || !strings.Contains(to, "") {
		t.Errorf("a number does not lead to its ticket: %d", code)
	}
	if _, body := b.get("/tickets?priority=P4"); !strings.Contains(body, "没有符合条件的工单") || !strings.Contains(body, "清除筛选") {
		t.Error("an empty filter offers no way out")
	}
}

// A look-up by a customer's clear value is on record, without the value.
func TestSearchByCustomerIsOnRecord(t *testing.T) {
	c := startConsole(t, nil)
	c.open("收不到短信", func(t *store.Ticket) { t.Phone = store.Personal{Value: "13800138000", Mask: "138****8000"} })
	c.open("另一件", nil)
	_, body := c.as(chat.Responder).get("/tickets?q=13800138000")
	if !strings.Contains(body, "收不到短信") || strings.Contains(body, "另一件") {
		t.Error("the ticket of the phone was not found alone")
	}
	lines, err := c.store.ListAudit(context.Background(), store.AuditQuery{Action: "ticket.search", N: 5})
	if err != nil || len(lines) != 1 || strings.Contains(lines[0].Detail, "13800138000") || !strings.Contains(lines[0].Detail, "138****8000") {
		t.Errorf("%+v %v", lines, err)
	}
}

func TestViews(t *testing.T) {
	c := startConsole(t, nil)
	b, leader := c.as(chat.Responder), c.as(chat.Leader)
	if code, to := b.post("/tickets/views", url.Values{"title": {"两融专项"}, "query": {"class=data&priority=P1"}}); code != http.StatusSeeOther || to != "/tickets?class=data&priority=P1" {
		t.Fatalf("%d %s", code, to)
	}
	if _, body := b.get("/tickets"); !strings.Contains(body, "两融专项") {
		t.Error("the view is not offered")
	}
	if _, body := leader.get("/tickets"); strings.Contains(body, "两融专项") {
		t.Error("somebody else's view is offered")
	}
	if code, _ := b.post("/tickets/views", url.Values{"title": {"大家"}, "query": {""}, "shared": {"1"}}); code != http.StatusForbidden {
		t.Errorf("a responder shared a view: %d", code)
	}
	if code, _ := b.post("/tickets/views", url.Values{"title": {"客户"}, "query": {"q=13800138000"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("a customer's phone became part of a view: %d", code)
	}
	if code, _ := leader.post("/tickets/views", url.Values{"title": {"大家"}, "query": {"priority=P2"}, "shared": {"1"}}); code != http.StatusSeeOther {
		t.Error(code)
	}
	if _, body := b.get("/tickets"); !strings.Contains(body, "大家") || strings.Contains(body, "删除视图「大家」") {
		t.Error("a shared view is not offered, or may be deleted by anybody")
	}
}

// What cannot be done to one ticket does not hold up the others, and is told.
func TestBulkTellsWhatFailed(t *testing.T) {
	c := startConsole(t, nil)
	a, taken, z := c.open("甲", nil), c.open("乙", nil), c.open("丙", nil)
	if code, _ := c.as(chat.Admin).post(fmt.Sprintf("/tickets/%d/act", taken.Number), url.Values{"do": {"claim"}}); code != http.StatusSeeOther {
		t.Fatal(code)
	}
	b := c.as(chat.Responder)
	n := func(t store.Ticket) string { return strconv.FormatInt(t.Number, 10) }
	code, body := b.post("/tickets/bulk", url.Values{"do": {"claim"}, "t": {n(a), n(taken), n(z), "4711"}, "query": {"priority=P3"}})
	if code != http.StatusOK || !strings.Contains(body, "已由 某管理员 接手") || !strings.Contains(body, "没有这张工单") || !strings.Contains(body, `href="/tickets?priority=P3"`) {
		t.Errorf("%d %s", code, body)
	}
	if c.read(a.Number).Assignee != "responder" || c.read(z.Number).Assignee != "responder" || c.read(taken.Number).Assignee != "admin" {
		t.Error("the wrong ones were claimed")
	}
	lines, err := c.store.ListAudit(context.Background(), store.AuditQuery{Action: "ticket.bulk", N: 5})
	if err != nil || len(lines) != 1 || !strings.Contains(lines[0].Detail, fmt.Sprintf(`"done":[%d,%d]`, a.Number, z.Number)) {
		t.Errorf("%+v %v", lines, err)
	}
	// All that the filter chooses, one of them the master.
	if code, _ := b.post("/tickets/bulk", url.Values{"do": {"merge"}, "all": {"1"}, "into": {n(a)}, "query": {""}}); code != http.StatusSeeOther {
		t.Error(code)
	}
	if c.read(z.Number).State != store.TicketMerged || c.read(taken.Number).Master != a.Number || c.read(a.Number).Joined != 2 {
		t.Errorf("%+v", c.read(a.Number))
	}
	for _, bad := range []url.Values{{"do": {"claim"}}, {"do": {"nonsense"}, "t": {n(a)}}, {"do": {"assign"}, "t": {n(a)}, "to": {"nobody"}}, {"do": {"merge"}, "t": {n(a)}, "into": {"x"}}} {
		if code, _ := b.post("/tickets/bulk", bad); code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, code)
		}
	}
}

func TestTicketPageActs(t *testing.T) {
	c := startConsole(t, nil)
	tk := c.open("可转债申购提示权限未开通", nil)
	b := c.as(chat.Responder)
	path := fmt.Sprintf("/tickets/%d", tk.Number)
	version := func() string { return strconv.FormatInt(c.read(tk.Number).Version, 10) }
	do := func(form url.Values) {
		t.Helper()
		form.Set("version", version())
		if code, body := b.post(path+"/act", form); code != http.StatusSeeOther {
			t.Errorf("%v: %d %.300s", form, code, body)
		}
	}
	do(url.Values{"do": {"claim"}})
	do(url.Values{"do": {"class"}, "class": {"data/资金流水"}})
	do(url.Values{"do": {"priority"}, "priority": {"P2"}, "why": {"多位客户"}})
	do(url.Values{"do": {"hold"}, "whom": {"customer"}, "until": {c.web.opt.Now().AddDate(0, 0, 1).Format("2006-01-02T15:04")}})
	do(url.Values{"do": {"assign"}, "to": {"leader"}, "why": {"请组长看"}})
	do(url.Values{"do": {"watch"}})
	got := c.read(tk.Number)
	if got.Assignee != "leader" || got.Class != "data" || got.Subclass != "资金流水" || got.Priority != "P2" || got.State != store.TicketWaiting {
		t.Errorf("%+v", got)
	}
	do(url.Values{"do": {"resolve"}, "reason": {"缺一段"}, "method": {"已补登"}, "outcome": {"data_repair"}})
	do(url.Values{"do": {"reopen"}, "why": {"又来了"}})
	do(url.Values{"do": {"void"}, "why": {"误报"}})
	if got := c.read(tk.Number); got.State != store.TicketVoid || got.Cycle != 1 {
		t.Errorf("%+v", got)
	}
	if code, body := b.post(path+"/act", url.Values{"do": {"resolve"}, "version": {version()}, "method": {"写了很久的办法"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "写了很久的办法") || !strings.Contains(body, "已撤回") {
		t.Errorf("what the rules refuse loses what was typed: %d", code)
	}
	_, body := b.get(path + "?tab=events")
	for _, want := range []string{"接手", "分类改为 数据 资金流水", "优先级改为 P2 多位客户", "挂起，等客户", "转给 某管理者：请组长看", "重开：又来了", "作废：误报"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in the history", want)
		}
	}
	if code, _ := b.get("/tickets/4711"); code != http.StatusNotFound {
		t.Error(code)
	}
}

// Who was not quick enough keeps what they wrote, sees what is new, and may
// send it then.
func TestTwoPeopleAtOnce(t *testing.T) {
	c := startConsole(t, nil)
	tk := c.open("行情停住", nil)
	path := fmt.Sprintf("/tickets/%d", tk.Number)
	gu, boss := c.as(chat.Responder), c.as(chat.Leader)
	_, page := gu.get(path)
	field := func(page, name string) string {
		return regexp.MustCompile(`name="` + name + `" value="(\d+)"`).FindStringSubmatch(page)[1]
	}
	shown := url.Values{"version": {field(page, "version")}, "seen": {field(page, "seen")}}
	_, page = boss.get(path)
	if code, body := boss.post(path+"/say", url.Values{"kind": {"reply"}, "reply": {"组长先回了一句"}, "version": {field(page, "version")}, "seen": {field(page, "seen")}}); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	mine := url.Values{"kind": {"reply"}, "reply": {"我写的长长一段"}, "note": {"草稿备注"}, "version": shown["version"], "seen": shown["seen"]}
	code, body := gu.post(path+"/say", mine)
	if code != http.StatusConflict || !strings.Contains(body, "我写的长长一段") || !strings.Contains(body, "草稿备注") || !strings.Contains(body, "组长先回了一句") || !strings.Contains(body, "fresh-e") {
		t.Fatalf("%d, and the page lacks something", code)
	}
	if has(c.said("reporter"), "我写的") {
		t.Error("it was sent all the same")
	}
	mine.Set("version", field(body, "version"))
	mine.Set("seen", field(body, "seen"))
	if code, body := gu.post(path+"/say", mine); code != http.StatusSeeOther {
		t.Fatalf("the second time: %d %.200s", code, body)
	}
	if !has(c.said("reporter"), "我写的长长一段") || has(c.said("reporter"), "草稿备注") {
		t.Errorf("the reporter hears %q", c.said("reporter"))
	}
	if code, body := gu.post(path+"/act", url.Values{"do": {"assign"}, "to": {"leader"}, "why": {"转你"}, "version": {"1"}}); code != http.StatusConflict || !strings.Contains(body, "转你") {
		t.Errorf("an old page assigned a ticket: %d", code)
	}
	// Each sees the other; and that there is something new.
	seen := func(b *browser, writing string) string {
		_, body := b.post(path+"/seen", url.Values{"version": {"1"}, "seen": {"1"}, "writing": {writing}})
		return body
	}
	seen(boss, "1")
	if body := seen(gu, "0"); !strings.Contains(body, "某管理者 正在写") || !strings.Contains(body, "有新动态") {
		t.Errorf("%s", body)
	}
}

// A note is never a reply, whatever else stands in the form.
func TestNoteStaysInside(t *testing.T) {
	c := startConsole(t, nil)
	tk := c.open("问题", nil)
	b := c.as(chat.Responder)
	path := fmt.Sprintf("/tickets/%d/say", tk.Number)
	if code, _ := b.post(path, url.Values{"kind": {"note"}, "note": {"同批 43 户 身份证 11010519491231002X"}, "reply": {"未写完的回复"}}); code != http.StatusSeeOther {
		t.Fatal(code)
	}
	if len(c.said("reporter")) != 0 {
		t.Errorf("the reporter hears %q", c.said("reporter"))
	}
	_, body := b.get(fmt.Sprintf("/tickets/%d", tk.Number))
	if !strings.Contains(body, "同批 43 户") || strings.Contains(body, "11010519491231002X") {
		t.Error("the note is missing, or holds an identity number in clear")
	}
	if code, _ := b.post(path, url.Values{"kind": {"ask"}, "ask": {"有没有提示语？"}}); code != http.StatusSeeOther {
		t.Fatal(code)
	}
	if got := c.read(tk.Number); got.State != store.TicketWaiting || !has(c.said("reporter"), "有没有提示语") {
		t.Errorf("%v %q", got.State, c.said("reporter"))
	}
	if code, _ := b.post(path, url.Values{"kind": {"reply"}, "reply": {"  "}}); code != http.StatusUnprocessableEntity {
		t.Errorf("an empty reply: %d", code)
	}
	if code, _ := b.post(path, url.Values{"kind": {"reply"}, "reply": {"请重新登录"}, "then": {"resolve"}}); code != http.StatusSeeOther || c.read(tk.Number).State != store.TicketResolved || !has(c.said("reporter"), "请重新登录") {
		t.Errorf("%d %v", code, c.read(tk.Number).State)
	}
}

func TestRevealNeedsAReasonAndIsOnRecord(t *testing.T) {
	c := startConsole(t, nil)
	tk := c.open("收不到短信", func(t *store.Ticket) { t.Phone = store.Personal{Value: "13800138000", Mask: "138****8000"} })
	b := c.as(chat.Responder)
	path := fmt.Sprintf("/tickets/%d", tk.Number)
	if _, body := b.get(path); strings.Contains(body, "13800138000") || !strings.Contains(body, "138****8000") {
		t.Error("the page shows the phone in clear, or no mask")
	}
	if code, body := b.post(path+"/reveal", url.Values{"reveal": {" "}}); code != http.StatusUnprocessableEntity || strings.Contains(body, "13800138000") {
		t.Errorf("without a reason: %d", code)
	}
	if code, body := b.post(path+"/reveal", url.Values{"reveal": {"回电客户"}}); code != http.StatusOK || !strings.Contains(body, "13800138000") {
		t.Errorf("%d", code)
	}
	lines, err := c.store.ListAudit(context.Background(), store.AuditQuery{Action: "ticket.reveal", N: 5})
	if err != nil || len(lines) != 1 || !strings.Contains(lines[0].Detail, "回电客户") {
		t.Errorf("%+v %v", lines, err)
	}
}

// attach posts a form with pictures.
func (b *browser) attach(path string, form url.Values, files map[string][]byte) (int, string) {
	b.c.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	form.Set("csrf", b.csrf)
	for k, vs := range form {
		for _, v := range vs {
			w.WriteField(k, v)
		}
	}
	for name, content := range files {
		f, _ := w.CreateFormFile("photo", name)
		f.Write(content)
	}
	w.Close()
	resp, err := b.client.Post(b.c.URL+path, w.FormDataContentType(), &body)
	if err != nil {
		b.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location") + string(text)
}

func dot(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 600, 400))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func withFiles(t *testing.T) func(o *Options) {
	return func(o *Options) {
		files, err := o.Store.OpenFiles(t.Context(), "dir:"+t.TempDir(), store.FilesKeys{})
		if err != nil {
			t.Fatal(err)
		}
		o.Files = files
	}
}

// Attachments are for who may see the ticket, notes' ones not for the reporter;
// nothing that a browser would run comes as such.
func TestAttachments(t *testing.T) {
	c := startConsole(t, withFiles(t))
	tk := c.open("有图", nil)
	b := c.as(chat.Responder)
	say := fmt.Sprintf("/tickets/%d/say", tk.Number)
	if code, body := b.attach(say, url.Values{"kind": {"reply"}, "reply": {"看图"}}, map[string][]byte{"a.png": dot(t)}); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	if code, body := b.attach(say, url.Values{"kind": {"note"}, "note": {"内部截图"}}, map[string][]byte{"b.png": dot(t)}); code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", code, body)
	}
	if code, body := b.attach(say, url.Values{"kind": {"reply"}, "reply": {"别丢"}}, map[string][]byte{"x.png": []byte("<html>")}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "别丢") {
		t.Errorf("what is no picture: %d", code)
	}
	_, body := b.get(fmt.Sprintf("/tickets/%d", tk.Number))
	paths := regexp.MustCompile(`href="(/files/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(paths) != 2 {
		t.Fatalf("%d files are shown", len(paths))
	}
	for _, as := range []struct {
		role      chat.Role
		open, own int
	}{{chat.Responder, 200, 200}, {chat.Reporter, 200, 404}, {chat.Curator, 404, 404}} {
		v := c.as(as.role)
		if code, _ := v.get(paths[0][1]); code != as.open {
			t.Errorf("%s gets the reply's picture: %d", as.role, code)
		}
		if code, _ := v.get(paths[1][1]); code != as.own {
			t.Errorf("%s gets the note's picture: %d", as.role, code)
		}
	}
	resp, err := b.client.Get(c.URL + paths[0][1] + "?thumb")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if conf, kind, err := image.DecodeConfig(resp.Body); err != nil || kind != "jpeg" || conf.Width != thumbSide || !strings.HasPrefix(resp.Header.Get("Cache-Control"), "private") {
		t.Errorf("the thumb: %+v %s %v", conf, kind, err)
	}
	// A file from chat that is a page.
	id, err := c.web.opt.Files.Put(context.Background(), []byte("<html><script>alert(1)</script>"))
	if err != nil {
		t.Fatal(err)
	}
	err = c.store.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.AddTicketEntry(tk.ID, store.TicketEntry{Kind: "report", Author: "reporter", Text: "文件", Media: []chat.Media{{Kind: "file", Name: "a.html", File: id}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := c.store.ListTicketEntries(context.Background(), tk.ID, 100)
	resp, err = b.client.Get(fmt.Sprintf("%s/files/%d/%d/0", c.URL, tk.Number, entries[len(entries)-1].ID))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v", resp.Header)
	}
}

func TestExport(t *testing.T) {
	c := startConsole(t, nil)
	c.open("=HYPERLINK(\"http://evil.example\")", func(t *store.Ticket) { t.Phone = store.Personal{Value: "13800138000", Mask: "138****8000"} })
	second := c.open("正常", func(t *store.Ticket) { t.Priority = "P2" })
	b := c.as(chat.Leader)
	_, body := b.get("/tickets/export?format=csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "编号" || rows[2][1] != "'=HYPERLINK(\"http://evil.example\")" {
		t.Fatalf("%v %q", err, rows)
	}
	if strings.Contains(body, "13800138000") || !strings.Contains(body, "138****8000") {
		t.Error("the export shows a phone in clear")
	}
	_, body = b.post("/tickets/export", url.Values{"format": {"xlsx"}, "t": {strconv.FormatInt(second.Number, 10)}})
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.GetRows("工单")
	if err != nil || len(got) != 2 || got[1][0] != fmt.Sprintf("T%d", second.Number) {
		t.Errorf("%q %v", got, err)
	}
	if lines, err := c.store.ListAudit(context.Background(), store.AuditQuery{Action: "ticket.export", N: 5}); err != nil || len(lines) != 2 {
		t.Errorf("%v %v", lines, err)
	}
}

func TestSnippets(t *testing.T) {
	c := startConsole(t, nil)
	tk := c.open("问题", nil)
	b := c.as(chat.Responder)
	page := fmt.Sprintf("/tickets/%d", tk.Number)
	if code, to := b.post("/snippets", url.Values{"title": {"重新登录"}, "body": {"请退出后重新登录"}, "back": {page}}); code != http.StatusSeeOther || to != page {
		t.Fatalf("%d %s", code, to)
	}
	_, body := b.get(page)
	m := regexp.MustCompile(`action="(/snippets/\d+/delete)"`).FindStringSubmatch(body)
	if m == nil || !strings.Contains(body, `data-insert="请退出后重新登录"`) {
		t.Fatal("the snippet is not offered")
	}
	if _, body := c.as(chat.Leader).get(page); strings.Contains(body, "请退出后重新登录") {
		t.Error("somebody else's snippet is offered")
	}
	if code, _ := c.as(chat.Leader).post(m[1], nil); code != http.StatusNotFound {
		t.Errorf("somebody else deleted it: %d", code)
	}
	if code, _ := b.post(m[1], url.Values{"back": {page}}); code != http.StatusSeeOther {
		t.Error(code)
	}
}
