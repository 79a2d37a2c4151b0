package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"frontline/store"
)

// Alive sends the program's own beat outwards, so that somebody else notices
// when it does not come any more: nothing that died can say so itself. Of all
// replicas one sends, and only while the database can be written.
type Alive struct {
	Store *store.Store
	URL   string
	Every time.Duration
	Log   *slog.Logger
}

// AliveJob is the row of the table of jobs that tells how the last one went.
const AliveJob = "alive"

const aliveTime = 10 * time.Second

// Run sends beats until ctx ends.
func (a *Alive) Run(ctx context.Context) error {
	client := &http.Client{Timeout: aliveTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(min(look, a.Every))
	defer tick.Stop()
	failed := false
	for {
		err := a.beat(ctx, client)
		if err != nil && !errors.Is(err, errNotOurs) && ctx.Err() == nil && !failed {
			a.Log.Error("the own heartbeat could not be sent", "err", err)
		}
		if !errors.Is(err, errNotOurs) {
			failed = err != nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// errNotOurs is a beat that is not due, or another replica's.
var errNotOurs = errors.New("not ours")

func (a *Alive) beat(ctx context.Context, client *http.Client) error {
	won, err := a.Store.TakeJob(ctx, AliveJob, func(now time.Time) time.Time { return now.Add(a.Every) })
	if err != nil {
		return err
	}
	if !won {
		return errNotOurs
	}
	err = a.send(ctx, client)
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, a.Store.EndJob(ctx, AliveJob, err))
}

func (a *Alive) send(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, strings.NewReader("frontline\n"))
	if err != nil {
		return errors.New("the address cannot be used")
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	resp, err := client.Do(req)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // without the address: whoever has it can beat
		}
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}
