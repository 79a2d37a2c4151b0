package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// A million tickets: the queue's pages stay quick, and work on a ticket costs
// what it costs in an empty store. make bench-tickets prints the table.
func TestMillionTickets(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make bench-tickets")
	}
	n := 1_000_000
	if x, err := strconv.Atoi(os.Getenv("FRONTLINE_BENCH_TICKETS")); err == nil {
		n = x
	}
	big, empty := startConsole(t, nil), startConsole(t, nil)
	began := time.Now()
	big.multiplyTickets(n)
	t.Logf("%d tickets made in %v", n, time.Since(began).Round(time.Second))
	b := big.as(chat.Leader)
	for _, path := range []string{"/tickets", "/tickets?state=all", "/tickets?state=resolved", "/tickets?overdue=1", "/tickets?q=" + url.QueryEscape("不刷新99"), "/tickets?priority=P3&state=new", fmt.Sprint("/tickets/", n/2), "/search?q=" + url.QueryEscape("不刷新")} {
		var took []time.Duration
		for range 40 {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			for _, cookie := range b.client.Jar.(*jar).all {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			began := time.Now()
			big.web.ServeHTTP(w, r)
			took = append(took, time.Since(began))
			if w.Code != http.StatusOK {
				t.Fatalf("%s: %d", path, w.Code)
			}
		}
		p95 := ninetyFive(took)
		t.Logf("%-40s median %8v, p95 %8v", path, took[len(took)/2].Round(10*time.Microsecond), p95.Round(10*time.Microsecond))
		most := 200 * time.Millisecond
		if strings.Contains(path, "q=") {
			most = 500 * time.Millisecond // words are looked for in every title
		}
		if p95 > most {
			t.Errorf("%s: p95 %v, want at most %v", path, p95, most)
		}
	}
	for _, step := range []string{"open", "append", "claim", "hold"} {
		var at [2][]time.Duration
		for i := range 300 {
			for j, c := range []*console{empty, big} {
				at[j] = append(at[j], c.step(step, i))
			}
		}
		few, many := ninetyFive(at[0]), ninetyFive(at[1])
		ratio := float64(many) / float64(few)
		t.Logf("%-8s p95 %v beside %v in an empty store: ratio %.2f (median %v beside %v)", step, many.Round(10*time.Microsecond), few.Round(10*time.Microsecond), ratio, at[1][150].Round(10*time.Microsecond), at[0][150].Round(10*time.Microsecond))
		if ratio > 1.2 {
			t.Errorf("%s: %.2f times an empty store's, want at most 1.2", step, ratio)
		}
	}
}

// step does one thing to the i-th of the tickets opened here, and times it.
func (c *console) step(what string, i int) time.Duration {
	c.t.Helper()
	ctx, desk, by := context.Background(), c.web.opt.Desk, chat.User{ID: "responder", Roles: chat.RoleSet{chat.Responder}}
	began := time.Now()
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		if what == "open" {
			return desk.Open(tx, chat.User{ID: "reporter"}, &store.Ticket{Title: fmt.Sprint("委托失败", i), Reporter: "reporter", Source: fmt.Sprint("bench/", i)})
		}
		t, err := tx.SameTicket("reporter", fmt.Sprint("委托失败", i), time.Time{})
		if err != nil {
			return err
		}
		switch what {
		case "append":
			return desk.Said(tx, chat.User{ID: "reporter"}, &t, "还是一样", "还是一样", nil, "")
		case "claim":
			return desk.Claim(tx, by, &t)
		}
		return desk.Hold(tx, by, &t, "third", time.Time{})
	})
	if err != nil {
		c.t.Fatal(what, i, err)
	}
	return time.Since(began)
}

// ninetyFive sorts and returns what 95 of 100 do not exceed.
func ninetyFive(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*95/100]
}
