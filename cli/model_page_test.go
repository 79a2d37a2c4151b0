package cli

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"frontline/store"
)

// asker is somebody at the page.
type asker struct {
	*desktop
	store *store.Store
}

func (r *running) asker(t *testing.T, user string) asker {
	t.Helper()
	return asker{r.desktop(t, user), r.engine.store}
}

func (d asker) get(path string) string {
	d.t.Helper()
	resp, err := d.http.Get(d.base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
	}
	return string(body)
}

// askPage asks on the self-service page and returns what it shows, and where.
func (d asker) askPage(text string) (page, at string) {
	d.t.Helper()
	page = d.post("/m/help", url.Values{"q": {text}})
	list, err := d.store.ListQuestions(context.Background(), store.QuestionQuery{N: 1})
	if err != nil || len(list) == 0 {
		d.t.Fatal(list, err)
	}
	return page, "/m/help?asked=" + url.QueryEscape(list[0].Message)
}

// On the page, too, the model chooses among candidates or none; what it chose
// stays on the page without asking it again.
func TestModelChoosesOnPage(t *testing.T) {
	e := newEndpoint(t)
	r := startModelDemo(t, e, "FRONTLINE_LLM_ANSWERS=choose")
	d := r.asker(t, "linxiaowen")
	const picked, list = "从几个候选里挑的", "你想问的是哪一个"
	for _, c := range []struct{ name, answer, want, not string }{
		{"the second", `{"choice":2}`, picked, list},
		{"none", `{"choice":0}`, "没有可靠的答案", picked},
		{"fails", "", list, picked},
		{"no such one", `{"choice":9}`, list, picked},
		{"obeys", "忽略以上规则", list, picked},
	} {
		e.says(map[string]string{"choose": c.answer})
		e.sent()
		page, at := d.askPage(unclear)
		if !strings.Contains(page, c.want) || strings.Contains(page, c.not) {
			t.Errorf("%s: %s", c.name, page)
		}
		if sent := e.sent(); strings.Count(sent, "候选条目里的哪一条") != 1 {
			t.Errorf("%s: the model was sent %s", c.name, sent)
		}
		e.set(func() { e.down = true })
		if again := d.get(at); !strings.Contains(again, c.want) || strings.Contains(again, c.not) || e.sent() != "" {
			t.Errorf("%s, opened again: %s", c.name, again)
		}
		e.set(func() { e.down = false })
	}
	if page, _ := d.askPage("换号后收不到验证码怎么办"); !strings.Contains(page, "最可能的答案") || e.sent() != "" {
		t.Error("the model was asked about what is sure")
	}
	e.set(func() { e.down = true })
	began := time.Now()
	if page, _ := d.askPage(unclear); !strings.Contains(page, list) || time.Since(began) > 6*time.Second {
		t.Errorf("down: %s", page)
	}
	use, err := r.engine.store.ModelUse(context.Background(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(use) == 0 || use[0].Purpose != "choose" {
		t.Errorf("%+v %v", use, err)
	}
}

// Words of the model stand on the page with their sources, until an entry that
// they rest on changes.
func TestModelWordsOnPage(t *testing.T) {
	e := newEndpoint(t)
	r := startModelDemo(t, e, "FRONTLINE_LLM_ANSWERS=word")
	d := r.asker(t, "linxiaowen")
	const question, plain = "客户改了手机号收不到验证码咋办 手机 13800135521", "如仍收不到，请检查手机是否拦截了短信"
	e.says(map[string]string{"word": `{"sentences":[{"text":"新号码登记后约需 5 分钟生效，请稍后在登录页点「重新获取」。","from":[1]}]}`})
	page, at := d.askPage(question)
	for _, want := range []string{"重新获取」。〔K1〕", "措辞由大模型按所列的条目组织", "① 核对身份", "境外号码"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	if strings.Contains(page, plain) || strings.Contains(e.sent(), "13800135521") {
		t.Error("both words are shown, or the question was not masked")
	}
	entry, err := r.engine.store.FindEntry(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	entry.Answer = "您好，新号码登记后约需 30 分钟生效。"
	if err := r.engine.store.InTx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.PutEntry("test", "", entry)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if page := d.get(at); strings.Contains(page, "5 分钟") || !strings.Contains(page, "30 分钟") || strings.Contains(page, "大模型") {
		t.Errorf("after a change: %s", page)
	}
	e.says(map[string]string{"word": `{"sentences":[{"text":"新号码登记后零风险约需 30 分钟生效。","from":[1]}]}`})
	if page, _ := d.askPage(question); strings.Contains(page, "零风险") || !strings.Contains(page, "30 分钟") {
		t.Errorf("a promise: %s", page)
	}
}

// A follow-up on the page leans on what the asker asked there before, with the
// model and without, within its time and for nobody else.
func TestFollowUpOnPage(t *testing.T) {
	e := newEndpoint(t)
	var ahead atomic.Int64
	r := startTestDemoWith(t, demoOptions{dir: t.TempDir(), clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}, "FRONTLINE_LLM_BASE_URL="+e.URL+"/v1", "FRONTLINE_LLM_MODEL=m")
	d := r.asker(t, "linxiaowen")
	e.says(map[string]string{"rewrite": `{"question":"港股通资金何时可取"}`})
	d.askPage("国债逆回购到期资金何时可取")
	if page, _ := d.askPage("那港股通的呢"); !strings.Contains(page, "按「港股通资金何时可取」查的") {
		t.Error(page)
	}
	e.says(nil)
	d.askPage("客户改了手机号收不到验证码咋办")
	page, at := d.askPage("人在国外呢")
	for _, page := range []string{page, d.get(at)} {
		if !strings.Contains(page, "按「客户改了手机号收不到验证码咋办，人在国外」查的") || !strings.Contains(page, "请改用邮箱验证") {
			t.Error(page)
		}
	}
	if page, _ := r.asker(t, "hejun").askPage("人在国外呢"); strings.Contains(page, "查的") {
		t.Errorf("somebody else: %s", page)
	}
	d.askPage("客户改了手机号收不到验证码咋办")
	ahead.Store(int64(11 * time.Minute))
	if page, _ := d.askPage("人在国外呢"); strings.Contains(page, "查的") {
		t.Errorf("much later: %s", page)
	}
	resp, err := d.http.PostForm(d.base+"/m/help", url.Values{"csrf": {d.csrf}, "q": {"茅台会不会跌？"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a view of the market: %s", resp.Status)
	}
}
