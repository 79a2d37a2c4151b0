package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

type entryListJSON struct {
	Entries []handlers.EntryJSON `json:"entries"`
	Next    string               `json:"next"`
}

// apiListEntries lists entries, the newest number first: ?state= (one, or
// waiting), group=, owner=, category=, q=, n= (at most 200), before=.
func (s *Server) apiListEntries(c *apiCall) (any, error) {
	n, err := c.query("n", 50)
	if err != nil {
		return nil, err
	}
	before, err := c.query("before", 0)
	if err != nil {
		return nil, err
	}
	v := c.r.URL.Query()
	q := store.EntryQuery{State: v.Get("state"), Group: v.Get("group"), Owner: v.Get("owner"), Category: v.Get("category"), Text: mask.Text(chat.Cut(v.Get("q"), 200)), Before: before, N: int(min(max(n, 1), 200))}
	if q.State != "" && !slices.Contains(entryStates, q.State) {
		return nil, problem{http.StatusBadRequest, "state: there is no such state"}
	}
	list, err := s.opt.Store.PageEntries(c.r.Context(), q)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, len(list))
	for i, e := range list {
		numbers[i] = e.Number
	}
	changes, err := s.opt.Store.ProposalStates(c.r.Context(), numbers)
	if err != nil {
		return nil, err
	}
	out, next := make([]handlers.EntryJSON, len(list)), ""
	for i, e := range list {
		out[i] = handlers.JSONOfEntry(e, changes[e.Number])
	}
	if len(list) == q.N {
		next = strconv.FormatInt(numbers[len(numbers)-1], 10)
	}
	return entryListJSON{out, next}, nil
}

func (c *apiCall) entryNumber() (int64, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(c.r.PathValue("number"), "kK"), 10, 64)
	if err != nil || n <= 0 {
		return 0, errNotFound
	}
	return n, nil
}

func (s *Server) apiShowEntry(c *apiCall) (any, error) {
	n, err := c.entryNumber()
	if err != nil {
		return nil, err
	}
	return s.apiEntry(c, n)
}

func (s *Server) apiEntry(c *apiCall, n int64) (any, error) {
	e, err := s.opt.Store.FindEntry(c.r.Context(), n)
	if err != nil {
		return nil, err
	}
	changes, err := s.opt.Store.ProposalStates(c.r.Context(), []int64{n})
	return handlers.JSONOfEntry(e, changes[n]), err
}

// entryIn is what a program sends of an entry.
type entryIn struct {
	kb.Entry
	Version int `json:"version"`
}

// ways are the states that a program may ask for, and the move that leads there
// from words that were just kept.
var ways = map[string]string{kb.Draft: "", kb.Review: handlers.MoveSubmit, kb.Published: handlers.MovePublish}

// apiNewEntry makes an entry, published unless state says otherwise.
func (s *Server) apiNewEntry(c *apiCall) (any, error) {
	var in entryIn
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.State == "" {
		in.State = kb.Published
	}
	then, ok := ways[in.State]
	if !ok || in.Number != 0 {
		return nil, unprocessable("a new entry has no number, and is draft, review or published")
	}
	var e kb.Entry
	err := s.opt.Store.InTx(c.r.Context(), func(tx *store.Tx) (err error) {
		e, err = s.opt.Desk.CreateEntry(tx, c.user, in.Entry, then)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.Status = http.StatusCreated
	c.w.Header().Set("Location", fmt.Sprintf("%s/kb/entries/%d", apiBase, e.Number))
	return handlers.JSONOfEntry(e, ""), nil
}

// apiPutEntry replaces the words of an entry, and moves it when state says so.
// Without state it stays what it is; a published one then has the new words at
// once, with state draft or review they wait as a change of it.
func (s *Server) apiPutEntry(c *apiCall) (any, error) {
	n, err := c.entryNumber()
	if err != nil {
		return nil, err
	}
	var in entryIn
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Number != 0 && in.Number != n {
		return nil, unprocessable("number: it is another one than in the address")
	}
	in.Number = n
	if m := strings.Trim(strings.TrimPrefix(c.r.Header.Get("If-Match"), "W/"), `"`); m != "" {
		if in.Version, err = strconv.Atoi(m); err != nil {
			return nil, problem{http.StatusBadRequest, "If-Match: the version of the entry is needed"}
		}
	}
	err = s.opt.Store.InTx(c.r.Context(), func(tx *store.Tx) error { return s.putEntry(tx, c.user, in) })
	if err != nil {
		return nil, err
	}
	return s.apiEntry(c, n)
}

func (s *Server) putEntry(tx *store.Tx, actor chat.User, in entryIn) error {
	now, err := tx.FindEntry(in.Number)
	if err != nil {
		return err
	}
	if in.Version == 0 {
		in.Version = now.Version
	}
	p, err := tx.FindProposal(in.Number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	want := in.State
	if want == "" {
		want = now.State
	}
	edit := handlers.EntryEdit{Entry: in.Entry, Version: in.Version, Change: p.Version, Reason: "API"}
	same := want == now.State && (want != kb.Published || kb.SameWords(kb.Clean(in.Entry), now))
	if want == kb.Retired || same {
		if _, err := s.opt.Desk.EditEntry(tx, actor, edit); err != nil || want == now.State {
			return err
		}
		_, err := s.opt.Desk.MoveEntry(tx, actor, in.Number, 0, handlers.MoveRetire, "")
		return err
	}
	var ok bool
	if edit.Then, ok = ways[want]; !ok {
		return unprocessable("state: draft, review, published or retired")
	}
	if now.State == kb.Retired { // back to a draft first
		if _, err := s.opt.Desk.MoveEntry(tx, actor, in.Number, in.Version, handlers.MoveRevive, ""); err != nil {
			return err
		}
		edit.Version++
	}
	if now.State == kb.Review && want == kb.Draft {
		edit.Then = handlers.MoveReturn
	}
	_, err = s.opt.Desk.EditEntry(tx, actor, edit)
	return err
}

// apiDeleteEntry retires an entry: its number and its versions stay. Again it
// is no fault.
func (s *Server) apiDeleteEntry(c *apiCall) (any, error) {
	n, err := c.entryNumber()
	if err != nil {
		return nil, err
	}
	err = s.opt.Store.InTx(c.r.Context(), func(tx *store.Tx) error {
		e, err := tx.FindEntry(n)
		if err != nil || e.State == kb.Retired {
			return err
		}
		_, err = s.opt.Desk.MoveEntry(tx, c.user, n, 0, handlers.MoveRetire, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.apiEntry(c, n)
}

type hitJSON struct {
	Number   int64         `json:"number"`
	Question string        `json:"question"`
	Answer   string        `json:"answer"`
	Score    float64       `json:"score"`
	Matched  string        `json:"matched"`
	Version  int           `json:"version"`
	Why      *explanationJ `json:"explanation,omitempty"`
}

// foundJSON is what the base says to a question.
type foundJSON struct {
	Band      string    `json:"band"` // answer, clarify, refuse
	Reason    string    `json:"reason"`
	Threshold float64   `json:"threshold"`
	Hits      []hitJSON `json:"hits"`
}

type explanationJ struct {
	Field    string       `json:"field"`
	Exact    bool         `json:"exact"`
	Terms    []kb.Term    `json:"terms"`
	Missing  []string     `json:"missing"`
	Synonyms []kb.Synonym `json:"synonyms"`
}

const mostHits = 20

// apiSearch answers ?q= as the chat would: band answer, clarify or refuse, and
// the hits with what explains them (explain=0 leaves that out). Nothing is kept
// of the question.
func (s *Server) apiSearch(c *apiCall) (any, error) {
	n, err := c.query("n", 5)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(c.r.URL.Query().Get("q"))
	if text == "" {
		return nil, problem{http.StatusBadRequest, "q: a question is needed"}
	}
	found, err := s.opt.Knowledge.Search(c.r.Context(), kb.Query{Text: chat.Cut(mask.Text(text), 500), N: int(min(max(n, 1), mostHits)), Now: s.opt.Now()})
	if err != nil {
		return nil, fmt.Errorf("search the knowledge: %w", err)
	}
	hits := make([]hitJSON, len(found.Hits))
	for i, h := range found.Hits {
		hits[i] = hitJSON{Number: h.Entry.Number, Question: h.Entry.Question, Answer: h.Entry.Answer, Score: h.Score, Matched: h.Matched, Version: h.Entry.Version}
		if x := h.Explanation; c.r.URL.Query().Get("explain") != "0" {
			hits[i].Why = &explanationJ{x.Field, x.Exact, append([]kb.Term{}, x.Terms...), append([]string{}, x.Missing...), append([]kb.Synonym{}, x.Synonyms...)}
		}
	}
	return foundJSON{found.Band.String(), found.Reason, found.Threshold, hits}, nil
}
