package store

import (
	"cmp"
	"context"
	"slices"
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
// own rows, and so most of a month less the days that are missing; the rest by
// days. What plus adds up to, less minus, is the sum.
func (s *Store) dayKeys(from, to time.Time) (plus, minus []int64) {
	from, to = s.midnight(from), s.midnight(to)
	for from.Before(to) {
		month := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, from.Location())
		next := month.AddDate(0, 1, 0)
		end := next
		if to.Before(end) {
			end = to
		}
		in, out := daysOf(from, end), append(daysOf(month, from), daysOf(end, next)...)
		if len(out) < len(in) {
			plus, minus = append(plus, monthKey(month)), append(minus, out...)
		} else {
			plus = append(plus, in...)
		}
		from = end
	}
	return plus, minus
}

// daysOf are the keys of the days [from, to).
func daysOf(from, to time.Time) (out []int64) {
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		out = append(out, dayKey(d))
	}
	return out
}

// eachKeys reads the rows of the days [from, to): those that count once, and
// those that are taken away again, times being -1.
func (s *Store) eachKeys(from, to time.Time, read func(keys []int64, times int64) error) error {
	plus, minus := s.dayKeys(from, to)
	if len(plus) == 0 {
		return nil
	}
	err := read(plus, 1)
	if err == nil && len(minus) > 0 {
		err = read(minus, -1)
	}
	return err
}

func (s *Store) midnight(t time.Time) time.Time {
	t = t.In(s.counting.zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, s.counting.zone)
}

func sums(columns []string) string {
	return "SUM(" + strings.Join(columns, "),SUM(") + ")"
}

// SplitTickets returns the sums of the days [from, to), split by a kind.
func (s *Store) SplitTickets(ctx context.Context, kind string, from, to time.Time) (out []Split, err error) {
	at := map[[2]string]int{}
	err = s.eachKeys(from, to, func(keys []int64, times int64) error {
		return s.eachSplit(ctx, []string{"a", "b"}, s.read.Where("kind = ? AND day_key IN ?", kind, keys), func(r Split) {
			k := [2]string{r.A, r.B}
			i, ok := at[k]
			if !ok {
				i, at[k] = len(out), len(out)
				out = append(out, Split{A: r.A, B: r.B})
			}
			addSums(out[i].all(), r.all(), times)
		})
	})
	slices.SortFunc(out, func(x, y Split) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return out, err
}

// eachSplit splits by one or two columns.
func (s *Store) eachSplit(ctx context.Context, columns []string, where *gorm.DB, fn func(Split)) error {
	by := strings.Join(columns, ",")
	rows, err := s.read.WithContext(ctx).Table("ticket_figure").Select(by + "," + sums(ticketSums)).Where(where).Group(by).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Split
		to := []any{&r.A, &r.B}[:len(columns)]
		for _, p := range r.all() {
			to = append(to, p)
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		fn(r)
	}
	return rows.Err()
}

// TicketsByClass returns the sums of the days [from, to) by class.
func (s *Store) TicketsByClass(ctx context.Context, f FigureFilter, from, to time.Time) (map[string]TicketFigures, error) {
	out := map[string]TicketFigures{}
	err := s.eachKeys(from, to, func(keys []int64, times int64) error {
		where, class := s.read.Where("kind = ? AND day_key IN ?", ByGroup, keys), "a"
		switch {
		case f.Branch != "":
			where, class = s.read.Where("kind = ? AND day_key IN ? AND a = ?", ByBranch, keys, f.Branch), "b"
		case f.Group != "":
			where = where.Where("b = ?", f.Group)
		}
		return s.eachSplit(ctx, []string{class}, where, func(r Split) {
			sum := out[r.A]
			addSums(sum.all(), r.all(), times)
			out[r.A] = sum
		})
	})
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
	answer, solve = map[string]Times{}, map[string]Times{}
	err = s.eachTime(ctx, "class", f, []string{timeToAnswer, timeToSolve}, from, to, func(kind, class string, seconds, n int64) {
		to := answer
		if kind == timeToSolve {
			to = solve
		}
		addTime(to, class, seconds, n)
	})
	return answer, solve, err
}

// GroupTimes returns how long tickets of the days [from, to) took to the first
// response, by service group.
func (s *Store) GroupTimes(ctx context.Context, from, to time.Time) (map[string]Times, error) {
	out := map[string]Times{}
	err := s.eachTime(ctx, "service_group", FigureFilter{}, []string{timeToAnswer}, from, to, func(_, group string, seconds, n int64) { addTime(out, group, seconds, n) })
	return out, err
}

func addTime(to map[string]Times, name string, seconds, n int64) {
	if to[name] == nil {
		to[name] = Times{}
	}
	if to[name][seconds] += n; to[name][seconds] == 0 {
		delete(to[name], seconds)
	}
}

func (s *Store) eachTime(ctx context.Context, by string, f FigureFilter, kinds []string, from, to time.Time, fn func(kind, name string, seconds, n int64)) error {
	return s.eachKeys(from, to, func(keys []int64, times int64) error {
		db := s.read.WithContext(ctx).Table("time_figure").Select("kind, "+by+", seconds, SUM(tickets)").Where("kind IN ? AND day_key IN ?", kinds, keys)
		if f.Group != "" {
			db = db.Where("service_group = ?", f.Group)
		}
		rows, err := db.Group("kind, " + by + ", seconds").Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind, name string
			var seconds, n int64
			if err := rows.Scan(&kind, &name, &seconds, &n); err != nil {
				return err
			}
			fn(kind, name, seconds, times*n)
		}
		return rows.Err()
	})
}

// SplitQuestions returns the sums over questions of the days [from, to), split
// by a kind.
func (s *Store) SplitQuestions(ctx context.Context, kind string, from, to time.Time) (map[string]QuestionFigures, error) {
	out := map[string]QuestionFigures{}
	err := s.eachKeys(from, to, func(keys []int64, times int64) error {
		rows, err := s.read.WithContext(ctx).Table("question_figure").Select("a,"+sums(questionSums)).Where("kind = ? AND day_key IN ?", kind, keys).Group("a").Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a string
			var f QuestionFigures
			to := []any{&a}
			for _, p := range f.all() {
				to = append(to, p)
			}
			if err := rows.Scan(to...); err != nil {
				return err
			}
			sum := out[a]
			addSums(sum.all(), f.all(), times)
			out[a] = sum
		}
		return rows.Err()
	})
	return out, err
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
