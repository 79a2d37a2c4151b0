package construct

import (
	"context"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
	"frontline/uat"
)

// A run that failed goes on with the edition that it began with, another
// replica learns of an edition, and a text that does not fit changes nothing.
func TestEditions(t *testing.T) {
	ctx := context.Background()
	u := startUAT(t)
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	e, other := testEngine(t, s, u), testEngine(t, s, u)
	text, edition, err := e.Source(ctx, "open-full")
	if err != nil || edition != 0 {
		t.Fatal(edition, err)
	}
	first := strings.Replace(text, "on_failure: undo", "on_failure: keep", 1)
	save := func(text string, upon int) {
		t.Helper()
		if _, faults, err := e.CheckText(ctx, "open-full", text); err != nil || len(faults) > 0 {
			t.Fatal(faults, err)
		}
		if err := e.Save(ctx, chat.User{ID: "sun"}, "open-full", text, "x", upon); err != nil {
			t.Fatal(err)
		}
	}
	save(first, 0)
	u.Inject(uat.Fault{Op: "PERMIT", Kind: "code", Code: "3001"})
	r, items := e.test(t, "open-full", map[string]any{"gem": true}, 1)
	if r.State != store.RunFailed || items[0].State != store.ItemFailed {
		t.Fatalf("%s %s", r.State, items[0].Fault)
	}
	save(strings.Replace(first, "owner: 业务一线", "owner: 测试组", 1), 1)
	if err := s.InTx(ctx, func(tx *store.Tx) (err error) { r, err = e.Retry(tx, tester, r.Number); return err }); err != nil {
		t.Fatal(err)
	}
	if r, items = other.goOn(t, r); r.State != store.RunDone {
		t.Errorf("%s %s %s", r.State, r.Why, items[0].Fault)
	}
	if got := other.Library().Find("open-full").SHA; got != e.Library().Find("open-full").SHA {
		t.Error("the other replica has another edition")
	}
	if r, _ = other.takeBack(t, r.Number); r.State != store.RunUndone {
		t.Errorf("taken back: %s", r.State)
	}
	// What came into the table without a check does not come into use.
	before := e.Library()
	err = s.InTx(ctx, func(tx *store.Tx) error {
		return tx.PutText(store.RecipeShelf, &store.KeptText{Name: "bad", Body: "kind: recipe"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Refresh(ctx); err != nil || e.Library() != before {
		t.Errorf("a bad text: %v", err)
	}
}
