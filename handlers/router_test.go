package handlers

import (
	"os"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

func testRouter() *Router {
	return NewRouter(NewCommands(&Desk{Name: "一线助手"}), []string{"一线助手"})
}

func TestRoute(t *testing.T) {
	r := testRouter()
	list := store.Conversation{List: []string{"查 T12", "查 T7"}}
	open := store.Conversation{Command: "report", Step: "field"}
	for _, c := range []struct {
		text    string
		conv    store.Conversation
		command string
		args    string
	}{
		{"可转债权限多久生效", store.Conversation{}, "ask", "可转债权限多久生效"},
		{"报障 行情不刷新", store.Conversation{}, "report", "行情不刷新"},
		{"报障：行情不刷新", store.Conversation{}, "report", "行情不刷新"},
		{"报障行情不刷新", store.Conversation{}, "report", "行情不刷新"},
		{"报障", store.Conversation{}, "report", ""},
		{"我的单", store.Conversation{}, "mine", ""},
		{"我的工单", store.Conversation{}, "mine", ""},
		{"我的账户登不上", store.Conversation{}, "ask", "我的账户登不上"},
		{"查 1042", store.Conversation{}, "show", "1042"},
		{"查1042", store.Conversation{}, "show", "1042"},
		{"查 t1042", store.Conversation{}, "show", "t1042"},
		{"查 #1042", store.Conversation{}, "show", "#1042"},
		{"查", store.Conversation{}, "show", ""},
		{"查询客户资料怎么弄", store.Conversation{}, "ask", "查询客户资料怎么弄"},
		{"查 客户资料怎么弄", store.Conversation{}, "ask", "查 客户资料怎么弄"},
		{"催 3", store.Conversation{}, "nudge", "3"},
		{"撤3", store.Conversation{}, "withdraw", "3"},
		{"撤单为什么失败", store.Conversation{}, "ask", "撤单为什么失败"},
		{"T1042", store.Conversation{}, "show", "T1042"},
		{"#1042", store.Conversation{}, "show", "#1042"},
		{"1042", store.Conversation{}, "show", "1042"},
		{"600519", store.Conversation{}, "show", "600519"},
		{"取消", store.Conversation{}, "cancel", ""},
		{"取消自动委托怎么弄", store.Conversation{}, "ask", "取消自动委托怎么弄"},
		{"取消 自动委托 怎么弄", store.Conversation{}, "ask", "取消 自动委托 怎么弄"},
		{"帮助", store.Conversation{}, "help", ""},
		{"？", store.Conversation{}, "help", ""},
		{"HELP", store.Conversation{}, "help", ""},
		{"没用过这个功能怎么开", store.Conversation{}, "ask", "没用过这个功能怎么开"},
		{"没解决", store.Conversation{}, "unsolved", ""},
		{"没解决 @abcdefghijklmnopqrstuvwx", store.Conversation{}, "unsolved", "@abcdefghijklmnopqrstuvwx"},
		{"转人工 回购没到账", store.Conversation{}, "person", "回购没到账"},
		{"转人工窗口在哪", store.Conversation{}, "ask", "转人工窗口在哪"},
		{"1", list, "show", "T12"},
		{"２", list, "show", "T7"},
		{"3", list, "show", "3"},
		{"0", list, "person", ""},
		{"T1", list, "show", "T1"},
		{"催 1", list, "nudge", "T12"},
		{"催1", list, "nudge", "T12"},
		{"撤 2", list, "withdraw", "T7"},
		{"查 1", list, "show", "1"},
		{"安卓 9.2.1", open, "report", "安卓 9.2.1"},
		{"12345678", open, "report", "12345678"},
		{"我的单", open, "mine", ""},
		{"取消", open, "cancel", ""},
	} {
		d := r.Route(c.text, c.conv)
		if d.Command.Name != c.command || d.Args != c.args {
			t.Errorf("%q: %s %q (%s), want %s %q", c.text, d.Command.Name, d.Args, d.Why, c.command, c.args)
		}
	}
}

func TestClean(t *testing.T) {
	r := testRouter()
	for in, want := range map[string]string{
		"@一线助手 报障 白屏":        "报障 白屏",
		"@一线助手报障":            "报障",
		"＠一线助手　报障":           "报障",
		"@别的名字 查 1":          "查 1",
		"@一线助手 @一线助手 1":      "1",
		"@一线助手":              "",
		"  报障 白屏 \n":         "报障 白屏",
		"报\u200b障 白\u202e屏":  "报障 白屏",
		"\u200b\u200d\ufeff": "",
		"邮箱 a@b.com 登录不了":    "邮箱 a@b.com 登录不了",
	} {
		if got := r.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// Words are unique, every command can be explained, and the table of the
// README names each that help names.
func TestCommandList(t *testing.T) {
	seen := map[string]string{}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range NewCommands(&Desk{}) {
		if c.Run == nil || c.Name == "" {
			t.Errorf("%+v cannot run", c)
		}
		if !c.Hidden && (c.Usage == "" || c.Summary == "") {
			t.Errorf("%s has no usage or summary", c.Name)
		}
		for _, w := range c.Words {
			if seen[w] != "" {
				t.Errorf("%q is a word of %s and of %s", w, seen[w], c.Name)
			}
			seen[w] = c.Name
		}
		if !c.Hidden && c.Name != "ask" && !strings.Contains(string(readme), "`"+c.Usage+"`") && !strings.Contains(string(readme), "`"+c.Words[0]+"`") {
			t.Errorf("the README does not name %q", c.Usage)
		}
	}
}

func TestHelpShowsOnlyWhatOneMay(t *testing.T) {
	d := &Desk{Name: "一线助手"}
	NewCommands(d)
	d.Commands = append(d.Commands, &Command{Name: "secret", Words: []string{"密"}, Usage: "密 …", Summary: "x", Roles: []chat.Role{chat.Admin}})
	if strings.Contains(d.helpText(chat.User{Roles: chat.RoleSet{chat.Reporter}}), "密 …") {
		t.Error("a reporter sees an administrator's command")
	}
	if !strings.Contains(d.helpText(chat.User{Roles: chat.RoleSet{chat.Admin}}), "密 …") {
		t.Error("an administrator does not see it")
	}
}

func TestFields(t *testing.T) {
	for text, want := range map[string]Fields{
		"客户安卓 9.2.1 登录报错":            {AppVersion: "9.2.1", System: "安卓"},
		"iOS版本9.3打不开":                {AppVersion: "9.3", System: "iOS"},
		"涨了12.5元不对":                  {},
		"电脑端委托失败，客户在等":               {System: "电脑端", Urgency: "urgent", Reason: "委托失败"},
		"客户号 12345678 手机13800138000": {Customer: "12345678", Phone: "13800138000", System: ""},
		"好几个客户登不上":                   {Urgency: "urgent", Reason: "好几个"},
	} {
		var f Fields
		f.read(text)
		if f != want {
			t.Errorf("%q: %+v, want %+v", text, f, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]int64{"T12": 12, "t12": 12, "#12": 12, "＃12": 12, "12": 12, "１２": 12, " T 12 ": 12, "00000000000012": 12,
		"": 0, "T": 0, "-1": 0, "1 OR 1=1": 0, "9999999999999999999999": 0, "T1;DROP TABLE": 0, "0": 0} {
		if got, _ := numberOf(in, "T"); got != want {
			t.Errorf("numberOf(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestWhen(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, zone)
	for in, want := range map[time.Time]string{
		time.Date(2026, 3, 2, 0, 30, 0, 0, zone):      "今天 00:30",
		time.Date(2026, 3, 1, 16, 30, 0, 0, time.UTC): "今天 00:30",
		time.Date(2026, 3, 1, 9, 0, 0, 0, zone):       "03-01 09:00",
		time.Date(2025, 12, 31, 9, 0, 0, 0, zone):     "2025-12-31 09:00",
	} {
		if got := when(in, now); got != want {
			t.Errorf("when(%v) = %q, want %q", in, got, want)
		}
	}
}
