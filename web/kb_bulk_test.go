package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

// Many entries are filed at once: looked at, written as one, told when somebody
// was faster, and taken back.
func TestBulkEdit(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, database string) {
		c := startConsoleOn(t, database, nil)
		var more []kb.Entry
		for i := range 4 {
			more = append(more, kb.Entry{Question: fmt.Sprintf("第 %d 个问题怎么办", i+2), Answer: "这样办。", Category: "登录", Tags: []string{"旧"}})
		}
		more[3].State = kb.Draft
		c.put(more...)
		b := c.as(chat.Curator)
		_, page := b.get("/kb?category=" + url.QueryEscape("登录"))
		for _, want := range []string{`name="t" value="2"`, `name="query" value="category=`, "全部 4 条", `<option value="responder">`} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q in the list", want)
			}
		}
		// Looking changes nothing; what is so already, or waits, is left alone.
		c.propose(3)
		form := url.Values{"query": {"category=" + url.QueryEscape("登录")}, "all": {"1"}, "do": {"tag"}, "to_tag": {"新"}}
		code, page := b.post("/kb/bulk", form)
		seen := ticked(page)
		if code != http.StatusOK || strings.Join(seen, " ") != "5.1 4.1 2.1" || !strings.Contains(page, "有未发布的修改") || !strings.Contains(page, "<ins>新") {
			t.Fatalf("%d %v %s", code, seen, page)
		}
		if e := c.entry(2); e.Version != 1 {
			t.Errorf("looking changed %+v", e)
		}
		// Somebody is faster: nothing is written, and it is told of which.
		faster := c.entry(4)
		faster.Answer = "那样办。"
		c.put(faster)
		apply := url.Values{"do": {"tag"}, "value": {"新"}, "t": seen}
		code, page = b.post("/kb/bulk/apply", apply)
		if code != http.StatusConflict || !strings.Contains(page, "什么都没有改") || strings.Count(page, "刚被改过</span>") != 1 || c.entry(2).Version != 1 || c.entry(5).Version != 1 {
			t.Fatalf("%d %s", code, page)
		}
		apply["t"] = ticked(page)
		code, where := b.post("/kb/bulk/apply", apply)
		at := regexp.MustCompile(`^/kb/import\?id=(\d+)`).FindStringSubmatch(where)
		if code != http.StatusSeeOther || at == nil {
			t.Fatalf("%d %s", code, where)
		}
		for _, n := range []int64{2, 4, 5} {
			if e := c.entry(n); strings.Join(e.Tags, " ") != "旧 新" || e.State != map[int64]string{2: kb.Published, 4: kb.Published, 5: kb.Draft}[n] {
				t.Errorf("%+v", e)
			}
		}
		if e := c.entry(3); e.Version != 1 {
			t.Errorf("%+v", e)
		}
		if list, err := c.store.ListRevisions(t.Context(), 2, 9); err != nil || len(list) != 2 || list[0].Author != "curator" || list[0].Reason != "批量加标签" {
			t.Errorf("%+v %v", list, err)
		}
		if lines, err := c.store.ListAudit(t.Context(), store.AuditQuery{Action: "entry.bulk", N: 9}); err != nil || len(lines) != 1 || !strings.Contains(lines[0].Detail, "[2,4,5]") {
			t.Errorf("%+v %v", lines, err)
		}
		if code, _ := b.post("/kb/bulk/apply", apply); code != http.StatusConflict {
			t.Errorf("twice: %d", code)
		}
		// Taken back, but for what was changed since.
		since := c.entry(5)
		since.Answer = "再改一改。"
		c.put(since)
		if _, page := b.get(at[0]); !strings.Contains(page, "批量加标签 新") {
			t.Error("its page does not say what it was")
		}
		if code, _ := b.post("/kb/import/act", url.Values{"id": {at[1]}, "do": {"undo"}}); code != http.StatusSeeOther {
			t.Errorf("undo: %d", code)
		}
		if a, kept := c.entry(2), c.entry(5); strings.Join(a.Tags, " ") != "旧" || a.Version != 3 || strings.Join(kept.Tags, " ") != "旧 新" {
			t.Errorf("%+v %+v", a, kept)
		}
	})
}

// Each kind changes its own field and nothing else; retiring answers no more.
func TestBulkKinds(t *testing.T) {
	c := startConsole(t, nil)
	c.put(kb.Entry{Question: "另一个问题怎么办", Answer: "这样办。", Group: "甲组", Category: "登录", Tags: []string{"旧"}, ReviewAt: "2026-01-01"})
	b := c.as(chat.Curator)
	b.get("/kb")
	where := ""
	for _, x := range []struct {
		kind, value string
		got         func(e kb.Entry) string
	}{
		{"owner", "responder", func(e kb.Entry) string { return e.Owner }},
		{"group", "乙组", func(e kb.Entry) string { return e.Group }},
		{"group", "", func(e kb.Entry) string { return e.Group }},
		{"category", "交易", func(e kb.Entry) string { return e.Category }},
		{"tag", "新", func(e kb.Entry) string { return e.Tags[len(e.Tags)-1] }},
		{"untag", "旧", func(e kb.Entry) string {
			if strings.Contains(strings.Join(e.Tags, " "), "旧") {
				return ""
			}
			return "旧"
		}},
		{"review", "2027-03-31", func(e kb.Entry) string { return e.ReviewAt }},
		{"review", "", func(e kb.Entry) string { return e.ReviewAt }},
		{"valid", "2027-06-30", func(e kb.Entry) string { return e.ValidUntil }},
		{"valid", "", func(e kb.Entry) string { return e.ValidUntil }},
		{"retire", "", func(e kb.Entry) string { return strings.TrimSuffix(e.State, kb.Retired) }},
	} {
		was := c.entry(2)
		_, page := b.post("/kb/bulk", url.Values{"t": {"2"}, "do": {x.kind}, "to_" + x.kind: {x.value}})
		code, page := b.post("/kb/bulk/apply", url.Values{"do": {x.kind}, "value": {x.value}, "t": ticked(page)})
		if code != http.StatusSeeOther {
			t.Errorf("%s: %d %s", x.kind, code, page)
		}
		where = page
		if e := c.entry(2); x.got(e) != x.value || e.Version != was.Version+1 || e.Answer != was.Answer || e.Question != was.Question {
			t.Errorf("%s: %+v", x.kind, e)
		}
	}
	// What was retired answers again when that is taken back.
	id, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := b.post("/kb/import/act", url.Values{"id": {id.Query().Get("id")}, "do": {"undo"}}); code != http.StatusSeeOther || c.entry(2).State != kb.Published {
		t.Errorf("undo of retiring: %d %+v", code, c.entry(2))
	}
}

// What makes no sense, and who may not, is refused.
func TestBulkRefuses(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	b.get("/kb")
	for name, form := range map[string]url.Values{
		"nothing ticked":  {"do": {"retire"}},
		"no such kind":    {"t": {"1"}, "do": {"answer"}, "to_answer": {"x"}},
		"nobody":          {"t": {"1"}, "do": {"owner"}, "to_owner": {"ghost"}},
		"a reporter":      {"t": {"1"}, "do": {"owner"}, "to_owner": {"reporter"}},
		"no owner at all": {"t": {"1"}, "do": {"owner"}},
		"no day":          {"t": {"1"}, "do": {"review"}, "to_review": {"morgen"}},
		"no last day":     {"t": {"1"}, "do": {"valid"}, "to_valid": {"2026-2-1"}},
	} {
		if code, _ := b.post("/kb/bulk", form); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, code)
		}
	}
	for _, bad := range []string{"1", "x.1", "1.x", "-1.1"} {
		if code, _ := b.post("/kb/bulk/apply", url.Values{"do": {"retire"}, "t": {bad}}); code == http.StatusSeeOther || c.entry(1).State != kb.Published {
			t.Errorf("%s: %d", bad, code)
		}
	}
	for _, role := range []chat.Role{chat.Reporter, chat.Responder, chat.Tester} {
		who := c.as(role)
		for _, path := range []string{"/kb/bulk", "/kb/bulk/apply"} {
			if code, _ := who.post(path, url.Values{"do": {"retire"}, "t": {"1.1"}}); code != http.StatusForbidden || c.entry(1).State != kb.Published {
				t.Errorf("%s, %s: %d", role, path, code)
			}
		}
	}
	if _, page := c.as(chat.Responder).get("/kb"); strings.Contains(page, `name="t"`) {
		t.Error("a responder is offered ticks")
	}
}

// The last day of validity is offered beside the others; its preview shows what
// was and what will be, and what is taken back is as it was.
func TestBulkValidity(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, database string) {
		c := startConsoleOn(t, database, nil)
		c.put(kb.Entry{Question: "第二个问题怎么办", Answer: "这样办。", ValidUntil: "2026-12-31"})
		b := c.as(chat.Curator)
		if _, page := b.get("/kb"); !strings.Contains(page, `name="to_valid"`) || !strings.Contains(page, `name="do" value="valid"`) {
			t.Error("not offered")
		}
		for _, x := range []struct{ day, diff, ticked string }{
			{"2027-06-30", "<del>2026-12-31</del><ins>2027-06-30</ins>", "1 2"},
			{"", "<del>2026-12-31</del></p>", "2"}, // what has none is left alone
		} {
			_, page := b.post("/kb/bulk", url.Values{"t": {"1", "2"}, "do": {"valid"}, "to_valid": {x.day}})
			seen := ticked(page)
			if len(seen) != len(strings.Fields(x.ticked)) || !strings.Contains(page, `<p class="lb">有效期</p>`) || !strings.Contains(page, x.diff) {
				t.Fatalf("%q: %v %s", x.day, seen, page)
			}
			// Somebody is faster.
			faster := c.entry(2)
			faster.Answer += "改"
			c.put(faster)
			apply := url.Values{"do": {"valid"}, "value": {x.day}, "t": seen}
			code, page := b.post("/kb/bulk/apply", apply)
			if code != http.StatusConflict || !strings.Contains(page, x.diff) || c.entry(2).ValidUntil != "2026-12-31" || c.entry(1).ValidUntil != "" {
				t.Fatalf("%q: %d %s", x.day, code, page)
			}
			apply["t"] = ticked(page)
			code, where := b.post("/kb/bulk/apply", apply)
			if at, err := url.Parse(where); code != http.StatusSeeOther || err != nil || c.entry(2).ValidUntil != x.day || c.entry(1).ValidUntil != x.day {
				t.Errorf("%q: %d %s %+v", x.day, code, where, c.entry(2))
			} else if code, _ := b.post("/kb/import/act", url.Values{"id": {at.Query().Get("id")}, "do": {"undo"}}); code != http.StatusSeeOther {
				t.Errorf("%q taken back: %d", x.day, code)
			}
			if c.entry(2).ValidUntil != "2026-12-31" || c.entry(1).ValidUntil != "" {
				t.Errorf("%q taken back: %+v %+v", x.day, c.entry(1), c.entry(2))
			}
		}
		if code, page := b.post("/kb/bulk", url.Values{"t": {"1"}, "do": {"valid"}, "to_valid": {"2026-2-1"}}); code != http.StatusUnprocessableEntity || !strings.Contains(page, "「有效期」日期应写成 2026-06-30") {
			t.Errorf("%d %s", code, page)
		}
	})
}

var tickedRow = regexp.MustCompile(`name="t" value="(\d+\.\d+)"`)

// ticked are the rows of a preview, with their versions.
func ticked(page string) (out []string) {
	for _, m := range tickedRow.FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// propose leaves a change of an entry waiting.
func (c *console) propose(number int64) {
	c.t.Helper()
	e := c.entry(number)
	e.Answer += "改"
	if err := c.store.InTx(c.t.Context(), func(tx *store.Tx) error {
		return tx.PutProposal(store.Proposal{Entry: e, Base: e.Version, State: kb.Draft, Author: "responder"}, 0)
	}); err != nil {
		c.t.Fatal(err)
	}
}
