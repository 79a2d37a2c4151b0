package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// One tap on the page of health changes one entry, says so, and can be taken back.
func TestHealthTaps(t *testing.T) {
	now := time.Now()
	c := startConsole(t, nil)
	c.web.opt.Now = func() time.Time { return now }
	b := c.as(chat.Curator)
	c.put(kb.Entry{Question: "融资融券怎么开通", Answer: "营业部办理。", ReviewAt: "2020-01-01", Owner: "zhou"}, kb.Entry{Question: "逆回购几点截止", Answer: "15:30。", ValidUntil: "2020-01-01"})
	find := func(question string) kb.Entry {
		t.Helper()
		list, err := c.store.ListEntries(context.Background(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if e.Question == question {
				return e
			}
		}
		t.Fatalf("no %s", question)
		return kb.Entry{}
	}
	due, out := find("融资融券怎么开通"), find("逆回购几点截止")
	tap := func(e kb.Entry, do string) (int, string) {
		t.Helper()
		return b.post("/kb/health", url.Values{"entry": {strconv.FormatInt(e.Number, 10)}, "version": {strconv.Itoa(e.Version)}, "do": {do}})
	}
	if _, body := b.get("/kb/health"); strings.Count(sectionOf(body, "due"), `value="review"`) != 1 || strings.Count(sectionOf(body, "due"), `value="extend"`) != 1 {
		t.Errorf("%s", sectionOf(body, "due"))
	}
	later := now.AddDate(0, againAfterMonths, 0).Format(time.DateOnly)
	code, to := tap(due, "review")
	_, id, _ := strings.Cut(to, "?done=")
	if _, body := b.get(to); code != http.StatusSeeOther || !strings.Contains(body, "改好了：批量改复核日期") || !strings.Contains(body, "撤销") {
		t.Errorf("%d %s %s", code, to, body)
	}
	if e := find(due.Question); e.ReviewAt != later || e.Version != due.Version+1 {
		t.Errorf("%+v", e)
	}
	if code, _ := tap(due, "retire"); code != http.StatusConflict {
		t.Errorf("with an old version: %d", code)
	}
	if code, _ := b.post("/kb/import/act", url.Values{"id": {id}, "do": {"undo"}}); code != http.StatusSeeOther || find(due.Question).ReviewAt != "2020-01-01" {
		t.Errorf("taken back: %d %+v", code, find(due.Question))
	}
	if _, body := b.get("/kb/health?done=" + id); strings.Contains(body, "改好了") {
		t.Error("what was taken back is offered again")
	}
	if code, _ := tap(out, "extend"); code != http.StatusSeeOther || find(out.Question).ValidUntil != later {
		t.Errorf("%d %+v", code, find(out.Question))
	}
	if code, _ := tap(find(out.Question), "retire"); code != http.StatusSeeOther || find(out.Question).State != kb.Retired {
		t.Errorf("%d %+v", code, find(out.Question))
	}
	for _, bad := range []url.Values{{}, {"entry": {"1"}, "version": {"1"}, "do": {"delete"}}, {"entry": {"x"}, "version": {"1"}, "do": {"review"}}} {
		if code, _ := b.post("/kb/health", bad); code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, code)
		}
	}
	if code, _ := tap(kb.Entry{Number: 99999, Version: 1}, "review"); code != http.StatusNotFound {
		t.Errorf("no such entry: %d", code)
	}
	if code, _ := c.as(chat.Responder).post("/kb/health", url.Values{"entry": {"1"}, "version": {"1"}, "do": {"retire"}}); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
}

// Who keeps an entry that solves little is asked to look, once a day.
func TestHealthAsksTheKeeper(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	c.put(kb.Entry{Question: "逆回购几点截止", Answer: "15:30。"})
	list, err := c.store.ListEntries(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	e := list[len(list)-1]
	err = c.store.InTx(context.Background(), func(tx *store.Tx) error {
		for i := range 3 {
			id := "m" + strconv.Itoa(i)
			if err := tx.KeepQuestion(store.Question{Message: id, Asker: "zhou" + id, Text: "逆回购", Band: "answer", Entry: e.Number}); err != nil {
				return err
			}
			if err := tx.JudgeQuestion(id, "zhou"+id, "useless", 0); err != nil {
				return err
			}
			if err := tx.SayWhyUseless(id, "zhou"+id, store.ReasonOutdated); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"entry": {strconv.FormatInt(e.Number, 10)}, "version": {strconv.Itoa(e.Version)}, "do": {"ask"}}
	for range 2 {
		if code, to := b.post("/kb/health", form); code != http.StatusSeeOther || to != "/kb/health" {
			t.Errorf("%d %s", code, to)
		}
		if _, body := b.get("/kb/health"); !strings.Contains(body, "看 K"+strconv.FormatInt(e.Number, 10)) {
			t.Error("the page does not say who was asked")
		}
	}
	if said := c.said("curator"); len(said) != 1 || !strings.Contains(said[0], "3 次没解决（过期了 3 次）") {
		t.Errorf("said to who keeps it: %q", said)
	}
}

// A try says that a short title or a question that was learned found the entry.
func TestTrySaysWhereItStands(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	c.put(kb.Entry{Question: "客户想变更存管银行怎么做", ShortTitle: "换卡指引", Answer: "临柜办理。"}, kb.Entry{Question: "逆回购几点截止", Answer: "15:30。"})
	list, err := c.store.ListEntries(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	e := list[len(list)-2]
	if err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.PutMust(store.Must{Entry: e.Number, Question: "银行那边的卡不想要了", Author: "zhao"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	c.put()
	form := url.Values{"question": {e.Question}, "short_title": {e.ShortTitle}, "answer": {e.Answer}, "version": {strconv.Itoa(e.Version)}}
	for text, want := range map[string]string{"换卡指引": "是它的短标题「换卡指引」", "银行那边的卡不想要了": "最像大家确认过的问法「银行那边的卡不想要了」"} {
		form.Set("try", text)
		if _, body := b.post("/kb/"+strconv.FormatInt(e.Number, 10)+"/try", form); !strings.Contains(body, want) {
			t.Errorf("%s: no %q in\n%s", text, want, body)
		}
	}
}
