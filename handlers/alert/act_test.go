package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

var (
	guyuan = chat.User{ID: "guyuan", Name: "顾远", Roles: chat.RoleSet{chat.Responder}}
	fang   = chat.User{ID: "fangyichen", Name: "方亦辰", Roles: chat.RoleSet{chat.Responder}}
	leader = chat.User{ID: "chenshuo", Name: "陈硕", Roles: chat.RoleSet{chat.Leader}}
)

// stage is a desk with a clock of its own and one sender.
type stage struct {
	t   *testing.T
	s   *store.Store
	d   *Desk
	mu  sync.Mutex
	now time.Time
}

func newStage(t *testing.T, open func(store.Options) *store.Store) *stage {
	st := &stage{t: t, now: time.Date(2026, 3, 16, 2, 0, 0, 0, time.UTC)}
	st.s = open(store.Options{Now: func() time.Time { st.mu.Lock(); defer st.mu.Unlock(); return st.now }})
	st.d = NewDesk(st.s, testRules(), slog.New(slog.DiscardHandler))
	st.act(func(tx *store.Tx) error {
		return errors.Join(tx.SetRoles("test", leader.ID, leader.Roles), tx.SetRoles("test", guyuan.ID, guyuan.Roles), tx.SetRoles("test", fang.ID, fang.Roles))
	})
	return st
}

func (st *stage) act(do func(tx *store.Tx) error) {
	st.t.Helper()
	if err := st.s.InTx(context.Background(), do); err != nil {
		st.t.Fatal(err)
	}
}

// refused runs what must be refused, and returns in which words.
func (st *stage) refused(do func(tx *store.Tx) error) string {
	st.t.Helper()
	err := st.s.InTx(context.Background(), do)
	var r chat.Refusal
	if !errors.As(err, &r) {
		st.t.Fatalf("not refused: %v", err)
	}
	return r.Text
}

func (st *stage) later(x time.Duration) {
	st.t.Helper()
	st.mu.Lock()
	st.now = st.now.Add(x)
	st.mu.Unlock()
	if err := st.d.Tick(context.Background()); err != nil {
		st.t.Fatal(err)
	}
}

func (st *stage) alert(state State, name, severity string) {
	st.t.Helper()
	kind, _ := FindKind("alertmanager")
	_, err := st.d.Take(context.Background(), Source{Name: "am", Kind: kind}, Delivery{Signals: []Signal{{ID: name, Name: name, Title: name + " 超时", State: state, Severity: severity}}}, []byte("{}"), nil)
	if err != nil {
		st.t.Fatal(err)
	}
	st.later(0)
}

func (st *stage) group(n int64) store.AlertGroup {
	st.t.Helper()
	g, err := st.s.FindAlertGroup(context.Background(), n)
	if err != nil {
		st.t.Fatal(err)
	}
	return g
}

// said are all words queued so far.
func (st *stage) said() string {
	st.t.Helper()
	list, err := st.s.ListDelivered(context.Background(), store.LedgerQuery{N: 100})
	if err != nil {
		st.t.Fatal(err)
	}
	var lines []string
	for _, o := range list {
		lines = append(lines, fmt.Sprintf("%s: %s%s", o.Said.To, o.Said.Body.Text, o.Said.Body.Markdown))
	}
	return strings.Join(lines, "\n")
}

// Two people claim at once: one wins, the other learns who; nobody is
// escalated to after that.
func TestClaimAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		st := newStage(t, open)
		st.alert(Firing, "柜台", Critical)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			who := guyuan
			if i%2 == 1 {
				who = fang
			}
			wg.Go(func() {
				for { // ErrStale is tried again, as a turn is
					errs[i] = st.s.InTx(context.Background(), func(tx *store.Tx) error {
						_, err := st.d.Claim(tx, who, 1, chat.Address{})
						return err
					})
					if !errors.Is(errs[i], store.ErrStale) {
						return
					}
				}
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !strings.Contains(err.Error(), "已由") && !strings.Contains(err.Error(), "已经在你手上"):
				t.Errorf("lost with %v", err)
			}
		}
		g := st.group(1)
		if won != 1 || g.ClaimedBy == "" {
			t.Fatalf("%d claims won: %+v", won, g)
		}
		for i, err := range errs { // guyuan is even, fang is odd
			winner := g.ClaimedBy == []string{guyuan.ID, fang.ID}[i%2]
			if err != nil && !winner && !strings.Contains(err.Error(), "已由 "+g.ClaimedBy) {
				t.Errorf("who lost does not learn that it was %s: %v", g.ClaimedBy, err)
			}
		}
		st.later(30 * time.Minute)
		if all := st.said(); strings.Contains(all, "还没有人认领") || strings.Count(all, "处理中（") != 1 {
			t.Errorf("after the claim:\n%s", all)
		}
	})
}

// A claim without a sign of life is asked after, and goes back.
func TestClaimLapses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		st := newStage(t, open)
		st.alert(Firing, "柜台", Critical)
		st.act(func(tx *store.Tx) error { _, err := st.d.Claim(tx, guyuan, 1, chat.Address{}); return err })
		st.later(80 * time.Minute)
		st.act(func(tx *store.Tx) error { _, err := st.d.Note(tx, guyuan, 1, "在切 13812345678 网关"); return err })
		st.later(80 * time.Minute)
		if strings.Contains(st.said(), "你认领已") {
			t.Error("asked although there was a note")
		}
		st.later(11 * time.Minute)
		if !strings.Contains(st.said(), "你认领已") {
			t.Error("not asked")
		}
		st.later(31 * time.Minute)
		g := st.group(1)
		if g.ClaimedBy != "" || !strings.Contains(st.said(), "已放回待认领") {
			t.Errorf("still claimed: %+v", g)
		}
		if strings.Contains(g.Solution, "13812345678") {
			t.Error("a phone number in clear")
		}
	})
}

// Silencing a firing alert works at once; when it ends and the alert still
// fires, one message says so.
func TestSilenceOfAFiringAlert(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		st := newStage(t, open)
		st.alert(Firing, "柜台", Critical)
		silence := func(length time.Duration, by chat.User, sure bool) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				_, err := st.d.Silence(tx, by, 1, tx.Now().Add(length), "例行切换", sure, chat.Address{})
				return err
			}
		}
		if err := st.s.InTx(context.Background(), silence(5*time.Hour, guyuan, false)); !errors.Is(err, ErrUnsure) {
			t.Errorf("a long silence: %v", err)
		}
		st.refused(silence(80*time.Hour, guyuan, true))
		st.refused(silence(-time.Minute, guyuan, true))
		st.act(silence(90*time.Minute, guyuan, false))
		before := strings.Count(st.said(), "/robot/desk: 🔴")
		st.later(time.Hour + time.Minute)
		if st.group(1).Hush != hushSilenced || strings.Count(st.said(), "/robot/desk: 🔴") != before {
			t.Errorf("not quiet: %+v\n%s", st.group(1), st.said())
		}
		st.later(30 * time.Minute)
		if n := strings.Count(st.said(), "/robot/desk: 🔴"); n != before+1 {
			t.Errorf("%d messages when the silence ended, want 1 more than %d:\n%s", n, before, st.said())
		}
		st.act(silence(time.Hour, guyuan, false))
		st.later(0)
		st.act(func(tx *store.Tx) error { _, err := st.d.Unsilence(tx, guyuan, 1, chat.Address{}); return err })
		st.later(0)
		if st.group(1).Hush != "" {
			t.Error("still silent")
		}
		st.refused(func(tx *store.Tx) error {
			return st.d.SilenceMatching(tx, guyuan, []string{"source=~.*"}, tx.Now().Add(time.Hour), "", false)
		})
	})
}

// A ticket and its alert tell each other how they ended, and what helped is
// said the next time.
func TestAlertAndTicketTellEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		st := newStage(t, open)
		st.alert(Firing, "柜台", Critical)
		tk := store.Ticket{State: store.TicketNew, Priority: "P1", Class: "program", Title: "柜台 超时", Reporter: guyuan.ID}
		st.act(func(tx *store.Tx) error {
			if err := tx.CreateTicket(&tk); err != nil {
				return err
			}
			g, err := tx.TakeAlertGroup(1)
			if err != nil {
				return err
			}
			return st.d.Ticketed(tx, guyuan, &g, tk.Number, chat.Address{})
		})
		st.later(time.Minute)
		st.alert(Resolved, "柜台", Critical)
		st.later(3 * time.Minute)
		entries, err := st.s.ListTicketEntries(context.Background(), tk.ID, 10)
		if err != nil || len(entries) != 1 || !strings.Contains(entries[0].Text, "告警 A1 已恢复") {
			t.Fatalf("%+v, %v", entries, err)
		}
		st.act(func(tx *store.Tx) error { return st.d.TicketSolved(tx, guyuan, tk.Number, 1, "切换到 2 号网关") })
		st.later(2 * time.Hour)
		st.alert(Firing, "柜台", Critical)
		if all := st.said(); !strings.Contains(all, "**A2**") || !strings.Contains(all, "切换到 2 号网关（T1）") {
			t.Errorf("the next time:\n%s", all)
		}
	})
}

// A false alarm counts as handled, by whom is on record, and is not escalated;
// giving it back makes it an alert again.
func TestFalseAlarm(t *testing.T) {
	url := storetest.SQLite(t)
	st := newStage(t, func(o store.Options) *store.Store { return storetest.Open(t, url, o) })
	st.alert(Firing, "柜台", Critical)
	st.act(func(tx *store.Tx) error {
		_, err := st.d.FalseAlarm(tx, guyuan, 1, "门槛太低", chat.Address{})
		return err
	})
	st.later(3 * time.Hour)
	if g := st.group(1); g.Outcome != "false" || g.ClaimedBy != guyuan.ID || strings.Contains(st.said(), "还没有人认领") {
		t.Errorf("%+v\n%s", g, st.said())
	}
	st.refused(func(tx *store.Tx) error { _, err := st.d.FalseAlarm(tx, fang, 1, "", chat.Address{}); return err })
	st.refused(func(tx *store.Tx) error { _, err := st.d.Release(tx, fang, 1, chat.Address{}); return err })
	st.act(func(tx *store.Tx) error { _, err := st.d.Release(tx, leader, 1, chat.Address{}); return err })
	st.later(6 * time.Minute)
	if g := st.group(1); g.Outcome != "" || !strings.Contains(st.said(), "没有人认领") {
		t.Errorf("%+v\n%s", g, st.said())
	}
	st.alert(Resolved, "柜台", Critical)
	for _, do := range []func(tx *store.Tx) error{
		func(tx *store.Tx) error { _, err := st.d.Claim(tx, guyuan, 1, chat.Address{}); return err },
		func(tx *store.Tx) error { _, err := st.d.Escalate(tx, guyuan, 1, ""); return err },
		func(tx *store.Tx) error { _, err := st.d.Claim(tx, guyuan, 99, chat.Address{}); return err },
		func(tx *store.Tx) error { _, err := st.d.Note(tx, guyuan, 1, "  "); return err },
	} {
		st.refused(do)
	}
}
