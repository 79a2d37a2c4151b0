package construct

import (
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// RunJSON is a run as programs see it, over the API and in events; results are
// masked.
type RunJSON struct {
	Number      int64         `json:"number"`
	Recipe      string        `json:"recipe"`
	Version     int           `json:"version"`
	Title       string        `json:"title"`
	Environment string        `json:"environment"`
	State       string        `json:"state"`
	Requester   string        `json:"requester"`
	Count       int           `json:"count"`
	Good        int           `json:"good"`
	Bad         int           `json:"bad"`
	Seed        string        `json:"seed"`
	Ticket      int64         `json:"ticket,omitempty"`
	Why         string        `json:"why,omitempty"`
	Created     time.Time     `json:"created_at"`
	Ended       *time.Time    `json:"ended_at,omitempty"`
	Expires     *time.Time    `json:"expires_at,omitempty"`
	Items       []RunItemJSON `json:"items,omitempty"`
}

// RunItemJSON is one piece of a run.
type RunItemJSON struct {
	Pos    int               `json:"pos"`
	State  string            `json:"state"`
	Result map[string]string `json:"result,omitempty"`
	FailAt string            `json:"failed_at,omitempty"`
	Fault  string            `json:"fault,omitempty"`
}

// JSONOf is a run without its pieces.
func JSONOf(r store.Run) RunJSON {
	out := RunJSON{Number: r.Number, Recipe: r.Recipe, Version: r.Version, Title: r.Title, Environment: r.Env, State: r.State, Requester: r.Requester, Count: r.Wanted, Good: r.Good, Bad: r.Bad,
		Seed: strconv.FormatUint(r.Seed, 10), Ticket: r.Ticket, Why: r.Why, Created: r.Created}
	for _, t := range []struct {
		to   **time.Time
		from time.Time
	}{{&out.Ended, r.Ended}, {&out.Expires, r.Expires}} {
		if !t.from.IsZero() {
			*t.to = &t.from
		}
	}
	return out
}

// ItemJSON is a piece of a run, its results as the chat shows them.
func ItemJSON(i store.Item) RunItemJSON {
	out := RunItemJSON{Pos: i.Pos, State: i.State, FailAt: i.FaultAt, Fault: i.Fault}
	for _, l := range Card(i) {
		if out.Result == nil {
			out.Result = map[string]string{}
		}
		out.Result[l[0]] = l[1]
	}
	return out
}

// RunEvent is what subscribers hear of a run. It has the counts; who wants the
// pieces asks for the run.
type RunEvent struct {
	Run RunJSON `json:"run"`
	By  string  `json:"by"` // userid; empty: the engine itself
}

// ends are the events of how a run ends, by its state.
var ends = map[string]string{store.RunDone: chat.RunFinished, store.RunPartly: chat.RunFinished, store.RunFailed: chat.RunFailed, store.RunAttention: chat.RunFailed, store.RunUndone: chat.RunUndone, store.RunResidue: chat.RunUndone}

// emit tells the subscribers what happened to a run.
func (e *Engine) emit(tx *store.Tx, event, by string, r store.Run) error {
	if event == "" {
		return nil
	}
	return tx.Emit(e.Subscribers, event, "R"+strconv.FormatInt(r.Number, 10), func() any {
		run := JSONOf(r)
		run.Title, run.Why = mask.Text(run.Title), mask.Text(run.Why)
		return RunEvent{run, by}
	})
}

// started is told of a run that a runner takes for the first time.
func (e *Engine) started(tx *store.Tx, r store.Run) error { return e.emit(tx, chat.RunStarted, "", r) }

// reject ends a run that nobody said yes to.
func (e *Engine) reject(tx *store.Tx, by string, r *store.Run) error {
	if err := tx.MoveRun(by, r, store.RunRejected, store.RunWaiting); err != nil {
		return err
	}
	if by == jobActor {
		by = ""
	}
	return e.emit(tx, chat.RunRejected, by, *r)
}

// jobActor stands in the audit log for what the clock does.
const jobActor = "job"
