package storetest

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"

	"frontline/store"

	_ "modernc.org/sqlite"
)

// Fill is a big past written straight into the tables, day after day, with the
// sums that the transactions of a real desk would have left. A test compares
// the sums with those that the store counts itself.
type Fill struct {
	Tickets   int
	Questions int // over the last 60 days
	Days      int // that the tickets are spread over
	Until     time.Time
	Progress  func(day, tickets int)
}

const (
	fillBranches  = 48
	fillHandlers  = 60
	fillReporters = 5000
	fillGroups    = 200 // of alerts, a day
	fillMonitors  = 20
	fillRuns      = 30 // a day
	questionDays  = 60
)

// filler writes; the same statements for both databases but for the few words
// that differ.
type filler struct {
	t     testing.TB
	db    *sql.DB
	mysql bool
	o     Fill
	s     *store.Store
	zone  *time.Location
	count int64 // the number under which rows are counted
	perMS int64 // ids in a millisecond
	// pattern is the id of the row that the others of a table are like.
	pattern map[string]int64
}

// FillStore fills a store that has one ticket and one question, both of today:
// their rows are the pattern of the others.
func FillStore(t testing.TB, address string, s *store.Store, o Fill) {
	t.Helper()
	f := &filler{t: t, o: o, s: s, zone: s.FigureZone(), mysql: strings.HasPrefix(address, "mysql:")}
	f.db = Raw(t, address)
	now := time.Now()
	f.perMS = s.IDAt(now.Add(time.Millisecond)) - s.IDAt(now)
	if err := f.db.QueryRow("SELECT count_no FROM figure_state").Scan(&f.count); err != nil {
		t.Fatal(err)
	}
	f.pattern = map[string]int64{}
	for _, table := range []string{"ticket", "question"} {
		var id int64
		if err := f.db.QueryRow("SELECT MIN(id) FROM " + table).Scan(&id); err != nil {
			t.Fatal(err)
		}
		f.pattern[table] = id
	}
	perDay := max(1, o.Tickets/max(1, o.Days))
	asked := max(1, o.Questions/questionDays)
	f.numbers(max(perDay, asked, fillGroups, fillReporters) + 1)
	f.people()
	for _, table := range []string{"ticket_figure", "time_figure", "question_figure"} {
		f.exec("DELETE FROM " + table) // of the pattern, which the last day counts
	}
	restore := f.dropIndexes("ticket")
	midnight := time.Date(o.Until.Year(), o.Until.Month(), o.Until.Day(), 0, 0, 0, 0, f.zone)
	made := 0
	for day := range o.Days {
		at := midnight.AddDate(0, 0, day-o.Days+1)
		f.day(at, made, perDay, o.Days-1-day, asked)
		made += perDay
		if o.Progress != nil && day%30 == 29 {
			o.Progress(day+1, made)
		}
	}
	f.exec("DROP TABLE fill_n")
	restore()
	f.exec("UPDATE counter SET next=? WHERE kind='ticket'", made+1_000_000)
	if f.mysql {
		f.exec("ANALYZE TABLE ticket, ticket_figure, time_figure, question_figure, question, alert_group, ticket_link, construct_run, monitor_day")
	}
}

// Raw opens a database of a test beside its store, until the test ends.
func Raw(t testing.TB, address string) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", strings.TrimPrefix(address, "sqlite:")+"?_pragma=busy_timeout(60000)&_pragma=synchronous(OFF)&_pragma=cache_size(-800000)&_pragma=temp_store(MEMORY)"
	if u, err := url.Parse(address); err == nil && u.Scheme == "mysql" {
		cfg := mysqldriver.NewConfig()
		cfg.User = u.User.Username()
		cfg.Passwd, _ = u.User.Password()
		cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
		cfg.Params = map[string]string{"charset": "utf8mb4"}
		driver, dsn = "mysql", cfg.FormatDSN()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func (f *filler) exec(statement string, args ...any) {
	f.t.Helper()
	if _, err := f.db.Exec(statement, args...); err != nil {
		f.t.Fatalf("%v in %.300s", err, statement)
	}
}

// cat puts texts together.
func (f *filler) cat(parts ...string) string {
	if f.mysql {
		return "CONCAT(" + strings.Join(parts, ",") + ")"
	}
	return "(" + strings.Join(parts, "||") + ")"
}

// numbers makes a table of the numbers below n.
func (f *filler) numbers(n int) {
	kind := ""
	if f.mysql {
		kind = " ENGINE=InnoDB"
	}
	f.exec("CREATE TABLE fill_n (n BIGINT PRIMARY KEY)" + kind)
	for from := 0; from < n; from += 1000 {
		rows := make([]string, 0, 1000)
		for i := from; i < min(n, from+1000); i++ {
			rows = append(rows, fmt.Sprintf("(%d)", i))
		}
		f.exec("INSERT INTO fill_n VALUES " + strings.Join(rows, ","))
	}
}

// dropIndexes takes the indexes of a table away and returns what makes them
// again: all at once they cost a fraction of what they cost row by row.
func (f *filler) dropIndexes(table string) (restore func()) {
	f.t.Helper()
	var drop, again []string
	if f.mysql {
		drop, again = f.mysqlIndexes(table)
	} else {
		for _, r := range f.rows("SELECT name, sql FROM sqlite_master WHERE type='index' AND tbl_name=? AND sql IS NOT NULL", table) {
			drop, again = append(drop, "DROP INDEX "+r[0]), append(again, r[1])
		}
	}
	for _, statement := range drop {
		f.exec(statement)
	}
	return func() {
		for _, statement := range again {
			f.exec(statement)
		}
	}
}

// mysqlIndexes are one statement that drops all secondary indexes of a table,
// and one that makes them.
func (f *filler) mysqlIndexes(table string) (drop, again []string) {
	var drops, adds []string
	for _, r := range f.rows(`SELECT index_name, MIN(non_unique), GROUP_CONCAT(CONCAT(column_name, CASE WHEN sub_part IS NULL THEN '' ELSE CONCAT('(', sub_part, ')') END) ORDER BY seq_in_index)
		FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name <> 'PRIMARY' GROUP BY index_name`, table) {
		kind := "INDEX"
		if r[1] == "0" {
			kind = "UNIQUE INDEX"
		}
		drops, adds = append(drops, "DROP INDEX "+r[0]), append(adds, fmt.Sprintf("ADD %s %s (%s)", kind, r[0], r[2]))
	}
	return []string{"ALTER TABLE " + table + " " + strings.Join(drops, ", ")}, []string{"ALTER TABLE " + table + " " + strings.Join(adds, ", ")}
}

// rows are all rows of a query as texts.
func (f *filler) rows(query string, args ...any) (out [][]string) {
	f.t.Helper()
	rows, err := f.db.Query(query, args...)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		f.t.Fatal(err)
	}
	for rows.Next() {
		values := make([]string, len(columns))
		to := make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			f.t.Fatal(err)
		}
		out = append(out, values)
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return out
}

func (f *filler) people() {
	f.exec(fmt.Sprintf("INSERT INTO member (id, name, department, roles, disabled, created_at, seen_at, version) SELECT %s, %s, %s, 'reporter', 0, 0, 0, 1 FROM fill_n WHERE n < %d", f.cat("'r'", "n"), f.cat("'同事'", "n"), f.cat("'营业部'", fmt.Sprintf("n %% %d", fillBranches)), fillReporters))
	f.exec(fmt.Sprintf("INSERT INTO member (id, name, department, roles, disabled, created_at, seen_at, version) SELECT %s, %s, '支持部', 'reporter,responder', 0, 0, 0, 1 FROM fill_n WHERE n < %d", f.cat("'h'", "n"), f.cat("'处理人'", "n"), fillHandlers))
}

// copied is an INSERT of rows that are like the pattern of a table but for some
// columns.
func (f *filler) copied(table string, change map[string]string, where string) {
	f.t.Helper()
	rows, err := f.db.Query("SELECT * FROM " + table + " LIMIT 1")
	if err != nil {
		f.t.Fatal(err)
	}
	columns, err := rows.Columns()
	rows.Close()
	if err != nil {
		f.t.Fatal(err)
	}
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = "p." + c
		if v, ok := change[c]; ok {
			values[i] = v
			delete(change, c)
		}
	}
	if len(change) > 0 {
		f.t.Fatalf("%s has no %v", table, change)
	}
	f.exec(fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s p, fill_n WHERE p.id = %d AND %s", table, strings.Join(columns, ","), strings.Join(values, ","), table, f.pattern[table], where))
}

// day writes everything of one day, all of it in one transaction.
func (f *filler) day(midnight time.Time, base, tickets, age, asked int) {
	f.exec("BEGIN")
	f.tickets(midnight, base, tickets, age)
	if age < questionDays {
		f.questions(midnight, age, asked)
	}
	f.machines(midnight, base, tickets, age)
	f.exec("COMMIT")
	first, last := f.s.IDAt(midnight), f.s.IDAt(midnight.AddDate(0, 0, 1))
	f.exec("BEGIN")
	f.ticketSums(midnight, first, last)
	if age < questionDays {
		f.questionSums(midnight, first, last)
	}
	f.exec("COMMIT")
}

// worked is the span in which a day's things happen: from eight, ten hours.
const (
	opens  = 8 * 3600_000
	worked = 10 * 3600_000
)

// spread are the id and the instant of the n-th of so many things of a day.
func (f *filler) spread(midnight time.Time, of int) (id, at string) {
	step := max(1, worked/max(1, of))
	at = fmt.Sprintf("(%d + n * %d)", midnight.UnixMilli()+opens, step)
	id = fmt.Sprintf("(%d + n * %d)", f.s.IDAt(midnight.Add(opens*time.Millisecond)), int64(step)*f.perMS)
	return id, at
}

func (f *filler) tickets(midnight time.Time, base, n, age int) {
	id, at := f.spread(midnight, n)
	i := fmt.Sprintf("(%d + n)", base)
	dice := func(k int) string { return fmt.Sprintf("((%s * 7919 + %d) %% 1000)", i, k*104729) }
	state := fmt.Sprintf("CASE WHEN %[1]s < 30 THEN 'void' WHEN %[1]s < 70 THEN 'merged' ELSE 'closed' END", dice(1))
	if age < 10 {
		state = fmt.Sprintf("CASE WHEN %[1]s < 30 THEN 'void' WHEN %[1]s < 70 THEN 'merged' WHEN %[1]s < 120 THEN 'new' WHEN %[1]s < 220 THEN 'in_progress' WHEN %[1]s < 260 THEN 'waiting' WHEN %[1]s < 270 THEN 'reopened' WHEN %[1]s < 500 THEN 'resolved' ELSE 'closed' END", dice(1))
	}
	fresh := "(" + dice(1) + " >= 70 AND " + dice(1) + " < 120)" // nobody has looked at it
	if age >= 10 {
		fresh = "(1 = 0)"
	}
	solved := fmt.Sprintf("(%s + 600000 + (%s * 31 %% 900) * 60000)", at, i)
	if age < 10 {
		solved = fmt.Sprintf("CASE WHEN %[1]s >= 270 THEN %[2]s ELSE 0 END", dice(1), solved)
	}
	answered := fmt.Sprintf("CASE WHEN %s THEN 0 ELSE %s + 1000 * (20 + %s * 17 %% 5400) END", fresh, at, i)
	f.copied("ticket", map[string]string{
		"id": id, "number": fmt.Sprintf("%s + 1000", i), "source_message": f.cat("'f'", i), "state": state, "created_at": at, "updated_at": at,
		"priority":      fmt.Sprintf("CASE WHEN %[1]s < 30 THEN 'P1' WHEN %[1]s < 200 THEN 'P2' WHEN %[1]s < 700 THEN 'P3' ELSE 'P4' END", dice(2)),
		"class":         fmt.Sprintf("CASE WHEN %[1]s < 600 THEN 'consult' WHEN %[1]s < 800 THEN 'program' WHEN %[1]s < 950 THEN 'data' ELSE 'other' END", dice(3)),
		"subclass":      f.cat("'子类'", dice(3)+" % 20"),
		"service_group": fmt.Sprintf("CASE WHEN %[1]s < 100 THEN %[2]s WHEN %[3]s < 600 THEN 'g0' WHEN %[3]s < 800 THEN 'g1' ELSE 'g2' END", dice(9), f.cat("'g'", dice(9)+" % 8"), dice(3)), "branch": f.cat("'营业部'", fmt.Sprintf("%s %% %d", i, fillBranches)), "app_version": f.cat("'9.'", dice(4)+" % 12"),
		"reporter": f.cat("'r'", fmt.Sprintf("%s * 13 %% %d", i, fillReporters)), "assignee": fmt.Sprintf("CASE WHEN %s THEN '' ELSE %s END", fresh, f.cat("'h'", fmt.Sprintf("%s * 7 %% %d", i, fillHandlers))), "handler": "''",
		"title": f.cat("'持仓页白屏，刷新后仍没有 '", i), "responded_at": answered, "answered_at": answered, "answered_late": fmt.Sprintf("CASE WHEN NOT %s AND %s < 60 THEN 1 ELSE 0 END", fresh, dice(5)),
		"respond_due": fmt.Sprintf("%s + 1800000", at), "resolve_due": fmt.Sprintf("%s + 28800000", at), "resolved_at": solved, "closed_at": "0", "cycle": fmt.Sprintf("CASE WHEN %s < 40 THEN 1 ELSE 0 END", dice(6)),
		"rating": fmt.Sprintf("CASE WHEN %s < 380 THEN 1 + %s %% 5 ELSE 0 END", dice(7), dice(8)), "counted": fmt.Sprint(f.count), "version": "3", "look_at": "0"}, fmt.Sprintf("n < %d", n))
}

// questions are of people who ask nothing twice and report nothing: so nothing
// takes their answers back.
func (f *filler) questions(midnight time.Time, age, n int) {
	id, at := f.spread(midnight, n)
	i := fmt.Sprintf("(%d + n)", (questionDays-age)*n)
	dice := func(k int) string { return fmt.Sprintf("((%s * 7919 + %d) %% 1000)", i, k*104729) }
	band := fmt.Sprintf("CASE WHEN %[1]s < 150 THEN 'refuse' WHEN %[1]s < 350 THEN 'clarify' ELSE 'answer' END", dice(1))
	about := "CASE n % 6 WHEN 0 THEN '可转债权限开通后多久' WHEN 1 THEN '银证转账为什么' WHEN 2 THEN '港股通汇兑资金' WHEN 3 THEN '新版对账单口径' WHEN 4 THEN '风险测评之后创业板' ELSE '两融合约展期' END"
	f.copied("question", map[string]string{
		"id": id, "message_id": f.cat("'q'", i), "asker": f.cat("'q'", i), "body": f.cat(about, "'第'", dice(2), "'种情况怎么办'"), "band": band, "asked_at": at, "branch": f.cat("'营业部'", fmt.Sprintf("%s %% %d", i, fillBranches)),
		"entry":    fmt.Sprintf("CASE WHEN %[1]s < 150 THEN 0 ELSE 1 + (%[2]s * %[2]s) / 500 END", dice(1), dice(3)),
		"feedback": fmt.Sprintf("CASE WHEN %[1]s < 200 THEN 'useful' WHEN %[1]s < 260 THEN 'useless' WHEN %[1]s < 290 THEN 'person' ELSE '' END", dice(4)), "ticket": "0", "outcome": "''", "undone": "''", "counted": fmt.Sprint(f.count)}, fmt.Sprintf("n < %d", n))
}

// machines are alerts, a tenth of them with a ticket, monitors and runs.
func (f *filler) machines(midnight time.Time, base, tickets, age int) {
	id, at := f.spread(midnight, fillGroups)
	i := fmt.Sprintf("(%d + n)", (f.o.Days-age)*fillGroups)
	source := "CASE n % 3 WHEN 0 THEN 'monitor' WHEN 1 THEN 'prometheus' ELSE 'zabbix' END"
	f.exec(fmt.Sprintf(`INSERT INTO alert_group (id, number, route, group_key, open_key, title, source, labels, receivers, severity, state, firing, opened, resolved, told_opened, told_resolved, not_listed, opened_at, closed_at, changed_at, due_at, told_at,
		sends, flaps, flapping, hush, claimed_by, claimed_at, noted_at, reminded, ticket, step, step_at, outcome, solution, version)
		SELECT %[1]s, %[2]s, 'default', %[3]s, %[3]s, %[4]s, %[5]s, '{"source":"x","name":"y"}', '["trading-support"]', 'major', 'closed', 0, 1 + n %% 4, 1 + n %% 4, 0, 0, 0, %[6]s, %[6]s + 900000, %[6]s + 900000, 0, %[6]s,
		0, 0, 0, '', CASE WHEN n %% 5 < 3 THEN %[7]s ELSE '' END, CASE WHEN n %% 5 < 3 THEN %[6]s + 180000 ELSE 0 END, 0, 0, CASE WHEN n %% 10 = 0 THEN %[8]d + n * %[9]d ELSE 0 END, 0, 0, CASE WHEN n %% 50 = 1 THEN 'false' ELSE '' END, '', 3 FROM fill_n WHERE n < %[10]d`,
		id, i, f.cat("'k'", i), f.cat("'规则'", "n % 37"), source, at, f.cat("'h'", "n % 60"), base+1000, max(1, tickets/fillGroups), fillGroups))
	f.exec(fmt.Sprintf("INSERT INTO ticket_link (ticket, kind, number, created_at) SELECT %d + n * %d, 'alert', %s, %s + 600000 FROM fill_n WHERE n < %d AND n %% 10 = 0 AND n * %d < %d", base+1000, max(1, tickets/fillGroups), i, at, fillGroups, max(1, tickets/fillGroups), tickets))
	f.exec(fmt.Sprintf("INSERT INTO monitor_day (item, day_key, status, checks, failed, highest, left_over, total, abnormal, handled) SELECT %s, %d, '异常', 288, 1, 30 + n, n, 10000, 30 + n, 30 FROM fill_n WHERE n < %d", f.cat("'item'", "n"), f.s.DayKey(midnight), fillMonitors))
	id, at = f.spread(midnight, fillRuns)
	i = fmt.Sprintf("(%d + n)", (f.o.Days-age)*fillRuns)
	f.exec(fmt.Sprintf(`INSERT INTO construct_run (id, number, recipe, recipe_version, sha, title, environment, state, requester, place, reply_to, source_key, seed, wanted, params, ticket, approver, approve_hash, approve_until, owner, epoch, lease_until, good, bad, created_at, started_at, ended_at, expires_at, warned, why, version)
		SELECT %s, %s, %s, 1, '', '普通开户', 'uat', 'undone', %s, '{}', '', %s, '1', 2, NULL, 0, '', '', 0, '', 1, 0, CASE WHEN n %% 9 = 0 THEN 1 ELSE 2 END, CASE WHEN n %% 9 = 0 THEN 1 ELSE 0 END, %s, 0, 0, 0, 0, '', 1 FROM fill_n WHERE n < %d`,
		id, i, f.cat("'recipe'", "n % 5"), f.cat("'r'", "n * 7"), f.cat("'fill'", i), at, fillRuns))
}
