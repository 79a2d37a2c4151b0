package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// desk plays a desk with a clock of its own, on the store alone.
type desk struct {
	t    *testing.T
	s    *store.Store
	now  time.Time
	zone *time.Location
	r    *rand.Rand
	open []int64
	all  []int64
	asks int
}

func newDesk(t *testing.T, open func(store.Options) *store.Store, now string) *desk {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, zone: zone, r: rand.New(rand.NewPCG(1, 2))}
	d.now = d.at(now)
	d.s = open(store.Options{Now: func() time.Time { return d.now }})
	d.tx(func(tx *store.Tx) error {
		return errors.Join(tx.MeetMember("lin", "林", "滨江"), tx.MeetMember("he", "何", "湖心"), tx.MeetMember("zhou", "周", ""))
	})
	return d
}

func (d *desk) at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, d.zone)
	if err != nil {
		d.t.Fatal(err)
	}
	return t
}

func (d *desk) tx(fn func(tx *store.Tx) error) {
	d.t.Helper()
	if err := d.s.InTx(context.Background(), fn); err != nil {
		d.t.Fatal(err)
	}
}

func pick[T any](d *desk, of ...T) T { return of[d.r.IntN(len(of))] }

func (d *desk) report() {
	d.tx(func(tx *store.Tx) error {
		t := store.Ticket{Title: "x", Priority: "P3", Reporter: pick(d, "lin", "he", "zhou", "nobody"), Class: pick(d, "data", "program", "consult", "other"), Subclass: pick(d, "", "登录"), Group: pick(d, "account", "trading", ""),
			AppVersion: pick(d, "", "9.2.1", "9.2.0"), RespondDue: d.now.Add(10 * time.Minute), ResolveDue: d.now.Add(2 * time.Hour)}
		if err := tx.CreateTicket(&t); err != nil {
			return err
		}
		d.open, d.all = append(d.open, t.Number), append(d.all, t.Number)
		return nil
	})
}

// change changes one ticket as the desk does: in any way its state allows.
func (d *desk) change() {
	if len(d.all) == 0 {
		return
	}
	n := pick(d, d.all...)
	d.tx(func(tx *store.Tx) error {
		t, err := tx.FindTicket(n)
		if err != nil {
			return err
		}
		to := t.State
		switch {
		case t.State == store.TicketVoid || t.State == store.TicketMerged:
			return nil
		case t.State == store.TicketResolved && d.r.IntN(3) == 0:
			to, t.Closed = store.TicketClosed, d.now
		case t.State.Open() && t.Responded.IsZero():
			to, t.Responded = store.TicketInProgress, d.now
			if t.State == store.TicketWaiting {
				to = store.TicketResolved
				t.Resolved = d.now
			}
		case t.State.Open():
			switch d.r.IntN(8) {
			case 0:
				to = store.TicketVoid
			case 1:
				to, t.Master = store.TicketMerged, d.all[0]
			case 2:
				t.Class, t.Subclass, t.Group = pick(d, "data", "program"), pick(d, "行情", ""), pick(d, "account", "trading")
			default:
				to, t.Resolved = store.TicketResolved, d.now
			}
		case d.r.IntN(3) == 0:
			to = store.TicketReopened
			t.Cycle, t.Rating, t.Responded, t.RespondDue, t.ResolveDue = t.Cycle+1, 0, time.Time{}, d.now.Add(10*time.Minute), d.now.Add(2*time.Hour)
		default:
			t.Rating = 1 + d.r.IntN(5)
		}
		return tx.ChangeTicket(&t, to)
	})
}

func (d *desk) ask() {
	d.asks++
	message, asker := fmt.Sprintf("%024d", d.asks), pick(d, "lin", "he", "zhou")
	d.tx(func(tx *store.Tx) error {
		q := store.Question{Message: message, Asker: asker, Text: "x", Band: pick(d, "answer", "answer", "clarify", "refuse")}
		if q.Band != "refuse" {
			q.Entry = pick[int64](d, 1, 2, 3, 4, 5, 6, 7, 8)
		}
		return tx.KeepQuestion(q)
	})
	if feedback := pick(d, "", "", "useful", "useless", "person"); feedback != "" {
		d.now = d.now.Add(time.Duration(d.r.IntN(60)) * time.Second)
		ticket := int64(0)
		if feedback != "useful" && len(d.all) > 0 && d.r.IntN(2) == 0 {
			ticket = d.all[0]
		}
		d.tx(func(tx *store.Tx) error { return tx.JudgeQuestion(message, asker, feedback, ticket) })
	}
}

// live lets a time pass with things that happen.
func (d *desk) live(steps int, most time.Duration) {
	for range steps {
		d.now = d.now.Add(time.Duration(d.r.Int64N(int64(most))))
		switch d.r.IntN(4) {
		case 0:
			d.report()
		case 1:
			d.ask()
		default:
			d.change()
		}
	}
}

// The figures of days, months and odd spans equal sums over the rows themselves,
// written down here once more in SQL; over month ends, a leap day, midnight of
// another zone than the database's, with reopened, merged and withdrawn tickets.
func TestFigures(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		d := newDesk(t, open, "2028-01-29 22:00:00")
		d.live(250, 5*time.Hour)
		for _, at := range []string{"2028-02-29 00:00:00", "2028-02-29 23:59:59", "2028-03-01 00:00:00"} {
			if d.now.After(d.at(at)) {
				t.Fatalf("the story went on until %s", d.now)
			}
			d.now = d.at(at)
			d.report()
			d.ask()
		}
		d.now = d.at("2028-03-01 09:00:00")
		d.live(100, 8*time.Hour)
		d.tx(func(tx *store.Tx) error {
			return tx.ImportTicket(&store.Ticket{Title: "old", Reporter: "lin", Class: "data", Priority: "P3", State: store.TicketClosed, Created: d.at("2028-02-29 12:00:00"), Responded: d.at("2028-02-29 12:05:00"), Resolved: d.at("2028-02-29 13:00:00")})
		})
		d.compare("as it went")
		if err := d.s.Uncount(); err != nil {
			t.Fatal(err)
		}
		if got, _ := d.s.QuestionSums(context.Background(), "", d.at("2028-01-01 00:00:00"), d.at("2029-01-01 00:00:00")); got.Asked != 0 {
			t.Fatal("nothing was uncounted")
		}
		for range 20 { // what is not counted yet changes
			d.change()
			d.report()
		}
		for done := false; !done; {
			var err error
			if done, err = d.s.FillFigures(context.Background(), 0); err != nil {
				t.Fatal(err)
			}
			d.change()
			d.ask()
		}
		d.compare("counted afterwards")
	})
}

func (d *desk) compare(when string) {
	d.t.Helper()
	for _, span := range [][2]string{{"2028-02-29", "2028-03-01"}, {"2028-02-01", "2028-03-01"}, {"2028-01-30", "2028-03-02"}, {"2028-01-01", "2029-01-01"}, {"2028-03-01", "2028-03-02"}, {"2028-02-28", "2028-02-28"}} {
		from, to := d.at(span[0]+" 00:00:00"), d.at(span[1]+" 00:00:00")
		for _, f := range []store.FigureFilter{{}, {Branch: "滨江"}, {Group: "account"}} {
			d.compareTickets(fmt.Sprintf("%s, %v %v", when, span, f), f, from, to)
		}
		d.compareQuestions(fmt.Sprintf("%s, %v", when, span), from, to)
	}
}

func (d *desk) compareTickets(name string, f store.FigureFilter, from, to time.Time) {
	d.t.Helper()
	ctx := context.Background()
	got, err := d.s.TicketsByClass(ctx, f, from, to)
	if err != nil {
		d.t.Fatal(err)
	}
	days, err := d.s.TicketsByDay(ctx, f, from, to)
	if err != nil {
		d.t.Fatal(err)
	}
	byDay := map[string]store.TicketFigures{}
	for _, x := range days {
		if x.Day.Before(from) || !x.Day.Before(to) {
			d.t.Errorf("%s: a figure of %s", name, x.Day)
		}
		sum := byDay[x.Class]
		sum.Add(x.TicketFigures)
		byDay[x.Class] = sum
	}
	for _, class := range []string{"data", "program", "consult", "other"} {
		want, err := d.s.Ints(`SELECT
			COALESCE(SUM(state<>'void'),0), COALESCE(SUM(state='void'),0), COALESCE(SUM(state='merged'),0),
			COALESCE(SUM(state IN ('new','assigned','in_progress','waiting','reopened')),0),
			COALESCE(SUM(state IN ('resolved','closed')),0),
			COALESCE(SUM(answered_at>0 AND state NOT IN ('void','merged')),0),
			COALESCE(SUM(CASE WHEN answered_at>0 AND state NOT IN ('void','merged') THEN FLOOR((answered_at-created_at)/1000) ELSE 0 END),0),
			COALESCE(SUM(CASE WHEN state NOT IN ('void','merged') AND answered_at-created_at>600000 THEN 1 ELSE 0 END),0),
			COALESCE(SUM(CASE WHEN state IN ('resolved','closed') THEN FLOOR((resolved_at-created_at)/1000) ELSE 0 END),0),
			COALESCE(SUM(state IN ('resolved','closed') AND resolved_at>resolve_due AND resolve_due>0),0),
			COALESCE(SUM(cycle>0 AND state<>'void'),0),
			COALESCE(SUM(rating>0 AND state NOT IN ('void','merged')),0), COALESCE(SUM(CASE WHEN state NOT IN ('void','merged') THEN rating ELSE 0 END),0),
			COALESCE(SUM(rating>3 AND state NOT IN ('void','merged')),0), COALESCE(SUM(rating IN (1,2) AND state NOT IN ('void','merged')),0)
			FROM ticket WHERE created_at>=? AND created_at<? AND class=? AND (?='' OR reporter=?) AND (?='' OR service_group=?)`,
			from.UnixMilli(), to.UnixMilli(), class, f.Branch, "lin", f.Group, f.Group)
		if err != nil {
			d.t.Fatal(err)
		}
		for kind, sum := range map[string]store.TicketFigures{"sums": got[class], "days": byDay[class]} {
			if have := sum.Values(); !slices.Equal(have, want) {
				d.t.Errorf("%s, %s of %s:\n got %v\nwant %v", name, kind, class, have, want)
			}
		}
	}
	if f.Branch == "" {
		d.compareTimes(name, f, from, to)
	}
}

// compareTimes looks for medians among the times themselves.
func (d *desk) compareTimes(name string, f store.FigureFilter, from, to time.Time) {
	d.t.Helper()
	_, solve, err := d.s.TicketTimes(context.Background(), f, from, to)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, class := range []string{"data", "program"} {
		const where = "FROM ticket WHERE state IN ('resolved','closed') AND created_at>=? AND created_at<? AND class=? AND (?='' OR service_group=?)"
		args := []any{from.UnixMilli(), to.UnixMilli(), class, f.Group, f.Group}
		n, err := d.s.Ints("SELECT COUNT(*) "+where, args...)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, share := range []float64{0.5, 0.9} {
			got, ok := solve[class].Quantile(share)
			if ok != (n[0] > 0) {
				d.t.Errorf("%s: %v of %s among %d: %v", name, share, class, n[0], ok)
			}
			if !ok {
				continue
			}
			rank := int64(0)
			for float64(rank+1) < share*float64(n[0]) {
				rank++
			}
			want, err := d.s.Ints("SELECT resolved_at-created_at "+where+" ORDER BY resolved_at-created_at LIMIT 1 OFFSET ?", append(args, rank)...)
			if err != nil {
				d.t.Fatal(err)
			}
			if exact := want[0] / 1000; got != store.Step(exact) || got > exact {
				d.t.Errorf("%s: %v of %s is %d, counted %d", name, share, class, exact, got)
			}
		}
	}
}

func (d *desk) compareQuestions(name string, from, to time.Time) {
	d.t.Helper()
	ctx := context.Background()
	query := func(where string, args ...any) []int64 {
		const raw = "(band='answer' AND feedback NOT IN ('useless','person') OR band='clarify' AND feedback='useful')"
		want, err := d.s.Ints(`SELECT COUNT(*), COALESCE(SUM(band='answer'),0), COALESCE(SUM(band='clarify'),0), COALESCE(SUM(band='refuse'),0), COALESCE(SUM(feedback='useful'),0), COALESCE(SUM(feedback='useless'),0),
			COALESCE(SUM(feedback='person'),0), COALESCE(SUM(ticket>0),0), COALESCE(SUM(`+raw+`),0),
			COALESCE(SUM(`+raw+` AND ticket=0
				AND NOT EXISTS (SELECT 1 FROM question AS later WHERE later.asker=question.asker AND later.entry=question.entry AND later.id>question.id AND later.asked_at-question.asked_at<=7*24*3600*1000)
				AND NOT EXISTS (SELECT 1 FROM ticket WHERE ticket.reporter=question.asker AND ticket.id>question.id AND ticket.created_at-question.asked_at<=1800*1000)),0)
			FROM question WHERE asked_at>=? AND asked_at<? AND `+where, append([]any{from.UnixMilli(), to.UnixMilli()}, args...)...)
		if err != nil {
			d.t.Fatal(err)
		}
		return want
	}
	all, err := d.s.QuestionSums(ctx, "", from, to)
	if err != nil {
		d.t.Fatal(err)
	}
	if want := query("1=1"); !reflect.DeepEqual(all.Values(), want) {
		d.t.Errorf("%s: questions\n got %v\nwant %v", name, all.Values(), want)
	}
	branch, err := d.s.QuestionSums(ctx, "湖心", from, to)
	if err != nil {
		d.t.Fatal(err)
	}
	if want := query("asker='he'"); !slices.Equal(branch.Values(), want) {
		d.t.Errorf("%s: questions of a branch\n got %v\nwant %v", name, branch.Values(), want)
	}
	entries, err := d.s.SplitQuestions(ctx, store.ByEntry, from, to)
	if err != nil {
		d.t.Fatal(err)
	}
	if got, want := entries["3"], query("entry=3"); !slices.Equal(got.Values(), want) {
		d.t.Errorf("%s: questions of an entry\n got %v\nwant %v", name, got.Values(), want)
	}
}

// Hours know the day of the week.
func TestHours(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		d := newDesk(t, open, "2026-11-20 09:59:59") // a Friday
		d.report()
		d.ask()
		d.now = d.at("2026-11-27 10:00:00")
		d.report()
		got, err := d.s.Hours(context.Background(), d.at("2026-11-01 00:00:00"), d.at("2026-12-01 00:00:00"))
		if err != nil || got[time.Friday][9] != (store.Hour{Tickets: 1, Questions: 1}) || got[time.Friday][10] != (store.Hour{Tickets: 1}) || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestStep(t *testing.T) {
	last := int64(-1)
	for s := int64(0); s < 40*86400; s++ {
		if got := store.Step(s); got > s || got < last || store.Step(got) != got {
			t.Fatalf("Step(%d) = %d after %d", s, got, last)
		} else {
			last = got
		}
	}
	for in, want := range map[int64]int64{29: 29, 33: 30, 278: 270, 6720: 6600, 40 * 86400: 30 * 86400} {
		if got := store.Step(in); got != want {
			t.Errorf("Step(%d) = %d, not %d", in, got, want)
		}
	}
}
