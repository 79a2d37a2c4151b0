package web

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
)

// funcs are what templates may call; they format, they decide nothing.
func (s *Server) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":   func(name string) string { return s.assets.byName[name] },
		"icon":    s.icon,
		"when":    func(t time.Time) string { return when(t, s.opt.Now()) },
		"full":    func(t time.Time) string { return fullTime(t, s.opt.Now()) },
		"masked":  mask.Text,
		"id":      func(n int64) string { return strconv.FormatInt(n, 10) },
		"initial": initial,
		"cut":     chat.Cut,
		"has":     func(u chat.User, role string) bool { return u.Roles.Has(chat.Role(role)) },
		"rows": func(roles []chat.Role, rows []rightRow) map[string]any {
			return map[string]any{"Roles": roles, "Rows": rows}
		},
		"said":      s.saidLine,
		"chatText":  chatText,
		"stepJSON":  stepJSON,
		"isGroup":   func(place string) bool { return strings.HasPrefix(place, "group:") },
		"isBot":     func(place string) bool { return strings.HasPrefix(place, "bot:") },
		"clock":     func(t time.Time) string { return t.In(s.opt.Now().Location()).Format("15:04:05") },
		"stepTitle": stepTitle,
		"fieldName": fieldName,
		"roleTitle": func(r chat.Role) string { return r.Title() },
	}
}

// icon refers to one picture of the sprite.
func (s *Server) icon(name string) template.HTML {
	return template.HTML(`<svg class="i" aria-hidden="true"><use href="` + template.HTMLEscapeString(s.assets.byName["sprite.svg"]+"#i-"+name) + `"/></svg>`)
}

// initial is the first character of a name, for a round picture.
func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "·"
}

// when says a time as people do: today's by the hour, this year's without the year.
func when(t, now time.Time) string {
	if t.IsZero() {
		return "—"
	}
	t = t.In(now.Location())
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return "今天 " + t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("01-02 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

func fullTime(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(now.Location()).Format("2006-01-02 15:04:05.000 MST")
}

// stepTitle says in words what a step of the round trip is.
func stepTitle(t SimTrace) string {
	title := map[string]string{"callback/app": "回调：加密、签名、投递到 /wecom/app", "callback/bot": "回调：加密、签名、投递到 /wecom/bot", "poll/bot": "流式轮询", "message/send": "发送应用消息 message/send",
		"webhook/send": "群机器人 webhook/send", "message/update_template_card": "更新卡片 update_template_card", "gettoken": "取 access_token", "aibot/response": "智能机器人 response_url", "user/get": "查成员 user/get"}[t.Name]
	if title == "" {
		title = t.Name
	}
	if t.Status != 0 && t.Kind != "call" {
		title += " → " + strconv.Itoa(t.Status)
	}
	if t.Errcode != nil && *t.Errcode != 0 {
		title += " → errcode " + strconv.Itoa(*t.Errcode)
	}
	return title
}

// fieldName is the short Chinese name of a field that the platform limits.
func fieldName(path string) string {
	short := strings.TrimPrefix(path, "template_card.")
	for _, n := range [][2]string{{"main_title.title", "标题"}, {"main_title.desc", "辅助信息"}, {"sub_title_text", "正文"}, {"source.desc", "来源"}, {"horizontal_content_list", "行"}, {"keyname", "名"}, {"value", "值"},
		{"button_list", "按钮"}, {"checkbox.option_list", "选项"}, {"option_list", "选项"}, {"submit_button", "提交按钮"}, {"markdown.content", "Markdown 正文"}, {"text.content", "文本正文"}, {".text", ""}, {"[", " "}, {"]", " "}, {".", ""}} {
		short = strings.ReplaceAll(short, n[0], n[1])
	}
	return strings.Join(strings.Fields(short), " ")
}
