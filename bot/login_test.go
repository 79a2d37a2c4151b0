package bot_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"frontline/bot"
	"frontline/bot/standin"
)

func TestLoginURL(t *testing.T) {
	w := newWorld(t)
	for inside, host := range map[bool]string{true: "open.weixin.qq.com", false: "login.work.weixin.qq.com"} {
		u, err := url.Parse(w.client.LoginURL("https://desk.example.com/login/callback", "st&te", inside))
		if err != nil || u.Host != host {
			t.Fatalf("%v %v", u, err)
		}
		q := u.Query()
		if q.Get("state") != "st&te" || q.Get("redirect_uri") != "https://desk.example.com/login/callback" || q.Get("appid") != corpID || q.Get("agentid") == "" {
			t.Errorf("%v", q)
		}
		if inside != strings.HasSuffix(u.String(), "#wechat_redirect") {
			t.Errorf("%s", u)
		}
	}
}

// A code is good once.
func TestUserByCode(t *testing.T) {
	w := newWorld(t)
	code := w.plat.OAuthCode("zhaoyi", "snsapi_base")
	if id, err := w.client.UserByCode(t.Context(), code); err != nil || id != "zhaoyi" {
		t.Errorf("%q, %v", id, err)
	}
	for _, bad := range []string{code, "guessed", "", strings.Repeat("x", 600)} {
		if id, err := w.client.UserByCode(t.Context(), bad); err == nil {
			t.Errorf("a bad code signed %q in", id)
		}
	}
}

// spent is a budget of one call.
type spent struct{ left int }

func (s *spent) Spend(_ context.Context, key string, limit int64, window time.Duration) bool {
	if limit <= 0 || window <= 0 || !strings.Contains(key, corpID) {
		return false
	}
	s.left--
	return s.left >= 0
}

// Over the company's budget the platform is not even asked.
func TestCompanyBudget(t *testing.T) {
	w := newWorld(t, func(_ *standin.Options, o *bot.ClientOptions) { o.Budget = &spent{left: 1} })
	if _, err := w.client.CallbackIPs(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := w.client.CallbackIPs(t.Context())
	if bot.Classify(err) != bot.ClassRate {
		t.Errorf("%v", err)
	}
	if n := len(w.calls("getcallbackip")); n != 1 {
		t.Errorf("the platform was called %d times", n)
	}
}

func TestMembers(t *testing.T) {
	w := newWorld(t, func(o *standin.Options, _ *bot.ClientOptions) {
		o.Departments = []standin.Department{{ID: 1, Name: "总部"}, {ID: 2, Name: "营业部", ParentID: 1}}
		o.People = []standin.Person{{UserID: "zhaoyi", Name: "赵一", Departments: []int{2}}, {UserID: "qianer", Name: "钱二"}}
	})
	list, err := w.client.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range list {
		got[m.ID] = m.Name + "/" + m.Department
	}
	if len(list) != 2 || got["zhaoyi"] != "赵一/营业部" || got["qianer"] != "钱二/总部" {
		t.Errorf("%v", list)
	}
	w.plat.AddFault(standin.Fault{API: "user/simplelist", Errcode: 60011, Count: 1})
	if _, err := w.client.Members(t.Context()); err == nil {
		t.Error("half an address list was taken for a whole one")
	}
}
