package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// The queue as people look at it: pages, counts and names, quick with a million
// tickets behind it.

var (
	priorities       = []string{"P1", "P2", "P3", "P4"}
	unansweredStates = []TicketState{TicketNew, TicketAssigned, TicketReopened}
)

// halves cuts a query for what is due soon in two that share no ticket, each a
// range of an index: who resolves late, and else who answers late.
func (s *Store) halves(ctx context.Context, columns string, q TicketQuery) []*gorm.DB {
	where := func(q TicketQuery) *gorm.DB {
		return s.ticketsWhere(s.read.WithContext(ctx).Table("ticket").Select(columns), q)
	}
	if q.Soon.IsZero() {
		return []*gorm.DB{where(q)}
	}
	at := millis(q.Soon)
	q.Soon = time.Time{}
	resolve, answer := q, q
	if len(q.Priorities) == 0 {
		resolve.Priorities = priorities // named, so that the due time is a range
	}
	if len(q.States) == 0 {
		resolve.States, answer.States = openStates, unansweredStates
	}
	return []*gorm.DB{
		where(resolve).Where("state IN ? AND paused_at = 0 AND resolve_due > 0 AND resolve_due < ?", openStates, at),
		where(answer).Where("state IN ? AND paused_at = 0 AND responded_at = 0 AND respond_due > 0 AND respond_due < ? AND (resolve_due = 0 OR resolve_due >= ?)", unansweredStates, at, at),
	}
}

// few tells whether a query names somebody or something: there are not many
// such tickets, and their own index is better than the queue's.
func (q TicketQuery) few() bool {
	return q.Assignee != "" && q.Assignee != NoAssignee || q.Reporter != "" || q.Phone != "" || q.Customer != "" || q.Identity != "" || q.Master > 0 || len(q.Numbers) > 0
}

// union puts queries of the same columns together.
func (s *Store) union(ctx context.Context, parts []*gorm.DB) *gorm.DB {
	sql, args := make([]string, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		sql[i], args[i] = "SELECT * FROM (?) AS part", p
	}
	return s.read.WithContext(ctx).Table("("+strings.Join(sql, " UNION ALL ")+") AS queue", args...)
}

// ticketsOfDesk are the conditions of a query that only the pages have.
func (s *Store) ticketsOfDesk(db *gorm.DB, q TicketQuery) *gorm.DB {
	if len(q.Numbers) > 0 {
		db = db.Where("number IN ?", q.Numbers)
	}
	if q.After > 0 {
		db = db.Where("id > ?", q.After)
	}
	if q.Department != "" {
		db = db.Where("branch = ?", q.Department)
	}
	if q.AppVersion != "" {
		db = db.Where("app_version = ?", q.AppVersion)
	}
	if q.RatedMost > 0 {
		db = db.Where("rating BETWEEN 1 AND ?", q.RatedMost)
	}
	if !q.Soon.IsZero() {
		// Either clock; queries that must be quick ask for each half (see halves).
		db = db.Where("paused_at = 0 AND ((state IN ? AND resolve_due > 0 AND resolve_due < ?) OR (state IN ? AND responded_at = 0 AND respond_due > 0 AND respond_due < ?))", openStates, millis(q.Soon), unansweredStates, millis(q.Soon))
	}
	return db
}

// CountMost is where counting of tickets ends.
const CountMost = 10_000

// CountTickets counts what a query chooses, without its page; CountMost means
// that many or more.
func (s *Store) CountTickets(ctx context.Context, q TicketQuery) (n int64, err error) {
	q.Before, q.Skip = 0, 0
	parts := s.halves(ctx, "1 AS one", q)
	for i := range parts {
		parts[i] = parts[i].Limit(CountMost)
	}
	err = s.union(ctx, parts).Count(&n).Error
	return min(n, CountMost), err
}

// PageTickets is ListTickets for pages: the rows of one page are looked for by
// an index alone, state by state when the most urgent come first, and only then
// read.
func (s *Store) PageTickets(ctx context.Context, q TicketQuery) ([]Ticket, error) {
	n := min(max(q.N, 1), 500)
	order := "id DESC"
	if q.ByDue {
		order = "priority, resolve_due, id"
	}
	states := [][]TicketState{q.States}
	inner := order
	if q.few() {
		inner = "COALESCE(id, 0) DESC" // no index has this order: the narrow one is taken
		if q.ByDue {
			inner = "COALESCE(priority, ''), resolve_due, id"
		}
	} else if len(q.States) > 1 {
		states = states[:0] // one after another: each is in the order of an index
		for _, state := range q.States {
			states = append(states, []TicketState{state})
		}
	}
	var parts []*gorm.DB
	for _, st := range states {
		one := q
		one.States = st
		for _, h := range s.halves(ctx, "id, priority, resolve_due", one) {
			parts = append(parts, h.Order(inner).Limit(n+q.Skip))
		}
	}
	found := s.union(ctx, parts).Select("id").Order(order)
	if q.Skip > 0 {
		found = found.Offset(q.Skip)
	}
	var ids []int64
	if err := found.Limit(n).Scan(&ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	var rows []ticketRow
	if err := s.read.WithContext(ctx).Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	byID := map[int64]ticketRow{}
	for _, r := range rows {
		byID[r.ID] = r
	}
	rows = rows[:0]
	for _, id := range ids {
		if r, ok := byID[id]; ok {
			rows = append(rows, r)
		}
	}
	return tickets(rows), nil
}

// EachTicket calls fn with every ticket that a query chooses, newest first,
// until fn fails or most are done; none is lost or doubled by tickets that come
// meanwhile.
func (s *Store) EachTicket(ctx context.Context, q TicketQuery, most int, fn func(Ticket) error) error {
	q.ByDue, q.Skip, q.Before = false, 0, 0
	for done := 0; done < most; {
		q.N = min(500, most-done)
		page, err := s.PageTickets(ctx, q)
		if err != nil {
			return err
		}
		for _, t := range page {
			if err := fn(t); err != nil {
				return err
			}
		}
		if len(page) < q.N {
			return nil
		}
		done += len(page)
		q.Before = page[len(page)-1].ID
	}
	return nil
}

// FindMembers returns the known ones of some userids.
func (s *Store) FindMembers(ctx context.Context, ids []string) (map[string]chat.User, error) {
	out := map[string]chat.User{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []memberRow
	if err := s.read.WithContext(ctx).Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("find members: %w", err)
	}
	for _, r := range rows {
		out[r.ID] = r.user()
	}
	return out, nil
}

// Colleagues returns who works on tickets and is not disabled, by name.
func (s *Store) Colleagues(ctx context.Context) ([]chat.User, error) {
	var rows []memberRow
	// The roles are looked at again: a LIKE also finds names that contain one.
	err := s.read.WithContext(ctx).Where("disabled = 0 AND (roles LIKE '%responder%' OR roles LIKE '%leader%' OR roles LIKE '%admin%')").Order("name, id").Find(&rows).Error
	var out []chat.User
	for _, r := range rows {
		if u := r.user(); u.Roles.Has(chat.Responder, chat.Leader, chat.Admin) {
			out = append(out, u)
		}
	}
	return out, err
}

// Departments returns the departments of all members, by name.
func (s *Store) Departments(ctx context.Context) (out []string, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT DISTINCT department FROM member WHERE department <> '' ORDER BY department").Scan(&out).Error
	return out, err
}

// IDAt is the smallest id of an instant: what comes later is above it.
func (s *Store) IDAt(t time.Time) int64 { return idAt(t) }
