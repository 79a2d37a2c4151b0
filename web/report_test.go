package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// whole is a form with every field.
func whole() url.Values {
	return url.Values{"mark": {"m1"}, "class": {"program"}, "subclass": {"银证转账"}, "text": {"客户从银行转入 20 万，短信显示已扣款，资金没有增加。密码：abc123"}, "urgent": {"1"},
		"customer": {"661208400935"}, "identity": {"11010519491231002x"}, "phone": {"138 0013 8000"}, "branch": {"滨江路营业部"}, "account": {"沪 A", "深 A", "伪造"}, "securities": {"113052、600036"},
		"system": {"iOS"}, "version": {"9.2.1"}, "login": {"资金账号 + 交易密码"}, "occurred": {time.Now().Add(-time.Hour).Format(occurredAt)}, "remarks": {"回电 13900139000"},
		"name": {"许知夏"}, "my_phone": {"13700137000"}, "mail": {"xuzhixia@example.com"}}
}

var ticketInPath = regexp.MustCompile(`/m/t/(\d+)`)

func numberIn(t *testing.T, to string) int64 {
	t.Helper()
	m := ticketInPath.FindStringSubmatch(to)
	if m == nil {
		t.Fatalf("no ticket in %.300q", to)
	}
	return number(m[1])
}

// Every field of the form arrives where it belongs; personal ones are sealed.
func TestReportForm(t *testing.T) {
	c := startConsole(t, withFiles(t))
	b := c.as(chat.Reporter)
	code, to := b.attach("/m/report", whole(), map[string][]byte{"提示.png": dot(t)})
	if code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, regexp.MustCompile(`hint err[^<]*<?[^<]*`).FindAllString(to, -1))
	}
	tk := c.read(numberIn(t, to))
	if tk.Class != "program" || tk.Subclass != "银证转账" || tk.Priority != "P2" || tk.AppVersion != "9.2.1" || tk.System != "iOS" || tk.Reporter != "reporter" || tk.Customer.Mask != "****0935" || tk.Identity.Mask != "1101**********002X" || tk.Phone.Mask != "138****8000" || tk.Place.Via != chat.Form {
		t.Errorf("%+v", tk)
	}
	clear, err := c.store.Reveal(context.Background(), "responder", tk.Number, "测试")
	if err != nil || clear.Identity.Value != "11010519491231002X" || clear.Phone.Value != "13800138000" {
		t.Errorf("%+v %v", clear, err)
	}
	form, err := c.store.FindTicketForm(context.Background(), tk.ID)
	if err != nil || form.Name != "许知夏" || form.Phone != "13700137000" || form.Mail != "xuzhixia@example.com" || !slices.Equal(form.Accounts, []string{"沪 A", "深 A"}) || !slices.Equal(form.Securities, []string{"113052", "600036"}) || form.Login == "" || form.Occurred == "" || strings.Contains(form.Remarks, "13900139000") {
		t.Errorf("%+v %v", form, err)
	}
	entries, err := c.store.ListTicketEntries(context.Background(), tk.ID, 10)
	if err != nil || len(entries) != 1 || len(entries[0].Media) != 1 || strings.Contains(entries[0].Text, "abc123") {
		t.Errorf("%+v %v", entries, err)
	}
	// The same form once more, because the answer got lost: one ticket.
	if _, again := b.attach("/m/report", whole(), nil); numberIn(t, again) != tk.Number {
		t.Errorf("a form sent twice made %s", again)
	}
	_, page := c.as(chat.Responder).get(fmt.Sprintf("/tickets/%d", tk.Number))
	for _, want := range []string{"沪 A、深 A", "113052、600036", "137****7000", "1101**********002X", "手机表单", "资金账号 &#43; 交易密码"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q at the desk", want)
		}
	}
	for _, never := range []string{"11010519491231002X", "13700137000", "xuzhixia@"} {
		if strings.Contains(page, never) {
			t.Errorf("%q in clear at the desk", never)
		}
	}
}

// A fault is told at its field; nothing that was filled in is lost.
func TestReportFaults(t *testing.T) {
	c := startConsole(t, func(o *Options) { o.Desk.Required = []string{"symptom", "customer"}; withFiles(t)(o) })
	b := c.as(chat.Reporter)
	for field, bad := range map[string][2]string{
		"identity": {"110105194912310021", "证件号不对"}, "phone": {"1380013800", "应为 11 位手机号"}, "customer": {"a-b", "客户号是"}, "text": {"坏", "说说在哪个页面"}, "class": {"nonsense", "选一个分类"},
		"mail": {"x@", "邮箱格式不对"}, "my_phone": {"123", "应为 11 位手机号"}, "name": {"", "填上报人姓名"}, "occurred": {"2099-01-01T00:00", "还没到"}, "securities": {"<script>", "证券代码之间"},
	} {
		form := whole()
		form.Set(field, bad[0])
		code, body := b.post("/m/report", form)
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, bad[1]) || !strings.Contains(body, `data-first="`+field+`"`) {
			t.Errorf("%s %q: %d", field, bad[0], code)
		}
		if field != "customer" && !strings.Contains(body, "661208400935") {
			t.Errorf("%s: the customer number is lost", field)
		}
	}
	form := whole()
	for _, f := range []string{"customer", "identity", "phone"} {
		form.Del(f)
	}
	if code, body := b.post("/m/report", form); code != http.StatusUnprocessableEntity || !strings.Contains(body, "客户号、证件号、手机号填一项") {
		t.Errorf("no customer: %d", code)
	}
	// A picture that came with a faulty form is kept for the next try.
	form = whole()
	form.Set("phone", "1")
	code, body := b.attach("/m/report", form, map[string][]byte{"a.png": dot(t)})
	kept := regexp.MustCompile(`name="kept" value="([^"]+)"`).FindStringSubmatch(body)
	if code != http.StatusUnprocessableEntity || kept == nil {
		t.Fatalf("%d: the picture is lost", code)
	}
	form = whole()
	form.Set("kept", kept[1])
	_, to := b.post("/m/report", form)
	entries, _ := c.store.ListTicketEntries(context.Background(), c.read(numberIn(t, to)).ID, 10)
	if len(entries) != 1 || len(entries[0].Media) != 1 {
		t.Errorf("%+v", entries)
	}
	// Somebody else cannot take it by its name.
	form = whole()
	form.Set("kept", kept[1])
	_, to = c.as(chat.Tester).post("/m/report", form)
	entries, _ = c.store.ListTicketEntries(context.Background(), c.read(numberIn(t, to)).ID, 10)
	if len(entries) != 1 || len(entries[0].Media) != 0 {
		t.Error("somebody else's picture was taken")
	}
}

func TestReportDraftAndPhotos(t *testing.T) {
	c := startConsole(t, withFiles(t))
	b := c.as(chat.Reporter)
	code, body := b.attach("/m/report/photo", url.Values{}, map[string][]byte{"a.png": dot(t)})
	var photo struct{ Name, Path string }
	if err := json.Unmarshal([]byte(body), &photo); code != 200 || err != nil {
		t.Fatalf("%d %s", code, body)
	}
	if code, _ := b.get(photo.Path); code != 200 {
		t.Errorf("one's own photo: %d", code)
	}
	if code, _ := c.as(chat.Admin).get(photo.Path); code != http.StatusNotFound {
		t.Errorf("somebody else's photo: %d", code)
	}
	draft := whole()
	draft.Set("kept", photo.Name)
	if code, body := b.post("/m/report/draft", draft); code != 200 || !strings.Contains(body, "草稿已存") {
		t.Fatalf("%d %s", code, body)
	}
	_, page := b.get("/m/report")
	if !strings.Contains(page, "客户从银行转入") || !strings.Contains(page, photo.Name) || !strings.Contains(page, "661208400935") {
		t.Error("the draft is not offered again")
	}
	if _, page := c.as(chat.Tester).get("/m/report"); strings.Contains(page, "客户从银行转入") {
		t.Error("somebody else sees the draft")
	}
	if code, _ := b.post("/m/report", draft); code != http.StatusSeeOther {
		t.Fatal(code)
	}
	if _, page := b.get("/m/report"); strings.Contains(page, "客户从银行转入") {
		t.Error("the draft is there after it was sent")
	}
}

// A link with a filled form is worth one report of one person.
func TestPrefill(t *testing.T) {
	c := startConsole(t, nil)
	var token string
	body, _ := json.Marshal(reportForm{Class: "data", Text: "对账单少了一笔", Name: "某报障人"})
	if err := c.store.InTx(context.Background(), func(tx *store.Tx) (err error) {
		token, err = tx.NewPrefill("reporter", body, time.Hour)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b := c.as(chat.Reporter)
	for range 2 { // looking spends nothing
		if _, page := b.get("/m/report?p=" + token); !strings.Contains(page, "对账单少了一笔") || !strings.Contains(page, token) {
			t.Fatal("the form is not filled in")
		}
	}
	if _, page := c.as(chat.Tester).get("/m/report?p=" + token); strings.Contains(page, "对账单少了一笔") || !strings.Contains(page, "已经用过或过期") {
		t.Error("somebody else opened the link")
	}
	form := url.Values{"p": {token}, "mark": {"a"}, "class": {"data"}, "text": {"对账单少了一笔"}, "name": {"某"}}
	_, to := b.post("/m/report", form)
	first := numberIn(t, to)
	if _, to := b.post("/m/report", form); numberIn(t, to) != first {
		t.Error("sent again after a lost answer it made another")
	}
	form.Set("mark", "b")
	if code, page := b.post("/m/report", form); code != http.StatusUnprocessableEntity || !strings.Contains(page, "已经用过或过期") {
		t.Errorf("the link was used twice: %d", code)
	}
}

// While somebody types: knowledge, their own similar tickets, and of other
// people's nothing but how many.
func TestReportNear(t *testing.T) {
	c := startConsole(t, nil)
	c.open("可转债申购提示权限未开通", nil)
	c.open("可转债申购提示权限没开通怎么办", func(t *store.Ticket) { t.Reporter = "tester" })
	b := c.as(chat.Reporter)
	_, body := b.post("/m/report/near", url.Values{"text": {"可转债申购提示权限未开通，急"}})
	if !strings.Contains(body, "可转债申购提示权限未开通") || !strings.Contains(body, "另有 1 张") || strings.Contains(body, "怎么办") {
		t.Errorf("%s", body)
	}
	if _, body := b.post("/m/report/near", url.Values{"text": {"新股中签怎么缴款呢"}}); !strings.Contains(body, "中签当日 16:00 前留足资金") {
		t.Errorf("%s", body)
	}
	if _, body := b.post("/m/report/near", url.Values{"text": {"短"}}); strings.TrimSpace(body) != "" {
		t.Errorf("%q", body)
	}
}

func TestMine(t *testing.T) {
	c := startConsole(t, withFiles(t))
	tk := c.open("收不到验证码", nil)
	path := fmt.Sprintf("/m/t/%d", tk.Number)
	b, gu := c.as(chat.Reporter), c.as(chat.Responder)
	desk := fmt.Sprintf("/tickets/%d", tk.Number)
	if _, body := b.get("/m/mine"); !strings.Contains(body, "收不到验证码") || !strings.Contains(body, "第 1 位") {
		t.Error("the ticket or its place in the queue is missing")
	}
	for _, r := range []chat.Role{chat.Tester, chat.Curator} {
		if code, _ := c.as(r).get(path); code != http.StatusNotFound {
			t.Errorf("%s sees somebody else's ticket: %d", r, code)
		}
	}
	if code, to := gu.get(path); code != http.StatusSeeOther {
		t.Errorf("a responder is not led to the desk: %d %.100s", code, to)
	}
	gu.post(desk+"/act", url.Values{"do": {"claim"}})
	gu.post(desk+"/say", url.Values{"kind": {"note"}, "note": {"绝密备注"}})
	gu.post(desk+"/act", url.Values{"do": {"assign"}, "to": {"leader"}, "why": {"绝密原因"}})
	gu.post(desk+"/say", url.Values{"kind": {"ask"}, "ask": {"有提示语吗"}})
	_, body := b.get(path)
	if strings.Contains(body, "绝密") || !strings.Contains(body, "有提示语吗") || !strings.Contains(body, "转给 某管理者") {
		t.Error("the reporter sees what is for colleagues, or not what is for them")
	}
	if _, list := b.get("/m/mine"); !strings.Contains(list, "待你补充") {
		t.Error("the list does not say who waits for whom")
	}
	if code, to := b.attach(path, url.Values{"do": {"say"}, "text": {"提示超时"}}, map[string][]byte{"a.png": dot(t)}); code != http.StatusSeeOther {
		t.Fatalf("%d %.200s", code, to)
	}
	if got := c.read(tk.Number); got.State != store.TicketInProgress {
		t.Errorf("the answer left it %s", got.State)
	}
	if code, body := b.post(path, url.Values{"do": {"say"}, "text": {" "}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "写点什么") {
		t.Errorf("nothing said: %d", code)
	}
	if code, _ := b.post(path, url.Values{"do": {"nudge"}}); code != http.StatusSeeOther || c.read(tk.Number).Nudges != 1 {
		t.Errorf("nudge: %d", code)
	}
	if code, body := b.post(path, url.Values{"do": {"nudge"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "刚催过") {
		t.Errorf("a second nudge: %d", code)
	}
	if code, _ := b.post(path, url.Values{"do": {"rate"}, "stars": {"5"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("rated before it was resolved: %d", code)
	}
	gu.post(desk+"/act", url.Values{"do": {"resolve"}, "method": {"已清零"}})
	if code, _ := b.post(path, url.Values{"do": {"again"}, "text": {"还是不行"}}); code != http.StatusSeeOther || c.read(tk.Number).State != store.TicketReopened {
		t.Errorf("reopen: %d", code)
	}
	gu.post(desk+"/act", url.Values{"do": {"resolve"}, "method": {"换了通道"}})
	if code, body := b.post(path, url.Values{"do": {"rate"}, "chip": {"响应快"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "点几颗星") {
		t.Errorf("no stars: %d", code)
	}
	if code, _ := b.post(path, url.Values{"do": {"rate"}, "stars": {"4"}, "chip": {"响应快", "伪造"}, "comment": {"谢谢"}}); code != http.StatusSeeOther {
		t.Errorf("rate: %d", code)
	}
	if got := c.read(tk.Number); got.Rating != 4 || got.Why != "响应快 谢谢" || got.State != store.TicketClosed {
		t.Errorf("%d %q %s", got.Rating, got.Why, got.State)
	}
	if code, _ := c.as(chat.Tester).post(path, url.Values{"do": {"void"}}); code != http.StatusNotFound {
		t.Errorf("somebody else withdrew it: %d", code)
	}
}

func TestOnBehalf(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Responder)
	form := whole()
	form.Set("behalf", "tester")
	code, to := b.post("/tickets/new", form)
	m := regexp.MustCompile(`/tickets/(\d+)`).FindStringSubmatch(to)
	if code != http.StatusSeeOther || m == nil {
		t.Fatalf("%d %.200s", code, to)
	}
	if tk := c.read(number(m[1])); tk.Reporter != "tester" || tk.Place.Via != chat.Page || !has(c.said("tester"), "某支持 替你登记了") {
		t.Errorf("%+v %q", tk, c.said("tester"))
	}
	form.Set("mark", "m2")
	form.Set("behalf", "nobody")
	if code, body := b.post("/tickets/new", form); code != http.StatusUnprocessableEntity || !strings.Contains(body, "没有这位同事") || !strings.Contains(body, "661208400935") {
		t.Errorf("%d", code)
	}
}

// A draft begun in chat opens in the form with everything it has, for its person
// only and for one report.
func TestDraftFromChat(t *testing.T) {
	c := startConsole(t, nil)
	desk := c.web.opt.Desk
	desk.PublicURL = c.URL
	var report *handlers.Command
	for _, cmd := range desk.Commands {
		if cmd.Name == "report" {
			report = cmd
		}
	}
	msg := chat.Message{ID: "abcdefghijklmnop", Via: chat.App, Sender: "reporter", From: chat.Address{Kind: chat.Person, ID: "reporter", Via: chat.App}}
	desk.Required = []string{"symptom", "app_version"}
	res, err := report.Run(context.Background(), handlers.Request{Msg: msg, Actor: chat.User{ID: "reporter", Name: "某上报"}, Args: "很急 苹果 银证转账一直转圈 手机13800138000 客户号 10023371", Now: time.Now()})
	if err != nil || res.Write == nil {
		t.Fatal(res, err)
	}
	if err := c.store.InTx(context.Background(), func(tx *store.Tx) error { return res.Write(tx, &res) }); err != nil {
		t.Fatal(err)
	}
	words := res.Say[0].Body.Text
	_, link, ok := strings.Cut(words, "改一改："+c.URL)
	if !ok {
		t.Fatalf("no link in %q", words)
	}
	b := c.as(chat.Reporter)
	_, body := b.get(link)
	for _, want := range []string{"银证转账一直转圈", "13800138000", "10023371", `value="iOS" selected`, `name="urgent"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in the form", want)
		}
	}
	if _, other := c.as(chat.Tester).get(link); strings.Contains(other, "13800138000") || strings.Contains(other, "银证转账一直转圈") {
		t.Error("somebody else sees the draft")
	}
}
