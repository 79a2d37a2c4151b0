package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

func numbers(list []store.Ticket) (out []int64) {
	for _, t := range list {
		out = append(out, t.Number)
	}
	return out
}

// Pages follow one another without gaps, in both orders, and agree with the
// plain list and with the count.
func TestTicketPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s, ctx := open(store.Options{}), context.Background()
		states := []store.TicketState{store.TicketNew, store.TicketAssigned, store.TicketWaiting, store.TicketClosed}
		inTx(t, s, func(tx *store.Tx) error {
			if err := tx.MeetMember("lin", "林一", "滨江路营业部"); err != nil {
				return err
			}
			for i := range 40 {
				tk := store.Ticket{State: states[i%4], Title: fmt.Sprint("问题", i), Reporter: []string{"lin", "he"}[i%2], Priority: []string{"P1", "P3", "P2"}[i%3], Source: fmt.Sprint(i),
					RespondDue: tx.Now().Add(time.Duration(i%7) * time.Minute), ResolveDue: tx.Now().Add(time.Duration(i%11) * time.Hour)}
				if i%4 == 3 {
					tk.Rating = i%5 + 1
				}
				if err := tx.CreateTicket(&tk); err != nil {
					return err
				}
			}
			return nil
		})
		open3 := states[:3]
		for _, q := range []store.TicketQuery{{States: open3, ByDue: true}, {States: states[:1], ByDue: true}, {States: open3}, {}, {ByDue: true, States: open3, Priorities: []string{"P1", "P2"}}, {Department: "滨江路营业部"}, {RatedMost: 2}, {Soon: s.Now().Add(3 * time.Minute)}} {
			want := q
			want.N = 500
			all, err := s.ListTickets(ctx, want)
			if err != nil {
				t.Fatal(err)
			}
			if len(all) == 0 {
				t.Errorf("%+v chooses nothing: the test shows nothing", q)
			}
			var got []int64
			for skip := 0; skip < 60; skip += 7 {
				q.N, q.Skip = 7, skip
				page, err := s.PageTickets(ctx, q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				got = append(got, numbers(page)...)
			}
			if !slices.Equal(got, numbers(all)) {
				t.Errorf("%+v: pages %v, list %v", q, got, numbers(all))
			}
			if n, err := s.CountTickets(ctx, q); err != nil || n != int64(len(all)) {
				t.Errorf("%+v: counted %d of %d, %v", q, n, len(all), err)
			}
		}
		var each []int64
		if err := s.EachTicket(ctx, store.TicketQuery{}, 13, func(t store.Ticket) error { each = append(each, t.Number); return nil }); err != nil || len(each) != 13 || each[0] != 40 {
			t.Errorf("%v %v", each, err)
		}
	})
}

// What soon chooses: a clock that runs and ends before, by either of the two.
func TestSoon(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		now := s.Now()
		soon, later := now.Add(time.Minute), now.Add(5*time.Hour)
		list := []store.Ticket{
			{State: store.TicketNew, RespondDue: soon, ResolveDue: later},                                     // 1 yes
			{State: store.TicketNew, RespondDue: later, ResolveDue: later},                                    // 2 no
			{State: store.TicketInProgress, RespondDue: soon, ResolveDue: later, Responded: now},              // 3 no: answered
			{State: store.TicketInProgress, RespondDue: soon, ResolveDue: soon, Responded: now},               // 4 yes
			{State: store.TicketWaiting, RespondDue: soon, ResolveDue: soon, Responded: now, Paused: now},     // 5 no: stands still
			{State: store.TicketClosed, RespondDue: soon, ResolveDue: soon, Responded: now},                   // 6 no: over
			{State: store.TicketAssigned, RespondDue: now.Add(-time.Hour), ResolveDue: now.Add(-time.Minute)}, // 7 yes
		}
		inTx(t, s, func(tx *store.Tx) error {
			for i := range list {
				list[i].Title, list[i].Reporter, list[i].Priority, list[i].Source = "x", "r", "P2", fmt.Sprint(i)
				if err := tx.CreateTicket(&list[i]); err != nil {
					return err
				}
			}
			return nil
		})
		got, err := s.PageTickets(context.Background(), store.TicketQuery{Soon: now.Add(30 * time.Minute), N: 20})
		if err != nil || !slices.Equal(numbers(got), []int64{7, 4, 1}) {
			t.Errorf("%v %v", numbers(got), err)
		}
	})
}

func TestViewsViewersForms(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
		s, ctx := open(store.Options{Now: func() time.Time { return now }}), context.Background()
		mine, shared := store.TicketView{Owner: "gu", Title: "我的", Query: "priority=P1"}, store.TicketView{Owner: "gu", Title: "大家的", Query: "class=data", Shared: true}
		inTx(t, s, func(tx *store.Tx) error { return errors.Join(tx.AddTicketView(&mine), tx.AddTicketView(&shared)) })
		for who, want := range map[string]int{"gu": 2, "fang": 1} {
			if got, err := s.ListTicketViews(ctx, who); err != nil || len(got) != want {
				t.Errorf("%s sees %v %v", who, got, err)
			}
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteTicketView(mine.ID, "fang", false) }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("somebody else's view was deleted: %v", err)
		}
		inTx(t, s, func(tx *store.Tx) error { return tx.DeleteTicketView(shared.ID, "boss", true) })

		if others, err := s.SeeTicket(ctx, 7, "gu", false); err != nil || len(others) != 0 {
			t.Errorf("%v %v", others, err)
		}
		if others, err := s.SeeTicket(ctx, 7, "fang", true); err != nil || !slices.Equal(others, []store.TicketViewer{{Member: "gu"}}) {
			t.Errorf("%v %v", others, err)
		}
		if others, err := s.SeeTicket(ctx, 7, "gu", false); err != nil || !slices.Equal(others, []store.TicketViewer{{Member: "fang", Writing: true}}) {
			t.Errorf("%v %v", others, err)
		}
		now = now.Add(time.Hour)
		if others, err := s.SeeTicket(ctx, 7, "gu", false); err != nil || len(others) != 0 {
			t.Errorf("who left an hour ago still looks: %v %v", others, err)
		}

		form := store.TicketForm{Name: "林一", Phone: "13800000000", Accounts: []string{"沪A"}}
		inTx(t, s, func(tx *store.Tx) error { return tx.KeepTicketForm(99, form) })
		if got, err := s.FindTicketForm(ctx, 99); err != nil || got.Phone != form.Phone || len(got.Accounts) != 1 {
			t.Errorf("%+v %v", got, err)
		}
		if got, err := s.FindTicketForm(ctx, 98); err != nil || got.Phone != "" {
			t.Errorf("%+v %v", got, err)
		}
		inTx(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.MeetMember("gu", "顾", ""), tx.SetRoles("t", "gu", chat.RoleSet{chat.Responder}), tx.MeetMember("lin", "林", "甲部"))
		})
		if got, err := s.Colleagues(ctx); err != nil || len(got) != 1 || got[0].ID != "gu" {
			t.Errorf("%v %v", got, err)
		}
		if got, err := s.FindMembers(ctx, []string{"gu", "lin", "nobody"}); err != nil || len(got) != 2 {
			t.Errorf("%v %v", got, err)
		}
		if got, err := s.Departments(ctx); err != nil || !slices.Equal(got, []string{"甲部"}) {
			t.Errorf("%v %v", got, err)
		}
	})
}
