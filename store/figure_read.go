package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
)

// FigureZone is the zone whose midnights are the borders of the days.
func (s *Store) FigureZone() *time.Location { return s.counting.zone }

// FigureFilter narrows figures down to a branch or a service group; both empty
// are everything.
type FigureFilter struct{ Branch, Group string }

// Split is one row of sums that are split by something.
type Split struct {
	A, B string
	TicketFigures
}

// dayKeys are the rows that make up the days [from, to): whole months by their
// own rows, the rest by days.
func (s *Store) dayKeys(from, to time.Time) (keys []int64) {
	from, to = s.midnight(from), s.midnight(to)
	for d := from; d.Before(to); {
		if next := d.AddDate(0, 1, 0); d.Day() == 1 && !next.After(to) {
			keys = append(keys, monthKey(d))
			d = next
			continue
		}
		keys = append(keys, dayKey(d))
		d = d.AddDate(0, 0, 1)
	}
	return keys
}

func (s *Store) midnight(t time.Time) time.Time {
	t = t.In(s.counting.zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, s.counting.zone)
}

func sums(columns []string) string {
	return "SUM(" + strings.Join(columns, "),SUM(") + ")"
}

// SplitTickets returns the sums of the days [from, to), split by a kind.
func (s *Store) SplitTickets(ctx context.Context, kind string, from, to time.Time) ([]Split, error) {
	return s.splitTickets(ctx, []string{"a", "b"}, s.read.Where("kind = ? AND day_key IN ?", kind, s.dayKeys(from, to)))
}

// splitTickets splits by one or two columns.
func (s *Store) splitTickets(ctx context.Context, columns []string, where *gorm.DB) (out []Split, err error) {
	by := strings.Join(columns, ",")
	rows, err := s.read.WithContext(ctx).Table("ticket_figure").Select(by + "," + sums(ticketSums)).Where(where).Group(by).Order(by).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r Split
		to := []any{&r.A, &r.B}[:len(columns)]
		for _, p := range r.all() {
			to = append(to, p)
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// TicketsByClass returns the sums of the days [from, to) by class.
func (s *Store) TicketsByClass(ctx context.Context, f FigureFilter, from, to time.Time) (map[string]TicketFigures, error) {
	keys := s.dayKeys(from, to)
	where, class := s.read.Where("kind = ? AND day_key IN ?", ByGroup, keys), "a"
	switch {
	case f.Branch != "":
		where, class = s.read.Where("kind = ? AND day_key IN ? AND a = ?", ByBranch, keys, f.Branch), "b"
	case f.Group != "":
		where = where.Where("b = ?", f.Group)
	}
	list, err := s.splitTickets(ctx, []string{class}, where)
	out := map[string]TicketFigures{}
	for _, r := range list {
		out[r.A] = r.TicketFigures
	}
	return out, err
}

// DayFigures are the sums of one day, of one class.
type DayFigures struct {
	Day   time.Time
	Class string
	TicketFigures
}

// TicketsByDay returns the sums of each day of [from, to) and class; days
// without any are left out.
func (s *Store) TicketsByDay(ctx context.Context, f FigureFilter, from, to time.Time) ([]DayFigures, error) {
	first, last := dayKey(s.midnight(from)), dayKey(s.midnight(to))
	kind, class, cond, arg := ByGroup, "a", "b = ?", f.Group
	if f.Branch != "" {
		kind, class, cond, arg = ByBranch, "b", "a = ?", f.Branch
	}
	// Months end in 00, and so lie between the days.
	where := s.read.Where("kind = ? AND day_key >= ? AND day_key < ? AND day_key % 100 > 0", kind, first, last)
	if arg != "" {
		where = where.Where(cond, arg)
	}
	rows, err := s.read.WithContext(ctx).Table("ticket_figure").Select("day_key," + class + "," + sums(ticketSums)).Where(where).Group("day_key," + class).Order("day_key," + class).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []DayFigures
	for rows.Next() {
		var r DayFigures
		var day int64
		to := []any{&day, &r.Class}
		for _, p := range r.all() {
			to = append(to, p)
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		r.Day = s.dayOf(day)
		out = append(out, r)
	}
	return out, rows.Err()
}

func (s *Store) dayOf(key int64) time.Time {
	return time.Date(int(key/10000), time.Month(key/100%100), int(key%100), 0, 0, 0, 0, s.counting.zone)
}

// Hour is how much came in one hour of the day, on one day of the week.
type Hour struct {
	Tickets, Questions int64
}

// Hours counts contacts of the days [from, to) by day of the week and hour.
func (s *Store) Hours(ctx context.Context, from, to time.Time) (map[time.Weekday]map[int]Hour, error) {
	first, last := dayKey(s.midnight(from)), dayKey(s.midnight(to))
	out := map[time.Weekday]map[int]Hour{}
	read := func(table, column string, add func(h *Hour, n int64)) error {
		var rows []struct {
			DayKey int64
			A      int
			N      int64
		}
		err := s.read.WithContext(ctx).Raw("SELECT day_key, a, "+column+" AS n FROM "+table+" WHERE kind=? AND day_key>=? AND day_key<? AND day_key % 100 > 0", ByHour, first, last).Scan(&rows).Error
		for _, r := range rows {
			day := s.dayOf(r.DayKey).Weekday()
			if out[day] == nil {
				out[day] = map[int]Hour{}
			}
			h := out[day][r.A]
			add(&h, r.N)
			out[day][r.A] = h
		}
		return err
	}
	if err := read("ticket_figure", "reported", func(h *Hour, n int64) { h.Tickets += n }); err != nil {
		return nil, err
	}
	return out, read("question_figure", "asked", func(h *Hour, n int64) { h.Questions += n })
}

// TicketTimes returns how long tickets of the days [from, to) took to the first
// response and to the solution, by class. A branch has none: the sums of so many
// branches would not be small any more.
func (s *Store) TicketTimes(ctx context.Context, f FigureFilter, from, to time.Time) (answer, solve map[string]Times, err error) {
	db := s.read.WithContext(ctx).Table("time_figure").Select("kind, class, seconds, SUM(tickets) AS n").Where("kind IN ? AND day_key IN ?", []string{timeToAnswer, timeToSolve}, s.dayKeys(from, to))
	if f.Group != "" {
		db = db.Where("service_group = ?", f.Group)
	}
	var rows []struct {
		Kind, Class string
		Seconds, N  int64
	}
	err = db.Group("kind, class, seconds").Scan(&rows).Error
	answer, solve = map[string]Times{}, map[string]Times{}
	for _, r := range rows {
		to := answer
		if r.Kind == timeToSolve {
			to = solve
		}
		if to[r.Class] == nil {
			to[r.Class] = Times{}
		}
		to[r.Class][r.Seconds] += r.N
	}
	return answer, solve, err
}

// SplitQuestions returns the sums over questions of the days [from, to), split
// by a kind.
func (s *Store) SplitQuestions(ctx context.Context, kind string, from, to time.Time) (map[string]QuestionFigures, error) {
	rows, err := s.read.WithContext(ctx).Table("question_figure").Select("a,"+sums(questionSums)).Where("kind = ? AND day_key IN ?", kind, s.dayKeys(from, to)).Group("a").Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]QuestionFigures{}
	for rows.Next() {
		var a string
		var f QuestionFigures
		to := []any{&a}
		for _, p := range f.all() {
			to = append(to, p)
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out[a] = f
	}
	return out, rows.Err()
}

// QuestionSums returns the sums over the questions of the days [from, to).
func (s *Store) QuestionSums(ctx context.Context, branch string, from, to time.Time) (QuestionFigures, error) {
	if branch == "" {
		all, err := s.SplitQuestions(ctx, ByAll, from, to)
		return all[""], err
	}
	all, err := s.SplitQuestions(ctx, ByBranch, from, to)
	return all[branch], err
}
