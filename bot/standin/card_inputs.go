package standin

// The parts of a card that members act on.

func checkButtons(r reader, rules cardRules) {
	list := r.objects("button_list")
	r.bounded("button_list", len(list), 1, 6)
	keys := map[string]bool{}
	for _, b := range list {
		rules.chars(b.path("text"), b.needText("text"), 10, 10)
		if n := b.number("style"); n < 0 || n > 4 {
			b.fail(codeBadParameter, "%s should be 1 to 4. invalid Request Parameter", b.path("style"))
		}
		if b.number("type") == 1 { // opens a url instead of causing an event
			b.needText("url")
			continue
		}
		key := checkKey(b)
		if keys[key] {
			b.fail(codeBadParameter, "%s is there twice. invalid Request Parameter", b.path("key"))
		}
		keys[key] = true
	}
	if r.has("button_selection") {
		checkOptions(r.object("button_selection"), rules, 10)
	}
}

// checkOptions looks at question_key and option_list and returns the question.
func checkOptions(r reader, rules cardRules, max int) string {
	question := r.needText("question_key")
	if len(question) > 1024 {
		r.fail(codeBadParameter, "%s exceed max length 1024. invalid Request Parameter", r.path("question_key"))
	}
	r.text("title")
	list := r.objects("option_list")
	r.bounded("option_list", len(list), 1, max)
	ids := map[string]bool{}
	for _, o := range list {
		id := o.needText("id")
		if len(id) > 128 || ids[id] {
			o.fail(codeBadParameter, "%s is there twice or exceed max length 128. invalid Request Parameter", o.path("id"))
		}
		ids[id] = true
		rules.chars(o.path("text"), o.needText("text"), 17, 17)
		o.truth("is_checked")
	}
	if selected := r.text("selected_id"); selected != "" && !ids[selected] {
		r.fail(codeBadParameter, "%s is no option. invalid Request Parameter", r.path("selected_id"))
	}
	return question
}

func checkVote(r reader, rules cardRules) {
	if !r.has("checkbox") {
		r.fail(codeBadParameter, "%s missing. invalid Request Parameter", r.path("checkbox"))
		return
	}
	box := r.object("checkbox")
	checkOptions(box, rules, 20)
	box.truth("disable")
	if n := box.number("mode"); n < 0 || n > 1 {
		box.fail(codeBadParameter, "%s should be 0 or 1. invalid Request Parameter", box.path("mode"))
	}
}

func checkSelects(r reader, rules cardRules) {
	list := r.objects("select_list")
	r.bounded("select_list", len(list), 1, 3)
	seen := map[string]bool{}
	for _, sel := range list {
		q := checkOptions(sel, rules, 10)
		sel.truth("disable")
		if seen[q] {
			sel.fail(codeBadParameter, "%s is there twice. invalid Request Parameter", sel.path("question_key"))
		}
		seen[q] = true
	}
}

func checkSubmit(r reader, rules cardRules) {
	if !r.has("submit_button") {
		r.fail(codeBadParameter, "%s missing. invalid Request Parameter", r.path("submit_button"))
		return
	}
	b := r.object("submit_button")
	rules.chars(b.path("text"), b.needText("text"), 10, 10)
	checkKey(b)
}
