package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// DueAlertGroups are the numbers of groups that the chat is to be told of now,
// the longest due first.
func (s *Store) DueAlertGroups(ctx context.Context, n int) (numbers []int64, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT number FROM alert_group WHERE due_at > 0 AND due_at <= ? ORDER BY due_at LIMIT ?", millis(s.now()), n).Scan(&numbers).Error
	return numbers, err
}

// AlertGroupsToStep are the numbers of groups that are to be escalated now.
func (s *Store) AlertGroupsToStep(ctx context.Context, n int) (numbers []int64, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT number FROM alert_group WHERE step_at > 0 AND step_at <= ? ORDER BY step_at LIMIT ?", millis(s.now()), n).Scan(&numbers).Error
	return numbers, err
}

// TakeAlertGroup reads a group for a change: others who want to change it wait
// until this transaction ends.
func (tx *Tx) TakeAlertGroup(number int64) (AlertGroup, error) {
	if tx.s.kind != sqliteDB {
		if err := tx.db.Exec("UPDATE alert_group SET version=version+1 WHERE number=?", number).Error; err != nil {
			return AlertGroup{}, err
		}
	}
	return tx.FindAlertGroup(number)
}

// AlertGroupsByID reads groups by their ids.
func (tx *Tx) AlertGroupsByID(ids []int64) (map[int64]*AlertGroup, error) {
	var rows []alertGroupRow
	out := map[int64]*AlertGroup{}
	if len(ids) == 0 {
		return out, nil
	}
	err := tx.db.Where("id IN ?", ids).Find(&rows).Error
	for _, r := range rows {
		g := r.group()
		out[g.ID] = &g
	}
	return out, err
}

// AlertsOfGroup are up to n alerts of a group in a state, the newest outages
// first.
func (tx *Tx) AlertsOfGroup(group int64, state string, n int) ([]Alert, error) {
	return alertsOfGroup(tx.db, group, state, n)
}

// AlertsOfGroup are up to n alerts of a group in a state, the newest outages
// first.
func (s *Store) AlertsOfGroup(ctx context.Context, group int64, state string, n int) ([]Alert, error) {
	return alertsOfGroup(s.read.WithContext(ctx), group, state, n)
}

func alertsOfGroup(db *gorm.DB, group int64, state string, n int) ([]Alert, error) {
	var rows []alertRow
	err := db.Where("group_id = ? AND state = ?", group, state).Order("opened_at DESC, id DESC").Limit(n).Find(&rows).Error
	return alerts(rows), err
}

// FiringBySeverity counts the firing alerts of a group.
func (tx *Tx) FiringBySeverity(group int64) (map[string]int, error) {
	var rows []struct {
		Severity string
		N        int
	}
	err := tx.db.Raw("SELECT severity, COUNT(*) AS n FROM alert WHERE group_id=? AND state=? GROUP BY severity", group, AlertFiring).Scan(&rows).Error
	out := map[string]int{}
	for _, r := range rows {
		out[r.Severity] = r.N
	}
	return out, err
}

// ToldGroup records that the chat knows all alerts of a group as they stand.
func (tx *Tx) ToldGroup(group int64) error {
	if err := tx.db.Exec("UPDATE alert SET told=?, hush='' WHERE group_id=? AND state=? AND (told<>? OR hush<>'')", ToldFiring, group, AlertFiring, ToldFiring).Error; err != nil {
		return err
	}
	return tx.db.Exec("UPDATE alert SET told=? WHERE group_id=? AND state=? AND told=?", ToldResolved, group, AlertResolved, ToldFiring).Error
}

// ToldAlerts records what the chat knows of some alerts, and why it does not
// hear of them.
func (tx *Tx) ToldAlerts(ids []int64, told int, hush string) error {
	for len(ids) > 0 {
		n := min(len(ids), fpBatch)
		if err := tx.db.Exec("UPDATE alert SET told=?, hush=? WHERE id IN ?", told, hush, ids[:n]).Error; err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// FiringLike tells whether an alert of another group fires now whose severity is
// one of some: the sources of inhibition. It returns up to 2 000 of them.
func (tx *Tx) FiringLike(severities []string) ([]Alert, error) {
	var rows []alertRow
	db := tx.db.Where("state = ?", AlertFiring)
	if len(severities) > 0 {
		db = db.Where("severity IN ?", severities)
	}
	err := db.Order("id DESC").Limit(2000).Find(&rows).Error
	return alerts(rows), err
}

// WakeHushed makes the groups that are quiet for a reason due now.
func (tx *Tx) WakeHushed(hush string) error {
	return tx.db.Exec("UPDATE alert_group SET due_at=?, version=version+1 WHERE state=? AND hush=?", millis(tx.now), GroupOpen, hush).Error
}

// LastSolved is the last closed group of a key before a group, and how many
// there were since a time, with the minutes each took.
func (tx *Tx) LastSolved(g AlertGroup, since time.Time) (last AlertGroup, minutes []float64, err error) {
	var rows []alertGroupRow
	err = tx.db.Where("group_key = ? AND id < ? AND id >= ? AND state = ?", g.Key, g.ID, idAt(since), GroupClosed).Order("id DESC").Limit(100).Find(&rows).Error
	for _, r := range rows {
		x := r.group()
		minutes = append(minutes, x.Closed.Sub(x.Opened).Minutes())
		if last.ID == 0 {
			last = x
		}
		if last.Solution == "" && x.Solution != "" {
			last = x
		}
	}
	return last, minutes, err
}

// WaitingFor counts the words that wait for a place or were sent there since a
// time: what its limit will be used for.
func (tx *Tx) WaitingFor(to chat.Address, since time.Time) (n int, err error) {
	key := hashKey(to.String())
	var waiting, sent int64
	if err := tx.db.Model(&outboxRow{}).Where("state IN ? AND target_key = ?", []int{outboxDue, outboxSending}, key).Count(&waiting).Error; err != nil {
		return 0, err
	}
	err = tx.db.Model(&outboxRow{}).Where("target_key = ? AND sent_at >= ?", key, millis(since)).Count(&sent).Error
	return int(waiting + sent), err
}

// Fold is what a place was not told in a message of its own.
type Fold struct {
	ID              int64
	Receiver        string
	Number          int64
	Severity        string
	Title           string
	Opens, Resolves int
}

type foldRow struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Receiver string
	Number   int64
	Severity string
	Title    string
	Opened   int
	Resolved int
}

func (foldRow) TableName() string { return "alert_fold" }

// AddFold keeps what a place is to be told together with other things.
func (tx *Tx) AddFold(f Fold) error {
	return tx.db.Create(&foldRow{tx.s.ids.next(tx.now), clip(f.Receiver, 64), f.Number, f.Severity, clip(f.Title, 400), f.Opens, f.Resolves}).Error
}

// TakeFolds reads and deletes what waits for a place.
func (tx *Tx) TakeFolds(receiver string) ([]Fold, error) {
	var rows []foldRow
	if err := tx.db.Where("receiver = ?", receiver).Order("id").Limit(5000).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	out := make([]Fold, len(rows))
	for i, r := range rows {
		out[i] = Fold{r.ID, r.Receiver, r.Number, r.Severity, r.Title, r.Opened, r.Resolved}
	}
	u := tx.db.Exec("DELETE FROM alert_fold WHERE receiver=? AND id<=?", receiver, rows[len(rows)-1].ID)
	if u.Error == nil && u.RowsAffected != int64(len(rows)) {
		return nil, ErrStale // another replica took them
	}
	return out, u.Error
}

// Storm is a time in which a place got digests.
type Storm struct {
	Receiver            string
	Began, Folded, Said time.Time // Said: when the last digest was queued
	Opens, Resolves     int       // told in digests since it began
	Messages            int
	Waiting             int  // folds that wait for the next digest
	Grave               bool // one of them is critical
}

type stormRow struct {
	Receiver string `gorm:"primaryKey"`
	BeganAt  int64
	FoldedAt int64
	SaidAt   int64
	Opened   int
	Resolved int
	Messages int
}

func (stormRow) TableName() string { return "alert_storm" }

func (r stormRow) storm() Storm {
	return Storm{Receiver: r.Receiver, Began: fromMillis(r.BeganAt), Folded: fromMillis(r.FoldedAt), Said: fromMillis(r.SaidAt), Opens: r.Opened, Resolves: r.Resolved, Messages: r.Messages}
}

// FindStorm returns the storm of a place; ErrNotFound when there is none.
func (tx *Tx) FindStorm(receiver string) (Storm, error) {
	var r stormRow
	err := tx.db.First(&r, "receiver = ?", receiver).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Storm{}, ErrNotFound
	}
	if err != nil {
		return Storm{}, err
	}
	s := r.storm()
	var w struct {
		N, Grave int
	}
	err = tx.db.Raw("SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN severity='critical' THEN 1 ELSE 0 END),0) AS grave FROM alert_fold WHERE receiver=?", receiver).Scan(&w).Error
	s.Waiting, s.Grave = w.N, w.Grave > 0
	return s, err
}

// PutStorm writes the storm of a place.
func (tx *Tx) PutStorm(s Storm) error {
	r := stormRow{s.Receiver, millis(s.Began), millis(s.Folded), millis(s.Said), s.Opens, s.Resolves, s.Messages}
	return tx.db.Save(&r).Error
}

// EndStorm forgets the storm of a place.
func (tx *Tx) EndStorm(receiver string) error {
	return tx.db.Exec("DELETE FROM alert_storm WHERE receiver=?", receiver).Error
}

// ListStorms are the places that get digests.
func (s *Store) ListStorms(ctx context.Context) ([]Storm, error) {
	var rows []stormRow
	err := s.read.WithContext(ctx).Find(&rows).Error
	out := make([]Storm, len(rows))
	for i, r := range rows {
		out[i] = r.storm()
	}
	return out, err
}
