package cli

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/config"
)

// The sample company. Everybody and everything is made up.

const (
	demoAgent = 1000002
	demoBot   = "aib-demo"
)

type demoPerson struct {
	id, name, department string
	dept                 int
	position             string
	roles                []chat.Role
}

var demoPeople = []demoPerson{
	{"linxiaowen", "林晓雯", "滨江路营业部", 3, "客户经理", nil},
	{"hejun", "何骏", "湖心营业部", 4, "柜员", nil},
	{"zhoumin", "周敏", "客户服务中心", 5, "坐席", nil},
	{"suqing", "苏青", "湖心营业部", 4, "客户经理", nil},
	{"luoyiming", "罗一鸣", "滨江路营业部", 3, "柜员", nil},
	{"tangke", "唐可", "客户服务中心", 5, "坐席", nil},
	{"xunuo", "许诺", "湖心营业部", 4, "客户经理", nil},
	{"guyuan", "顾远", "账户支持组", 7, "支持工程师", []chat.Role{chat.Responder}},
	{"fangyichen", "方逸辰", "交易支持组", 8, "支持工程师", []chat.Role{chat.Responder}},
	{"zhaoqing", "赵晴", "知识运营组", 6, "知识管理员", []chat.Role{chat.Curator}},
	{"sunqian", "孙倩", "测试组", 9, "测试工程师", []chat.Role{chat.Tester}},
	{"chenshuo", "陈朔", "运营支持部", 2, "部门负责人", []chat.Role{chat.Leader}},
	{"zhoulan", "周岚", "运营支持部", 2, "系统管理员", []chat.Role{chat.Responder, chat.Admin}},
}

var demoDepartments = []standin.Department{
	{ID: 1, Name: "示例证券"}, {ID: 2, Name: "运营支持部", ParentID: 1}, {ID: 3, Name: "滨江路营业部", ParentID: 1}, {ID: 4, Name: "湖心营业部", ParentID: 1},
	{ID: 5, Name: "客户服务中心", ParentID: 1}, {ID: 6, Name: "知识运营组", ParentID: 2}, {ID: 7, Name: "账户支持组", ParentID: 2}, {ID: 8, Name: "交易支持组", ParentID: 2}, {ID: 9, Name: "测试组", ParentID: 2},
}

type demoGroup struct {
	name, title, chat string
	members           []string
}

var demoGroups = []demoGroup{
	{"trading-support", "交易系统支持群", "chat-trading-support", []string{"guyuan", "fangyichen", "zhoulan", "chenshuo"}},
	{"branch-front", "营业部一线群", "chat-branch-front", []string{"linxiaowen", "hejun", "zhoumin", "guyuan", "zhoulan"}},
}

var demoServiceGroups = []config.ServiceGroup{
	{Name: "account", Title: "账户支持组", Leader: "chenshuo", Duty: []string{"trading 09:00-17:30 guyuan"}},
	{Name: "trading", Title: "交易支持组", Leader: "chenshuo", Duty: []string{"trading 08:30-17:30 fangyichen"}, Skills: []string{"fangyichen 银证转账 交易"}},
}

// keys are a demo's secrets: made once, kept in its folder.
type keys struct {
	CorpID    string            `json:"corp_id"`
	AppSecret string            `json:"app_secret"`
	AppToken  string            `json:"app_token"`
	AppAESKey string            `json:"app_aes_key"`
	BotToken  string            `json:"bot_token"`
	BotAESKey string            `json:"bot_aes_key"`
	BotSecret string            `json:"bot_secret"` // of the long connection
	Control   string            `json:"control"`
	Robots    map[string]string `json:"robots"`
	Hooks     string            `json:"hooks"` // bearer token of alert senders
	API       string            `json:"api"`   // bearer token of /api/v1
}

func demoKeys(dir string) (keys, error) {
	var k keys
	file := filepath.Join(dir, "keys.json")
	b, err := os.ReadFile(file)
	if err == nil {
		if err := json.Unmarshal(b, &k); err != nil || k.Hooks != "" && k.BotSecret != "" {
			return k, err
		}
		if k.Hooks == "" {
			k.Hooks, k.API = random(16), random(16) // a folder from before there were these
		}
		k.BotSecret = random(20)
		return k, writeKeys(file, k)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	k = keys{Hooks: random(16), API: random(16), CorpID: "ww" + random(8), AppSecret: random(20), AppToken: random(12), AppAESKey: aesKey(), BotToken: random(12), BotAESKey: aesKey(), BotSecret: random(20), Control: random(16), Robots: map[string]string{}}
	for _, g := range demoGroups {
		k.Robots[g.name] = random(16)
	}
	return k, writeKeys(file, k)
}

func writeKeys(file string, k keys) error {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o600)
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// aesKey is an EncodingAESKey: 43 characters of base64, letters and digits only.
func aesKey() string {
	for {
		b := make([]byte, 32)
		rand.Read(b)
		if s := strings.TrimRight(base64.StdEncoding.EncodeToString(b), "="); !strings.ContainsAny(s, "+/") {
			return s
		}
	}
}

// company is what the stand-in plays. long: the smart bot has a long connection
// in place of a callback; past: the database has a made-up past, whose people
// are colleagues too.
func company(k keys, own, platform string, long, past bool) standin.Options {
	o := standin.Options{CorpID: k.CorpID, CorpName: "示例证券", BaseURL: platform, ControlToken: k.Control, Departments: demoDepartments}
	o.Apps = []standin.App{{AgentID: demoAgent, Name: "一线助手", Secret: k.AppSecret, Token: k.AppToken, AESKey: k.AppAESKey, CallbackURL: own + "/wecom/app",
		Menu: []standin.MenuItem{{Name: "我的单", Type: "click", Key: "我的单"}, {Name: "帮助", Type: "click", Key: "帮助"}}}}
	o.Bots = []standin.Bot{{ID: demoBot, Name: "一线助手", Token: k.BotToken, AESKey: k.BotAESKey, CallbackURL: own + "/wecom/bot"}}
	if long {
		o.Bots[0].CallbackURL, o.Bots[0].Secret, o.Bots[0].Known = "", k.BotSecret, true
	}
	for _, p := range demoPeople {
		o.People = append(o.People, standin.Person{UserID: p.id, Name: p.name, Position: p.position, Departments: []int{p.dept}})
	}
	if past {
		addPast(&o)
	}
	for _, g := range demoGroups {
		o.Groups = append(o.Groups, standin.Group{ChatID: g.chat, Name: g.title, Members: g.members, BotIDs: []string{demoBot}})
		o.Robots = append(o.Robots, standin.Robot{Key: k.Robots[g.name], Name: "一线播报", Group: g.chat})
	}
	return o
}

// whereabouts is how the chat command finds a running demo.
type whereabouts struct {
	URL      string `json:"url"`
	Platform string `json:"platform"`
	Token    string `json:"token"`
}

const whereFile = "demo.json"

func writeDemo(dir string, w whereabouts) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, whereFile), b, 0o600)
}

func readDemo(dir string) (w whereabouts, err error) {
	b, err := os.ReadFile(filepath.Join(dir, whereFile))
	if err != nil {
		return w, err
	}
	return w, json.Unmarshal(b, &w)
}

// answers tells whether the demo of that file is still there.
func (w whereabouts) answers() bool {
	c := http.Client{Timeout: time.Second}
	resp, err := c.Get(w.URL + "/healthz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// demoIDs are the sample people; a made-up past has many more.
func demoIDs() []string {
	ids := make([]string, len(demoPeople))
	for i, p := range demoPeople {
		ids[i] = p.id
	}
	return ids
}
