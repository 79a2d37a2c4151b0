package standin

import (
	"regexp"
	"slices"
	"unicode/utf8"
)

// cardRules say what a road allows: https://developer.work.weixin.qq.com/document/path/90236
// for apps, …/99110 for robots, …/101032 for smart bots.
type cardRules struct {
	types    []string
	update   bool // replaces a card: task_id may stay away, replace_text may be there
	callback bool // a callback URL is configured
	short    bool // robots and bots recommend shorter fields than apps
	meters   *[]Meter
}

var (
	noticeCards      = []string{"text_notice", "news_notice"}
	interactiveCards = []string{"button_interaction", "vote_interaction", "multiple_interaction"}
	allCards         = slices.Concat(noticeCards, interactiveCards)
	taskIDPattern    = regexp.MustCompile(`^[0-9A-Za-z_@-]{1,128}$`)
)

// checkCard validates a template_card; failures go to the reader.
func checkCard(r reader, rules cardRules) {
	kind := r.needText("card_type")
	if !slices.Contains(rules.types, kind) {
		r.fail(codeBadParameter, "%s %q is not allowed here. invalid Request Parameter", r.path("card_type"), kind)
		return
	}
	interactive := slices.Contains(interactiveCards, kind)
	checkTaskID(r, rules, interactive)
	if interactive && !rules.callback {
		r.fail(codeNoCallbackURL, "the app has no callback url")
	}
	checkCardHead(r, rules, kind)
	checkCardLists(r, rules, kind)
	checkActionMenu(r)
	switch kind {
	case "text_notice":
		checkCardAction(r, true)
	case "news_notice":
		checkCardAction(r, true)
		checkCardImage(r)
	case "button_interaction":
		checkCardAction(r, false)
		checkButtons(r, rules)
	case "vote_interaction":
		checkVote(r, rules)
		checkSubmit(r, rules)
	case "multiple_interaction":
		checkSelects(r, rules)
		checkSubmit(r, rules)
	}
}

// checkTaskID: required for interactive cards and wherever action_menu is set.
func checkTaskID(r reader, rules cardRules, interactive bool) {
	id := r.text("task_id")
	switch {
	case id != "" && !taskIDPattern.MatchString(id):
		r.fail(codeBadParameter, "%s has a character outside [0-9A-Za-z_@-] or more than 128 bytes. invalid Request Parameter", r.path("task_id"))
	case id == "" && (interactive || r.has("action_menu")) && !rules.update:
		r.fail(codeBadParameter, "%s missing or empty. invalid Request Parameter", r.path("task_id"))
	}
}

func checkCardHead(r reader, rules cardRules, kind string) {
	main := r.object("main_title")
	title, desc := main.text("title"), main.text("desc")
	sub := r.text("sub_title_text")
	if title == "" && (kind != "text_notice" || sub == "") {
		r.fail(codeBadParameter, "%s.title missing or empty. invalid Request Parameter", r.path("main_title"))
	}
	source := r.object("source")
	source.text("icon_url")
	if n := source.number("desc_color"); n < 0 || n > 3 {
		r.fail(codeBadParameter, "%s should be 0 to 3. invalid Request Parameter", source.path("desc_color"))
	}
	emphasis := r.object("emphasis_content")
	quote := r.object("quote_area")
	quote.text("title")
	quote.text("quote_text")
	if quote.number("type") == 1 {
		quote.needText("url")
	}
	type row struct {
		r         reader
		name      string
		text      string
		app, robo int
	}
	for _, m := range []row{
		{main, "title", title, 36, 26}, {main, "desc", desc, 44, 30}, {r, "sub_title_text", sub, 160, 112},
		{source, "desc", source.text("desc"), 20, 13},
		{emphasis, "title", emphasis.text("title"), 14, 10}, {emphasis, "desc", emphasis.text("desc"), 22, 15},
	} {
		rules.chars(m.r.path(m.name), m.text, m.app, m.robo)
	}
}

// chars notes how much of a recommended length is used; the platform does not refuse more.
func (rules cardRules) chars(field, text string, app, short int) {
	if text == "" || rules.meters == nil {
		return
	}
	limit := app
	if rules.short {
		limit = short
	}
	*rules.meters = append(*rules.meters, Meter{Field: field, Used: utf8.RuneCountInString(text), Limit: limit, Unit: "chars"})
}

func checkCardLists(r reader, rules cardRules, kind string) {
	rows := r.objects("horizontal_content_list")
	r.bounded("horizontal_content_list", len(rows), 0, 6)
	for _, row := range rows {
		rules.chars(row.path("keyname"), row.needText("keyname"), 5, 5)
		rules.chars(row.path("value"), row.text("value"), 30, 26)
		switch row.number("type") {
		case 0:
		case 1:
			row.needText("url")
		case 2:
			row.needText("media_id")
		case 3:
			row.needText("userid")
		default:
			row.fail(codeBadParameter, "%s should be 0 to 3. invalid Request Parameter", row.path("type"))
		}
	}
	jumps := r.objects("jump_list")
	r.bounded("jump_list", len(jumps), 0, 3)
	for _, j := range jumps {
		rules.chars(j.path("title"), j.needText("title"), 18, 13)
		checkJump(j, 0, 3)
	}
	vertical := r.objects("vertical_content_list")
	r.bounded("vertical_content_list", len(vertical), 0, 4)
	for _, v := range vertical {
		v.needText("title")
		v.text("desc")
	}
}

// checkJump: type 1 opens a url, 2 a mini-program, 3 asks a smart bot (doc 101032).
func checkJump(r reader, min, max int) {
	n := r.number("type")
	if n < min || n > max {
		r.fail(codeBadParameter, "%s should be %d to %d. invalid Request Parameter", r.path("type"), min, max)
	}
	switch n {
	case 1:
		r.needText("url")
	case 2:
		r.needText("appid")
	}
}

// checkCardAction: the notice types need a jump of the whole card.
func checkCardAction(r reader, required bool) {
	if !r.has("card_action") {
		if required {
			r.fail(codeBadParameter, "%s missing. invalid Request Parameter", r.path("card_action"))
		}
		return
	}
	least := 0
	if required {
		least = 1
	}
	checkJump(r.object("card_action"), least, 2)
}

func checkCardImage(r reader) {
	if !r.has("card_image") && !r.has("image_text_area") {
		r.fail(codeBadParameter, "%s or image_text_area missing. invalid Request Parameter", r.path("card_image"))
	}
	if r.has("card_image") {
		image := r.object("card_image")
		image.needText("url")
		if ratio := image.float("aspect_ratio"); image.has("aspect_ratio") && (ratio < 1.3 || ratio > 2.25) {
			image.fail(codeBadParameter, "%s should be 1.3 to 2.25. invalid Request Parameter", image.path("aspect_ratio"))
		}
	}
	if r.has("image_text_area") {
		r.object("image_text_area").needText("image_url")
	}
}

func checkActionMenu(r reader) {
	if !r.has("action_menu") {
		return
	}
	menu := r.object("action_menu")
	menu.text("desc")
	list := menu.objects("action_list")
	menu.bounded("action_list", len(list), 1, 3)
	for _, a := range list {
		a.needText("text")
		checkKey(a)
	}
}

func checkKey(r reader) string {
	key := r.needText("key")
	if len(key) > 1024 {
		r.fail(codeBadParameter, "%s exceed max length 1024. invalid Request Parameter", r.path("key"))
	}
	return key
}
