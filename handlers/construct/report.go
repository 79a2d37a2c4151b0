package construct

import (
	"context"
	"slices"
	"time"

	"frontline/store"
)

// UseLine is one recipe in the report of use.
type UseLine struct {
	Use
	Half, Most time.Duration // p50 and p95 of the runs that made everything; 0: none did
}

// Rate is how many of a hundred pieces were made.
func (u Use) Rate() int { return 100 * u.Good / max(1, u.Good+u.Bad) }

// Report is the use of data construction since an instant.
type Report struct {
	Since   time.Time
	Lines   []UseLine
	Targets []store.TargetUse // that were called, the most failures first
	Runs    int
	Good    int
	Bad     int
	People  int // that ran anything
	Saved   int // minutes
}

// Report counts what was made since an instant. Minutes saved are the manual
// minutes of the recipe times the pieces that were made.
func (e *Engine) Report(ctx context.Context, since time.Time) (r Report, err error) {
	r.Since = since
	uses, err := e.Uses(ctx, since)
	if err != nil {
		return r, err
	}
	times, err := e.Store.RunTimes(ctx, since)
	if err != nil {
		return r, err
	}
	took := map[string][]time.Duration{}
	for _, t := range times {
		took[t.Recipe] = append(took[t.Recipe], t.Took)
	}
	for _, u := range uses {
		list := took[u.Recipe]
		slices.Sort(list)
		r.Lines = append(r.Lines, UseLine{Use: u, Half: percentile(list, 50), Most: percentile(list, 95)})
		r.Runs, r.Good, r.Bad, r.Saved = r.Runs+u.Runs, r.Good+u.Good, r.Bad+u.Bad, r.Saved+u.Saved
	}
	rows, err := e.Store.RunUses(ctx, since)
	if err != nil {
		return r, err
	}
	people := map[string]bool{}
	for _, x := range rows {
		people[x.Requester] = true
	}
	r.People = len(people)
	r.Targets, err = e.Store.TargetUses(ctx, since)
	return r, err
}

// percentile is the smallest value that p of a hundred do not exceed (nearest
// rank); 0 of an empty list. The list is sorted.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
