package store

import (
	"context"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"
)

// TicketQuery chooses tickets; zero values choose everything.
type TicketQuery struct {
	States     []TicketState
	Priorities []string
	Classes    []string
	Group      string
	Assignee   string // NoAssignee: nobody's
	Reporter   string
	Master     int64
	Text       string // part of the masked title
	Phone      string // normal form; found by its blind index
	Customer   string
	Identity   string
	From, To   time.Time // created in [From, To)
	Numbers    []int64
	Department string    // of the reporter, when the ticket was made
	Soon       time.Time // a clock that runs ends before this, or is over
	RatedMost  int       // rated, with so many stars at most
	AppVersion string
	Subclass   string
	Counted    bool           // not withdrawn: those that the figures count
	Late       string         // what came late: answer, solve, any
	Reopened   bool           // at least once
	RatedLeast int            // rated, with so many stars at least
	Spans      [][2]time.Time // created in one of them, each [from, to); with From and To too
	Overdue    bool           // the time to resolve is over and the clock runs
	Alerts     string         // with alerts: AlertAny, AlertBefore or AlertAfter
	ByDue      bool           // most urgent first (priority, then due time) instead of newest first
	Before     int64          // id of the last ticket of the page before; not with ByDue
	After      int64          // only what came after this id
	Skip       int
	N          int // at most 500
}

// NoAssignee chooses tickets that nobody has taken.
const NoAssignee = "-"

// ListTickets returns tickets, newest first or most urgent first.
func (s *Store) ListTickets(ctx context.Context, q TicketQuery) ([]Ticket, error) {
	if q.onlyText() {
		return s.ticketsByText(ctx, q)
	}
	db := s.ticketsWhere(s.read.WithContext(ctx), q).Limit(min(max(q.N, 1), 500))
	if q.ByDue {
		db = db.Order("priority, resolve_due, id")
	} else {
		db = db.Order("id DESC")
	}
	if q.Skip > 0 {
		db = db.Offset(q.Skip)
	}
	var rows []ticketRow
	err := db.Find(&rows).Error
	return tickets(rows), err
}

// onlyText tells whether a query is nothing but words.
func (q TicketQuery) onlyText() bool {
	rest := q
	rest.Text, rest.Before, rest.N = "", 0, 0
	return q.Text != "" && reflect.DeepEqual(rest, TicketQuery{})
}

// ticketsByText reads titles from their own index (ticket_text), which is much
// smaller than the rows: words that stand nowhere are looked for in all of it.
func (s *Store) ticketsByText(ctx context.Context, q TicketQuery) ([]Ticket, error) {
	var ids []int64
	db := s.ticketsWhere(s.read.WithContext(ctx).Table("ticket").Select("id"), q).Order("id DESC").Limit(min(max(q.N, 1), 500))
	if err := db.Scan(&ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	var rows []ticketRow
	err := s.read.WithContext(ctx).Where("id IN ?", ids).Order("id DESC").Find(&rows).Error
	return tickets(rows), err
}

func (s *Store) ticketsWhere(db *gorm.DB, q TicketQuery) *gorm.DB {
	if len(q.States) > 0 {
		db = db.Where("state IN ?", q.States)
	}
	if len(q.Priorities) > 0 {
		db = db.Where("priority IN ?", q.Priorities)
	}
	if len(q.Classes) > 0 {
		db = db.Where("class IN ?", q.Classes)
	}
	if q.Group != "" {
		db = db.Where("service_group = ?", q.Group)
	}
	switch q.Assignee {
	case "":
	case NoAssignee:
		db = db.Where("assignee = ''")
	default:
		db = db.Where("assignee = ?", q.Assignee)
	}
	if q.Reporter != "" {
		db = db.Where("reporter = ?", q.Reporter)
	}
	if q.Master > 0 {
		db = db.Where("master = ?", q.Master)
	}
	if q.Text != "" {
		db = db.Where("title LIKE ? ESCAPE '!'", "%"+likeEscaper.Replace(q.Text)+"%")
	}
	for _, f := range []struct{ column, kind, value string }{{"phone_key", "phone", q.Phone}, {"customer_key", "customer", q.Customer}, {"identity_key", "identity", q.Identity}} {
		if f.value != "" {
			db = db.Where(f.column+" = ?", s.seal.blind(f.kind, f.value))
		}
	}
	if !q.From.IsZero() {
		db = db.Where("id >= ?", idAt(q.From))
	}
	if !q.To.IsZero() {
		db = db.Where("id < ?", idAt(q.To))
	}
	if q.Subclass != "" {
		db = db.Where("subclass = ?", q.Subclass)
	}
	if q.Counted {
		db = db.Where("state <> ?", TicketVoid)
	}
	if q.Late != "" {
		db = lateWhere(db, q.Late)
	}
	if q.Reopened {
		db = db.Where("cycle > 0")
	}
	if q.RatedLeast > 0 {
		db = db.Where("rating >= ? AND state NOT IN ?", q.RatedLeast, []TicketState{TicketVoid, TicketMerged})
	}
	if len(q.Spans) > 0 {
		var spans []string
		var args []any
		for _, sp := range q.Spans {
			spans = append(spans, "(id >= ? AND id < ?)")
			args = append(args, idAt(sp[0]), idAt(sp[1]))
		}
		db = db.Where(strings.Join(spans, " OR "), args...)
	}
	if q.Alerts != "" {
		sql, args := alerted(q.Alerts, q.From)
		db = db.Where(sql, args...)
	}
	if q.Overdue {
		db = db.Where("state IN ? AND paused_at = 0 AND resolve_due > 0 AND resolve_due < ?", openStates, millis(s.now()))
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	return s.ticketsOfDesk(db, q)
}

// lateWhere narrows down to what the figures count as late.
func lateWhere(db *gorm.DB, what string) *gorm.DB {
	const answer, solve = "(answered_late = 1 AND state NOT IN ?)", "(state IN ? AND resolve_due > 0 AND resolved_at > resolve_due)"
	gone, done := []TicketState{TicketVoid, TicketMerged}, []TicketState{TicketResolved, TicketClosed}
	switch what {
	case "answer":
		return db.Where(answer, gone)
	case "solve":
		return db.Where(solve, done)
	}
	return db.Where("("+answer+" OR "+solve+")", gone, done)
}

func tickets(rows []ticketRow) []Ticket {
	out := make([]Ticket, len(rows))
	for i, r := range rows {
		out[i] = r.ticket()
	}
	return out
}

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")
