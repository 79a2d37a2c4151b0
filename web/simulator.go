package web

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type simulatorPage struct {
	State   SimState
	As, At  string
	AtName  string
	Me      SimPerson
	Group   string // chat id when At is a group
	View    string // of the inspector: chain, payload, check, time
	Plugin  bool   // as WeChat's plugin shows it, which knows no Markdown
	Quoted  SimEntry
	Entries []SimEntry
	Seq     int64
	Steps   []SimTrace
	Trace   int64
	Scenes  []scene
	Part    bool // answers a request of the script
}

// scene is one click that shows something.
type scene struct{ Title, Text string }

var scenes = []scene{
	{"问一个知识", "客户换了手机号收不到验证码咋办"},
	{"含糊的问题", "银证转不了"},
	{"不知道的", "老的合同补签页面在哪"},
	{"报障", "报障 行情页面不刷新 安卓 9.2.1 客户在等"},
	{"不写报障", "客户点银证转账一直转圈"},
	{"我的单", "我的单"},
	{"闲聊", "今天天气怎么样"},
}

// trials show how the desk copes; their words are the catalogue's keys.
var trials = []stateName{{"repeat", "重复投递"}, {"bad_signature", "错误签名"}, {"wrong_receiver", "错误接收方"}, {"token", "token 过期"}, {"quota", "超过频率"}, {"lost", "回应丢失"}, {"slow", "变慢"}, {"clear", "清除故障"}}

var simViews = []stateName{{"chain", "链路"}, {"payload", "载荷"}, {"check", "校验"}, {"time", "耗时"}}

func (simulatorPage) Trials() []stateName { return trials }
func (simulatorPage) Views() []stateName  { return simViews }

const simEntries, simSteps = 80, 40

// Link is the page's own address with some of its choices changed.
func (p simulatorPage) Link(pairs ...string) template.URL {
	return template.URL("/simulator?" + p.query(pairs...))
}

// PartLink is the address that the page's poll asks.
func (p simulatorPage) PartLink(part string) template.URL {
	return template.URL("/simulator/" + part + "?" + p.query("seq", strconv.FormatInt(p.Seq, 10), "trace", strconv.FormatInt(p.Trace, 10)))
}

func (p simulatorPage) query(pairs ...string) string {
	q := url.Values{"as": {p.As}, "at": {p.At}}
	if p.View != "chain" {
		q.Set("view", p.View)
	}
	if p.Plugin {
		q.Set("plugin", "1")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Del(pairs[i]); pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q.Encode()
}

// maySimulate: everybody in the demo, where the platform is ours.
func (s *Server) maySimulate() error {
	if s.opt.Platform == nil {
		return errNotFound
	}
	return nil
}

func (s *Server) simulatorPage(v *visit) (simulatorPage, error) {
	p := simulatorPage{As: v.r.FormValue("as"), At: v.r.FormValue("at"), View: v.r.FormValue("view"), Plugin: v.r.FormValue("plugin") == "1", Scenes: scenes, Part: v.htmx()}
	if err := s.maySimulate(); err != nil {
		return p, err
	}
	if !slices.ContainsFunc(simViews, func(n stateName) bool { return n.Key == p.View }) {
		p.View = "chain"
	}
	if p.As == "" {
		p.As = v.user.ID
	}
	ctx := v.r.Context()
	var err error
	if p.State, err = s.opt.Platform.State(ctx, p.As); err != nil {
		return p, err
	}
	i := slices.IndexFunc(p.State.People, func(x SimPerson) bool { return x.UserID == p.As })
	if i < 0 {
		return p, badForm(v.t("示例公司里没有这个人"))
	}
	p.Me = p.State.People[i]
	if p.At == "" && len(p.State.Apps) > 0 {
		p.At = p.State.Apps[0].Place
	}
	for _, c := range p.State.Chats {
		if c.Place == p.At {
			p.AtName = c.Name
		}
	}
	if p.AtName == "" {
		return p, badForm(v.t("这位同事没有这个会话"))
	}
	if group, ok := strings.CutPrefix(p.At, "group:"); ok {
		p.Group = group
	}
	if err := s.simulatorFeed(ctx, &p); err != nil {
		return p, err
	}
	quoted := number(v.r.FormValue("quote"))
	for _, e := range p.Entries {
		if e.ID == quoted && v.r.Method == http.MethodGet {
			p.Quoted = e
		}
	}
	return p, nil
}

func (s *Server) simulatorFeed(ctx context.Context, p *simulatorPage) error {
	all, seq, err := s.opt.Platform.Feed(ctx, p.As, p.Group)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Place == p.At {
			p.Entries = append(p.Entries, e)
		}
	}
	if n := len(p.Entries); n > simEntries {
		p.Entries = p.Entries[n-simEntries:]
	}
	p.Seq = seq
	steps, trace, err := s.opt.Platform.Traces(ctx, 3*simSteps)
	for _, t := range steps {
		if !t.housekeeping() {
			p.Steps = append(p.Steps, t)
		}
	}
	if n := len(p.Steps); n > simSteps {
		p.Steps = p.Steps[n-simSteps:]
	}
	p.Trace = trace
	return err
}

func (s *Server) simulator(v *visit) error {
	p, err := s.simulatorPage(v)
	if err != nil {
		return err
	}
	return v.show("simulator", p)
}

// simulatorPart answers the page's poll with the part that changed, or 204.
func (s *Server) simulatorPart(v *visit) error {
	if v.r.PathValue("part") == "script" {
		return s.simulatorScript(v)
	}
	p, err := s.simulatorPage(v)
	if err != nil {
		return err
	}
	block, have, now := "simlog", "seq", p.Seq
	switch v.r.PathValue("part") {
	case "trace":
		block, have, now = "simtrace", "trace", p.Trace
	case "log":
	default:
		return errNotFound
	}
	if v.r.FormValue(have) == strconv.FormatInt(now, 10) {
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return v.part("simulator", block, p)
}

// maxUpload bounds what a visitor sends along in the simulator.
const maxUpload = 10 << 20

// simulatorSay lets the played person say something.
func (s *Server) simulatorSay(v *visit) error {
	if err := s.maySimulate(); err != nil {
		return err
	}
	say := SimSay{User: v.r.FormValue("as"), Place: v.r.FormValue("at"), Text: strings.TrimSpace(v.r.FormValue("text")), Mention: strings.HasPrefix(v.r.FormValue("at"), "group:"), Quote: number(v.r.FormValue("quote"))}
	if file, head, err := v.r.FormFile("file"); err == nil {
		defer file.Close()
		if say.Data, err = io.ReadAll(io.LimitReader(file, maxUpload)); err != nil {
			return err
		}
		say.Name, say.FileKind = head.Filename, "file"
		if strings.HasPrefix(head.Header.Get("Content-Type"), "image/") {
			say.FileKind = "image"
		}
	}
	if say.Text == "" && say.Data == nil {
		return badForm(v.t("先写点什么"))
	}
	notes, err := s.opt.Platform.Say(v.r.Context(), say)
	if err != nil {
		return badForm(err.Error())
	}
	if len(notes) > 0 {
		v.notice(strings.Join(notes, "；"))
	}
	return s.backToSimulator(v)
}

// backToSimulator lets the parts of the page ask for what is new: they alone
// replace themselves, so two answers never fight for one place.
func (s *Server) backToSimulator(v *visit) error {
	if v.htmx() {
		v.w.Header().Set("HX-Trigger", "simulated")
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	p := simulatorPage{As: v.r.FormValue("as"), At: v.r.FormValue("at"), View: v.r.FormValue("view"), Plugin: v.r.FormValue("plugin") == "1"}
	return v.redirect(string(p.Link()))
}

// simulatorAct presses a button, submits a card, opens a chat, uses the menu.
func (s *Server) simulatorAct(v *visit) error {
	if err := s.maySimulate(); err != nil {
		return err
	}
	act := SimAct{Do: v.r.FormValue("do"), User: v.r.FormValue("as"), Place: v.r.FormValue("at"), TaskID: v.r.FormValue("task"), Key: v.r.FormValue("key"), Entry: number(v.r.FormValue("entry")), Selected: map[string][]string{}}
	for key, values := range v.r.PostForm {
		if q, ok := strings.CutPrefix(key, "pick."); ok {
			act.Selected[q] = values
		}
	}
	if err := s.opt.Platform.Act(v.r.Context(), act); err != nil {
		return badForm(err.Error())
	}
	return s.backToSimulator(v)
}

// simulatorFault makes the platform misbehave, to see the desk cope.
func (s *Server) simulatorFault(v *visit) error {
	if err := s.maySimulate(); err != nil {
		return err
	}
	ctx := v.r.Context()
	var err error
	switch kind := v.r.FormValue("kind"); kind {
	case "clear":
		err = s.opt.Platform.ClearFaults(ctx)
		v.notice(v.t("故障已清除"))
	case "token":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", Errcode: 42001, Count: 1})
		v.notice(v.t("下一次发送会得到 42001（token 过期）"))
	case "quota":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", Errcode: 45009, Count: 1})
		v.notice(v.t("下一次发送会得到 45009（超过频率），一分钟后补发"))
	case "slow":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", DelayMS: 3000, Count: 3})
		v.notice(v.t("接下来三次发送会慢 3 秒"))
	case "lost":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", Drop: "after", Count: 1})
		v.notice(v.t("下一次发送会送达但没有回应"))
	case "bad_signature", "wrong_receiver", "old_timestamp":
		var status int
		if status, err = s.opt.Platform.Inject(ctx, v.r.FormValue("at"), v.r.FormValue("as"), kind, "报障 伪造的消息"); err == nil {
			v.notice(v.t("伪造的回调得到 %d，没有任何影响", status))
		}
	case "repeat":
		err = s.repeatLast(v)
	case "reset":
		err = s.opt.Platform.Clear(ctx)
	default:
		return badForm(v.t("没有这种故障"))
	}
	if err != nil {
		return badForm(err.Error())
	}
	return s.backToSimulator(v)
}

// repeatLast delivers the played person's last message three more times.
func (s *Server) repeatLast(v *visit) error {
	p, err := s.simulatorPage(v)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(p.Entries) {
		if e.From.ID == p.As && e.Callback != "" {
			statuses, err := s.opt.Platform.Redeliver(v.r.Context(), e.Callback, 3)
			if err == nil {
				v.notice(v.t("同一条消息又投递了 3 次，应答 %v，没有第二次回复", fmt.Sprint(statuses)))
			}
			return err
		}
	}
	return badForm(v.t("还没有可以重复投递的消息"))
}
