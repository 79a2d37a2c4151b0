package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/spec"
	"frontline/store"
)

// Runner runs items by the clock. Of all replicas one runs each of them: whoever
// moves the item's row in the table of jobs.
type Runner struct {
	Store   *store.Store
	Alerts  Taker
	Checker *Checker
	Log     *slog.Logger
	Shelf   *Shelf                         // where people write items; nil where nobody does
	Load    func() ([]*Item, []spec.Fault) // reads the files; called again when they may have changed
	Changed func() string                  // tells one state of the files from another; nil: they never change
	URL     string                         // where the pages are, "" leaves links out
	Observe func(state string, took time.Duration)

	reading sync.Mutex // one reads at a time, or what was read first could count last
	mu      sync.RWMutex
	items   []*Item
	faults  []spec.Fault
	seen    string
	next    map[string]time.Time
	running map[string]bool
	beats   map[[32]byte]*Item // heartbeats by what their token hashes to
	checked time.Time          // when a check last ended here
	since   time.Time          // when this runner began
	slots   chan struct{}
	work    sync.WaitGroup
}

// Taker takes alerts in, as from any other sender.
type Taker interface {
	Take(ctx context.Context, src alert.Source, del alert.Delivery, raw []byte, also func(tx *store.Tx) error) (alert.Taken, error)
}

// SourceName is the sender of monitors' alerts, which routes can match.
const SourceName = "monitor"

var source = alert.Source{Name: SourceName, Kind: alert.Kind{Name: SourceName}}

const (
	look     = time.Second
	together = 8 // checks at the same time
	reload   = 5 * time.Second
)

// Items are the items as they were last read, and what is wrong with the files.
// With a fault the items before it stay.
func (r *Runner) Items() ([]*Item, []spec.Fault) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.items, r.faults
}

// LastCheck is when this process last ended a check, zero for never.
func (r *Runner) LastCheck() time.Time {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.checked
}

// Find finds an item by name, nil when there is none.
func (r *Runner) Find(name string) *Item {
	items, _ := r.Items()
	for _, i := range items {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// Read reads the items, if they may have changed.
func (r *Runner) Read() {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.Changed != nil {
		seen := r.Changed()
		r.mu.RLock()
		same := r.seen == seen && r.next != nil
		r.mu.RUnlock()
		if same {
			return
		}
		r.mu.Lock()
		r.seen = seen
		r.mu.Unlock()
	}
	items, faults := r.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots == nil {
		r.slots, r.running = make(chan struct{}, together), map[string]bool{}
	}
	if r.faults = faults; len(faults) > 0 && r.next != nil {
		r.Log.Error("monitor files are wrong; the items before stay", "err", faults[0].Error())
		return
	}
	r.items, r.next, r.beats = items, map[string]time.Time{}, map[[32]byte]*Item{}
	for _, i := range items {
		if i.Beat != nil {
			r.beats[sha256.Sum256([]byte(r.token(i)))] = i
		}
	}
}

// Run works until ctx ends, and then waits for the checks that run.
func (r *Runner) Run(ctx context.Context) error {
	r.ready(ctx)
	tick := time.NewTicker(look)
	defer tick.Stop()
	defer r.work.Wait()
	read := time.Now()
	for {
		r.lookAll(ctx)
		r.lookBeats(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if r.Changed != nil && time.Since(read) >= reload {
			read = time.Now()
			items, _ := r.Items()
			if r.Read(); !same(items, r) {
				r.begin(ctx)
			}
		}
	}
}

// Reread reads items that were just written, without waiting for the next look.
func (r *Runner) Reread(ctx context.Context) {
	r.Read()
	r.begin(ctx)
}

func (r *Runner) ready(ctx context.Context) {
	r.since = r.Store.Now()
	r.Read()
	r.begin(ctx)
}

// same tells whether reading changed nothing.
func same(before []*Item, r *Runner) bool {
	now, _ := r.Items()
	return len(before) == len(now) && (len(now) == 0 || before[0] == now[0])
}

// begin fits what the store knows to items that were just read: schedules that
// became shorter, and items that are gone.
func (r *Runner) begin(ctx context.Context) {
	items, faults := r.Items()
	for _, i := range items {
		if i.Beat != nil {
			continue // nobody asks it
		}
		if at := i.When.Next(r.Checker.Calendar, i.Name, r.Store.Now()); !at.IsZero() {
			if err := r.Store.HastenJob(ctx, job(i.Name), at); err != nil && ctx.Err() == nil {
				r.Log.Warn("schedule a monitor", "job", i.Name, "err", err)
			}
		}
	}
	if len(faults) > 0 {
		return // an item may be missing because its file is wrong
	}
	states, err := r.Store.MonitorStates(ctx)
	if err != nil {
		r.Log.Warn("read the states of monitors", "err", err)
		return
	}
	for name, text := range states {
		if r.Find(name) != nil {
			continue
		}
		if err := r.retire(ctx, name, text); err != nil && ctx.Err() == nil {
			r.Log.Warn("end the alerts of a monitor that is gone", "job", name, "err", err)
		}
	}
}

func (r *Runner) retire(ctx context.Context, name string, text []byte) error {
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		s = State{}
	}
	if signals := gone(name, s, r.Store.Now()); len(signals) > 0 {
		if err := r.report(ctx, signals); err != nil {
			return err
		}
	}
	return r.Store.InTx(ctx, func(tx *store.Tx) error { return tx.DropMonitorState(name) })
}

func job(item string) string { return "monitor/" + item }

// lookAll starts what is due.
func (r *Runner) lookAll(ctx context.Context) {
	items, _ := r.Items()
	now := r.Store.Now()
	for _, i := range items {
		if i.Beat != nil {
			continue
		}
		r.mu.RLock()
		due := !r.next[i.Name].After(now)
		busy := r.running[i.Name]
		r.mu.RUnlock()
		if !due || busy {
			continue // one that still runs is not begun again
		}
		select {
		case r.slots <- struct{}{}:
		default:
			return // all are busy; another replica may have time, or we next second
		}
		if !r.start(ctx, i, now) {
			<-r.slots
		}
	}
}

// start runs an item if it is this replica's to run now.
func (r *Runner) start(ctx context.Context, i *Item, now time.Time) bool {
	next := i.When.Next(r.Checker.Calendar, i.Name, now)
	if next.IsZero() {
		next = now.AddDate(1, 0, 0)
	}
	if held, err := r.Store.MonitorHeld(ctx, i.Name); err != nil || held {
		if held {
			r.setNext(i.Name, next)
		} else if ctx.Err() == nil {
			r.Log.Warn("look at a monitor", "job", i.Name, "err", err)
		}
		return false
	}
	won, err := r.Store.TakeJob(ctx, job(i.Name), func(time.Time) time.Time { return next })
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Warn("look at a monitor", "job", i.Name, "err", err)
		}
		return false
	}
	r.setNext(i.Name, next)
	if !won || !i.When.Allowed(r.Checker.Calendar, now) {
		return false
	}
	if !r.mark(i.Name) {
		return false // somebody runs it by hand
	}
	r.begun(ctx, i)
	return true
}

// begun runs an item that has a slot and is marked as running; what comes back
// is closed at its end.
func (r *Runner) begun(ctx context.Context, i *Item) <-chan struct{} {
	ended := make(chan struct{})
	r.work.Go(func() {
		defer close(ended)
		defer func() { r.unmark(i.Name); <-r.slots }()
		err := r.Once(ctx, i)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("monitor failed", "job", i.Name, "err", err)
		}
		if err := r.Store.EndJob(context.WithoutCancel(ctx), job(i.Name), err); err != nil {
			r.Log.Warn("record a job", "job", i.Name, "err", err)
		}
	})
	return ended
}

func (r *Runner) setNext(name string, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next[name] = next
}

// mark makes an item a running one; false when it runs already.
func (r *Runner) mark(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[name] {
		return false
	}
	r.running[name] = true
	return true
}

func (r *Runner) unmark(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, name)
}

// Once checks an item, reports what changed, and keeps the result. Alerts go
// first: if we die in between, the next check reports the same again, and an
// alert that fires already is a repeat.
func (r *Runner) Once(ctx context.Context, i *Item) error {
	state, version, err := r.state(ctx, i)
	if err != nil {
		return err
	}
	at := r.Store.Now()
	before := r.past(ctx, i, at)
	out := r.Checker.Check(ctx, i, at, before)
	if ctx.Err() != nil {
		return ctx.Err() // stopped in the middle: that says nothing of the item
	}
	if before.err != nil {
		return fmt.Errorf("earlier results of %s: %w", i.Name, before.err)
	}
	if r.Observe != nil {
		r.Observe(out.State, out.Took)
	}
	r.mu.Lock()
	r.checked = at
	r.mu.Unlock()
	next, signals := i.advance(state, out)
	if len(signals) > 0 {
		if err := r.reportWith(ctx, i, signals, nil); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return r.keep(ctx, i, out, next, version)
}

func (r *Runner) report(ctx context.Context, signals []alert.Signal) error {
	return r.reportWith(ctx, nil, signals, nil)
}

// reportWith reports what changed about an item, with a link to its page, and
// makes further writes in the same commit.
func (r *Runner) reportWith(ctx context.Context, i *Item, signals []alert.Signal, also func(tx *store.Tx) error) error {
	type said struct {
		ID, Title, Severity string
		State               alert.State
	}
	raw := make([]said, len(signals))
	for n, s := range signals {
		raw[n] = said{s.ID, s.Title, s.Severity, s.State}
		if r.URL != "" && i != nil {
			signals[n].Links = append(signals[n].Links, store.AlertLink{Title: "监控项", URL: r.URL + "/monitors/" + i.Name})
		}
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return err
	}
	_, err = r.Alerts.Take(ctx, source, alert.Delivery{Signals: signals}, text, also)
	return err
}

func (r *Runner) keep(ctx context.Context, i *Item, out Outcome, next State, version int64) error {
	state, err := json.Marshal(next)
	if err != nil {
		return err
	}
	table, err := json.Marshal(out.Table)
	if err != nil {
		return err
	}
	verdicts, err := json.Marshal(out.Verdicts)
	if err != nil {
		return err
	}
	err = r.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.SaveMonitorState(i.Name, state, version); err != nil {
			return err
		}
		if out.Objects.Known {
			if err := tx.SeeMonitorObjects(i.Name, out.At.In(r.Checker.Calendar.Location()), out.Objects.Keys, out.At); err != nil {
				return err
			}
		}
		result := store.MonitorResult{Item: i.Name, At: out.At, State: out.State, Took: out.Took, Table: table, Verdicts: verdicts, Fault: out.Fault, Alarming: next.Alarming()}
		if err := tx.AddMonitorResult(&result); err != nil {
			return err
		}
		return r.countDay(tx, i, result)
	})
	if errors.Is(err, store.ErrStale) {
		r.Log.Warn("another replica checked the same monitor meanwhile; this check is not kept", "job", i.Name)
		return nil
	}
	return err
}
