package handlers

import (
	"context"
	"errors"
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
	reporter = chat.User{ID: "lin", Name: "林晓雯", Roles: chat.RoleSet{chat.Reporter}}
	gu       = chat.User{ID: "gu", Name: "顾远", Roles: chat.RoleSet{chat.Reporter, chat.Responder}}
	fang     = chat.User{ID: "fang", Name: "方逸辰", Roles: chat.RoleSet{chat.Reporter, chat.Responder}}
)

// clockDesk is a desk whose time stands still until it is moved.
type clockDesk struct {
	*Desk
	t   *testing.T
	mu  sync.Mutex
	now time.Time
}

// onDesk runs a test on every database, on a Wednesday at ten.
func onDesk(t *testing.T, fn func(t *testing.T, d *clockDesk)) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		d := &clockDesk{t: t, now: time.Date(2026, 11, 25, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))}
		s := open(store.Options{Now: func() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.now }})
		d.Desk = &Desk{Store: s, Log: slog.New(slog.DiscardHandler), Rules: DefaultRules()}
		d.in(func(tx *store.Tx) error {
			return errors.Join(tx.SetRoles("t", "gu", gu.Roles), tx.SetRoles("t", "fang", fang.Roles), tx.SetRoles("t", "chen", chat.RoleSet{chat.Reporter, chat.Leader}))
		})
		fn(t, d)
	})
}

func (d *clockDesk) in(fn func(tx *store.Tx) error) {
	d.t.Helper()
	if err := d.Store.InTx(context.Background(), fn); err != nil {
		d.t.Fatal(err)
	}
}

func (d *clockDesk) on(n int64, fn func(tx *store.Tx, t *store.Ticket) error) {
	d.t.Helper()
	d.in(func(tx *store.Tx) error {
		t, err := tx.FindTicket(n)
		if err != nil {
			return err
		}
		return fn(tx, &t)
	})
}

func (d *clockDesk) open(priority string) int64 {
	d.t.Helper()
	var n int64
	d.in(func(tx *store.Tx) error {
		t := store.Ticket{Title: "持仓页白屏", Reporter: "lin", Priority: priority, Class: "program"}
		err := d.Open(tx, reporter, &t)
		n = t.Number
		return err
	})
	return n
}

// wait moves the clock and lets the job look, twice: again must change nothing.
func (d *clockDesk) wait(by time.Duration) {
	d.t.Helper()
	d.mu.Lock()
	d.now = d.now.Add(by)
	d.mu.Unlock()
	for range 2 {
		if err := d.Tick(context.Background()); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *clockDesk) ticket(n int64) store.Ticket {
	d.t.Helper()
	t, err := d.Store.FindTicket(context.Background(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	return t
}

// heard is what was said to somebody, oldest first.
func (d *clockDesk) heard(member string) (out []string) {
	d.t.Helper()
	all, err := d.Store.ListDelivered(context.Background(), store.LedgerQuery{N: 200})
	if err != nil {
		d.t.Fatal(err)
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Said.To.ID == member {
			out = append(out, bodyText(all[i].Said.Body))
		}
	}
	return out
}

func (d *clockDesk) wantHeard(member string, want ...string) {
	d.t.Helper()
	got := d.heard(member)
	if len(got) != len(want) {
		d.t.Fatalf("%s heard %d messages, want %d: %q", member, len(got), len(want), got)
	}
	for i, w := range want {
		if !strings.Contains(got[i], w) {
			d.t.Errorf("%s heard %q, want %q in it", member, got[i], w)
		}
	}
}

// A ticket is warned of at 75 % and 100 % of its time, once each; the leaders
// hear of what is over; the clock stands while it waits.
func TestTickWarns(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		n := d.open("P3") // 30 min, 8 h
		d.wait(22 * time.Minute)
		d.wantHeard("chen")
		d.wait(9 * time.Minute)
		d.wantHeard("chen", "还没有人接手，已超时")
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.Claim(tx, gu, tk) })
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error {
			return d.Hold(tx, gu, tk, "customer", tx.Now().Add(23*time.Hour))
		})
		left := d.Rules.Left(d.ticket(n), d.now)
		d.wait(22 * time.Hour)
		d.wantHeard("gu")
		if got := d.ticket(n); got.State != store.TicketWaiting || d.Rules.Left(got, d.now) != left {
			t.Errorf("%s with %s left, want %s", got.State, d.Rules.Left(got, d.now), left)
		}
		d.wait(time.Hour + time.Minute)
		if got := d.ticket(n); got.State != store.TicketInProgress || !got.Paused.IsZero() {
			t.Errorf("not taken up: %+v", got)
		}
		d.wantHeard("gu", "挂起时间到")
		d.wait(6 * time.Hour)
		d.wantHeard("gu", "挂起时间到", "已用 75%")
		d.wait(2 * time.Hour)
		d.wantHeard("gu", "挂起时间到", "已用 75%", "解决时限已到")
		d.wantHeard("chen", "还没有人接手，已超时", "【超时升级】")
	})
}

// A resolved ticket whose reporter is silent closes after two working days; a
// rating is reminded of once.
func TestTickCloses(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		silent, rated := d.open("P3"), d.open("P3")
		for _, n := range []int64{silent, rated} {
			d.on(n, func(tx *store.Tx, tk *store.Ticket) error {
				return d.Resolve(tx, gu, tk, Resolution{Method: "重启了网关"})
			})
		}
		d.on(rated, func(tx *store.Tx, tk *store.Ticket) error {
			tk.Asked = tx.Now()
			return d.Confirm(tx, reporter, tk)
		})
		d.wait(25 * time.Hour)
		if got := d.heard("lin"); len(got) != 3 || !strings.Contains(got[2], "满意吗") {
			t.Errorf("reminded: %q", got)
		}
		if got := d.ticket(silent); got.State != store.TicketResolved {
			t.Errorf("closed too early: %s", got.State)
		}
		d.wait(48 * time.Hour)
		if got := d.ticket(silent); got.State != store.TicketClosed || !got.Look.IsZero() {
			t.Errorf("not closed: %s, looked at %s", got.State, got.Look)
		}
		if n := len(d.heard("lin")); n != 3 {
			t.Errorf("%d messages", n)
		}
	})
}

// Three changes in a minute are two messages: the first at once, the others
// together; at night nothing but what is urgent.
func TestNoticesAreHeld(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		n := d.open("P3")
		for _, text := range []string{"一", "二", "三"} {
			d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.tell(tx, tk, text, "") })
		}
		d.wantHeard("lin", "一")
		d.wait(59 * time.Second)
		d.wantHeard("lin", "一")
		d.wait(time.Second)
		d.wantHeard("lin", "一", "二\n三")
		d.wait(13 * time.Hour) // 23:01
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.tell(tx, tk, "夜里", "") })
		d.wait(8 * time.Hour)
		if got := d.heard("lin"); len(got) != 2 {
			t.Errorf("woken at night: %q", got)
		}
		d.wait(time.Hour)
		d.wantHeard("lin", "一", "二\n三", "夜里")
	})
}

// The person on duty who has the fewest open tickets gets the next one.
func TestRosterAssigns(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Rules.Groups = []ServiceGroup{{Name: "trading"}}
		for i := range d.Rules.Classes {
			d.Rules.Classes[i].Group = "trading"
		}
		if got := d.ticket(d.open("P3")); got.Assignee != "" || got.State != store.TicketNew || got.Group != "trading" {
			t.Errorf("nobody is on duty, yet %+v", got)
		}
		d.in(func(tx *store.Tx) error {
			for _, sh := range []store.Shift{{Group: "trading", Member: "gu", From: tx.Now().Add(-time.Hour), Until: tx.Now().Add(time.Hour)},
				{Group: "trading", Member: "fang", From: tx.Now(), Until: tx.Now().Add(time.Hour)}, {Group: "trading", Member: "gone", From: tx.Now().Add(-time.Hour), Until: tx.Now()}} {
				if err := tx.AddShift(&sh); err != nil {
					return err
				}
			}
			return nil
		})
		count := map[string]int{}
		for range 4 {
			got := d.ticket(d.open("P3"))
			if got.State != store.TicketAssigned {
				t.Errorf("state %s", got.State)
			}
			count[got.Assignee]++
		}
		if count["gu"] != 2 || count["fang"] != 2 {
			t.Errorf("shared out as %v", count)
		}
	})
}

// Many claim at once: one wins, the others learn who.
func TestClaimAtOnce(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		n := d.open("P2")
		var mu sync.Mutex
		won, lost := "", 0
		var wg sync.WaitGroup
		for _, u := range []chat.User{gu, fang} {
			for range 4 {
				wg.Go(func() {
					var err error
					for {
						err = d.Store.InTx(context.Background(), func(tx *store.Tx) error {
							tk, err := tx.FindTicket(n)
							if err != nil {
								return err
							}
							return d.Claim(tx, u, &tk)
						})
						if !errors.Is(err, store.ErrStale) { // as a turn, it is tried again
							break
						}
					}
					mu.Lock()
					defer mu.Unlock()
					refusal := chat.Refusal{}
					switch {
					case err == nil && won == "":
						won = u.ID
					case errors.As(err, &refusal):
						lost++
					default:
						t.Errorf("%s: %v", u.ID, err)
					}
				})
			}
		}
		wg.Wait()
		if got := d.ticket(n); won == "" || lost != 7 || got.Assignee != won {
			t.Errorf("%q won, %d lost, it is with %q", won, lost, got.Assignee)
		}
	})
}
