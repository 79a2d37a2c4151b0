package bot

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"frontline/bot/chat"
)

func TestCardJSON(t *testing.T) {
	full := chat.Card{
		TaskID: "T1042@3", Source: "一线", Title: "登录失败", Desc: "P2", Text: "客户在等",
		Rows:  []chat.Row{{Key: "单号", Value: "T1042"}, {Key: "网页", Value: "打开", URL: "https://d/1"}, {Key: "处理人", Value: "李工", User: "liqiang"}},
		Links: []chat.CardURL{{Title: "详情", URL: "https://d/2"}, {Title: "坏", URL: "javascript:1"}}, URL: "https://d/3",
	}
	with := func(change func(*chat.Card)) chat.Card {
		c := full
		change(&c)
		return c
	}
	const head = `"source":{"desc":"一线"},"main_title":{"title":"登录失败","desc":"P2"},`
	const rows = `"horizontal_content_list":[{"keyname":"单号","value":"T1042"},{"keyname":"网页","value":"打开","type":1,"url":"https://d/1"},{"keyname":"处理人","value":"李工","type":3,"userid":"liqiang"}],`
	const links = `"jump_list":[{"type":1,"title":"详情","url":"https://d/2"}],`
	const notice = `{"card_type":"text_notice",` + head + `"sub_title_text":"客户在等",` + rows + links + `"card_action":{"type":1,"url":"https://d/3"},"task_id":"T1042@3"}`
	buttons := with(func(c *chat.Card) {
		c.Buttons = []chat.Button{{Text: "接单", Key: "take", Style: 1}, {Text: "转", Key: "pass"}}
	})
	const pressed = `{"card_type":"button_interaction",` + head + `"sub_title_text":"客户在等",` + rows + `"card_action":{"type":1,"url":"https://d/3"},"task_id":"T1042@3","button_list":[{"text":"接单","style":1,"key":"take"},{"text":"转","style":2,"key":"pass"}]}`
	vote := with(func(c *chat.Card) {
		c.Vote = &chat.Choice{Key: "rate", Many: true, Options: []chat.Option{{ID: "5", Text: "满意"}}}
		c.Submit = &chat.Button{Text: "提交评价", Key: "rated"}
	})
	selects := with(func(c *chat.Card) {
		c.Selects = []chat.Choice{{Key: "class", Title: "分类", Options: []chat.Option{{ID: "d", Text: "数据"}}}}
	})
	for _, c := range []struct {
		name string
		card chat.Card
		d    Dialect
		want string
	}{
		{"notice", full, AppCards, notice},
		{"notice, robot", full, RobotCards, notice},
		{"notice, smart bot", full, BotCards, notice},
		{"buttons", buttons, AppCards, pressed},
		{"buttons, smart bot", buttons, BotCards, pressed},
		{"a robot has no buttons", buttons, RobotCards, notice},
		{"vote", vote, AppCards, `{"card_type":"vote_interaction",` + head + `"task_id":"T1042@3","checkbox":{"question_key":"rate","option_list":[{"id":"5","text":"满意"}],"mode":1},"submit_button":{"text":"提交评价","key":"rated"}}`},
		{"selects", selects, BotCards, `{"card_type":"multiple_interaction",` + head + `"task_id":"T1042@3","select_list":[{"question_key":"class","title":"分类","option_list":[{"id":"d","text":"数据"}]}],"submit_button":{"text":"提交","key":"submit"}}`},
		{"the link is the way on", with(func(c *chat.Card) { c.URL = ""; c.Rows = nil }), RobotCards,
			`{"card_type":"text_notice",` + head + `"sub_title_text":"客户在等",` + links + `"card_action":{"type":1,"url":"https://d/2"},"task_id":"T1042@3"}`},
		{"the row is the way on", with(func(c *chat.Card) { c.URL, c.Links, c.Rows = "", nil, c.Rows[1:2] }), RobotCards,
			`{"card_type":"text_notice",` + head + `"sub_title_text":"客户在等","horizontal_content_list":[{"keyname":"网页","value":"打开","type":1,"url":"https://d/1"}],"card_action":{"type":1,"url":"https://d/1"},"task_id":"T1042@3"}`},
	} {
		got, err := CardJSON(c.card, c.d)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
		}
	}
}

func TestCardRefused(t *testing.T) {
	if _, err := CardJSON(chat.Card{TaskID: "a", Title: "无处可去"}, AppCards); !errors.Is(err, ErrNoCard) {
		t.Errorf("a notice without an address: %v", err)
	}
	for _, c := range []chat.Card{{Title: "a", URL: "https://d"}, {TaskID: "a b", Title: "a"}, {TaskID: strings.Repeat("a", 129), Title: "a"}, {TaskID: "a", Buttons: []chat.Button{{}}}} {
		if _, err := CardJSON(c, AppCards); err == nil || errors.Is(err, ErrNoCard) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCardIsCut(t *testing.T) {
	long := strings.Repeat("长", 500)
	many := func(n int) (o []chat.Option) {
		for range n {
			o = append(o, chat.Option{ID: "i", Text: long})
		}
		return o
	}
	c := chat.Card{TaskID: "a", Source: long, Title: long, Desc: long, Text: long, URL: "https://d"}
	for range 30 {
		c.Rows = append(c.Rows, chat.Row{Key: long, Value: long})
		c.Links = append(c.Links, chat.CardURL{Title: long, URL: "https://d"})
	}
	count := func(d Dialect, card chat.Card, what string) int {
		t.Helper()
		b, err := CardJSON(card, d)
		if err != nil || !utf8.Valid(b) {
			t.Fatal(err)
		}
		return strings.Count(string(b), what)
	}
	for d, want := range map[*Dialect]int{&AppCards: 20 + 36 + 44 + 160 + 6*(5+30) + 3*18, &RobotCards: 13 + 26 + 30 + 112 + 6*(5+26) + 3*13} {
		pieces := count(*d, c, "…")
		if got := count(*d, c, "长") + pieces; got != want || pieces != 4+12+3 {
			t.Errorf("%s: %d characters in %d pieces, want %d", d.name, got, pieces, want)
		}
	}
	buttons := c
	for range 9 {
		buttons.Buttons = append(buttons.Buttons, chat.Button{Text: long, Key: "k"})
	}
	buttons.Buttons[0].Key = strings.Repeat("k", 1025)
	if got := count(AppCards, buttons, `"key":"k"`); got != 6 {
		t.Errorf("%d buttons", got)
	}
	vote := c
	vote.Vote = &chat.Choice{Key: "q", Options: many(30)}
	if got := count(AppCards, vote, `"id"`); got != 20 {
		t.Errorf("%d votes", got)
	}
	selects := c
	for range 5 {
		selects.Selects = append(selects.Selects, chat.Choice{Key: "q", Options: many(15)})
	}
	if got := count(AppCards, selects, `"id"`); got != 30 {
		t.Errorf("%d options", got)
	}
}

func TestCardUpdateJSON(t *testing.T) {
	u := chat.CardUpdate{TaskID: "T1", Done: "已由李工受理", Card: &chat.Card{TaskID: "other", Title: "a", Buttons: []chat.Button{{Text: "接", Key: "k"}}}}
	const want = `{"card_type":"button_interaction","main_title":{"title":"a"},"task_id":"T1","button_list":[{"text":"接","style":2,"key":"k"}],"replace_text":"已由李工受理"}`
	if got, err := CardUpdateJSON(u, AppCards); err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	if got, err := CardUpdateJSON(u, BotCards); err != nil || strings.Contains(string(got), "replace_text") {
		t.Errorf("smart bot: %s, %v", got, err)
	}
	if _, err := CardUpdateJSON(chat.CardUpdate{TaskID: "T1", Done: "完"}, BotCards); !errors.Is(err, ErrNoCard) {
		t.Errorf("without a card: %v", err)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"一二三", 3, "一二三"}, {"一二三四", 3, "一二…"}, {"ab cd", 4, "ab…"}, {"", 3, ""}, {"一二", 1, "…"}} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
