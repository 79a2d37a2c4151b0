package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// The programs that hear of events, and what became of each event for them.

// HookInfo is a subscriber of the configuration; its secret never comes here.
type HookInfo struct {
	Name, URL string
	Events    []string // none: all
}

// Place is where deliveries for the subscriber go.
func (h HookInfo) Place() chat.Address { return chat.Address{Kind: chat.Hook, ID: h.Name} }

// Address is the URL without what may be a secret in it: user, query, and parts
// of the path that are as long as a token.
func (h HookInfo) Address() string {
	u, err := url.Parse(h.URL)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.Path, "/")
	for i, p := range parts {
		if len(p) >= 20 {
			parts[i] = "…"
		}
	}
	return u.Scheme + "://" + u.Host + strings.Join(parts, "/")
}

type hookRow struct {
	HookInfo
	store.PlaceState
}

type hookDelivery struct {
	store.Delivered
	Event string
	Why   string
}

type webhooksPage struct {
	Hooks  []hookRow
	Rows   []hookDelivery
	Name   string
	State  string
	States []stateName
	Next   int64
}

// Here is the address of the list as it is narrowed down.
func (p webhooksPage) Here(before int64) string {
	q := url.Values{}
	for name, v := range map[string]string{"name": p.Name, "state": p.State} {
		if v != "" {
			q.Set(name, v)
		}
	}
	q.Set("before", strconv.FormatInt(before, 10))
	return "/webhooks?" + q.Encode()
}

func (s *Server) webhooks(v *visit) error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	p := webhooksPage{Name: q.Get("name"), State: q.Get("state"), States: outStates}
	var places []chat.Address
	for _, h := range s.opt.Hooks {
		state, err := s.opt.Store.PlaceOf(ctx, h.Place(), s.opt.Now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		p.Hooks = append(p.Hooks, hookRow{h, state})
		if p.Name == "" || p.Name == h.Name {
			places = append(places, h.Place())
		}
	}
	if len(places) == 0 {
		return v.show("webhooks", p)
	}
	rows, err := s.opt.Store.ListDelivered(ctx, store.LedgerQuery{To: places, State: p.State, Before: number(q.Get("before")), N: ledgerPage})
	if err != nil {
		return err
	}
	for _, d := range rows {
		r := hookDelivery{Delivered: d, Why: v.why(d)}
		if e := d.Said.Body.Event; e != nil {
			r.Event = e.Type
		}
		p.Rows = append(p.Rows, r)
	}
	if len(rows) == ledgerPage {
		p.Next = rows[ledgerPage-1].ID
	}
	return v.show("webhooks", p)
}

func (s *Server) hookOf(v *visit) (HookInfo, error) {
	i := slices.IndexFunc(s.opt.Hooks, func(h HookInfo) bool { return h.Name == v.r.PathValue("name") })
	if i < 0 {
		return HookInfo{}, errNotFound
	}
	return s.opt.Hooks[i], nil
}

// hookTest is the body of the event that tries a subscriber.
type hookTest struct {
	By   string `json:"by"`
	Text string `json:"text"`
}

// testHook sends an event that means nothing, whatever the subscriber chose.
func (s *Server) testHook(v *visit) error {
	h, err := s.hookOf(v)
	if err != nil {
		return err
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		only := chat.Subscribers{{Name: h.Name}}
		if err := tx.Emit(only, chat.HookTest, "test", func() any { return hookTest{v.user.ID, "a test from the console"} }); err != nil {
			return err
		}
		return tx.Audit(v.user.ID, "webhook.test", h.Name, nil)
	})
	if err != nil {
		return err
	}
	v.notice(v.t("测试事件已放入发送队列，下面看它的结果"))
	return v.redirect("/webhooks?name=" + url.QueryEscape(h.Name))
}

// retryHook makes all dead events of a subscriber due again.
func (s *Server) retryHook(v *visit) error {
	h, err := s.hookOf(v)
	if err != nil {
		return err
	}
	n, err := s.opt.Store.RetryPlace(v.r.Context(), v.user.ID, h.Place())
	if err != nil {
		return err
	}
	v.notice(v.t("%d 个事件已重新放入发送队列", n))
	return v.redirect("/webhooks?name=" + url.QueryEscape(h.Name))
}
