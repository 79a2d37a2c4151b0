package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"frontline/handlers/alert"
	"frontline/store"
)

// Rows of a heartbeat cannot be asked for.
func (waiting) Rows(context.Context, *Sources, Order) ([]Row, error) {
	return nil, &Fail{"心跳由对方送来，不能主动检查"}
}

// token is what a heartbeat's sender calls: the file's own, or one that only
// this installation can make.
func (r *Runner) token(i *Item) string {
	if i.Beat.Token != "" {
		return i.Beat.Token
	}
	return r.Store.Blind("beat", i.Name)
}

// Address is where a heartbeat's sender calls, "" for other items. Whoever has
// it can beat.
func (r *Runner) Address(i *Item) string {
	if i.Beat == nil {
		return ""
	}
	return r.URL + "/beat/" + r.token(i)
}

// byToken finds a heartbeat; nil for a token that nobody has.
func (r *Runner) byToken(token string) *Item {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.beats[sha256.Sum256([]byte(token))]
}

// errMoved is that somebody changed the state meanwhile.
var errMoved = errors.New("the state was changed meanwhile")

const beatTries = 8

// change brings the state of a heartbeat forward: do says how, and false where
// there is nothing to do. State, result and alerts are one commit.
func (r *Runner) change(ctx context.Context, i *Item, do func(s State, at time.Time) (State, []alert.Signal, Outcome, bool)) error {
	for range beatTries {
		s, version, err := r.state(ctx, i)
		if err != nil {
			return err
		}
		next, signals, out, more := do(s, r.Store.Now())
		if !more {
			return nil
		}
		if err = r.commit(ctx, i, next, version, signals, out); !errors.Is(err, errMoved) {
			return err
		}
	}
	return errMoved
}

func (r *Runner) commit(ctx context.Context, i *Item, next State, version int64, signals []alert.Signal, out Outcome) error {
	keep := out.State == StateFailed || out.State == StateMissed || len(signals) > 0 || out.At.Sub(time.UnixMilli(next.Beat.Kept)) >= keepEvery
	if keep = keep && out.State != ""; keep {
		next.Beat.Kept = out.At.UnixMilli()
	}
	state, err := json.Marshal(next)
	if err != nil {
		return err
	}
	table, err := json.Marshal(out.Table)
	if err != nil {
		return err
	}
	write := func(tx *store.Tx) error {
		if err := tx.SaveMonitorState(i.Name, state, version); errors.Is(err, store.ErrStale) {
			return errMoved
		} else if err != nil || !keep {
			return err
		}
		return tx.AddMonitorResult(&store.MonitorResult{Item: i.Name, At: out.At, State: out.State, Took: out.Took, Table: table, Verdicts: []byte("[]"), Fault: out.Fault, Alarming: next.Alarming()})
	}
	if len(signals) == 0 {
		return r.Store.InTx(ctx, write)
	}
	return r.reportWith(ctx, i, signals, write)
}

// Beat takes a beat that came.
func (r *Runner) Beat(ctx context.Context, i *Item, c Call) error {
	held, err := r.Store.MonitorHeld(ctx, i.Name)
	if err != nil {
		return err
	}
	return r.change(ctx, i, func(s State, at time.Time) (State, []alert.Signal, Outcome, bool) {
		next, signals, out := i.beat(s, c, r.Checker.Calendar, at.In(r.Checker.Calendar.Location()))
		if held { // it is kept, and nobody hears of it
			next.Rules, signals = nil, nil
		}
		return next, signals, out, true
	})
}

// lookBeats reports the heartbeats that did not come.
func (r *Runner) lookBeats(ctx context.Context) {
	items, _ := r.Items()
	var states map[string][]byte
	for _, i := range items {
		if i.Beat == nil {
			continue
		}
		if states == nil {
			var err error
			if states, err = r.Store.MonitorStates(ctx); err != nil {
				if ctx.Err() == nil {
					r.Log.Warn("read the states of heartbeats", "err", err)
				}
				return
			}
		}
		if !r.beatToLook(i, states[i.Name]) {
			continue
		}
		held, err := r.Store.MonitorHeld(ctx, i.Name)
		if err == nil && held {
			continue
		}
		if err == nil {
			err = r.change(ctx, i, r.late(i))
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, errMoved) {
			r.Log.Error("a heartbeat is late and that could not be reported", "job", job(i.Name), "err", err)
		}
	}
}

// beatToLook tells cheaply whether there is anything to do about a heartbeat.
func (r *Runner) beatToLook(i *Item, text []byte) bool {
	var s State
	if len(text) == 0 || json.Unmarshal(text, &s) != nil || s.Beat == nil || s.Beat.Spec != i.beatSpec() {
		return true
	}
	return r.tooLate(i, s, r.Store.Now())
}

// tooLate tells whether a beat is late. For what should have come while this
// program did not run, senders get their time once more.
func (r *Runner) tooLate(i *Item, s State, now time.Time) bool {
	due := time.UnixMilli(s.Beat.Due)
	if again := r.since.Add(i.When.Every + i.Beat.Grace); again.After(due) {
		due = again
	}
	return now.After(due)
}

// late is what to do about a heartbeat now: begin to wait for it, or report it.
func (r *Runner) late(i *Item) func(s State, at time.Time) (State, []alert.Signal, Outcome, bool) {
	cal := r.Checker.Calendar
	return func(s State, at time.Time) (State, []alert.Signal, Outcome, bool) {
		at = at.In(cal.Location())
		switch {
		case s.Beat == nil || s.Beat.Spec != i.beatSpec():
			return i.waitFrom(s, cal, at), nil, Outcome{Item: i, At: at}, true
		case !r.tooLate(i, s, at):
			return s, nil, Outcome{}, false
		case s.Rules[missedRule].Firing: // told already: wait for the next
			b := *s.Beat
			b.Began, b.Due = 0, i.beatDue(cal, at).UnixMilli()
			s.Beat = &b
			return s, nil, Outcome{Item: i, At: at}, true
		}
		next, signals, out := i.missed(s, cal, at)
		return next, signals, out, true
	}
}

// Beats is where senders call: POST /beat/{token}, with /start, /fail or an exit
// code behind it. It answers 2xx when the beat is committed.
type Beats struct {
	Runner *Runner
	Log    *slog.Logger
}

const beatTime = 10 * time.Second

func (b *Beats) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	i := b.Runner.byToken(req.PathValue("token"))
	call, known := ReadCall(req.PathValue("what"))
	switch {
	case i == nil || !known:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "there is no such heartbeat\n")
		return
	case req.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		io.WriteString(w, "POST is what a heartbeat takes: curl -fsS -X POST ADDRESS\n")
		return
	}
	note, _ := io.ReadAll(io.LimitReader(req.Body, longNote)) // a beat whose words break off is a beat
	call.Note = string(note)
	// The sender's hanging up must not undo what is about to be stored.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), beatTime)
	defer cancel()
	if err := b.Runner.Beat(ctx, i, call); err != nil {
		b.Log.Error("a heartbeat is not stored", "job", job(i.Name), "err", err)
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "not stored; call again\n")
		return
	}
	io.WriteString(w, "ok\n")
}
