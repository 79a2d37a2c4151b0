package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/handlers/construct"
)

// A recipe is changed in the console: faults with their places, a dry run, an
// edition with its difference, nobody's work overwritten.
func TestRecipeEditor(t *testing.T) {
	c, _ := startMaking(t)
	b := c.as(chat.Tester)
	edit := "/construct/recipes/open-account/edit"
	_, body := b.get(edit)
	if !strings.Contains(body, "name: open-account") {
		t.Fatal(body)
	}
	engine := c.web.opt.Desk.Construct
	text, _, err := engine.Source(t.Context(), "open-account")
	if err != nil {
		t.Fatal(err)
	}
	post := func(b *browser, path, do, text, note, edition string) (int, string) {
		return b.post(path, url.Values{"do": {do}, "text": {text}, "note": {note}, "edition": {edition}})
	}
	longer := strings.Replace(text, "title: 普通开户", "title: 普通开户二", 1)
	for name, bad := range map[string]struct{ text, words string }{
		"a broken step": {strings.Replace(text, "op: openCustomer", "op: 7: 8", 1), `<span class="tag r mono">`},
		"an address":    {strings.Replace(text, "owner: 业务一线", "owner: http://10.1.2.3/x", 1), "tag r"},
		"another name":  {strings.Replace(text, "name: open-account", "name: other", 1), "改名请另建"},
		"no YAML":       {"\t{", "tag r"},
		"too long":      {text + strings.Repeat("#", recipeMost), "64 KB"},
	} {
		if code, body := post(b, edit, "save", bad.text, "x", "0"); code != http.StatusUnprocessableEntity || !strings.Contains(body, bad.words) {
			t.Errorf("%s: %d, without %q", name, code, bad.words)
		}
	}
	if code, body := post(b, edit, "check", longer, "", "0"); code != http.StatusOK || !strings.Contains(body, "检查通过") {
		t.Errorf("check: %d %s", code, body)
	}
	if code, body := post(b, edit, "dry", longer, "", "0"); code != http.StatusOK || !strings.Contains(body, "目标 account.ws 通") || !strings.Contains(body, "没有检查") || !strings.Contains(body, "运行时还要问：营业部") {
		t.Errorf("dry run: %d %s", code, body)
	}
	if code, body := post(b, edit, "save", longer, "", "0"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "改了什么") {
		t.Errorf("without a note: %d", code)
	}
	if engine.Library().Find("open-account").Title != "普通开户" {
		t.Fatal("something was saved")
	}
	if code, body := post(b, edit, "save", longer, "改名", "0"); code != http.StatusSeeOther {
		t.Fatalf("save: %d %s", code, body)
	}
	if _, body = b.get("/construct"); !strings.Contains(body, "普通开户二") {
		t.Error("the gallery shows the old title")
	}
	if _, body = b.get("/construct/recipes/open-account/editions"); !strings.Contains(body, "<ins>title: 普通开户二") || !strings.Contains(body, "改名") {
		t.Error(body)
	}
	// Somebody who began before.
	other := c.as(chat.Leader)
	if code, body := post(other, edit, "save", strings.Replace(text, "manual_minutes: 12", "manual_minutes: 13", 1), "分钟", "0"); code != http.StatusConflict || !strings.Contains(body, "没有覆盖") || !strings.Contains(body, "manual_minutes: 13") || !strings.Contains(body, `name="edition" value="1"`) {
		t.Errorf("a stale edition: %d", code)
	}
	if code, _ := c.as(chat.Responder).get(edit); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
	if code, _ := b.get("/construct/recipes/nobody/edit"); code != http.StatusNotFound {
		t.Errorf("no such recipe: %d", code)
	}
	// A new one, from the skeleton.
	if code, body := post(b, "/construct/recipes/new", "save", construct.Skeleton, "第一版", "0"); code != http.StatusSeeOther || !strings.Contains(body, "my-recipe") {
		t.Errorf("new: %d %s", code, body)
	}
	if code, body := post(b, "/construct/recipes/new", "save", construct.Skeleton, "又一版", "0"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "已经有叫") {
		t.Errorf("the same name again: %d", code)
	}
	reserved := regexp.MustCompile(`name: my-recipe`).ReplaceAllString(construct.Skeleton, "name: report")
	if code, _ := post(b, "/construct/recipes/new", "save", reserved, "x", "0"); code != http.StatusUnprocessableEntity {
		t.Errorf("a page's name: %d", code)
	}
}
