package web

import (
	"context"
	"sync"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Health is how the way to WeChat Work is, as far as this process knows.
type Health struct {
	Waiting  int64         // words not yet sent
	Oldest   time.Duration // how long the first of them has waited
	Dead     int64         // words given up
	Stuck    int64         // messages that wait inside, not yet worked on
	StuckFor time.Duration
	Spooled  int64  // bytes of clicks that wait in the spool for the database
	Failing  string // code of the platform's last answers when they fail in a row: an errcode, "http502", "none"; "" when they do not
	Unheard  bool   // the program's own heartbeat could not be sent
	Advice   string // what to do about Failing, in Chinese; "" for nothing known
	// The smart bot's long connection has been down for so long, or was taken over
	// by somebody who uses the same bot.
	Unlinked time.Duration
	Kicked   bool
}

// late is how long words may wait before people who work here are told.
const late = 2 * time.Minute

// unlinkedLate is the same for the smart bot's long connection, which breaks and
// comes back by itself.
const unlinkedLate = 30 * time.Second

// degraded is one line about what does not work, or nothing.
func (v *visit) degraded(h Health) string {
	switch {
	case h.Failing != "":
		line := v.t("企业微信接口连续失败（%s），要发的消息先排队。", h.Failing)
		if v.lang != "en" {
			line += h.Advice
		}
		return line
	case h.Kicked:
		return v.t("智能机器人的长连接被顶掉了：有别的程序在用同一个机器人。过一会儿再连。")
	case h.Unlinked > unlinkedLate:
		return v.t("智能机器人的长连接断了，已 %s。发往它的消息先排队；断开期间发给它的消息收不到。", v.lasting(h.Unlinked))
	case h.Oldest > late:
		return v.t("%d 条消息没有发出，最早的已等 %s。", h.Waiting, v.lasting(h.Oldest))
	case h.StuckFor > late:
		return v.t("%d 条收到的消息还没有处理，最早的已等 %s。", h.Stuck, v.lasting(h.StuckFor))
	case h.Unheard:
		return v.t("对外心跳没有发出去，外面会以为一线停了；原因在设置与体检里。")
	case h.Spooled > 0:
		return v.t("数据库暂时写不进，点击先存在磁盘上，恢复后补处理。")
	}
	return ""
}

// pulse is what the frame of every page shows. It is looked up at most once in
// pulseLife, whoever asks: pages do not get slower by it.
type pulse struct {
	Health Health
	Drafts int64 // knowledge that waits for review
	New    int64 // tickets that nobody has taken
	Alerts int64 // groups of alerts that fire and nobody has claimed
	Dead   int64 // dead letters, in and out
	Duty   []onDuty
}

type onDuty struct{ Group, Name string }

const pulseLife = 3 * time.Second

type pulseKeeper struct {
	mu   sync.Mutex
	at   time.Time
	last pulse
}

// get returns what was last seen. Somebody else who looks is not waited for
// after the first time, and a fault leaves the frame as it was.
func (k *pulseKeeper) get(ctx context.Context, s *Server) pulse {
	k.mu.Lock()
	if now := time.Now(); now.Sub(k.at) < pulseLife {
		defer k.mu.Unlock()
		return k.last
	} else if !k.at.IsZero() {
		k.at = now
		k.mu.Unlock()
		p := s.look(ctx, k.last)
		k.mu.Lock()
		k.last = p
		k.mu.Unlock()
		return p
	}
	defer k.mu.Unlock()
	k.last, k.at = s.look(ctx, pulse{}), time.Now()
	return k.last
}

const lookTime = time.Second

func (s *Server) look(ctx context.Context, before pulse) pulse {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	p := before
	if s.opt.Health != nil {
		p.Health = s.opt.Health(ctx)
		p.Dead = p.Health.Dead
	}
	fault := func(err error) bool {
		if err != nil {
			s.opt.Log.Warn("the frame of the pages is old", "err", err)
		}
		return err != nil
	}
	if n, err := s.opt.Store.CountTickets(ctx, store.TicketQuery{States: []store.TicketState{store.TicketNew}}); !fault(err) {
		p.New = n
	}
	if n, err := s.opt.Store.CountEntries(ctx, store.EntryQuery{State: kb.Review}); !fault(err) {
		p.Drafts = n
	}
	if n, err := s.opt.Store.CountUnclaimed(ctx); !fault(err) {
		p.Alerts = n
	}
	shifts, err := s.opt.Store.OnDuty(ctx)
	if fault(err) {
		return p
	}
	p.Duty = nil
	for _, sh := range shifts {
		u, err := s.opt.Store.FindMember(ctx, sh.Member)
		if err != nil {
			u = chat.User{ID: sh.Member}
		}
		p.Duty = append(p.Duty, onDuty{s.opt.Desk.Rules.GroupTitle(sh.Group), u.Show()})
	}
	return p
}

// navCount is the number behind an entry of the navigation; hot asks for work.
func (p pulse) navCount(key string) (n int64, hot bool) {
	switch key {
	case "tickets":
		return p.New, true
	case "kb":
		return p.Drafts, false
	case "alerts":
		return p.Alerts, true
	case "deliveries":
		return p.Dead, true
	}
	return 0, false
}
