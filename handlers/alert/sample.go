package alert

import (
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Sample plays an alert through its life inside a rehearsal: what a group hears
// when it fires, is claimed, and is over.
func (d *Desk) Sample(by chat.User) (fires, claimed, over func(tx *store.Tx) error) {
	g := store.AlertGroup{Route: "default", Key: "sample", Title: "委托失败率 6.3%（门槛 5%）", Source: "monitor", Labels: map[string]string{"name": "委托失败率"}, Receivers: []string{"sample"}, Severity: Critical, State: store.GroupOpen, Firing: 1, Opens: 1}
	fires = func(tx *store.Tx) error {
		now := tx.Now()
		g.Opened, g.Changed, g.Due = now.Add(-3*time.Minute), now.Add(-3*time.Minute), now
		if err := tx.AddAlertGroup(&g); err != nil {
			return err
		}
		a := &store.Alert{FP: "sample", Source: "monitor", Kind: "generic", Name: "委托失败率", Severity: Critical, State: store.AlertFiring, Title: "柜台超时 181 笔，资金不足 23 笔", Value: "204 / 3238", Started: g.Opened, Opened: g.Opened, Last: now, Seen: 1, Opens: 1, GroupID: g.ID}
		if err := tx.AddAlerts([]*store.Alert{a}); err != nil {
			return err
		}
		return d.tell(tx, g.Number)
	}
	claimed = func(tx *store.Tx) error { _, err := d.Claim(tx, by, g.Number, chat.Address{}); return err }
	over = func(tx *store.Tx) error {
		now, err := tx.TakeAlertGroup(g.Number)
		if err != nil {
			return err
		}
		now.Firing, now.Resolves, now.Changed, now.Due = 0, 1, tx.Now(), tx.Now()
		if err := tx.ChangeAlertGroup(&now); err != nil {
			return err
		}
		return d.tell(tx, g.Number)
	}
	return fires, claimed, over
}
