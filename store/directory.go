package store

import (
	"errors"
	"fmt"
)

// Listed is a member as the platform's address list has them.
type Listed struct{ ID, Name, Department string }

// Synced says what SyncMembers did.
type Synced struct{ Added, Changed, Left, Back int }

// ErrShortList refuses an address list from which most people are missing: a
// narrowed visible range must not switch the company off.
var ErrShortList = errors.New("the address list has fewer than half of the members known; nothing was changed")

// SyncMembers makes the members what the address list says: new ones are
// reporters, names follow, who is missing is switched off and signed out, who
// is back is switched on again. Roles stay as they are.
func (tx *Tx) SyncMembers(actor string, list []Listed) (done Synced, err error) {
	var rows []memberRow
	if err := tx.db.Find(&rows).Error; err != nil {
		return done, err
	}
	known, active := map[string]memberRow{}, 0
	for _, r := range rows {
		known[r.ID] = r
		if !r.Disabled {
			active++
		}
	}
	if len(list)*2 < active {
		return done, ErrShortList
	}
	here := map[string]bool{}
	for _, l := range list {
		here[l.ID] = true
		r, ok := known[l.ID]
		if !ok {
			done.Added++
		} else if r.Name != clip(l.Name, 128) || r.Department != clip(l.Department, 128) {
			done.Changed++
		}
		if err := tx.MeetMember(l.ID, l.Name, l.Department); err != nil {
			return done, err
		}
		if ok && r.Disabled {
			done.Back++
			if err := tx.SetDisabled(actor, l.ID, false); err != nil {
				return done, err
			}
		}
	}
	for _, r := range rows {
		if !here[r.ID] && !r.Disabled {
			done.Left++
			if err := tx.SetDisabled(actor, r.ID, true); err != nil {
				return done, err
			}
		}
	}
	return done, tx.Audit(actor, "member.sync", "members", map[string]string{"result": fmt.Sprintf("%+v", done)})
}
