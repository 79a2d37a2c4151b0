package cli

import (
	"context"
	"strconv"
	"sync"
	"time"

	"frontline/bot"
	"frontline/handlers/monitor"
	"frontline/web"
)

// failingAfter calls in a row without a good answer, the way to WeChat Work
// counts as broken: one alone may be a message that is wrong.
const failingAfter = 3

// calls remembers how the platform's last answers were.
type calls struct {
	mu   sync.Mutex
	bad  int
	code string
}

// saw notes one call. Codes that speak of one message or one receiver say
// nothing of the way, neither good nor bad.
func (c *calls) saw(api, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := strconv.ParseInt(code, 10, 64)
	switch {
	case code == "0":
		c.bad, c.code = 0, ""
	case err != nil, bot.ConcernsAll(api, n):
		c.bad++
		c.code = code
	}
}

func (c *calls) failing() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bad < failingAfter {
		return ""
	}
	return c.code
}

func (e *engine) sawCall(api, code string, took time.Duration) {
	e.calls.saw(api, code)
	e.meters.sawCall(api, code, took)
}

// health is what the strip on every page is made from.
func (e *engine) health(ctx context.Context) web.Health {
	h := web.Health{Failing: e.calls.failing(), Spooled: e.spool.Waiting()}
	if e.link != nil {
		if s := e.link.State(); s.Mine && !s.Up {
			h.Unlinked, h.Kicked = e.now().Sub(s.Since), s.Kicked
		}
	}
	if n, err := strconv.ParseInt(h.Failing, 10, 64); err == nil {
		h.Advice = bot.Advice(n)
	}
	if d, err := e.store.OutboxDepth(ctx); err == nil {
		h.Waiting, h.Oldest, h.Dead = d.Waiting, d.Oldest, d.Dead
	} else {
		e.log.Warn("count the outbox", "err", err)
	}
	if d, err := e.store.InboxDepth(ctx); err == nil {
		h.Stuck, h.StuckFor = d.Waiting, d.Oldest
		h.Dead += d.Dead
	} else {
		e.log.Warn("count the inbox", "err", err)
	}
	if e.alive != nil {
		if jobs, err := e.store.ListJobs(ctx); err == nil {
			h.Unheard = jobs[monitor.AliveJob].Err != ""
		} else {
			e.log.Warn("look at the own heartbeat", "err", err)
		}
	}
	return h
}
