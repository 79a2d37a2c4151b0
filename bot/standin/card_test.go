package standin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

type object = map[string]any

func buttonCard(task string) object {
	return object{"card_type": "button_interaction", "task_id": task, "main_title": object{"title": "这条回答解决问题了吗？"},
		"button_list": []any{object{"text": "解决了", "style": 1, "key": "yes"}, object{"text": "没解决", "style": 2, "key": "no"}},
		"action_menu": object{"desc": "更多", "action_list": []any{object{"text": "撤回", "key": "withdraw"}}}}
}

func voteCard(task string) object {
	return object{"card_type": "vote_interaction", "task_id": task, "main_title": object{"title": "处理得怎么样？"},
		"checkbox":      object{"question_key": "rating", "mode": 0, "option_list": []any{object{"id": "5", "text": "满意"}, object{"id": "1", "text": "不满意", "is_checked": false}}},
		"submit_button": object{"text": "提交", "key": "submit"}}
}

func selectCard(task string) object {
	sel := func(q string) object {
		return object{"question_key": q, "title": q, "selected_id": "a", "option_list": []any{object{"id": "a", "text": "甲"}, object{"id": "b", "text": "乙"}}}
	}
	return object{"card_type": "multiple_interaction", "task_id": task, "main_title": object{"title": "分类"},
		"select_list": []any{sel("class"), sel("priority")}, "submit_button": object{"text": "提交", "key": "submit"}}
}

func cardTo(users string, card object) object {
	return object{"touser": users, "agentid": testAgent, "msgtype": "template_card", "template_card": card}
}

// list makes n copies of an element, each changed by f.
func list(n int, f func(i int) object) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

func TestCardRefusals(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.MemberMinute = -1 })
	task := 0
	next := func() string { task++; return fmt.Sprintf("t%d", task) }
	change := func(base object, path string, v any) object {
		at := base
		parts := strings.Split(path, ".")
		for _, p := range parts[:len(parts)-1] {
			inner, _ := at[p].(object)
			if inner == nil {
				inner = object{}
				at[p] = inner
			}
			at = inner
		}
		if v == nil {
			delete(at, parts[len(parts)-1])
		} else {
			at[parts[len(parts)-1]] = v
		}
		return base
	}
	text := func() object {
		return object{"card_type": "text_notice", "main_title": object{"title": "t"}, "card_action": object{"type": 1, "url": "https://e.com"}}
	}
	news := func() object {
		return object{"card_type": "news_notice", "main_title": object{"title": "t"}, "card_image": object{"url": "https://e.com/a.png", "aspect_ratio": 1.3}, "card_action": object{"type": 1, "url": "https://e.com"}}
	}
	button, vote, sel := func() object { return buttonCard(next()) }, func() object { return voteCard(next()) }, func() object { return selectCard(next()) }
	buttons := func(n int) []any {
		return list(n, func(i int) object { return object{"text": "b", "key": fmt.Sprint(i)} })
	}
	rows := func(n int) []any { return list(n, func(int) object { return object{"keyname": "k", "value": "v"} }) }
	options := func(n int) []any {
		return list(n, func(i int) object { return object{"id": fmt.Sprint(i), "text": "o"} })
	}
	for _, c := range []struct {
		name string
		card object
		code int
	}{
		{"text_notice", text(), 0}, {"news_notice", news(), 0}, {"button", button(), 0}, {"vote", vote(), 0}, {"multiple", sel(), 0},
		{"type unknown", change(text(), "card_type", "poem"), 40058},
		{"type missing", change(text(), "card_type", nil), 40058},
		{"no title", change(text(), "main_title", nil), 40058},
		{"sub title instead of title", change(change(text(), "main_title", nil), "sub_title_text", "x"), 0},
		{"no card_action", change(text(), "card_action", nil), 40058},
		{"card_action without url", change(text(), "card_action", object{"type": 1}), 40058},
		{"card_action type 0", change(text(), "card_action", object{"type": 0}), 40058},
		{"no image", change(news(), "card_image", nil), 40058},
		{"image too flat", change(news(), "card_image.aspect_ratio", 2.26), 40058},
		{"image too high", change(news(), "card_image.aspect_ratio", 1.29), 40058},
		{"6 rows", change(text(), "horizontal_content_list", rows(6)), 0},
		{"7 rows", change(text(), "horizontal_content_list", rows(7)), 40058},
		{"row without keyname", change(text(), "horizontal_content_list", []any{object{"value": "v"}}), 40058},
		{"row type 3 without userid", change(text(), "horizontal_content_list", []any{object{"keyname": "k", "type": 3}}), 40058},
		{"4 jumps", change(text(), "jump_list", list(4, func(int) object { return object{"title": "j"} })), 40058},
		{"5 vertical", change(text(), "vertical_content_list", list(5, func(int) object { return object{"title": "j"} })), 40058},
		{"menu without task_id", change(text(), "action_menu", object{"action_list": []any{object{"text": "a", "key": "a"}}}), 40058},
		{"menu of 4", change(button(), "action_menu", object{"action_list": list(4, func(i int) object { return object{"text": "a", "key": fmt.Sprint(i)} })}), 40058},
		{"task_id missing", change(button(), "task_id", nil), 40058},
		{"task_id with a colon", change(button(), "task_id", "T1:2"), 40058},
		{"task_id of 129", change(button(), "task_id", strings.Repeat("a", 129)), 40058},
		{"task_id used before", buttonCard("t1"), 40058},
		{"6 buttons", change(button(), "button_list", buttons(6)), 0},
		{"7 buttons", change(button(), "button_list", buttons(7)), 40058},
		{"no buttons", change(button(), "button_list", nil), 40058},
		{"button style 5", change(button(), "button_list", []any{object{"text": "a", "key": "a", "style": 5}}), 40058},
		{"button style as text", change(button(), "button_list", []any{object{"text": "a", "key": "a", "style": "1"}}), 40058},
		{"key of 1025", change(button(), "button_list", []any{object{"text": "a", "key": strings.Repeat("k", 1025)}}), 40058},
		{"key twice", change(button(), "button_list", []any{object{"text": "a", "key": "k"}, object{"text": "b", "key": "k"}}), 40058},
		{"selection of 11", change(button(), "button_selection", object{"question_key": "q", "option_list": options(11)}), 40058},
		{"vote of 20", change(vote(), "checkbox.option_list", options(20)), 0},
		{"vote of 21", change(vote(), "checkbox.option_list", options(21)), 40058},
		{"vote mode 2", change(vote(), "checkbox.mode", 2), 40058},
		{"vote without submit", change(vote(), "submit_button", nil), 40058},
		{"4 selects", change(sel(), "select_list", list(4, func(i int) object { return object{"question_key": fmt.Sprint(i), "option_list": options(1)} })), 40058},
		{"select of 11", change(sel(), "select_list", []any{object{"question_key": "q", "option_list": options(11)}}), 40058},
		{"preset is no option", change(sel(), "select_list", []any{object{"question_key": "q", "selected_id": "z", "option_list": options(2)}}), 40058},
		{"main_title of a wrong type", change(text(), "main_title", "t"), 40058},
	} {
		g := w.send(cardTo("zhaoyi", c.card))
		if g.code() != c.code {
			t.Errorf("%s: errcode %d, want %d: %v", c.name, g.code(), c.code, g["errmsg"])
		}
		interactive := strings.HasSuffix(fmt.Sprint(c.card["card_type"]), "interaction")
		if c.code == 0 && (g["response_code"] != nil) != interactive {
			t.Errorf("%s: response_code %v", c.name, g["response_code"])
		}
	}
	if err := w.s.SetCallbackURL(string(AppPlace(testAgent)), ""); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.send(cardTo("zhaoyi", button())), 43012)
	wantCode(t, w.send(cardTo("zhaoyi", text())), 0)
}

func (w *world) update(body object) got {
	w.t.Helper()
	if _, there := body["agentid"]; !there {
		body["agentid"] = testAgent
	}
	return w.post("message/update_template_card?access_token="+w.token("app-secret"), body)
}

func TestCardUpdate(t *testing.T) {
	w := newWorld(t)
	code := w.send(cardTo("zhaoyi|qianer", buttonCard("T1@1")))["response_code"]
	name := func(code any, users ...string) object {
		return object{"userids": users, "response_code": code, "button": object{"replace_name": "已解决"}}
	}
	wantCode(t, w.update(name("unknown", "zhaoyi")), 60140)
	wantCode(t, w.update(object{"userids": []string{"zhaoyi"}, "response_code": code}), 40058) // a refused call spends nothing
	wantCode(t, w.update(object{"response_code": code, "button": object{"replace_name": "x"}}), 82001)
	g := w.update(name(code, "zhaoyi", "nobody"))
	wantCode(t, g, 0)
	if fmt.Sprint(g["invaliduser"]) != "[nobody]" {
		t.Errorf("invaliduser %v", g["invaliduser"])
	}
	wantCode(t, w.update(name(code, "qianer")), 60140)
	if c := w.feed("zhaoyi")[0].Card; c.Active || c.Replaced != "已解决" || c.Version != 2 {
		t.Errorf("zhaoyi sees %+v", c)
	}
	if c := w.feed("qianer")[0].Card; !c.Active || c.Version != 1 {
		t.Errorf("qianer sees %+v", c)
	}

	second := w.send(cardTo("zhaoyi", voteCard("T1@2")))["response_code"]
	whole := object{"atall": 1, "response_code": second, "template_card": object{"card_type": "text_notice", "main_title": object{"title": "T1 已解决"}, "card_action": object{"type": 1, "url": "https://e.com"}}}
	w.clock.add(72 * time.Hour)
	wantCode(t, w.update(whole), 0)
	cards := w.feed("zhaoyi")
	if c := cards[len(cards)-1].Card; c.Title != "T1 已解决" || c.TaskID != "T1@2" || c.Active {
		t.Errorf("replaced card %+v", c)
	}
	third := w.send(cardTo("zhaoyi", voteCard("T1@3")))["response_code"]
	w.clock.add(72*time.Hour + time.Second)
	wantCode(t, w.update(name(third, "zhaoyi")), 60140)
}

func TestCardViewKeepsWhatWasSent(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.send(cardTo("zhaoyi", selectCard("T1"))), 0)
	c := w.feed("zhaoyi")[0].Card
	if len(c.Selects) != 2 || !c.Selects[0].Options[0].Checked || c.Submit.Text != "提交" || !json.Valid(c.Raw) {
		t.Errorf("view %+v", c)
	}
	meters := 0
	for _, tr := range w.s.Traces(t.Context(), 0, 0, 0).Traces {
		meters += len(tr.Meters)
	}
	if meters == 0 {
		t.Error("the trace has no meters for the inspector")
	}
}
