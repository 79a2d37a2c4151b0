package construct

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
	"frontline/uat"
)

const unsureRecipe = `
kind: recipe
name: unsure-one
environments: [uat]
on_failure: keep
steps:
  - id: seat
    title: 指定交易
    call: { target: trade.mid, func: DESIGNATE, in: { SH_ACCT: A999900001, SEAT: "1" } }
    expect: [{ that: 'resp.code == "2404"' }]
    undo: { call: { target: trade.mid, func: UNDESIGNATE, in: { SH_ACCT: A999900001 } } }
`

// A call that was cut off and may not be repeated waits for a person: the run
// does not go on by itself, and not twice.
func TestCutOffNeedsALook(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	lib, faults := Load(map[string][]byte{"x.yaml": []byte(unsureRecipe)})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e.SetLibrary(lib)
	w, err := e.Check(Order{Recipe: lib.Find("unsure-one"), Requester: tester, Source: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var r store.Run
	bg := context.Background()
	if err := e.Store.InTx(bg, func(tx *store.Tx) error { r, _, err = e.Create(tx, w); return err }); err != nil {
		t.Fatal(err)
	}
	u.Inject(uat.Fault{Op: "DESIGNATE", Kind: "slow", Delay: 300 * time.Millisecond})
	claimed, err := e.Store.ClaimRuns(bg, "test", r.Number, 1, time.Minute, nil)
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	ctx, stop := context.WithCancel(bg)
	go func() {
		for u.Calls("DESIGNATE") == 0 { // the call has arrived
			time.Sleep(time.Millisecond)
		}
		stop()
	}()
	if err := e.Perform(ctx, claimed[0]); err != nil {
		t.Fatal(err)
	}
	r, items := e.goOn(t, r)
	if r.State != store.RunAttention || items[0].State != store.ItemAttention || u.Calls("DESIGNATE") != 1 {
		t.Fatalf("%s %s, %d calls", r.State, items[0].State, u.Calls("DESIGNATE"))
	}
	if again, err := e.Store.ClaimRuns(bg, "other", r.Number, 1, time.Minute, nil); err != nil || len(again) != 0 {
		t.Errorf("it goes on by itself: %v %v", again, err)
	}
	if err := e.Store.InTx(bg, func(tx *store.Tx) (err error) { r, err = e.Retry(tx, tester, r.Number); return err }); err != nil {
		t.Fatal(err)
	}
	if r, items = e.goOn(t, r); r.State != store.RunDone || u.Calls("DESIGNATE") != 2 {
		t.Errorf("%s %s, %d calls", r.State, items[0].Fault, u.Calls("DESIGNATE"))
	}
}

// Nothing that identifies somebody, and no secret, is in clear in the database
// file, in the log, or in what is said.
func TestNothingInClear(t *testing.T) {
	u := startUAT(t)
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, store.Options{})
	e := testEngine(t, s, u)
	log := &bytes.Buffer{}
	e.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	u.Inject(uat.Fault{Op: "openCustomer", Kind: "code", Code: "1999", Skip: 1})
	ctx := context.Background()
	w, err := e.Check(Order{Recipe: e.Library().Find("open-account"), Params: map[string]any{"branch": "3001"}, Count: 3, Requester: tester, Source: "x", Place: chat.Address{Kind: chat.Group, ID: "g", Via: chat.Bot}})
	if err != nil {
		t.Fatal(err)
	}
	var r store.Run
	if err := s.InTx(ctx, func(tx *store.Tx) error { r, _, err = e.Create(tx, w); return err }); err != nil {
		t.Fatal(err)
	}
	r, items := e.goOn(t, r)
	if r.Good != 2 {
		t.Fatal(r.State)
	}
	var secret []string
	for _, i := range items {
		var d itemData
		if err := decodeInto(i.Data, &d); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"id_no", "mobile", "name", "pin"} {
			secret = append(secret, textOf(d.Params[k]))
		}
		var outs map[string]any
		if i.Outputs != nil {
			if err := json.Unmarshal(i.Outputs, &outs); err != nil {
				t.Fatal(err)
			}
			secret = append(secret, fmt.Sprint(outs["cust_no"]))
		}
	}
	if len(secret) != 14 {
		t.Fatal(len(secret))
	}
	said, err := s.ListDelivered(ctx, store.LedgerQuery{N: 10})
	if err != nil || len(said) != 1 {
		t.Fatal(said, err)
	}
	words, err := json.Marshal(said[0].Said)
	if err != nil || !strings.Contains(string(words), "2/3 成功") {
		t.Fatalf("%s %v", words, err)
	}
	everything := append(log.Bytes(), words...)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:") + suffix)
		if err != nil {
			t.Fatal(err)
		}
		everything = append(everything, b...)
	}
	for _, v := range secret {
		if len(v) >= 6 && bytes.Contains(everything, []byte(v)) {
			t.Errorf("%s is in clear", v)
		}
	}
}

func TestBatchOfAHundred(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u, func(s string) string { return strings.ReplaceAll(s, "rights:", "rate: 5000\n    rights:") })
	for i := range 3 {
		u.Inject(uat.Fault{Op: "openCustomer", Kind: "code", Code: "1999", Skip: 10 + 20*i})
	}
	e.Library().Find("open-account").Approval = nil
	r, items := e.test(t, "open-account", map[string]any{"branch": "3001"}, 100)
	undone := 0
	for _, i := range items {
		if i.State == store.ItemUndone {
			undone++
		}
	}
	if r.State != store.RunPartly || r.Good != 97 || undone != 3 || count(t, u.DB(), "customer") != 97 {
		t.Errorf("%s: %d well, %d undone, %d customers", r.State, r.Good, undone, count(t, u.DB(), "customer"))
	}
}
