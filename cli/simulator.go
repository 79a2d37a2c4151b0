package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"frontline/bot/standin"
	"frontline/web"
)

// simPlatform fits the stand-in to what the simulator page asks for. The page's
// types have the stand-in's JSON names, so JSON carries them across.
type simPlatform struct{ s *standin.Server }

func across[T any](from any) (to T, err error) {
	b, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(b, &to)
	}
	if err != nil {
		err = fmt.Errorf("simulator: %w", err)
	}
	return to, err
}

func (p simPlatform) State(_ context.Context, user string) (web.SimState, error) {
	return across[web.SimState](p.s.State(user))
}

func (p simPlatform) Feed(ctx context.Context, user, group string) ([]web.SimEntry, int64, error) {
	page := p.s.Feed(ctx, standin.FeedQuery{User: user, Group: group})
	entries, err := across[[]web.SimEntry](page.Entries)
	return entries, page.Next, err
}

func (p simPlatform) Say(ctx context.Context, say web.SimSay) ([]string, error) {
	req := standin.SayRequest{User: say.User, To: standin.Place(say.Place), Text: say.Text, Quote: say.Quote}
	if say.Mention {
		req.Mention = []string{demoBot}
	}
	if say.Data != nil {
		req.File = &standin.File{Kind: say.FileKind, Name: say.Name, Data: say.Data}
	}
	got, err := p.s.Say(ctx, req)
	return got.Notes, err
}

func (p simPlatform) Act(ctx context.Context, a web.SimAct) error {
	_, err := p.s.Act(ctx, standin.Action{Do: a.Do, User: a.User, To: standin.Place(a.Place), TaskID: a.TaskID, Entry: a.Entry, Key: a.Key, Selected: a.Selected})
	return err
}

// traceWindow is how far back the inspector looks, in steps of everything that
// happens; the page shows the newest of them.
const traceWindow = 800

func (p simPlatform) Traces(ctx context.Context, n int) ([]web.SimTrace, int64, error) {
	page := p.s.Traces(ctx, max(0, p.s.State("").Seq-traceWindow), 0, 0)
	all := page.Traces
	if len(all) > n {
		all = all[len(all)-n:]
	}
	steps, err := across[[]web.SimTrace](all)
	return steps, page.Next, err
}

func (p simPlatform) Redeliver(ctx context.Context, callback string, times int) ([]int, error) {
	results, err := p.s.Redeliver(ctx, standin.RedeliverRequest{Callback: callback, Times: times, Parallel: true})
	var out []int
	for _, r := range results {
		out = append(out, r.Status)
	}
	return out, err
}

func (p simPlatform) Fault(_ context.Context, f web.SimFault) error {
	p.s.AddFault(standin.Fault{API: f.API, Errcode: f.Errcode, Count: f.Count, DelayMS: f.DelayMS, Drop: standin.Drop(f.Drop)})
	return nil
}

func (p simPlatform) ClearFaults(context.Context) error { p.s.ClearFaults(); return nil }

func (p simPlatform) Inject(ctx context.Context, place, user, kind, text string) (int, error) {
	got, err := p.s.Inject(ctx, standin.InjectRequest{Target: place, Kind: kind, User: user, Text: text})
	return got.Status, err
}

func (p simPlatform) Clear(context.Context) error { p.s.ClearFeeds(); return nil }
