package alert

import (
	"time"

	"frontline/store"
)

// Reasons for saying nothing.
const (
	hushMaintenance = "maintenance"
	hushSilenced    = "silenced"
	hushInhibited   = "inhibited"
)

var hushTitle = map[string]string{hushMaintenance: "维护窗口内，不通知", hushSilenced: "已静默，不通知", hushInhibited: "被更严重的告警抑制，不通知"}

// HushTitle says in Chinese why nothing is told.
func HushTitle(hush string) string { return hushTitle[hush] }

// view is what is to be said of a group.
type view struct {
	opens, resolves int            // since it was told last
	firing          int            // that people may hear of
	counts          map[string]int // of those, by severity; nil: not known
	sample          []store.Alert  // the newest of those
	hush            string
	until           time.Time // when the reason for the silence may be over
	hushed          int
}

const sampled = 5

// hushLook is how soon a group is looked at again whose reason for silence has
// no end of its own.
const hushLook = time.Minute

// see looks at a group as people may: without what is silenced, inhibited or in
// maintenance. What it shows counts as told.
func (d *Desk) see(tx *store.Tx, g *store.AlertGroup, route Route) (view, error) {
	v := view{resolves: g.Resolves - g.ToldResolves}
	silences, err := d.silences(tx, route)
	if err != nil {
		return v, err
	}
	if len(silences) == 0 && len(d.Rules.Inhibit) == 0 && len(d.Rules.Maintenance) == 0 {
		v.opens, v.firing = g.Opens-g.ToldOpens, g.Firing
		if v.counts, err = tx.FiringBySeverity(g.ID); err != nil {
			return v, err
		}
		if v.sample, err = tx.AlertsOfGroup(g.ID, store.AlertFiring, sampled); err != nil {
			return v, err
		}
		g.ToldOpens, g.ToldResolves = g.Opens, g.Resolves
		return v, tx.ToldGroup(g.ID)
	}
	return v, d.seeThrough(tx, g, silences, &v)
}

// seeThrough is see when there are reasons for silence: alert by alert.
func (d *Desk) seeThrough(tx *store.Tx, g *store.AlertGroup, silences []silence, v *view) error {
	firing, err := tx.AlertsOfGroup(g.ID, store.AlertFiring, 5000)
	if err != nil {
		return err
	}
	var grave []store.Alert
	if len(d.Rules.Inhibit) > 0 {
		if grave, err = tx.FiringLike(nil); err != nil {
			return err
		}
	}
	var shown []int64
	quiet := map[string][]int64{}
	v.counts = map[string]int{}
	for _, a := range firing {
		hush, until := d.hush(a, silences, grave, tx.Now())
		if hush != "" {
			quiet[hush] = append(quiet[hush], a.ID)
			v.hushed++
			if v.hush == "" || until.Before(v.until) {
				v.hush, v.until = hush, until
			}
			continue
		}
		shown = append(shown, a.ID)
		v.counts[a.Severity]++
		v.firing++
		if a.Told == store.ToldNothing {
			v.opens++
		}
		if len(v.sample) < sampled {
			v.sample = append(v.sample, a)
		}
	}
	g.ToldOpens, g.ToldResolves = g.Opens-v.hushed, g.Resolves
	for hush, ids := range quiet {
		if err := tx.ToldAlerts(ids, store.ToldNothing, hush); err != nil {
			return err
		}
	}
	return tx.ToldAlerts(shown, store.ToldFiring, "")
}

// hush is why nobody hears of an alert, in the order maintenance, silence,
// inhibition.
func (d *Desk) hush(a store.Alert, silences []silence, grave []store.Alert, now time.Time) (string, time.Time) {
	if _, until, in := d.Rules.window(Of(a), now); in {
		return hushMaintenance, until
	}
	for _, s := range silences {
		if matchAll(s.match, Of(a)) {
			return hushSilenced, s.ends
		}
	}
	if d.Rules.inhibited(a, grave) {
		return hushInhibited, now.Add(hushLook)
	}
	return "", time.Time{}
}

type silence struct {
	match []Matcher
	ends  time.Time
}

// silences are those that hold now, unless the route hears everything.
func (d *Desk) silences(tx *store.Tx, route Route) ([]silence, error) {
	if route.Hears {
		return nil, nil
	}
	rows, err := tx.Silences()
	if err != nil {
		return nil, err
	}
	var out []silence
	for _, r := range rows {
		if r.Starts.After(tx.Now()) || len(r.Matchers) == 0 {
			continue
		}
		s := silence{ends: r.Ends}
		for _, m := range r.Matchers {
			c, err := newMatcher(m)
			if err != nil {
				s.match = nil
				break
			}
			s.match = append(s.match, c)
		}
		if len(s.match) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}
