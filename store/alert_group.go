package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Group states.
const (
	GroupOpen   = "open"
	GroupClosed = "closed"
)

// AlertGroup is what alerts with the same group key share while one of them
// fires: its number, who works on it, and when the chat hears of it next.
type AlertGroup struct {
	ID        int64
	Number    int64 // A311
	Route     string
	Key       string // hash of the route and the values it groups by
	Title     string
	Source    string
	Labels    map[string]string // what it was grouped by
	Receivers []string          // group chats by name
	Severity  string            // the gravest that fired since it opened
	State     string
	Firing    int // alerts of it that fire now
	// Outages that began and ended since the group opened, and how many of them
	// the chat was told: the difference is what a message has to account for.
	Opens, Resolves         int
	ToldOpens, ToldResolves int
	NotListed               int // what the sender left out of its last list
	Opened, Closed          time.Time
	Changed                 time.Time // last opening or resolving in it
	Due                     time.Time // when the chat is to be told next; zero: nothing to tell
	Told                    time.Time // when it was told last; zero: never
	Sends                   int       // reminders sent
	Flaps                   int       // reopenings in a row, each soon after the last end
	Flapping                bool
	Hush                    string // why nothing is told: silenced, inhibited, maintenance
	ClaimedBy               string
	Claimed                 time.Time
	Noted                   time.Time // the claimer's last sign of life
	Reminded                bool      // the claimer was asked whether it goes on
	Ticket                  int64
	Step                    int       // how far it was escalated
	StepAt                  time.Time // when the next step is due; zero: never
	Outcome                 string    // "", false (a false alarm)
	Solution                string    // what solved it, masked
	Version                 int64
}

type alertGroupRow struct {
	ID           int64 `gorm:"primaryKey;autoIncrement:false"`
	Number       int64
	Route        string
	GroupKey     string
	OpenKey      string
	Title        string
	Source       string
	Labels       string
	Receivers    string
	Severity     string
	State        string
	Firing       int
	Opened       int
	Resolved     int
	ToldOpened   int
	ToldResolved int
	NotListed    int
	OpenedAt     int64
	ClosedAt     int64
	ChangedAt    int64
	DueAt        int64
	ToldAt       int64
	Sends        int
	Flaps        int
	Flapping     bool
	Hush         string
	ClaimedBy    string
	ClaimedAt    int64
	NotedAt      int64
	Reminded     bool
	Ticket       int64
	Step         int
	StepAt       int64
	Outcome      string
	Solution     string
	Version      int64
}

func (alertGroupRow) TableName() string { return "alert_group" }

func (r alertGroupRow) group() AlertGroup {
	g := AlertGroup{ID: r.ID, Number: r.Number, Route: r.Route, Key: r.GroupKey, Title: r.Title, Source: r.Source, Receivers: list(r.Receivers), Severity: r.Severity, State: r.State, Firing: r.Firing,
		Opens: r.Opened, Resolves: r.Resolved, ToldOpens: r.ToldOpened, ToldResolves: r.ToldResolved, NotListed: r.NotListed, Opened: fromMillis(r.OpenedAt), Closed: fromMillis(r.ClosedAt),
		Changed: fromMillis(r.ChangedAt), Due: fromMillis(r.DueAt), Told: fromMillis(r.ToldAt), Sends: r.Sends, Flaps: r.Flaps, Flapping: r.Flapping, Hush: r.Hush, ClaimedBy: r.ClaimedBy, Claimed: fromMillis(r.ClaimedAt),
		Noted: fromMillis(r.NotedAt), Reminded: r.Reminded, Ticket: r.Ticket, Step: r.Step, StepAt: fromMillis(r.StepAt), Outcome: r.Outcome, Solution: r.Solution, Version: r.Version}
	g.Labels = textMap(r.Labels)
	return g
}

func (g *AlertGroup) row() alertGroupRow {
	open := g.Key
	if g.State != GroupOpen {
		open = fmt.Sprintf("#%d", g.Number)
	}
	return alertGroupRow{ID: g.ID, Number: g.Number, Route: clip(g.Route, 64), GroupKey: g.Key, OpenKey: open, Title: clip(g.Title, 400), Source: clip(g.Source, 64), Labels: mapText(g.Labels), Receivers: listText(g.Receivers),
		Severity: g.Severity, State: g.State, Firing: g.Firing, Opened: g.Opens, Resolved: g.Resolves, ToldOpened: g.ToldOpens, ToldResolved: g.ToldResolves, NotListed: g.NotListed, OpenedAt: millis(g.Opened),
		ClosedAt: millis(g.Closed), ChangedAt: millis(g.Changed), DueAt: millis(g.Due), ToldAt: millis(g.Told), Sends: g.Sends, Flaps: g.Flaps, Flapping: g.Flapping, Hush: g.Hush, ClaimedBy: clip(g.ClaimedBy, 64),
		ClaimedAt: millis(g.Claimed), NotedAt: millis(g.Noted), Reminded: g.Reminded, Ticket: g.Ticket, Step: g.Step, StepAt: millis(g.StepAt), Outcome: g.Outcome, Solution: clip(g.Solution, 400), Version: g.Version}
}

func alertGroups(rows []alertGroupRow) []AlertGroup {
	out := make([]AlertGroup, len(rows))
	for i, r := range rows {
		out[i] = r.group()
	}
	return out
}

// groupColumns are the columns of a group in the order of its fields; the first
// two never change.
const groupColumns = "id, number, route, group_key, open_key, title, source, labels, receivers, severity, state, firing, opened, resolved, told_opened, told_resolved, not_listed, opened_at, closed_at, changed_at, due_at, told_at, sends, flaps, flapping, hush, claimed_by, claimed_at, noted_at, reminded, ticket, step, step_at, outcome, solution, version"

func (r *alertGroupRow) fields() []any {
	return []any{&r.ID, &r.Number, &r.Route, &r.GroupKey, &r.OpenKey, &r.Title, &r.Source, &r.Labels, &r.Receivers, &r.Severity, &r.State, &r.Firing, &r.Opened, &r.Resolved, &r.ToldOpened, &r.ToldResolved, &r.NotListed,
		&r.OpenedAt, &r.ClosedAt, &r.ChangedAt, &r.DueAt, &r.ToldAt, &r.Sends, &r.Flaps, &r.Flapping, &r.Hush, &r.ClaimedBy, &r.ClaimedAt, &r.NotedAt, &r.Reminded, &r.Ticket, &r.Step, &r.StepAt, &r.Outcome, &r.Solution, &r.Version}
}

var changeGroup = "UPDATE alert_group SET " + strings.ReplaceAll(strings.TrimPrefix(groupColumns, "id, number, "), ",", "=?,") + "=? WHERE id=? AND version=?"

// OpenAlertGroups are the open groups of keys by their keys; of none, the last
// one that was closed after since. A key without either is not in the map.
func (tx *Tx) OpenAlertGroups(keys []string, since time.Time) (map[string]AlertGroup, error) {
	out := map[string]AlertGroup{}
	read := func(where string, args ...any) error {
		return tx.query("SELECT "+groupColumns+" FROM alert_group WHERE "+where, args, func(rows *sql.Rows) error {
			var r alertGroupRow
			err := rows.Scan(r.fields()...)
			out[r.GroupKey] = r.group()
			return err
		})
	}
	for part := range slices.Chunk(keys, fpBatch) {
		list, args := marks(part)
		if err := read("open_key IN ("+list+")", args...); err != nil {
			return nil, err
		}
		var gone []string
		for _, k := range part {
			if _, open := out[k]; !open {
				gone = append(gone, k)
			}
		}
		if len(gone) == 0 {
			continue
		}
		list, args = marks(gone)
		if err := read("group_key IN ("+list+") AND closed_at >= ? ORDER BY id", append(args, millis(since))...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddAlertGroup makes a group with a number of its own. When another replica
// opened one for the key in the meantime, it is ErrStale.
func (tx *Tx) AddAlertGroup(g *AlertGroup) (err error) {
	if g.Number, err = tx.NextNumber(NumberAlert); err != nil {
		return err
	}
	g.ID, g.Version = tx.s.ids.next(tx.now), 1
	r := g.row()
	if err = tx.db.Create(&r).Error; isDuplicate(err) {
		return ErrStale
	}
	return err
}

// ChangeAlertGroup writes a group that was read at g.Version, and counts the
// version up; ErrStale when it was changed since.
func (tx *Tx) ChangeAlertGroup(g *AlertGroup) error {
	r := g.row()
	r.Version++
	n, err := tx.exec(changeGroup, append(r.fields()[2:], g.ID, g.Version)...)
	if isDuplicate(err) || err == nil && n != 1 {
		return fmt.Errorf("A%d: %w", g.Number, ErrStale)
	}
	g.Version = r.Version
	return err
}

// LockAlertGroup makes others wait who want to change a group of a key.
func (tx *Tx) LockAlertGroup(key string) error {
	if tx.s.kind == sqliteDB {
		return nil // one writer
	}
	return tx.db.Exec("UPDATE alert_group SET version=version+1 WHERE open_key=?", key).Error
}

// CountGroupsSince is how many groups a route opened since a time.
func (tx *Tx) CountGroupsSince(route string, since time.Time) (n int64, err error) {
	err = tx.db.Model(&alertGroupRow{}).Where("route = ? AND opened_at >= ?", route, millis(since)).Count(&n).Error
	return n, err
}

// FindAlertGroup returns a group by its number, or ErrNotFound.
func (tx *Tx) FindAlertGroup(number int64) (AlertGroup, error) { return findAlertGroup(tx.db, number) }

// FindAlertGroup returns a group by its number, or ErrNotFound.
func (s *Store) FindAlertGroup(ctx context.Context, number int64) (AlertGroup, error) {
	return findAlertGroup(s.read.WithContext(ctx), number)
}

func findAlertGroup(db *gorm.DB, number int64) (AlertGroup, error) {
	var r alertGroupRow
	err := db.First(&r, "number = ?", number).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return AlertGroup{}, fmt.Errorf("alert group A%d: %w", number, ErrNotFound)
	}
	return r.group(), err
}

// AlertGroupQuery chooses groups; zero values choose everything.
type AlertGroupQuery struct {
	State, Severity, Source, Key string
	ClaimedBy                    string
	Text                         string    // a part of the title
	Title                        string    // the whole of it
	Kind                         string    // one of AlertKinds
	Since, Until                 time.Time // began in [Since, Until)
	Before                       int64     // id of the last one of the page before
	N                            int
}

// ListAlertGroups returns groups, the newest first.
func (s *Store) ListAlertGroups(ctx context.Context, q AlertGroupQuery) ([]AlertGroup, error) {
	var rows []alertGroupRow
	err := groupsWhere(s.read.WithContext(ctx), q).Order("id DESC").Limit(min(max(q.N, 1), 1000)).Find(&rows).Error
	return alertGroups(rows), err
}

// CountAlertGroups counts what a query chooses, without its page; CountMost
// means that many or more.
func (s *Store) CountAlertGroups(ctx context.Context, q AlertGroupQuery) (n int64, err error) {
	q.Before = 0
	err = s.read.WithContext(ctx).Table("(?) AS chosen", groupsWhere(s.read.Table("alert_group").Select("1 AS one"), q).Limit(CountMost)).Count(&n).Error
	return n, err
}

func groupsWhere(db *gorm.DB, q AlertGroupQuery) *gorm.DB {
	for _, c := range []struct{ col, v string }{{"state", q.State}, {"severity", q.Severity}, {"source", q.Source}, {"group_key", q.Key}, {"claimed_by", q.ClaimedBy}, {"title", q.Title}} {
		if c.v != "" {
			db = db.Where(c.col+" = ?", c.v)
		}
	}
	if q.Text != "" {
		db = db.Where("title LIKE ? ESCAPE '!'", "%"+likeEscaper.Replace(q.Text)+"%")
	}
	if !q.Since.IsZero() {
		db = db.Where("id >= ?", idAt(q.Since))
	}
	if !q.Until.IsZero() {
		db = db.Where("id < ?", idAt(q.Until))
	}
	if kind := alertKind[q.Kind]; kind != "" {
		db = db.Where(kind)
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	return db
}

// CountUnclaimed is how many groups fire that nobody has claimed.
func (s *Store) CountUnclaimed(ctx context.Context) (n int64, err error) {
	err = s.read.WithContext(ctx).Model(&alertGroupRow{}).Where("state = ? AND firing > 0 AND claimed_by = ''", GroupOpen).Count(&n).Error
	return n, err
}

// textMap and mapText are how a small map of texts is kept.
func textMap(text string) (m map[string]string) {
	json.Unmarshal([]byte(text), &m) // what does not decode was not written by us
	return m
}

func mapText(m map[string]string) string {
	b, _ := json.Marshal(m) // strings always encode
	return string(b)
}
