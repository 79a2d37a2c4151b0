package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// MonitorResult is one check of a monitor item, kept for pages and baselines.
type MonitorResult struct {
	ID       int64
	Item     string
	At       time.Time // when it was checked
	State    string    // ok, no_data, error
	Took     time.Duration
	Table    []byte // JSON of what was found, no personal data
	Verdicts []byte // JSON of what the rules said
	Fault    string // of no_data and error
	Alarming bool   // something fired: not a point to compare with
}

type monitorResultRow struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Item     string
	At       int64
	State    string
	Took     int64
	Found    string
	Verdicts string
	Fault    string
	Alarming bool
}

func (monitorResultRow) TableName() string { return "monitor_result" }

func (r monitorResultRow) result() MonitorResult {
	return MonitorResult{ID: r.ID, Item: r.Item, At: fromMillis(r.At), State: r.State, Took: time.Duration(r.Took) * time.Millisecond, Table: []byte(r.Found), Verdicts: []byte(r.Verdicts), Fault: r.Fault, Alarming: r.Alarming}
}

func monitorResults(rows []monitorResultRow) []MonitorResult {
	out := make([]MonitorResult, len(rows))
	for i, r := range rows {
		out[i] = r.result()
	}
	return out
}

// MonitorState is where the rules of an item stand, in the words of who runs
// them, and the version to write it back with: 0 for an item never checked.
func (s *Store) MonitorState(ctx context.Context, item string) (state []byte, version int64, err error) {
	var rows []struct {
		State   string
		Version int64
	}
	err = s.write.WithContext(ctx).Raw("SELECT state, version FROM monitor_state WHERE item=?", item).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	return []byte(rows[0].State), rows[0].Version, nil
}

// MonitorStates are the states of all items that were ever checked, by name.
func (s *Store) MonitorStates(ctx context.Context) (map[string][]byte, error) {
	var rows []struct{ Item, State string }
	err := s.read.WithContext(ctx).Raw("SELECT item, state FROM monitor_state").Scan(&rows).Error
	out := make(map[string][]byte, len(rows))
	for _, r := range rows {
		out[r.Item] = []byte(r.State)
	}
	return out, err
}

// SaveMonitorState writes a state back. ErrStale means that another replica
// wrote one since version was read: this check does not count.
func (tx *Tx) SaveMonitorState(item string, state []byte, version int64) error {
	if version == 0 {
		err := tx.db.Exec("INSERT INTO monitor_state (item, state, version, updated_at) VALUES (?,?,1,?)", item, string(state), millis(tx.now)).Error
		if isDuplicate(err) {
			return ErrStale
		}
		return err
	}
	u := tx.db.Exec("UPDATE monitor_state SET state=?, version=version+1, updated_at=? WHERE item=? AND version=?", string(state), millis(tx.now), item, version)
	if u.Error == nil && u.RowsAffected == 0 {
		return ErrStale
	}
	return u.Error
}

// DropMonitorState forgets an item that is not there any more. Its results stay
// until they are swept.
func (tx *Tx) DropMonitorState(item string) error {
	return tx.db.Exec("DELETE FROM monitor_state WHERE item=?", item).Error
}

// AddMonitorResult keeps a check and gives it its id.
func (tx *Tx) AddMonitorResult(r *MonitorResult) error {
	r.ID = tx.s.ids.next(tx.now)
	return tx.db.Create(&monitorResultRow{ID: r.ID, Item: r.Item, At: millis(r.At), State: r.State, Took: r.Took.Milliseconds(), Found: string(r.Table), Verdicts: string(r.Verdicts), Fault: clip(r.Fault, 400), Alarming: r.Alarming}).Error
}

// MonitorQuery chooses results of one item; zero values choose everything.
type MonitorQuery struct {
	Item        string
	From, To    time.Time // From included, To not
	State       string
	NotAlarming bool
	N           int // at most; default and most 5000
}

// MonitorResults returns results, the newest first.
func (s *Store) MonitorResults(ctx context.Context, q MonitorQuery) ([]MonitorResult, error) {
	db := s.read.WithContext(ctx).Where("item = ?", q.Item).Order("at DESC, id DESC")
	if !q.From.IsZero() {
		db = db.Where("at >= ?", millis(q.From))
	}
	if !q.To.IsZero() {
		db = db.Where("at < ?", millis(q.To))
	}
	if q.State != "" {
		db = db.Where("state = ?", q.State)
	}
	if q.NotAlarming {
		db = db.Where("alarming = ?", false)
	}
	if q.N <= 0 || q.N > 5000 {
		q.N = 5000
	}
	var rows []monitorResultRow
	err := db.Limit(q.N).Find(&rows).Error
	return monitorResults(rows), err
}

// LastMonitorResults are the newest results of each item, by name.
func (s *Store) LastMonitorResults(ctx context.Context) (map[string]MonitorResult, error) {
	var rows []monitorResultRow
	err := s.read.WithContext(ctx).Raw("SELECT r.* FROM monitor_result r JOIN (SELECT item, MAX(id) AS id FROM monitor_result GROUP BY item) m ON m.id = r.id").Scan(&rows).Error
	out := make(map[string]MonitorResult, len(rows))
	for _, r := range rows {
		out[r.Item] = r.result()
	}
	return out, err
}

// FindMonitorResult returns a result by id, or ErrNotFound.
func (s *Store) FindMonitorResult(ctx context.Context, id int64) (MonitorResult, error) {
	var r monitorResultRow
	err := s.read.WithContext(ctx).First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return MonitorResult{}, ErrNotFound
	}
	return r.result(), err
}

// HastenJob brings the next run of a job forward, when its schedule became
// shorter. A job that never ran is due at once anyway.
func (s *Store) HastenJob(ctx context.Context, name string, at time.Time) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE job SET next_at=? WHERE name=? AND next_at>?", millis(at), name, millis(at)).Error
	})
}
