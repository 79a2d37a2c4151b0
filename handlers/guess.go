package handlers

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"frontline/store"
)

// The class of a report is guessed by naive Bayes over its gist. It learns from
// finished tickets, whose class somebody had the chance to correct, and begins
// with the words that the configuration gives each class.

const (
	learnMost = 1000             // finished tickets, the newest
	learnLife = 10 * time.Minute // how long what was learned is used
	wordCount = 3                // tickets that a configured word is worth
)

// guesser keeps what was learned for a while.
type guesser struct {
	mu    sync.Mutex
	until time.Time
	model bayes
}

// GuessClass returns the class of a text and how likely it is, 0 to 1.
func (d *Desk) GuessClass(ctx context.Context, text string) (class, subclass string, sure float64) {
	m, err := d.learned(ctx)
	if err != nil {
		d.Log.Warn("the class is guessed without the finished tickets", "err", err)
		m = d.Rules.bayes(nil)
	}
	class, sure = m.guess(gist(text))
	for _, c := range d.Rules.Classes {
		if c.Name != class {
			continue
		}
		for _, s := range c.Subclasses {
			if strings.Contains(text, s) {
				subclass = s
			}
		}
	}
	return class, subclass, sure
}

func (d *Desk) learned(ctx context.Context) (bayes, error) {
	g := &d.guesser
	g.mu.Lock()
	defer g.mu.Unlock()
	now := d.Store.Now()
	if now.Before(g.until) {
		return g.model, nil
	}
	var done []store.Ticket
	for _, skip := range []int{0, 500} {
		page, err := d.Store.ListTickets(ctx, store.TicketQuery{States: []store.TicketState{store.TicketResolved, store.TicketClosed}, N: learnMost / 2, Skip: skip})
		if err != nil {
			return bayes{}, err
		}
		done = append(done, page...)
		if len(page) < learnMost/2 {
			break
		}
	}
	g.model, g.until = d.Rules.bayes(done), now.Add(learnLife)
	return g.model, nil
}

// bayes is a multinomial naive Bayes model with add-one smoothing (Manning et
// al., Introduction to Information Retrieval, 13.2).
type bayes struct {
	classes []string
	prior   []float64 // ln
	counts  []map[string]float64
	total   []float64
	words   map[string]bool
}

func (r Rules) bayes(done []store.Ticket) (m bayes) {
	m.words = map[string]bool{}
	seen := make([]float64, len(r.Classes))
	for i, c := range r.Classes {
		m.classes = append(m.classes, c.Name)
		m.counts = append(m.counts, map[string]float64{})
		m.total = append(m.total, 0)
		for _, w := range append(append([]string{c.Title}, c.Subclasses...), c.Words...) {
			m.learn(i, gist(w), wordCount)
		}
		seen[i] = 1
		if c.Name == "program" {
			seen[i] = 2 // what people report most, before there is anything to count
		}
	}
	for _, t := range done {
		if i := slices.Index(m.classes, t.Class); i >= 0 {
			m.learn(i, gist(t.Title), 1)
			seen[i]++
		}
	}
	sum := 0.0
	for _, n := range seen {
		sum += n
	}
	for _, n := range seen {
		m.prior = append(m.prior, math.Log(n/sum))
	}
	return m
}

func (m *bayes) learn(class int, g map[string]bool, n float64) {
	for t := range g {
		m.counts[class][t] += n
		m.total[class] += n
		m.words[t] = true
	}
}

// guess is the likeliest class. Word pairs overlap, so each counts half: taken
// as independent they would claim far too much.
func (m bayes) guess(g map[string]bool) (string, float64) {
	if len(m.classes) == 0 {
		return "other", 0
	}
	scores := slices.Clone(m.prior)
	for t := range g {
		if !m.words[t] {
			continue // says nothing about any class
		}
		for i := range scores {
			scores[i] += math.Log((m.counts[i][t]+1)/(m.total[i]+float64(len(m.words)))) / 2
		}
	}
	best := 0
	for i := range scores {
		if scores[i] > scores[best] {
			best = i
		}
	}
	sum := 0.0
	for _, s := range scores {
		sum += math.Exp(s - scores[best])
	}
	return m.classes[best], 1 / sum
}
