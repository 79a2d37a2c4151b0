package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// allowedMoves is written from the rules of a ticket's life, not from the
// store's table: what may follow what.
var allowedMoves = map[store.TicketState]string{
	"new":         "assigned in_progress waiting resolved void merged",
	"assigned":    "new in_progress waiting resolved void merged",
	"in_progress": "assigned waiting resolved void merged",
	"waiting":     "assigned in_progress resolved void merged",
	"resolved":    "closed reopened",
	"closed":      "reopened",
	"reopened":    "assigned in_progress waiting resolved void merged",
	"void":        "", "merged": "",
}

// Random commands by many people and the clock: no illegal state or move, no
// clock below zero, what is refused changes nothing.
func TestTicketLife(t *testing.T) {
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: clock})
	d := &Desk{Store: s, Log: slog.New(slog.DiscardHandler), Rules: DefaultRules(), Announce: "support", Subscribers: chat.Subscribers{{Name: "itsm"}}}
	chen := chat.User{ID: "chen", Roles: chat.RoleSet{chat.Reporter, chat.Leader}}
	people := []chat.User{reporter, gu, fang, chen}
	ctx := context.Background()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		var errs []error
		for _, p := range people {
			errs = append(errs, tx.SetRoles("t", p.ID, p.Roles))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		var mine []int64
		open := func() {
			tk := store.Ticket{Title: "持仓页白屏", Reporter: "lin", Class: "program", Priority: rapid.SampledFrom([]string{"P1", "P2", "P3", "P4"}).Draw(r, "priority")}
			if err := s.InTx(ctx, func(tx *store.Tx) error {
				tk := tk
				err := d.Open(tx, reporter, &tk)
				mine = append(mine, tk.Number)
				return err
			}); err != nil {
				r.Fatal(err)
			}
		}
		open()
		open()
		for range rapid.IntRange(5, 40).Draw(r, "steps") {
			n, by := rapid.SampledFrom(mine).Draw(r, "ticket"), rapid.SampledFrom(people).Draw(r, "who")
			before := map[int64]store.Ticket{}
			for _, m := range mine {
				before[m], _ = s.FindTicket(ctx, m)
			}
			do := rapid.SampledFrom([]string{"claim", "assign", "hold", "ask", "reply", "said", "note", "resolve", "confirm", "reopen", "void", "merge", "rate", "priority", "class", "join", "nudge", "wait", "split"}).Draw(r, "do")
			err := s.InTx(ctx, func(tx *store.Tx) error {
				tk, err := tx.FindTicket(n)
				if err != nil {
					return err
				}
				switch do {
				case "claim":
					return d.Claim(tx, by, &tk)
				case "assign":
					return d.Assign(tx, by, &tk, rapid.SampledFrom(people).Draw(r, "to"), "换人")
				case "hold":
					return d.Hold(tx, by, &tk, rapid.SampledFrom([]string{"reporter", "customer", "third", "nobody"}).Draw(r, "whom"), clock().Add(time.Duration(rapid.IntRange(-60, 3000).Draw(r, "until"))*time.Minute))
				case "ask":
					return d.Ask(tx, by, &tk, "有提示语吗")
				case "reply":
					return d.Reply(tx, by, &tk, "在查", nil)
				case "said":
					return d.Said(tx, reporter, &tk, "客户说好了一点", "", nil, "")
				case "note":
					return d.Note(tx, by, &tk, "记一笔", "", nil, "")
				case "resolve":
					return d.Resolve(tx, by, &tk, Resolution{Method: rapid.SampledFrom([]string{"", "已修复"}).Draw(r, "method")})
				case "confirm":
					return d.Confirm(tx, by, &tk)
				case "reopen":
					return d.Reopen(tx, by, &tk, "又来了")
				case "void":
					return d.Void(tx, by, &tk, "撤回")
				case "merge":
					master, err := tx.FindTicket(rapid.SampledFrom(mine).Draw(r, "into"))
					if err != nil {
						return err
					}
					return d.Merge(tx, by, &tk, &master)
				case "rate":
					return d.Rate(tx, by, &tk, rapid.IntRange(0, 6).Draw(r, "stars"), "")
				case "priority":
					return d.SetPriority(tx, by, &tk, rapid.SampledFrom([]string{"P1", "P2", "P3", "P4", "P5"}).Draw(r, "rank"), "", "改级")
				case "class":
					return d.SetClass(tx, by, &tk, rapid.SampledFrom([]string{"data", "nothing"}).Draw(r, "class"), "")
				case "join":
					_, err := d.Join(tx, by, &tk, "", "", nil, "")
					return err
				case "nudge":
					return d.Nudge(tx, reporter, &tk)
				case "split":
					part, err := d.Split(tx, by, &tk, "另一个问题")
					if err == nil {
						mine = append(mine, part.Number)
					}
					return err
				}
				return nil
			})
			var no chat.Refusal
			refused := errors.As(err, &no) || errors.Is(err, store.ErrMove)
			if err != nil && !refused {
				r.Fatalf("%s: %v", do, err)
			}
			if do == "wait" {
				mu.Lock()
				now = now.Add(time.Duration(rapid.IntRange(1, 6000).Draw(r, "minutes")) * time.Minute)
				mu.Unlock()
				if err := d.Tick(ctx); err != nil {
					r.Fatal(err)
				}
			}
			for _, m := range mine {
				tk, err := s.FindTicket(ctx, m)
				if err != nil {
					r.Fatal(err)
				}
				was, there := before[m]
				if there {
					if refused && tk.Version != was.Version {
						r.Fatalf("%s was refused and changed T%d", do, m)
					}
					if do != "wait" {
						checkMove(r, do, was.State, tk.State)
					}
				}
				checkTicket(r, d.Rules, tk, clock())
			}
		}
	})
}

func checkMove(r *rapid.T, do string, from, to store.TicketState) {
	if from == to {
		return
	}
	if !slices.Contains(strings.Fields(allowedMoves[from]), string(to)) {
		r.Fatalf("%s moved a ticket from %s to %s", do, from, to)
	}
}

func checkTicket(r *rapid.T, rules Rules, tk store.Ticket, now time.Time) {
	bad := func(format string, args ...any) {
		r.Fatalf("T%d (%s): %s: %+v", tk.Number, tk.State, fmt.Sprintf(format, args...), tk)
	}
	if _, known := allowedMoves[tk.State]; !known {
		bad("unknown state")
	}
	waiting := tk.State == store.TicketWaiting
	switch {
	case waiting == tk.Paused.IsZero() && tk.State.Open():
		bad("the clock stands %v while it waits %v", !tk.Paused.IsZero(), waiting)
	case waiting && tk.WaitFor == "":
		bad("waits for nobody")
	case rules.Used(tk, now) < 0:
		bad("used %s", rules.Used(tk, now))
	case tk.State.Open() && (tk.RespondDue.IsZero() || tk.ResolveDue.IsZero()):
		bad("no clock")
	case tk.State == store.TicketInProgress && (tk.Assignee == "" || tk.Responded.IsZero()):
		bad("in progress by nobody")
	case (tk.State == store.TicketResolved || tk.State == store.TicketClosed) && (tk.Resolved.IsZero() || tk.Handler == ""):
		bad("resolved by nobody")
	case tk.State == store.TicketMerged && tk.Master == 0:
		bad("merged into nothing")
	case tk.State == store.TicketClosed && tk.Closed.Before(tk.Resolved):
		bad("closed before it was resolved")
	case !tk.State.Open() && tk.State != store.TicketResolved && tk.State != store.TicketClosed && !tk.Look.IsZero():
		bad("the clock looks at it")
	case !tk.Responded.IsZero() && tk.Responded.Before(tk.Created):
		bad("answered before it was made")
	}
}
