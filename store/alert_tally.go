package store

import (
	"context"
)

// AlertTally counts what senders reported since the store began.
type AlertTally struct {
	Opened      int64 `json:"opened"`
	Repeated    int64 `json:"repeated"`
	Resolved    int64 `json:"resolved"`
	Again       int64 `json:"resolved_again"`
	WithoutOpen int64 `json:"resolved_without_open"`
	OpenAtEnd   int64 `json:"open_at_end"`
	NotListed   int64 `json:"not_listed"` // what senders left out of long lists, added over the deliveries
}

// CountAlerts adds to a source's tally. Each replica has a row of its own.
func (tx *Tx) CountAlerts(source string, t AlertTally) error {
	args := []any{t.Opened, t.Repeated, t.Resolved, t.Again, t.WithoutOpen, t.NotListed}
	slot := tx.s.ids.mySlot()
	u := tx.db.Exec("UPDATE alert_tally SET opened=opened+?, repeated=repeated+?, resolved=resolved+?, resolved_again=resolved_again+?, resolved_without_open=resolved_without_open+?, not_listed=not_listed+? WHERE source=? AND slot=?",
		append(args, source, slot)...)
	if u.Error != nil || u.RowsAffected > 0 || t == (AlertTally{}) {
		return u.Error
	}
	err := tx.db.Exec("INSERT INTO alert_tally (opened, repeated, resolved, resolved_again, resolved_without_open, not_listed, source, slot) VALUES (?,?,?,?,?,?,?,?)", append(args, source, slot)...).Error
	if isDuplicate(err) {
		return ErrStale // another request of this process was first; the caller tries again
	}
	return err
}

// AlertCounts is the tally of a source, or of all for "".
func (s *Store) AlertCounts(ctx context.Context, source string) (AlertTally, error) {
	var t AlertTally
	var r struct{ Opened, Repeated, Resolved, ResolvedAgain, ResolvedWithoutOpen, NotListed int64 }
	err := s.read.WithContext(ctx).Raw(`SELECT COALESCE(SUM(opened),0) AS opened, COALESCE(SUM(repeated),0) AS repeated, COALESCE(SUM(resolved),0) AS resolved,
		COALESCE(SUM(resolved_again),0) AS resolved_again, COALESCE(SUM(resolved_without_open),0) AS resolved_without_open, COALESCE(SUM(not_listed),0) AS not_listed
		FROM alert_tally WHERE source=? OR ?=''`, source, source).Scan(&r).Error
	if err != nil {
		return t, err
	}
	t = AlertTally{Opened: r.Opened, Repeated: r.Repeated, Resolved: r.Resolved, Again: r.ResolvedAgain, WithoutOpen: r.ResolvedWithoutOpen, NotListed: r.NotListed}
	db := s.read.WithContext(ctx).Model(&alertRow{}).Where("state = ?", AlertFiring)
	if source != "" {
		db = db.Where("source = ?", source)
	}
	return t, db.Count(&t.OpenAtEnd).Error
}
