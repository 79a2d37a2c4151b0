package standin

import (
	"context"
	"slices"
	"time"
)

// Meter compares one field with its limit, for the inspector.
type Meter struct {
	Field string `json:"field"`
	Used  int    `json:"used"`
	Limit int    `json:"limit"`
	Unit  string `json:"unit"` // bytes or chars
	Hard  bool   `json:"hard"` // the platform cuts or refuses; otherwise its recommendation
}

// Trace is one step that the inspector shows: a try of a callback, a poll, a URL
// check, or a call of the platform's API. Secrets in URLs are shortened.
type Trace struct {
	Seq         int64     `json:"seq"`
	At          time.Time `json:"at"`
	Kind        string    `json:"kind"` // callback, poll, check, inject, call
	Name        string    `json:"name"` // callback/app, callback/bot, message/send, …
	Callback    string    `json:"callback,omitempty"`
	Try         int       `json:"try,omitempty"`
	Place       string    `json:"place,omitempty"`
	User        string    `json:"user,omitempty"`
	MsgID       string    `json:"msgid,omitempty"`
	Method      string    `json:"method,omitempty"`
	URL         string    `json:"url,omitempty"`
	Request     string    `json:"request,omitempty"`     // clear text
	RequestRaw  string    `json:"request_raw,omitempty"` // as it went over the wire
	Status      int       `json:"status,omitempty"`
	Errcode     *int      `json:"errcode,omitempty"`
	Response    string    `json:"response,omitempty"` // clear text
	ResponseRaw string    `json:"response_raw,omitempty"`
	LatencyMS   float64   `json:"latency_ms"`
	Err         string    `json:"error,omitempty"`
	Fault       string    `json:"fault,omitempty"`
	Meters      []Meter   `json:"meters,omitempty"`
	Notes       []string  `json:"notes,omitempty"`
}

// TracePage is a part of the trace. Next is what to pass as after.
type TracePage struct {
	Traces []Trace `json:"traces"`
	Next   int64   `json:"next"`
}

// traceLog keeps the last traces and wakes who waits for more.
type traceLog struct {
	kept    ring[Trace]
	changed chan struct{}
}

func (l *traceLog) init(max int) {
	l.kept.max = max
	l.changed = make(chan struct{})
}

func (l *traceLog) add(seq int64, t Trace) {
	t.Seq = seq
	l.kept.add(t, 256+len(t.Request)+len(t.RequestRaw)+len(t.Response)+len(t.ResponseRaw)+len(t.URL))
	close(l.changed)
	l.changed = make(chan struct{})
}

// Traces lists up to limit traces after a sequence number; it waits up to wait
// (at most 30 s) when there are none.
func (s *Server) Traces(ctx context.Context, after int64, limit int, wait time.Duration) TracePage {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	timer := time.NewTimer(min(wait, 30*time.Second))
	defer timer.Stop()
	for {
		s.mu.Lock()
		page := TracePage{Traces: []Trace{}, Next: after}
		for _, t := range s.traces.kept.list() {
			if t.Seq > after && len(page.Traces) < limit {
				page.Traces = append(page.Traces, t)
				page.Next = t.Seq
			}
		}
		changed := s.traces.changed
		s.mu.Unlock()
		if len(page.Traces) > 0 || wait <= 0 {
			return page
		}
		select {
		case <-changed:
		case <-timer.C:
			return page
		case <-ctx.Done():
			return page
		case <-s.ctx.Done():
			return page
		}
	}
}

// ring keeps the last max things, and no more than maxBytes of them.
type ring[T any] struct {
	max   int
	items []T
	sizes []int
	bytes int
}

// maxBytes bounds what one log holds, whatever the number of its entries.
const maxBytes = 64 << 20

func (r *ring[T]) add(v T, size int) {
	r.items, r.sizes, r.bytes = append(r.items, v), append(r.sizes, size), r.bytes+size
	for len(r.items) > r.max || r.bytes > maxBytes && len(r.items) > 1 {
		var none T
		r.items[0] = none // the array behind stays until the next growth
		r.bytes -= r.sizes[0]
		r.items, r.sizes = r.items[1:], r.sizes[1:]
	}
}

// list yields the things, oldest first.
func (r *ring[T]) list() []T { return slices.Clone(r.items) }
