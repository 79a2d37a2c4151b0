package web

import (
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
)

// Words that depend on the reader's language; templates call them as $.When and so on.

func (v *visit) when(t time.Time) string { return when(t, v.s.opt.Now(), v.t("今天")) }

// When says a time as people do.
func (s shell) When(t time.Time) string { return s.v.when(t) }

// Minute is a time in a narrow list: today's by the hour, else the day.
func (s shell) Minute(t time.Time) string {
	now := s.v.s.opt.Now()
	t = t.In(now.Location())
	switch {
	case t.Year() < 2000:
		return ""
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04")
	}
	return t.Format("01-02")
}

// GroupTitle is what people call a service group.
func (s shell) GroupTitle(name string) string { return s.v.s.opt.Desk.Rules.GroupTitle(name) }

// Role is a role's title.
func (s shell) Role(r chat.Role) string { return s.T(r.Title()) }

// RoleNames are the titles of some roles, as a sentence has them.
func (s shell) RoleNames(roles chat.RoleSet) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = s.Role(r)
	}
	return strings.Join(names, s.T("、"))
}

// State is the state of a message in or out: a shape and a word.
func (s shell) State(state string) template.HTML {
	look := map[string][2]string{"done": {"done", "完成"}, "sent": {"done", "已发"}, "dead": {"new", "失败"}, "running": {"doing", "处理中"}, "sending": {"doing", "发送中"}, "held": {"wait", "免打扰"}, "summed": {"done", "合并发出"}}
	l, ok := look[state]
	if !ok {
		l = [2]string{"wait", "等待"}
	}
	return template.HTML(`<span class="st ` + l[0] + `">` + template.HTMLEscapeString(s.T(l[1])) + `</span>`)
}

var stepNames = map[string]string{"callback/app": "回调：加密、签名、投递到 /wecom/app", "callback/bot": "回调：加密、签名、投递到 /wecom/bot", "poll/bot": "流式轮询", "message/send": "发送应用消息 message/send",
	"webhook/send": "群机器人 webhook/send", "message/update_template_card": "更新卡片 update_template_card", "gettoken": "取 access_token", "aibot/response": "智能机器人 response_url", "user/get": "查成员 user/get"}

// Step says in words what a step of the round trip is.
func (s shell) Step(t SimTrace) string {
	title := t.Name
	if name, ok := stepNames[t.Name]; ok {
		title = s.T(name)
	}
	if t.Status != 0 && t.Kind != "call" {
		title += " → " + strconv.Itoa(t.Status)
	}
	if t.Errcode != nil && *t.Errcode != 0 {
		title += " → errcode " + strconv.Itoa(*t.Errcode)
	}
	return title
}

// fieldNames are the short names of the fields that the platform limits, the
// longer paths first.
var fieldNames = [][2]string{{"main_title.title", "标题"}, {"main_title.desc", "辅助信息"}, {"sub_title_text", "正文"}, {"source.desc", "来源"}, {"horizontal_content_list", "行"}, {"keyname", "名"}, {"value", "值"},
	{"button_list", "按钮"}, {"checkbox.option_list", "选项"}, {"option_list", "选项"}, {"submit_button", "提交按钮"}, {"markdown.content", "Markdown 正文"}, {"text.content", "文本正文"}}

var fieldIndex = regexp.MustCompile(`\[\d+\]`)

// Field is the short name of a field that the platform limits.
func (s shell) Field(path string) string {
	short := strings.TrimPrefix(path, "template_card.")
	for _, n := range fieldNames {
		short = strings.ReplaceAll(short, n[0], " "+s.T(n[1])+" ")
	}
	// People count from one.
	short = fieldIndex.ReplaceAllStringFunc(short, func(i string) string {
		n, _ := strconv.Atoi(strings.Trim(i, "[]"))
		return " " + strconv.Itoa(n+1) + " "
	})
	short = strings.NewReplacer(".text", "", ".", "").Replace(short)
	return strings.Join(strings.Fields(short), " ")
}

// lasting says how long something took, in its two largest units.
func (v *visit) lasting(d time.Duration) string {
	minutes := int(d.Abs().Minutes())
	switch {
	case d.Abs() < time.Minute:
		return v.t("%d 秒", int(d.Abs().Seconds()))
	case minutes < 60:
		return v.t("%d 分", minutes)
	case minutes < 24*60 && minutes%60 == 0:
		return v.t("%d 小时", minutes/60)
	case minutes < 24*60:
		return v.t("%d 小时 %d 分", minutes/60, minutes%60)
	case minutes/60%24 == 0:
		return v.t("%d 天", minutes/60/24)
	}
	return v.t("%d 天 %d 小时", minutes/60/24, minutes/60%24)
}

// Lasting is the same, for templates.
func (s shell) Lasting(d time.Duration) string { return s.v.lasting(d) }
