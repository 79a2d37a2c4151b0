package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Figures are sums over tickets and questions, kept current in the transaction
// that writes them: what a row counted for before is taken away, what it counts
// for now is added. docs/analysis.md says what each figure means. A row counts
// on the day on which it was made, whatever happens to it later, so the figures
// of a period are those of the lists of that period.

// Kinds of sums: what they are split by.
const (
	ByGroup      = "group"    // a class, b service group
	ByBranch     = "branch"   // a branch, b class; of questions a branch
	ByHour       = "hour"     // a hour of the day, two digits
	BySubclass   = "subclass" // a subclass, b class
	ByVersion    = "version"  // a version of the app
	ByHandler    = "handler"  // a userid of the assignee, "" for nobody
	ByAll        = "all"      // of questions: everything
	ByEntry      = "entry"    // of questions: a number of the entry shown
	timeToAnswer = "answer"   // kinds of time_figure
	timeToSolve  = "solve"
)

// TicketFigures are the sums over tickets.
type TicketFigures struct {
	Reported   int64 // but not withdrawn
	Withdrawn  int64
	Merged     int64 // reported, and merged into another
	Open       int64
	Solved     int64
	Answered   int64 // had a first response
	AnswerTime int64 // seconds to it, all together
	AnswerLate int64
	SolveTime  int64 // seconds to the last solution, all together
	SolveLate  int64
	Reopened   int64 // at least once
	Rated      int64
	Stars      int64
	Good       int64 // four or five stars
	Bad        int64 // one or two
}

var ticketSums = []string{"reported", "withdrawn", "merged", "still_open", "solved", "answered", "answer_time", "answer_late", "solve_time", "solve_late", "reopened", "rated", "stars", "good", "bad"}

func (f *TicketFigures) all() []*int64 {
	return []*int64{&f.Reported, &f.Withdrawn, &f.Merged, &f.Open, &f.Solved, &f.Answered, &f.AnswerTime, &f.AnswerLate, &f.SolveTime, &f.SolveLate, &f.Reopened, &f.Rated, &f.Stars, &f.Good, &f.Bad}
}

// Add adds other sums to f.
func (f *TicketFigures) Add(other TicketFigures) { addSums(f.all(), other.all(), 1) }

// QuestionFigures are the sums over questions.
type QuestionFigures struct {
	Asked     int64
	Answered  int64 // sure
	Offered   int64 // maybe: one or several to choose from
	Refused   int64 // no reliable answer
	Useful    int64 // said so
	Useless   int64 // said so
	Handed    int64 // 转人工
	Ticketed  int64 // became a ticket
	RawSolved int64 // an answer that nobody objected to
	Solved    int64 // and no ticket, and not asked again within seven days
}

var questionSums = []string{"asked", "answered", "offered", "refused", "useful", "useless", "handed", "ticketed", "raw_solved", "solved"}

func (f *QuestionFigures) all() []*int64 {
	return []*int64{&f.Asked, &f.Answered, &f.Offered, &f.Refused, &f.Useful, &f.Useless, &f.Handed, &f.Ticketed, &f.RawSolved, &f.Solved}
}

// Add adds other sums to f.
func (f *QuestionFigures) Add(other QuestionFigures) { addSums(f.all(), other.all(), 1) }

func addSums(to, what []*int64, times int64) {
	for i := range to {
		*to[i] += times * *what[i]
	}
}

type figureKey struct {
	kind string
	day  int64
	a, b string
}

func (k figureKey) compare(o figureKey) int {
	return cmp.Or(cmp.Compare(k.kind, o.kind), cmp.Compare(k.day, o.day), cmp.Compare(k.a, o.a), cmp.Compare(k.b, o.b))
}

type timeKey struct {
	figureKey
	seconds int64
}

// figureChanges are what a transaction changes of the sums.
type figureChanges struct {
	tickets   map[figureKey]*TicketFigures
	times     map[timeKey]int64
	questions map[figureKey]*QuestionFigures
}

// writeFigures writes what has changed, last of all but the audit log: rows
// that everybody adds to are locked for as short as can be.
func (tx *Tx) writeFigures() error {
	c := tx.figures
	if c == nil {
		return nil
	}
	tx.figures = nil
	var tickets, times, questions [][]any
	for _, k := range slices.SortedFunc(maps.Keys(c.tickets), figureKey.compare) {
		if f := c.tickets[k]; *f != (TicketFigures{}) {
			tickets = append(tickets, append([]any{k.kind, k.day, k.a, k.b}, values(f.all())...))
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.times), func(x, y timeKey) int {
		return cmp.Or(x.compare(y.figureKey), cmp.Compare(x.seconds, y.seconds))
	}) {
		if n := c.times[k]; n != 0 {
			times = append(times, []any{k.kind, k.day, k.a, k.b, k.seconds, n})
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.questions), figureKey.compare) {
		if f := c.questions[k]; *f != (QuestionFigures{}) {
			questions = append(questions, append([]any{k.kind, k.day, k.a}, values(f.all())...))
		}
	}
	return errors.Join(
		tx.addUp("ticket_figure", []string{"kind", "day_key", "a", "b"}, ticketSums, tickets),
		tx.addUp("time_figure", []string{"kind", "day_key", "class", "service_group", "seconds"}, []string{"tickets"}, times),
		tx.addUp("question_figure", []string{"kind", "day_key", "a"}, questionSums, questions))
}

func values(of []*int64) []any {
	out := make([]any, len(of))
	for i, p := range of {
		out[i] = *p
	}
	return out
}

func (tx *Tx) changes() *figureChanges {
	if tx.figures == nil {
		tx.figures = &figureChanges{map[figureKey]*TicketFigures{}, map[timeKey]int64{}, map[figureKey]*QuestionFigures{}}
	}
	return tx.figures
}

// dayKey is a day as a number, 20261120, and monthKey its month, 20261100: sums
// are kept of both, so that a year is read from twelve rows and not from 365.
func dayKey(t time.Time) int64   { return int64(t.Year()*10000 + int(t.Month())*100 + t.Day()) }
func monthKey(t time.Time) int64 { return dayKey(t) / 100 * 100 }

// counting is how this database's figures are counted; see Open.
type counting struct {
	no   int64 // rows with another number in counted are not in the sums
	zone *time.Location
}

func (c counting) day(ms int64) time.Time { return time.UnixMilli(ms).In(c.zone) }

type figureState struct {
	Name                                         string `gorm:"primaryKey"`
	Zone                                         string
	CountNo                                      int64
	TicketID, TicketTop, QuestionID, QuestionTop int64
}

func (figureState) TableName() string { return "figure_state" }

const figuresName = "figures"

// openFigures reads how figures are counted. Days begin at midnight of the zone
// in which a database was counted first. A serving process that has another one
// begins a new count, so all replicas of a database have the same zone.
func (s *Store) openFigures(ctx context.Context) error {
	here := s.now().Location()
	err := s.inTx(ctx, func(tx *Tx) error {
		var st figureState
		err := tx.db.First(&st, "name = ?", figuresName).Error
		fresh := errors.Is(err, gorm.ErrRecordNotFound)
		if err != nil && !fresh {
			return err
		}
		if fresh || s.opt.Serve && st.Zone != here.String() {
			if err := tx.beginCount(&st, here.String(), fresh); err != nil {
				return err
			}
		}
		s.counting = counting{no: st.CountNo, zone: here}
		if st.Zone != here.String() {
			if s.counting.zone, err = time.LoadLocation(st.Zone); err != nil {
				return fmt.Errorf("the zone of the figures: %w", err)
			}
		}
		return nil
	})
	if isDuplicate(err) { // another process was first
		return s.openFigures(ctx)
	}
	return err
}

// beginCount empties the sums; what is there is counted again by FillFigures.
func (tx *Tx) beginCount(st *figureState, zone string, fresh bool) error {
	*st = figureState{Name: figuresName, Zone: zone, CountNo: st.CountNo + 1}
	for table, top := range map[string]*int64{"ticket": &st.TicketTop, "question": &st.QuestionTop} {
		if err := tx.db.Raw("SELECT COALESCE(MAX(id),0) FROM " + table).Scan(top).Error; err != nil {
			return err
		}
	}
	if fresh {
		return tx.db.Create(st).Error
	}
	for _, table := range []string{"ticket_figure", "time_figure", "question_figure"} {
		if err := tx.db.Exec("DELETE FROM " + table).Error; err != nil {
			return err
		}
	}
	return tx.db.Save(st).Error
}
