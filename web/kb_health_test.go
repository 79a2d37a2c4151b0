package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// put stores entries and makes them live.
func (c *console) put(entries ...kb.Entry) {
	c.t.Helper()
	ctx := context.Background()
	if err := c.store.InTx(ctx, func(tx *store.Tx) error { _, err := tx.PutEntries("test", entries); return err }); err != nil {
		c.t.Fatal(err)
	}
	if err := c.web.opt.Knowledge.(*kb.Engine).Load(ctx, c.store); err != nil {
		c.t.Fatal(err)
	}
}

// part is what a page has between a section's id and the next section.
func sectionOf(body, id string) string {
	_, after, _ := strings.Cut(body, `id="`+id+`"`)
	part, _, _ := strings.Cut(after, "</section>")
	return part
}

func TestHealthPage(t *testing.T) {
	now := time.Now()
	c := startConsole(t, nil)
	c.web.opt.Now = func() time.Time { return now }
	b := c.as(chat.Curator)
	if _, body := b.get("/kb/health"); !strings.Contains(body, "没有要看的") {
		t.Error("a good base is not said to be one")
	}
	c.put(kb.Entry{Question: "融资融券怎么开通", Answer: "营业部办理。", ReviewAt: "2020-01-01"}, kb.Entry{Question: "融资融券如何开通", Answer: "网上办理。"}, kb.Entry{Question: "逆回购几点截止", Answer: "15:30。"})
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		for i := range 5 {
			id := "m" + strconv.Itoa(i)
			if err := tx.KeepQuestion(store.Question{Message: id, Asker: "zhou" + id, Text: "逆回购", Band: "answer", Entry: 4}); err != nil {
				return err
			}
			if err := tx.JudgeQuestion(id, "zhou"+id, []string{"useless", "useful"}[i%2], 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, body := b.get("/kb/health")
	for id, want := range map[string]string{"due": "/kb/2", "twins": "/kb/3", "disliked": "没解决 3 · 有用 2 · 用到 5"} {
		if !strings.Contains(sectionOf(body, id), want) {
			t.Errorf("%s: no %q", id, want)
		}
	}
	if strings.Contains(body, `id="unused"`) {
		t.Error("a new entry is called unused")
	}
	now = now.AddDate(0, 0, healthDays-1) // the questions are just young enough, the entries are not yet old
	if _, body := b.get("/kb/health"); strings.Contains(body, `id="unused"`) || !strings.Contains(body, `id="disliked"`) {
		t.Error("89 days are taken for 90")
	}
	now = now.AddDate(0, 0, 3)
	_, body = b.get("/kb/health")
	if list := sectionOf(body, "unused"); !strings.Contains(list, "/kb/1") || !strings.Contains(list, "/kb/4") || strings.Contains(body, `id="disliked"`) {
		t.Errorf("after 90 days: %s", list)
	}
	if code, _ := c.as(chat.Responder).get("/kb/health"); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
}

// The base's picture of itself is there once it has enough similar questions.
func TestCalibrationPicture(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	if _, body := b.get("/kb/health"); !strings.Contains(sectionOf(body, "calibration"), "还不能自测") {
		t.Error("nothing says that there is too little")
	}
	if _, body := b.get("/kb/health"); !strings.Contains(sectionOf(body, "heard"), "还没有人对回答说过什么") {
		t.Error("nothing says that nobody has said anything")
	}
	var list []kb.Entry
	for n, name := range []string{"两融", "逆回购", "可转债", "科创板", "北交所", "港股通", "创业板", "期权", "打新", "定投", "转托管", "分红", "存管", "对账单", "密码", "验证码", "销户", "配股", "质押", "行情"} {
		list = append(list, kb.Entry{Question: name + "业务怎么办理", Similar: []string{"办" + name + "要什么", name + "在哪办", "客户想弄" + name, "请问" + name + "的流程", name + "第" + strconv.Itoa(n) + "步"}, Answer: "见说明。"})
	}
	c.put(list...)
	_, body := b.get("/kb/health")
	part := sectionOf(body, "calibration")
	if strings.Count(part, "<svg") != 2 || !strings.Contains(part, "承诺答对") || strings.Count(part, "<tr>") != 11 || strings.Count(part, "现在") != 1 {
		t.Errorf("%s", part)
	}
	found, err := c.web.opt.Knowledge.Search(context.Background(), kb.Query{Text: "港股通业务怎么办理"})
	if err != nil || len(found.Hits) == 0 {
		t.Fatal(found, err)
	}
	for i, feedback := range []string{"useful", "useful", "useless"} {
		m := strconv.Itoa(i)
		if err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
			if err := tx.KeepQuestion(store.Question{Message: m, Asker: m, Text: "想弄港股通怎么办" + m, Band: "answer", Entry: found.Hits[0].Entry.Number}); err != nil {
				return err
			}
			return tx.JudgeQuestion(m, m, feedback, 0)
		}); err != nil {
			t.Fatal(err)
		}
	}
	c.put()
	if _, body := b.get("/kb/health"); !strings.Contains(sectionOf(body, "heard"), "大家对回答说过 3 句（有用、没用、选了哪条、都不是），第一条就是要的占 67 %") {
		t.Errorf("%s", sectionOf(body, "heard"))
	}
}
