package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// States of an alert and of a group of alerts.
const (
	AlertFiring   = "firing"
	AlertResolved = "resolved"
)

// What a group was told of an alert.
const (
	ToldNothing = iota
	ToldFiring
	ToldResolved
)

// Alert is one thing that a sender can report, and where it stands. A new
// outage of the same thing is the same row with Opens one higher.
type Alert struct {
	ID          int64
	FP          string // fingerprint, 16 hex digits
	Source      string // which sender, by its name in the configuration
	Kind        string
	UpstreamID  string // what the sender calls it
	Name        string
	Severity    string // critical, major, warning, info, none
	State       string
	Title, Text string // masked
	Value       string
	Labels      map[string]string // masked
	Annotations map[string]string // masked
	Links       []AlertLink
	NoData      bool
	Started     time.Time // as the sender says; else when it arrived
	Ended       time.Time
	Opened      time.Time // when this outage arrived here
	Last        time.Time // when it was last reported
	Seen        int       // reports of this outage
	Opens       int       // outages since the store began
	GroupID     int64
	Told        int
	Hush        string // why nobody is told: silenced, inhibited, maintenance
}

// AlertLink is an address to look at, http or https.
type AlertLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

type alertRow struct {
	ID          int64 `gorm:"primaryKey;autoIncrement:false"`
	FP          string
	Source      string
	Kind        string
	UpstreamID  string
	Name        string
	Severity    string
	State       string
	Title       string
	Body        string
	Value       string
	Labels      string
	Annotations string
	Links       string
	NoData      bool
	StartedAt   int64
	EndedAt     int64
	OpenedAt    int64
	LastAt      int64
	Seen        int
	Opens       int
	GroupID     int64
	Told        int
	Hush        string
}

func (alertRow) TableName() string { return "alert" }

func (r alertRow) alert() Alert {
	a := Alert{ID: r.ID, FP: r.FP, Source: r.Source, Kind: r.Kind, UpstreamID: r.UpstreamID, Name: r.Name, Severity: r.Severity, State: r.State, Title: r.Title, Text: r.Body, Value: r.Value, NoData: r.NoData,
		Started: fromMillis(r.StartedAt), Ended: fromMillis(r.EndedAt), Opened: fromMillis(r.OpenedAt), Last: fromMillis(r.LastAt), Seen: r.Seen, Opens: r.Opens, GroupID: r.GroupID, Told: r.Told, Hush: r.Hush}
	// What does not decode was not written by us; the rest of the row is still worth having.
	json.Unmarshal([]byte(r.Labels), &a.Labels)
	json.Unmarshal([]byte(r.Annotations), &a.Annotations)
	json.Unmarshal([]byte(r.Links), &a.Links)
	return a
}

func (a *Alert) row() (alertRow, error) {
	labels, err := json.Marshal(a.Labels)
	if err != nil {
		return alertRow{}, err
	}
	annotations, err := json.Marshal(a.Annotations)
	if err != nil {
		return alertRow{}, err
	}
	links, err := json.Marshal(a.Links)
	return alertRow{ID: a.ID, FP: a.FP, Source: clip(a.Source, 64), Kind: clip(a.Kind, 16), UpstreamID: clip(a.UpstreamID, 191), Name: clip(a.Name, 200), Severity: a.Severity, State: a.State, Title: clip(a.Title, 400),
		Body: clip(a.Text, 4000), Value: clip(a.Value, 128), Labels: string(labels), Annotations: string(annotations), Links: string(links), NoData: a.NoData,
		StartedAt: millis(a.Started), EndedAt: millis(a.Ended), OpenedAt: millis(a.Opened), LastAt: millis(a.Last), Seen: a.Seen, Opens: a.Opens, GroupID: a.GroupID, Told: a.Told, Hush: a.Hush}, err
}

func alerts(rows []alertRow) []Alert {
	out := make([]Alert, len(rows))
	for i, r := range rows {
		out[i] = r.alert()
	}
	return out
}

// fpBatch keeps a statement below the databases' number of parameters.
const fpBatch = 500

// alertColumns are the columns of an alert in the order of its fields.
const alertColumns = "id, fp, source, kind, upstream_id, name, severity, state, title, body, value, labels, annotations, links, no_data, started_at, ended_at, opened_at, last_at, seen, opens, group_id, told, hush"

func (r *alertRow) fields() []any {
	return []any{&r.ID, &r.FP, &r.Source, &r.Kind, &r.UpstreamID, &r.Name, &r.Severity, &r.State, &r.Title, &r.Body, &r.Value, &r.Labels, &r.Annotations, &r.Links, &r.NoData, &r.StartedAt, &r.EndedAt, &r.OpenedAt, &r.LastAt, &r.Seen, &r.Opens, &r.GroupID, &r.Told, &r.Hush}
}

// AlertsByFP finds alerts by fingerprint; what is unknown is not in the map.
func (tx *Tx) AlertsByFP(fps []string) (map[string]Alert, error) {
	out := make(map[string]Alert, len(fps))
	for part := range slices.Chunk(fps, fpBatch) {
		list, args := marks(part)
		err := tx.query("SELECT "+alertColumns+" FROM alert WHERE fp IN ("+list+")", args, func(rows *sql.Rows) error {
			var r alertRow
			err := rows.Scan(r.fields()...)
			out[r.FP] = r.alert()
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddAlerts writes new alerts and gives them their ids. A fingerprint that
// another replica wrote in the meantime is ErrStale: the caller reads again.
func (tx *Tx) AddAlerts(list []*Alert) error {
	rows := make([]alertRow, len(list))
	for i, a := range list {
		a.ID = tx.s.ids.next(tx.now)
		var err error
		if rows[i], err = a.row(); err != nil {
			return err
		}
	}
	err := tx.insert("INSERT INTO alert ("+alertColumns+") VALUES ", len(rows), func(i int) []any { return rows[i].fields() })
	if isDuplicate(err) {
		return ErrStale
	}
	return err
}

// ChangeAlert writes everything of an alert that exists.
func (tx *Tx) ChangeAlert(a *Alert) error {
	r, err := a.row()
	if err != nil {
		return err
	}
	_, err = tx.exec("UPDATE alert SET name=?, severity=?, state=?, title=?, body=?, value=?, labels=?, annotations=?, links=?, no_data=?, started_at=?, ended_at=?, opened_at=?, last_at=?, seen=?, opens=?, group_id=?, told=?, hush=? WHERE id=?",
		r.Name, r.Severity, r.State, r.Title, r.Body, r.Value, r.Labels, r.Annotations, r.Links, r.NoData, r.StartedAt, r.EndedAt, r.OpenedAt, r.LastAt, r.Seen, r.Opens, r.GroupID, r.Told, r.Hush, r.ID)
	return err
}

// SawAlerts records that alerts were reported once more, with nothing new. An
// id that stands there twice was reported twice.
func (tx *Tx) SawAlerts(ids []int64) error {
	times := map[int64]int{}
	for _, id := range ids {
		times[id]++
	}
	by := map[int][]int64{}
	for id, n := range times {
		by[n] = append(by[n], id)
	}
	for n, same := range by {
		slices.Sort(same)
		for part := range slices.Chunk(same, fpBatch) {
			list, args := marks(part)
			if _, err := tx.exec("UPDATE alert SET last_at=?, seen=seen+? WHERE id IN ("+list+")", append([]any{millis(tx.now), n}, args...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// AlertQuery chooses alerts; zero values choose everything.
type AlertQuery struct {
	Source, State, Severity string
	Group                   int64 // id of the group
	Before                  int64 // id of the last one of the page before
	N                       int
}

func (q AlertQuery) where(db *gorm.DB) *gorm.DB {
	db = db.Order("id DESC").Limit(min(max(q.N, 1), 1000))
	for _, c := range []struct{ col, v string }{{"source", q.Source}, {"state", q.State}, {"severity", q.Severity}} {
		if c.v != "" {
			db = db.Where(c.col+" = ?", c.v)
		}
	}
	if q.Group != 0 {
		db = db.Where("group_id = ?", q.Group)
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	return db
}

// ListAlerts returns alerts, the newest first.
func (s *Store) ListAlerts(ctx context.Context, q AlertQuery) ([]Alert, error) {
	var rows []alertRow
	err := q.where(s.read.WithContext(ctx)).Find(&rows).Error
	return alerts(rows), err
}

// FindAlert returns an alert by id, or ErrNotFound.
func (s *Store) FindAlert(ctx context.Context, id int64) (Alert, error) {
	var r alertRow
	err := s.read.WithContext(ctx).First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Alert{}, fmt.Errorf("alert %d: %w", id, ErrNotFound)
	}
	return r.alert(), err
}

// FiringGroups are the ids of the groups in which alerts of a source fire whose
// name at the source begins so.
func (s *Store) FiringGroups(ctx context.Context, source, prefix string) (ids []int64, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT DISTINCT group_id FROM alert WHERE source=? AND state=? AND upstream_id LIKE ? ESCAPE '!'", source, AlertFiring, likeEscaper.Replace(prefix)+"%").Scan(&ids).Error
	return ids, err
}
