package storetest

import (
	"fmt"
	"strings"
	"time"
)

// The sums of a day that was filled, added up by SQL from its rows, for the day
// and for its month.

// hourText is the hour of an instant of a day, in two digits.
func hourText(column string, midnight time.Time) string {
	all := ""
	for h := range 24 {
		all += fmt.Sprintf("%02d", h)
	}
	since := fmt.Sprintf("(%s - %d)", column, midnight.UnixMilli())
	return fmt.Sprintf("SUBSTR('%s', 1 + 2 * ((%s - %s %% 3600000) / 3600000), 2)", all, since, since)
}

// seconds is a difference of milliseconds in whole seconds, none below 0.
func seconds(from, to string) string {
	d := fmt.Sprintf("CASE WHEN %[2]s > %[1]s THEN %[2]s - %[1]s ELSE 0 END", from, to)
	return fmt.Sprintf("((%[1]s) - (%[1]s) %% 1000) / 1000", d)
}

// upsert is the end of an INSERT that adds to what is there.
func (f *filler) upsert(keys string, sums ...string) string {
	set := make([]string, len(sums))
	for i, c := range sums {
		set[i] = fmt.Sprintf("%[1]s = %[2]s.%[1]s + excluded.%[1]s", c, "%[1]s")
		if f.mysql {
			set[i] = fmt.Sprintf("%[1]s = %[2]s.%[1]s + VALUES(%[1]s)", c, "%[1]s")
		}
	}
	if f.mysql {
		return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
	}
	return " ON CONFLICT (" + keys + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// into adds rows to a table of sums; from yields the keys and the sums.
func (f *filler) into(table string, keys, sums []string, from string) {
	f.t.Helper()
	end := strings.ReplaceAll(f.upsert(strings.Join(keys, ", "), sums...), "%[1]s", table)
	f.exec(fmt.Sprintf("INSERT INTO %s (%s, %s) SELECT * FROM (%s) x WHERE 1 = 1%s", table, strings.Join(keys, ", "), strings.Join(sums, ", "), from, end))
}

// month adds the sums of a day to those of its month.
func (f *filler) month(table string, keys, sums []string, day int64) {
	f.t.Helper()
	columns := strings.Replace(strings.Join(keys, ", "), "day_key", fmt.Sprintf("%d AS day_key", day/100*100), 1)
	f.into(table, keys, sums, fmt.Sprintf("SELECT %s, %s FROM %s WHERE day_key = %d", columns, strings.Join(sums, ", "), table, day))
}

func (f *filler) ticketSums(midnight time.Time, first, last int64) {
	one := func(when string) string { return "SUM(CASE WHEN " + when + " THEN 1 ELSE 0 END)" }
	of := func(when, what string) string { return "SUM(CASE WHEN " + when + " THEN " + what + " ELSE 0 END)" }
	const alive, solved = "state NOT IN ('void', 'merged')", "state IN ('resolved', 'closed')"
	answered := alive + " AND answered_at > 0"
	sums := []string{one("state <> 'void'"), one("state = 'void'"), one("state = 'merged'"), one("state IN ('new', 'assigned', 'in_progress', 'waiting', 'reopened')"), one(solved), one(answered), of(answered, seconds("created_at", "answered_at")),
		of(answered, "answered_late"), of(solved, seconds("created_at", "resolved_at")), one(solved + " AND resolve_due > 0 AND resolved_at > resolve_due"), one("state <> 'void' AND cycle > 0"),
		one(alive + " AND rating > 0"), of(alive, "rating"), one(alive + " AND rating >= 4"), one(alive + " AND rating BETWEEN 1 AND 2")}
	names := []string{"reported", "withdrawn", "merged", "still_open", "solved", "answered", "answer_time", "answer_late", "solve_time", "solve_late", "reopened", "rated", "stars", "good", "bad"}
	where := fmt.Sprintf("FROM ticket WHERE id >= %d AND id < %d", first, last)
	key := f.s.DayKey(midnight)
	times := []string{"kind", "day_key", "class", "service_group", "seconds"}
	for _, k := range []struct{ kind, a, b string }{{"group", "class", "service_group"}, {"branch", "branch", "class"}, {"hour", hourText("created_at", midnight), "''"}, {"subclass", "subclass", "class"}, {"version", "app_version", "''"}, {"handler", "assignee", "''"}} {
		f.into("ticket_figure", []string{"kind", "day_key", "a", "b"}, names, fmt.Sprintf("SELECT '%s' AS kind, %d AS day_key, %s AS a, %s AS b, %s %s GROUP BY %s, %s", k.kind, key, k.a, k.b, named(sums, names), where, k.a, k.b))
	}
	for _, k := range []struct{ kind, when, what string }{{"answer", answered, seconds("created_at", "answered_at")}, {"solve", solved, seconds("created_at", "resolved_at")}} {
		f.into("time_figure", times, []string{"tickets"}, fmt.Sprintf("SELECT '%s' AS kind, %d AS day_key, class, service_group, %s AS seconds, COUNT(*) AS tickets FROM (SELECT class, service_group, %s AS s %s AND %s) y GROUP BY class, service_group, %s",
			k.kind, key, steps("s"), k.what, where, k.when, steps("s")))
	}
	f.month("ticket_figure", []string{"kind", "day_key", "a", "b"}, names, key)
	f.month("time_figure", times, []string{"tickets"}, key)
}

func named(values, names []string) string {
	out := make([]string, len(values))
	for i := range values {
		out[i] = values[i] + " AS " + names[i]
	}
	return strings.Join(out, ", ")
}

// steps rounds seconds down as docs/analysis.md says.
func steps(s string) string {
	text := "CASE"
	for _, x := range [][2]int{{30, 1}, {120, 5}, {300, 15}, {600, 30}, {1800, 60}, {7200, 300}, {28800, 900}, {86400, 3600}, {3 * 86400, 4 * 3600}, {30 * 86400, 86400}} {
		text += fmt.Sprintf(" WHEN %[1]s < %[2]d THEN %[1]s - %[1]s %% %[3]d", s, x[0], x[1])
	}
	return text + fmt.Sprintf(" ELSE %d END", 30*86400)
}

func (f *filler) questionSums(midnight time.Time, first, last int64) {
	one := func(when string) string { return "SUM(CASE WHEN " + when + " THEN 1 ELSE 0 END)" }
	const raw = "(band = 'answer' AND feedback NOT IN ('useless', 'person') OR band = 'clarify' AND feedback = 'useful')"
	sums := []string{"COUNT(*)", one("band = 'answer'"), one("band = 'clarify'"), one("band NOT IN ('answer', 'clarify')"), one("feedback = 'useful'"), one("feedback = 'useless'"), one("feedback = 'person'"), one("ticket > 0"), one(raw), one(raw + " AND ticket = 0 AND undone = ''")}
	names := []string{"asked", "answered", "offered", "refused", "useful", "useless", "handed", "ticketed", "raw_solved", "solved"}
	text := "entry"
	if f.mysql {
		text = "CAST(entry AS CHAR)"
	}
	key := f.s.DayKey(midnight)
	for _, k := range []struct{ kind, a, when string }{{"all", "''", "1 = 1"}, {"branch", "branch", "1 = 1"}, {"hour", hourText("asked_at", midnight), "1 = 1"}, {"entry", text, "entry > 0"}} {
		f.into("question_figure", []string{"kind", "day_key", "a"}, names, fmt.Sprintf("SELECT '%s' AS kind, %d AS day_key, %s AS a, %s FROM question WHERE id >= %d AND id < %d AND %s GROUP BY %s", k.kind, key, k.a, named(sums, names), first, last, k.when, k.a))
	}
	f.month("question_figure", []string{"kind", "day_key", "a"}, names, key)
}
