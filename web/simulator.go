package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
)

// Platform is the stand-in behind the simulator. The page declares what it
// needs; package cli fits the stand-in to it.
type Platform interface {
	State(ctx context.Context, user string) (SimState, error)
	// Feed returns the newest entries of a member's single chats, or of a group.
	Feed(ctx context.Context, user, group string) (entries []SimEntry, seq int64, err error)
	Say(ctx context.Context, say SimSay) (notes []string, err error)
	Act(ctx context.Context, act SimAct) error
	// Traces returns the newest steps of the round trip, oldest first.
	Traces(ctx context.Context, n int) (steps []SimTrace, seq int64, err error)
	// Redeliver sends the callback of an entry again, at once and in parallel.
	Redeliver(ctx context.Context, callback string, times int) (statuses []int, err error)
	Fault(ctx context.Context, f SimFault) error
	ClearFaults(ctx context.Context) error
	Inject(ctx context.Context, place, user, kind, text string) (status int, err error)
	Clear(ctx context.Context) error
}

// SimState is the company as the simulator shows it.
type SimState struct {
	People []struct {
		UserID   string `json:"userid"`
		Name     string `json:"name"`
		Position string `json:"position"`
	} `json:"people"`
	Chats []struct {
		Place string    `json:"place"`
		Name  string    `json:"name"`
		At    time.Time `json:"at"`
		Last  string    `json:"last"`
	} `json:"chats"`
	Apps []struct {
		AgentID int    `json:"agent_id"`
		Name    string `json:"name"`
		Place   string `json:"place"`
		Menu    []struct {
			Name string `json:"name"`
			Key  string `json:"key"`
		} `json:"menu"`
	} `json:"apps"`
	Bots []struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Place string `json:"place"`
	} `json:"bots"`
	Robots []struct {
		Name   string `json:"name"`
		ChatID string `json:"chat_id"`
		Used   int    `json:"used"`
		Limit  int    `json:"limit"`
	} `json:"robots"`
}

// SimEntry is one message as a member's client shows it.
type SimEntry struct {
	ID    int64     `json:"id"`
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Place string    `json:"place"`
	User  string    `json:"user"`
	From  struct {
		Kind, ID, Name string
	} `json:"from"`
	MsgType string `json:"msgtype"`
	Text    string `json:"text"`
	Cut     bool   `json:"cut"`
	Quote   *struct {
		Text string `json:"text"`
	} `json:"quote"`
	Media *struct {
		Kind, Name, URL string
		Size            int
	} `json:"media"`
	Card   *SimCard `json:"card"`
	Stream *struct {
		Finished bool `json:"finished"`
		Polls    int  `json:"polls"`
	} `json:"stream"`
	Recalled bool     `json:"recalled"`
	Notes    []string `json:"notes"`
	Callback string   `json:"callback"`
}

// SimCard is a template card as it stands now.
type SimCard struct {
	Type     string      `json:"type"`
	TaskID   string      `json:"task_id"`
	Source   string      `json:"source"`
	Title    string      `json:"title"`
	Desc     string      `json:"desc"`
	SubTitle string      `json:"sub_title"`
	Quote    string      `json:"quote"`
	Replaced string      `json:"replaced"`
	Active   bool        `json:"active"`
	Rows     []simRow    `json:"rows"`
	Jumps    []simJump   `json:"jumps"`
	Buttons  []simButton `json:"buttons"`
	Selects  []struct {
		QuestionKey string `json:"question_key"`
		Title       string `json:"title"`
		Multiple    bool   `json:"multiple"`
		Options     []struct {
			ID, Text string
		} `json:"options"`
	} `json:"selects"`
	Submit *simButton `json:"submit"`
}

type simRow struct{ Key, Value string }
type simJump struct{ Title, URL string }
type simButton struct {
	Text   string `json:"text"`
	Key    string `json:"key"`
	Style  int    `json:"style"`
	Active bool   `json:"active"`
}

// SimTrace is one step of the round trip.
type SimTrace struct {
	Seq       int64     `json:"seq"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	Try       int       `json:"try"`
	User      string    `json:"user"`
	MsgID     string    `json:"msgid"`
	Request   string    `json:"request"`
	Raw       string    `json:"request_raw"`
	Status    int       `json:"status"`
	Errcode   *int      `json:"errcode"`
	Response  string    `json:"response"`
	LatencyMS float64   `json:"latency_ms"`
	Err       string    `json:"error"`
	Fault     string    `json:"fault"`
	Meters    []struct {
		Field string `json:"field"`
		Used  int    `json:"used"`
		Limit int    `json:"limit"`
		Unit  string `json:"unit"`
		Hard  bool   `json:"hard"`
	} `json:"meters"`
	Notes []string `json:"notes"`
}

// OK tells whether the step went well.
func (t SimTrace) OK() bool {
	return t.Err == "" && (t.Status == 0 || t.Status == 200) && (t.Errcode == nil || *t.Errcode == 0)
}

// SimSay, SimAct and SimFault are what a visitor does.
type SimSay struct {
	User, Place, Text string
	Mention           bool
	Quote             int64
	FileKind, Name    string
	Data              []byte
}

type SimAct struct {
	Do, User, Place, TaskID, Key string
	Entry                        int64
	Selected                     map[string][]string
}

type SimFault struct {
	API     string
	Errcode int
	Count   int
	DelayMS int
	Drop    string
}

type simulatorPage struct {
	State   SimState
	As, At  string
	AtName  string
	Me      string
	Group   string // chat id when At is a group
	Entries []SimEntry
	Seq     int64
	Steps   []SimTrace
	Trace   int64
	Scenes  []scene
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

const simEntries, simSteps = 80, 40

// maySimulate: everybody in the demo, where the platform is ours.
func (s *Server) maySimulate() error {
	if s.opt.Platform == nil {
		return errNotFound
	}
	return nil
}

func (s *Server) simulatorPage(v *visit) (simulatorPage, error) {
	p := simulatorPage{As: v.r.FormValue("as"), At: v.r.FormValue("at"), Scenes: scenes}
	if err := s.maySimulate(); err != nil {
		return p, err
	}
	if p.As == "" {
		p.As = v.user.ID
	}
	ctx := v.r.Context()
	var err error
	if p.State, err = s.opt.Platform.State(ctx, p.As); err != nil {
		return p, err
	}
	i := slices.IndexFunc(p.State.People, func(x struct {
		UserID   string `json:"userid"`
		Name     string `json:"name"`
		Position string `json:"position"`
	}) bool {
		return x.UserID == p.As
	})
	if i < 0 {
		return p, badForm("示例公司里没有这个人")
	}
	p.Me = p.State.People[i].Name
	if p.At == "" && len(p.State.Apps) > 0 {
		p.At = p.State.Apps[0].Place
	}
	for _, c := range p.State.Chats {
		if c.Place == p.At {
			p.AtName = c.Name
		}
	}
	if p.AtName == "" {
		return p, badForm("这位同事没有这个会话")
	}
	p.Group, _ = strings.CutPrefix(p.At, "group:")
	if p.Group == p.At {
		p.Group = ""
	}
	return p, s.simulatorFeed(ctx, &p)
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
	p.Steps, p.Trace, err = s.opt.Platform.Traces(ctx, simSteps)
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
	p, err := s.simulatorPage(v)
	if err != nil {
		return err
	}
	block, have, now := "simlog", "seq", p.Seq
	if v.r.PathValue("part") == "trace" {
		block, have, now = "simtrace", "trace", p.Trace
	}
	if v.r.FormValue(have) == strconv.FormatInt(now, 10) {
		v.w.WriteHeader(204)
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
	say := SimSay{User: v.r.FormValue("as"), Place: v.r.FormValue("at"), Text: strings.TrimSpace(v.r.FormValue("text")), Mention: strings.HasPrefix(v.r.FormValue("at"), "group:")}
	fmt.Sscan(v.r.FormValue("quote"), &say.Quote)
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
		return badForm("先写点什么")
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

// backToSimulator shows the new state: the log alone for htmx, else the page.
func (s *Server) backToSimulator(v *visit) error {
	if v.htmx() {
		p, err := s.simulatorPage(v)
		if err != nil {
			return err
		}
		return v.part("simulator", "simlog", p)
	}
	return v.redirect("/simulator?" + url.Values{"as": {v.r.FormValue("as")}, "at": {v.r.FormValue("at")}}.Encode())
}

// simulatorAct presses a button, submits a card, opens a chat, uses the menu.
func (s *Server) simulatorAct(v *visit) error {
	if err := s.maySimulate(); err != nil {
		return err
	}
	act := SimAct{Do: v.r.FormValue("do"), User: v.r.FormValue("as"), Place: v.r.FormValue("at"), TaskID: v.r.FormValue("task"), Key: v.r.FormValue("key"), Selected: map[string][]string{}}
	fmt.Sscan(v.r.FormValue("entry"), &act.Entry)
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
		v.notice("故障已清除")
	case "token":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", Errcode: 42001, Count: 1})
		v.notice("下一次发送会得到 42001（token 过期）")
	case "quota":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", Errcode: 45009, Count: 1})
		v.notice("下一次发送会得到 45009（超过频率），一分钟后补发")
	case "slow":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", DelayMS: 3000, Count: 3})
		v.notice("接下来三次发送会慢 3 秒")
	case "lost":
		err = s.opt.Platform.Fault(ctx, SimFault{API: "message/send", Drop: "after", Count: 1})
		v.notice("下一次发送会送达但没有回应")
	case "bad_signature", "wrong_receiver", "old_timestamp":
		var status int
		if status, err = s.opt.Platform.Inject(ctx, v.r.FormValue("at"), v.r.FormValue("as"), kind, "报障 伪造的消息"); err == nil {
			v.notice(fmt.Sprintf("伪造的回调得到 %d，没有任何影响", status))
		}
	case "repeat":
		err = s.repeatLast(v)
	case "reset":
		err = s.opt.Platform.Clear(ctx)
	default:
		return badForm("没有这种故障")
	}
	if err != nil {
		return badForm(err.Error())
	}
	return v.redirect("/simulator?" + url.Values{"as": {v.r.FormValue("as")}, "at": {v.r.FormValue("at")}}.Encode())
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
				v.notice(fmt.Sprintf("同一条消息又投递了 3 次，应答 %v，没有第二次回复", statuses))
			}
			return err
		}
	}
	return fmt.Errorf("还没有可以重复投递的消息")
}

// chatText shows a message's text: bold, quotes and colours of the platform's
// Markdown, everything else literal.
func chatText(e SimEntry) template.HTML {
	text := template.HTMLEscapeString(e.Text)
	if e.MsgType == "text" {
		return template.HTML(strings.ReplaceAll(text, "\n", "<br>"))
	}
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		quote := strings.HasPrefix(line, "&gt; ") || line == "&gt;"
		line = strings.TrimPrefix(strings.TrimPrefix(line, "&gt; "), "&gt;")
		parts := strings.Split(line, "**")
		for j := 1; j < len(parts)-1; j += 2 {
			parts[j] = "<b>" + parts[j] + "</b>"
		}
		line = strings.Join(parts, "")
		for _, c := range []string{"info", "comment", "warning"} {
			line = strings.ReplaceAll(line, "&lt;font color=&#34;"+c+"&#34;&gt;", `<span class="f-`+c+`">`)
		}
		line = strings.ReplaceAll(line, "&lt;/font&gt;", "</span>")
		switch {
		case quote:
			b.WriteString(`<span class="q">` + line + `</span>`)
		case i > 0:
			b.WriteString("<br>" + line)
		default:
			b.WriteString(line)
		}
	}
	return template.HTML(b.String())
}

// stepJSON is a payload, indented.
func stepJSON(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return indent(json.RawMessage(text))
	}
	return chat.Cut(text, 4000)
}
