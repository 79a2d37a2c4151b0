package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

type entryPage struct {
	New       bool
	Gap       string          // the message whose questions it answers
	Entry     kb.Entry        // as the store has it
	Change    *store.Proposal // that waits for it
	Form      entryForm
	Faults    map[string]string
	Stale     bool
	Now       map[string]string // by field: what is stored by now
	Moves     []handlers.EntryMove
	Writes    bool
	Curates   bool
	Publishes bool // what they write, at once
	Second    bool // a second person publishes
	Use       store.EntryUse
	Last      *store.Revision
	Diff      []kb.FieldDiff // of the change
	People    []chat.User    // who may keep an entry
	Names     map[string]chat.User
	Groups    []string
	Kinds     []string
	Others    []kbRow
	Musts     []mustRow
	Helped    []store.AskedText // that may be confirmed
	Worse     []handlers.Worse  // publishing would do this: it has to be confirmed
	Moving    bool              // by the moves, not by the form
	Timed     *store.EntrySchedule
	Out       bool
	Threshold float64
}

// Name is a person by name.
func (p entryPage) Name(id string) string { return nameIn(p.Names, id) }

// Has tells whether a move may be made.
func (p entryPage) Has(name string) bool {
	for _, m := range p.Moves {
		if m.Name == name {
			return true
		}
	}
	return false
}

// Why is a reason for which people found it no use, in words.
func (entryPage) Why(key string) string { return handlers.UselessTitle(key) }

// Live tells whether the entry answers as it is stored.
func (p entryPage) Live() bool { return p.Entry.State == kb.Published }

func (v *visit) entryNumber() (int64, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(v.r.PathValue("number"), "kK"), 10, 64)
	if err != nil || n <= 0 {
		return 0, errNotFound
	}
	return n, nil
}

// entryOf finds the entry of the address with the change that waits for it.
func (s *Server) entryOf(v *visit) (e kb.Entry, change *store.Proposal, err error) {
	n, err := v.entryNumber()
	if err != nil {
		return e, nil, err
	}
	if e, err = s.opt.Store.FindEntry(v.r.Context(), n); err != nil {
		return e, nil, err
	}
	p, err := s.opt.Store.FindProposal(v.r.Context(), n)
	if errors.Is(err, store.ErrNotFound) {
		return e, nil, nil
	}
	return e, &p, err
}

func (s *Server) entry(v *visit) error {
	e, change, err := s.entryOf(v)
	if err != nil {
		return err
	}
	return s.showEntry(v, http.StatusOK, entryPage{Entry: e, Change: change, Form: formWith(e, change)})
}

// formWith is the form of an entry, with the words of the change that waits for it.
func formWith(e kb.Entry, change *store.Proposal) entryForm {
	f := formOf(toPublish(e, change))
	f.Version = int64(e.Version)
	if change != nil {
		f.Change = change.Version
	}
	return f
}

// toPublish is what publishing would make live.
func toPublish(e kb.Entry, change *store.Proposal) kb.Entry {
	if change != nil {
		return change.Entry
	}
	return e
}

// newEntry is the form for an entry that is not there yet.
func (s *Server) newEntry(v *visit) error {
	p := entryPage{New: true, Form: entryForm{Owner: v.user.ID, Question: chat.Cut(v.r.URL.Query().Get("question"), 200)}}
	if p.Gap = v.r.URL.Query().Get("gap"); p.Gap != "" {
		g, err := s.gapOf(v, p.Gap)
		if err != nil {
			return err
		}
		p.Form.Question, p.Form.Similar = g.Lead.Text, strings.Join(g.Wordings()[1:], "\n")
	}
	return s.showEntry(v, http.StatusOK, p)
}

// showEntry fills in what stands around the form.
func (s *Server) showEntry(v *visit, status int, p entryPage) error {
	ctx, now := v.r.Context(), s.opt.Now()
	p.Writes, p.Second = handlers.Proposes(v.user), s.opt.Desk.SecondPerson
	p.Curates = handlers.Curates(v.user)
	p.Publishes = p.Curates && !p.Second
	if !p.New {
		p.Moves, p.Out = s.opt.Desk.EntryMoves(v.user, p.Entry, p.Change), p.Entry.OutOfDate(now)
		uses, err := s.opt.Store.EntryUses(ctx, []int64{p.Entry.Number}, now.AddDate(0, 0, -useDays))
		if err != nil {
			return err
		}
		p.Use = uses[p.Entry.Number]
		last, err := s.opt.Store.ListRevisions(ctx, p.Entry.Number, 1)
		if err != nil {
			return err
		}
		if len(last) > 0 {
			p.Last = &last[0]
		}
		if err := s.entryMusts(ctx, &p); err != nil {
			return err
		}
		switch timed, err := s.opt.Store.FindEntrySchedule(ctx, p.Entry.Number); {
		case err == nil:
			p.Timed = &timed
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
	}
	if p.Change != nil {
		p.Diff = kb.Diff(p.Entry, p.Change.Entry)
	}
	if err := s.entryNames(ctx, &p); err != nil {
		return err
	}
	if err := s.entryOthers(v, &p); err != nil {
		return err
	}
	return v.render(status, "kb_entry", p)
}

func (s *Server) entryNames(ctx context.Context, p *entryPage) (err error) {
	if p.Groups, err = s.opt.Store.EntryNames(ctx, "group"); err != nil {
		return err
	}
	if p.Kinds, err = s.opt.Store.EntryNames(ctx, "category"); err != nil {
		return err
	}
	all, err := s.opt.Store.ListMembers(ctx)
	if err != nil {
		return err
	}
	p.Names = map[string]chat.User{}
	for _, u := range all {
		p.Names[u.ID] = u
		if works(u) && !u.Disabled {
			p.People = append(p.People, u)
		}
	}
	return nil
}

// othersShown is how many entries the list beside the form has.
const othersShown = 12

// entryOthers is the list beside the form: the entries of the same category, or the newest.
func (s *Server) entryOthers(v *visit, p *entryPage) error {
	list, err := s.opt.Store.PageEntries(v.r.Context(), store.EntryQuery{Category: p.Entry.Category, N: othersShown})
	if err != nil {
		return err
	}
	p.Others, err = v.kbRows(v.r.Context(), list)
	return err
}

// thens are what the buttons of the form do once the words are kept.
var thens = map[string]string{"save": "", "submit": handlers.MoveSubmit, "publish": handlers.MovePublish, publishAnyway: handlers.MovePublish}

// addEntry makes an entry of the form.
func (s *Server) addEntry(v *visit) error {
	f := readEntry(v.r)
	then, ok := thens[v.r.PostFormValue("do")]
	if !ok {
		return badForm(v.t("表单不完整"))
	}
	var g handlers.Gap
	var err error
	gap := v.r.PostFormValue("gap")
	if gap != "" {
		if g, err = s.gapOf(v, gap); err != nil {
			return err
		}
	}
	if worse, err := s.spoils(v, f.entry(0)); err != nil || len(worse) > 0 {
		return s.askAnyway(v, entryPage{New: true, Form: f, Gap: gap, Worse: worse}, err)
	}
	var e kb.Entry
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) (err error) {
		if e, err = s.opt.Desk.CreateEntry(tx, v.user, f.entry(0), then); err != nil {
			return err
		}
		return s.opt.Desk.LearnGap(tx, v.user, g, e.Number)
	})
	if err != nil {
		return s.entryFault(v, entryPage{New: true, Form: f, Gap: gap}, err)
	}
	v.notice(v.t("已存 K%d（%s）", e.Number, v.t(kb.StateTitle(e.State))))
	return v.redirect("/kb/" + strconv.FormatInt(e.Number, 10))
}

// editEntry keeps the form. Who was overtaken gets back what they typed, with
// what is stored by now beside it.
func (s *Server) editEntry(v *visit) error {
	now, change, err := s.entryOf(v)
	if err != nil {
		return err
	}
	f := readEntry(v.r)
	then, ok := thens[v.r.PostFormValue("do")]
	if !ok || f.Version == 0 {
		return badForm(v.t("表单不完整"))
	}
	if worse, err := s.spoils(v, f.entry(now.Number)); err != nil || len(worse) > 0 {
		return s.askAnyway(v, entryPage{Entry: now, Change: change, Form: f, Worse: worse}, err)
	}
	var e kb.Entry
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) (err error) {
		e, err = s.opt.Desk.EditEntry(tx, v.user, handlers.EntryEdit{Entry: f.entry(now.Number), Version: int(f.Version), Change: f.Change, Then: then, Reason: chat.Cut(mask.Text(v.r.PostFormValue("reason")), 200)})
		return err
	})
	if errors.Is(err, store.ErrStale) {
		if now, change, err = s.entryOf(v); err != nil {
			return err
		}
		p := entryPage{Entry: now, Change: change, Form: f, Stale: true}
		p.Form.Version, p.Form.Change = int64(now.Version), 0 // saving again is meant to win
		p.Now = changedIn(now, f.entry(now.Number))
		if change != nil {
			p.Form.Change, p.Now = change.Version, changedIn(change.Entry, f.entry(now.Number))
		}
		return s.showEntry(v, http.StatusConflict, p)
	}
	if err != nil {
		return s.entryFault(v, entryPage{Entry: now, Change: change, Form: f}, err)
	}
	v.notice(v.editedNotice(e, then))
	return v.redirect("/kb/" + strconv.FormatInt(e.Number, 10))
}

func (v *visit) editedNotice(e kb.Entry, then string) string {
	switch then {
	case handlers.MovePublish:
		return v.t("K%d 已发布，马上就用来回答", e.Number)
	case handlers.MoveSubmit:
		return v.t("K%d 已提交复核，知识管理员会收到", e.Number)
	}
	return v.t("K%d 已存，还没有发布", e.Number)
}

// entryFault shows the form again with what is wrong with it.
func (s *Server) entryFault(v *visit, p entryPage, err error) error {
	var no chat.Refusal
	if p.Faults = faultsIn(err); p.Faults == nil {
		if !errors.As(err, &no) {
			return err
		}
		p.Faults = map[string]string{"": no.Text}
	}
	return s.showEntry(v, http.StatusUnprocessableEntity, p)
}

// moveEntry publishes, sends back, retires and so on.
func (s *Server) moveEntry(v *visit) error {
	e, change, err := s.entryOf(v)
	if err != nil {
		return err
	}
	if worse, err := s.spoils(v, toPublish(e, change)); err != nil || len(worse) > 0 {
		return s.askAnyway(v, entryPage{Entry: e, Change: change, Form: formWith(e, change), Worse: worse, Moving: true}, err)
	}
	move := v.r.PostFormValue("do")
	switch move {
	case publishAnyway:
		move = handlers.MovePublish
	case "schedule", "unschedule":
		return s.timeEntry(v, e, move)
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) (err error) {
		e, err = s.opt.Desk.MoveEntry(tx, v.user, e.Number, int(number(v.r.PostFormValue("version"))), move, chat.Cut(mask.Text(v.r.PostFormValue("note")), 200))
		return err
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return conflict(no.Text)
	}
	if err != nil {
		return err
	}
	v.notice(v.movedNotice(e, move))
	return v.redirect("/kb/" + strconv.FormatInt(e.Number, 10))
}

// timeEntry says when an entry is to be published, or takes that back.
func (s *Server) timeEntry(v *visit, e kb.Entry, do string) error {
	at, err := time.ParseInLocation("2006-01-02T15:04", v.r.PostFormValue("at"), s.opt.Now().Location())
	if err != nil && do == "schedule" {
		return badForm(v.t("写一个以后的日期和时间"))
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		if do == "unschedule" {
			return s.opt.Desk.Unschedule(tx, v.user, e.Number)
		}
		return s.opt.Desk.Schedule(tx, v.user, e.Number, int(number(v.r.PostFormValue("version"))), at)
	})
	if err != nil {
		return err
	}
	words := v.t("K%d 不再定时发布", e.Number)
	if do == "schedule" {
		words = v.t("K%d 定在 %s 发布", e.Number, at.Format("01-02 15:04"))
	}
	v.notice(words)
	return v.redirect("/kb/" + strconv.FormatInt(e.Number, 10))
}

func (v *visit) movedNotice(e kb.Entry, move string) string {
	if move == handlers.MoveDrop {
		return v.t("K%d 的修改已放弃，照旧回答", e.Number)
	}
	if move == handlers.MovePublish || move == handlers.MoveSubmit {
		return v.editedNotice(e, move)
	}
	return v.t("K%d：%s", e.Number, v.t(kb.StateTitle(e.State)))
}

// tryEntry asks a question of the base as it would be with what is in the
// form, and of the base as it is.
func (s *Server) tryEntry(v *visit) error {
	n := int64(0) // a new entry has no number yet
	if v.r.PathValue("number") != "new" {
		var err error
		if n, err = v.entryNumber(); err != nil {
			return err
		}
	}
	ctx, text := v.r.Context(), chat.Cut(mask.Text(strings.TrimSpace(v.r.PostFormValue("try"))), 500)
	e := readEntry(v.r).entry(n)
	e.State = kb.Published
	trial, err := s.opt.Knowledge.Trial(ctx, []kb.Entry{e})
	if err != nil {
		return fmt.Errorf("try an entry: %w", err)
	}
	q := kb.Query{Text: text, N: 3, Now: s.opt.Now()}
	then, err := trial.Search(ctx, q)
	if err != nil {
		return err
	}
	now, err := s.opt.Knowledge.Search(ctx, q)
	if err != nil {
		return fmt.Errorf("search the knowledge: %w", err)
	}
	return v.part("kb_entry", "tried", tried{Then: v.verdictOf(then), Now: v.verdictOf(now)})
}

type tried struct{ Then, Now *verdict }

// Same tells that the words in the form change nothing for this question.
func (t tried) Same() bool { return t.Then.Text == t.Now.Text }
