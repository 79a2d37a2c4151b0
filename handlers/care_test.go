package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// heard is what was said to a person so far, as one text.
func (d *clockDesk) heardBy(id string) string {
	d.t.Helper()
	lines, err := d.Store.SaidTo(context.Background(), person(id), d.now.AddDate(-1, 0, 0), 100)
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, l := range lines {
		all = append(all, bodyText(l.Body))
	}
	return strings.Join(all, "\n")
}

func TestReviewsAreRemindedOnce(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.in(func(tx *store.Tx) error {
			if err := tx.SetRoles("t", "zhao", chat.RoleSet{chat.Reporter, chat.Curator}); err != nil {
				return err
			}
			_, err := tx.PutEntries("t", []kb.Entry{
				{Question: "到期的", Answer: "x", Owner: "gu", ReviewAt: "2026-11-25"},
				{Question: "没到的", Answer: "x", Owner: "gu", ReviewAt: "2026-11-26"},
				{Question: "团队的", Answer: "x", Owner: "账户组", ReviewAt: "2026-11-01"},
				{Question: "过期的", Answer: "x", ValidUntil: "2026-11-24"},
				{Question: "草稿的", Answer: "x", Owner: "gu", ReviewAt: "2026-11-01", State: kb.Draft},
			})
			return err
		})
		for range 2 {
			if err := d.RemindReviews(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.heardBy("gu"); strings.Count(got, "该复核了") != 1 || !strings.Contains(got, "到期的") {
			t.Errorf("the owner heard %q", got)
		}
		got := d.heardBy("zhao")
		if strings.Count(got, "团队的") != 1 || strings.Count(got, "已过有效期") != 1 || strings.Contains(got, "没到的") {
			t.Errorf("the curator heard %q", got)
		}
	})
}

func TestWeeklyGapsFoldWhatFewAsk(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		ask := func(i int, who, text string) error {
			return d.Store.InTx(ctx, func(tx *store.Tx) error {
				return tx.KeepQuestion(store.Question{Message: fmt.Sprintf("%024d", i), Asker: who, Text: text, Band: "refuse"})
			})
		}
		d.in(func(tx *store.Tx) error { return tx.SetRoles("t", "zhao", chat.RoleSet{chat.Reporter, chat.Curator}) })
		if err := errors.Join(ask(1, "a", "两融合同补签在哪里"), ask(2, "b", "请问两融合同在哪补签"), ask(3, "b", "新版对账单口径")); err != nil {
			t.Fatal(err)
		}
		if err := d.ReportGaps(ctx); err != nil || d.heardBy("zhao") != "" {
			t.Fatalf("two people make no report: %q, %v", d.heardBy("zhao"), err)
		}
		if err := ask(4, "c", "老的两融合同补签页面在哪"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := d.ReportGaps(ctx); err != nil {
				t.Fatal(err)
			}
		}
		got := d.heardBy("zhao")
		if strings.Count(got, "3 问 / 3 人") != 1 || !strings.Contains(got, "其余 1 问已折叠") || strings.Contains(got, "对账单") {
			t.Errorf("the curator heard %q", got)
		}
	})
}

func TestWeekly(t *testing.T) {
	next := weekly(time.Monday, 9, 0)
	wednesday := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	if got := next(wednesday); got.Format("Mon 2006-01-02 15:04") != "Mon 2026-11-30 09:00" {
		t.Errorf("%v", got)
	}
	if got := next(time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)); got.Day() != 7 {
		t.Errorf("after a run: %v", got)
	}
}
