package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/store"
	"frontline/uat"
)

// startMaking is a console with data construction against the UAT stand-in.
func startMaking(t *testing.T) (*console, *uat.Server) {
	t.Helper()
	u, err := uat.Start(uat.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	env, faults := construct.ReadEnvironment("uat.yaml", []byte(u.Environment()))
	lib, more := construct.LoadFS(construct.Examples, "recipes")
	if len(faults)+len(more) > 0 {
		t.Fatal(faults, more)
	}
	var e *construct.Engine
	c := startConsole(t, func(o *Options) {
		if e, err = construct.Open(construct.Options{Recipes: lib, Envs: map[string]*construct.Environment{"uat": env}, Store: o.Store}); err != nil {
			t.Fatal(err)
		}
		o.Desk.Construct = e
		o.APIToken = "api-token-of-this-test"
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return c, u
}

// ended waits until no run is in work.
func (c *console) ended() {
	c.t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		runs, err := c.store.ListRuns(context.Background(), store.RunQuery{States: []string{store.RunQueued, store.RunRunning, store.RunUndoing}, N: 1})
		if err != nil {
			c.t.Fatal(err)
		}
		if len(runs) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond) // asks the database again
	}
	c.t.Fatal("a run does not end")
}

func TestConstructPages(t *testing.T) {
	c, u := startMaking(t)
	b := c.as(chat.Tester)
	if _, body := b.get("/construct"); !strings.Contains(body, "开户全套") || !strings.Contains(body, `href="/construct/open-account"`) {
		t.Error(body)
	}
	_, body := b.get("/construct/open-account?p.branch=3002")
	if !strings.Contains(body, `<option value="3002" selected>`) || strings.Contains(body, "交易密码") || strings.Index(body, "客户姓名") > strings.Index(body, "营业部") {
		t.Error(body)
	}
	source := regexp.MustCompile(`name="source" value="(\w+)"`).FindStringSubmatch(body)[1]
	code, part := b.post("/construct/open-account/make?name=id_no", url.Values{"p.sex": {"女"}, "p.age": {"30"}})
	made := regexp.MustCompile(`value="(99\d{15}[\dX])"`).FindStringSubmatch(part)
	if code != http.StatusOK || made == nil || (made[1][16]-'0')%2 != 0 {
		t.Fatalf("%d %s", code, part)
	}
	for _, bad := range []url.Values{{"p.branch": {"9999"}, "count": {"1"}}, {"p.branch": {"3001"}, "count": {"999"}}, {"count": {"1"}}, {"p.branch": {"3001"}, "p.id_no": {"11010519491231002X"}, "count": {"1"}}} {
		if code, body := b.post("/construct/open-account", bad); code != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%v: %d", bad, code)
		}
	}
	form := url.Values{"p.branch": {"3001"}, "p.id_no": {made[1]}, "count": {"1"}, "source": {source}}
	for range 2 { // sent twice makes one
		if code, to := b.post("/construct/open-account", form); code != http.StatusSeeOther || !strings.HasPrefix(to, "/construct/runs/1") {
			t.Fatalf("%d %s", code, to)
		}
	}
	c.ended()
	code, body = b.get("/construct/runs/1")
	if code != http.StatusOK || !strings.Contains(body, "账户系统开户") || !strings.Contains(body, "请求与回答") {
		t.Errorf("%d %s", code, body)
	}
	var no, mobile, name string
	if err := u.DB().QueryRow("select cust_no, mobile, cust_name from customer where id_no = ?", made[1]).Scan(&no, &mobile, &name); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{no, mobile, made[1]} {
		if strings.Contains(body, v) {
			t.Errorf("%s shows on the page", v)
		}
	}
	pin := regexp.MustCompile(`tradePwd&#34;:&#34;([^&]*)&#34;`).FindStringSubmatch(body)
	if pin == nil || pin[1] != "***" {
		t.Errorf("the password in the request: %v", pin)
	}
	if _, body = b.post("/construct/runs/1/reveal", nil); !strings.Contains(body, no) || !strings.Contains(body, name) {
		t.Errorf("not in clear: %s", body)
	}
	if code, body = b.post("/construct/runs/1/csv", nil); code != http.StatusOK || !strings.Contains(body, `="`) || !strings.Contains(body, made[1]) {
		t.Errorf("%d %s", code, body)
	}
	if _, body = b.get("/construct/data"); !strings.Contains(body, "R1</a>") || !strings.Contains(body, `value="undo"`) {
		t.Errorf("what is still there: %s", body)
	}
	if _, body = b.get("/construct/report?days=7"); !strings.Contains(body, "普通开户") || !strings.Contains(body, ">1 / 0<") || !strings.Contains(body, "100%") {
		t.Errorf("the report: %s", body)
	}
	if code, body = b.get("/construct/report/export?days=7"); code != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("the file: %d", code)
	}
	if code, _ = b.get("/construct/environments"); code != http.StatusForbidden {
		t.Errorf("a tester sees addresses: %d", code)
	}
	if _, body = c.as(chat.Admin).get("/construct/environments"); !strings.Contains(body, "探测一遍") {
		t.Error(body)
	}
	admin := c.as(chat.Admin)
	env := regexp.MustCompile(`/construct/environments/[^/]+/reach`).FindString(body)
	if _, body = admin.post(env, nil); strings.Count(body, "通，是这个环境") < 3 {
		t.Errorf("targets: %s", body)
	}
	// Somebody else's run is like an unknown one.
	other := c.as(chat.Responder)
	for _, path := range []string{"/construct/runs/1", "/construct/runs/999"} {
		if code, _ := other.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, _ := other.post("/construct/runs/1/act", url.Values{"do": {"undo"}}); code != http.StatusConflict {
		t.Errorf("took back somebody else's run: %d", code)
	}
	if code, _ := c.as(chat.Reporter).get("/construct"); code != http.StatusForbidden {
		t.Errorf("a reporter: %d", code)
	}
	if code, _ := b.post("/construct/runs/1/act", url.Values{"do": {"undo"}}); code != http.StatusSeeOther {
		t.Errorf("take back: %d", code)
	}
	c.ended()
	var left int
	if err := u.DB().QueryRow("select count(*) from customer").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d customers left, %v", left, err)
	}
	// A batch waits for a leader.
	if code, _ := b.post("/construct/open-account", url.Values{"p.branch": {"3001"}, "count": {"21"}, "source": {"x"}}); code != http.StatusSeeOther {
		t.Fatal(code)
	}
	if code, _ := b.post("/construct/runs/2/act", url.Values{"do": {"approve"}}); code != http.StatusConflict {
		t.Errorf("approved by the one who asked: %d", code)
	}
	lead := c.as(chat.Leader)
	if _, body := lead.get("/construct/runs/2"); !strings.Contains(body, `value="approve"`) {
		t.Error(body)
	}
	if code, _ := lead.post("/construct/runs/2/act", url.Values{"do": {"reject"}}); code != http.StatusSeeOther {
		t.Errorf("reject: %d", code)
	}
}

func TestConstructRoutes(t *testing.T) {
	c, _ := startMaking(t)
	b := c.as(chat.Admin)
	for _, path := range []string{"/construct", "/construct/open-full", "/construct/bank-balance-mismatch?from=1"} {
		if code, body := b.get(path); code != http.StatusOK || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: %d", path, code)
		}
	}
	en := c.as(chat.Tester)
	en.client.Jar.(*jar).all = append(en.client.Jar.(*jar).all, cookie("lang", "en"))
	if _, body := en.get("/construct"); !strings.Contains(body, "Test data") {
		t.Error("no English")
	}
}

func TestAPIRuns(t *testing.T) {
	c, _ := startMaking(t)
	call := func(method, path, key, body string) (int, map[string]any) {
		t.Helper()
		r, err := http.NewRequest(method, c.URL+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer api-token-of-this-test")
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var out map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, out
	}
	const order = `{"recipe":"open-account","params":{"branch":"3001","sex":"女"},"count":2,"seed":"7731"}`
	for range 2 {
		if code, out := call("POST", "/runs", "k1", order); code != http.StatusCreated || out["number"] != 1.0 || out["seed"] != "7731" {
			t.Fatalf("%d %v", code, out)
		}
	}
	c.ended()
	code, out := call("GET", "/runs/1", "", "")
	items, _ := out["items"].([]any)
	if code != http.StatusOK || out["state"] != "done" || len(items) != 2 || !strings.HasPrefix(items[0].(map[string]any)["result"].(map[string]any)["客户号"].(string), "****") {
		t.Errorf("%d %v", code, out)
	}
	if code, out = call("GET", "/runs?recipe=open-account", "", ""); code != http.StatusOK || len(out["runs"].([]any)) != 1 {
		t.Errorf("%d %v", code, out)
	}
	for body, want := range map[string]int{`{"recipe":"nothing"}`: 422, `{"recipe":"open-account"}`: 422, `{"recipe":"open-account","params":{"branch":"1"}}`: 422, `{"recpie":1}`: 400, `{"recipe":"open-account","params":{"branch":"3001"},"environment":"prod"}`: 422} {
		if code, out := call("POST", "/runs", "", body); code != want {
			t.Errorf("%s: %d %v", body, code, out)
		}
	}
	if code, _ := call("GET", "/runs/99", "", ""); code != http.StatusNotFound {
		t.Errorf("an unknown run: %d", code)
	}
}
