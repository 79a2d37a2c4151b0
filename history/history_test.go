package history

import (
	"context"
	"reflect"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

func make1(t *testing.T, open func(store.Options) *store.Store, from, to time.Time, seed uint64) (*store.Store, Made) {
	t.Helper()
	clock := &Clock{}
	clock.Set(from)
	s := open(store.Options{Now: clock.Now})
	made, err := Make(context.Background(), s, clock, Options{From: from, To: to, Seed: seed, Daily: 10, Entries: []Entry{{1, "怎么开户"}, {2, "怎么销户"}}, Handlers: []string{"guyuan", "fangyichen"}, Groups: [2]string{"account", "trading"}})
	if err != nil {
		t.Fatal(err)
	}
	return s, made
}

func day(text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		panic(err)
	}
	return t
}

// Two pasts of one seed have the same figures, one of another seed has others;
// the figures are those that a plain walk over all rows adds up, over a leap
// day and a month's end.
func TestMake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		from, to := day("2028-02-20"), day("2028-03-08")
		a, made := make1(t, open, from, to, 1)
		if made.Tickets < 80 || made.Questions < 300 || made.Events < made.Tickets+made.Questions {
			t.Fatalf("%+v", made)
		}
		for _, span := range [][2]time.Time{{from, to}, {day("2028-02-29"), day("2028-03-01")}, {day("2028-03-01"), day("2028-03-05")}} {
			got, err := a.TicketsByClass(t.Context(), store.FigureFilter{}, span[0], span[1])
			if err != nil {
				t.Fatal(err)
			}
			for class, f := range got { // the first response of an earlier cycle does not stand in a ticket
				f.Answered, f.AnswerTime, f.AnswerLate = 0, 0, 0
				got[class] = f
			}
			if want := walk(t, a, span[0], span[1]); !reflect.DeepEqual(got, want) {
				t.Errorf("%v:\n got %+v\nwant %+v", span, got, want)
			}
		}
	})
	from, to := day("2028-02-20"), day("2028-03-08")
	sums := func(seed uint64) any {
		s, made := make1(t, func(o store.Options) *store.Store { return storetest.Open(t, storetest.SQLite(t), o) }, from, to, seed)
		tickets, err := s.TicketsByClass(t.Context(), store.FigureFilter{}, from, to)
		if err != nil {
			t.Fatal(err)
		}
		questions, err := s.QuestionSums(t.Context(), "", from, to)
		if err != nil {
			t.Fatal(err)
		}
		return []any{made, tickets, questions}
	}
	first := sums(1)
	if !reflect.DeepEqual(first, sums(1)) {
		t.Error("the same seed made another past")
	}
	if reflect.DeepEqual(first, sums(2)) {
		t.Error("another seed made the same past")
	}
}

// walk adds up from the tickets themselves what the definitions in
// docs/analysis.md say.
func walk(t *testing.T, s *store.Store, from, to time.Time) map[string]store.TicketFigures {
	t.Helper()
	out := map[string]store.TicketFigures{}
	for before := int64(0); ; {
		list, err := s.ListTickets(t.Context(), store.TicketQuery{N: 500, Before: before})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return out
		}
		for _, x := range list {
			before = x.ID
			if x.Created.Before(from) || !x.Created.Before(to) {
				continue
			}
			f := out[x.Class]
			add(x, &f)
			out[x.Class] = f
		}
	}
}

func add(x store.Ticket, f *store.TicketFigures) {
	if x.State == store.TicketVoid {
		f.Withdrawn++
		return
	}
	f.Reported++
	if x.State.Open() {
		f.Open++
	}
	if x.Cycle > 0 {
		f.Reopened++
	}
	if x.State == store.TicketMerged {
		f.Merged++
		return
	}
	if x.State == store.TicketResolved || x.State == store.TicketClosed {
		f.Solved++
		f.SolveTime += int64(x.Resolved.Sub(x.Created) / time.Second)
		if x.Resolved.After(x.ResolveDue) {
			f.SolveLate++
		}
	}
	if x.Rating > 0 {
		f.Rated++
		f.Stars += int64(x.Rating)
		if x.Rating >= 4 {
			f.Good++
		}
		if x.Rating <= 2 {
			f.Bad++
		}
	}
}
