package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/store"
)

// What the forms of a ticket's page do. Each says which version of the ticket
// its page showed; when somebody else was quicker, the page comes back with
// what is there now and everything that was typed.

// errNewer tells that the thread has grown since the page was shown.
var errNewer = errors.New("the thread has grown")

// act changes a ticket by the same methods of the desk as the chat.
func (s *Server) act(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	in := readTyped(v)
	change, err := s.change(v, in)
	if err != nil {
		return s.again(v, t, in, err)
	}
	done := ""
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		now, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		if err := unchanged(v, now); err != nil {
			return err
		}
		done, err = change(tx, &now)
		return err
	})
	if err != nil {
		return s.again(v, t, in, err)
	}
	v.notice(done)
	return v.redirect(s.back(v, t))
}

// back is where a change leads: to the page that it was made on.
func (s *Server) back(v *visit, t store.Ticket) string {
	if v.r.PostForm.Has("query") { // a row of the queue
		if v.r.PostFormValue("query") == "" {
			return "/tickets"
		}
		return ownPath("/tickets?" + v.r.PostFormValue("query"))
	}
	return fmt.Sprintf("/tickets/%d", t.Number)
}

// unchanged compares the version that the form was made from. The queue's
// buttons name none: what they do is refused by the rules when it is too late.
func unchanged(v *visit, t store.Ticket) error {
	if shown := v.r.PostFormValue("version"); shown != "" && shown != strconv.FormatInt(t.Version, 10) {
		return store.ErrStale
	}
	return nil
}

func readTyped(v *visit) typed {
	form := func(name string, most int) string { return chat.Cut(strings.TrimSpace(v.r.PostFormValue(name)), most) }
	in := typed{Kind: form("kind", 8), Reply: form("reply", 4000), Note: form("note", 4000), Ask: form("ask", 2000), Do: form("do", 16), To: form("to", 64), Why: form("why", 400), Class: form("class", 80), Priority: form("priority", 2),
		Reason: form("reason", 1000), Method: form("method", 1000), Words: form("words", 2000), Whom: form("whom", 16), Until: form("until", 20), Into: form("into", 16), Outcome: form("outcome", 16), RevealWhy: form("reveal", 200)}
	if in.Kind != "note" && in.Kind != "ask" {
		in.Kind = "reply"
	}
	return in
}

// again shows the page once more with what was typed: 409 when somebody was
// quicker, 422 when the rules refuse.
func (s *Server) again(v *visit, t store.Ticket, in typed, err error) error {
	var no chat.Refusal
	var bad problem
	stale := errors.Is(err, store.ErrStale) || errors.Is(err, errNewer)
	switch {
	case errors.As(err, &no), stale, errors.Is(err, store.ErrMove):
	case errors.As(err, &bad) && bad.status == http.StatusUnprocessableEntity:
	default:
		return err
	}
	if v.r.PostForm.Has("query") && !stale { // a row of the queue has no place for it
		if no.Text == "" {
			no.Text = err.Error()
		}
		return conflict(no.Text)
	}
	t, ferr := s.opt.Store.FindTicket(v.r.Context(), t.Number)
	if ferr != nil {
		return ferr
	}
	p, ferr := s.ticketPage(v, t)
	if ferr != nil {
		return ferr
	}
	p.Typed, p.Stale = in, stale
	seen := number(v.r.PostFormValue("seen"))
	for i := range p.Talk {
		p.Talk[i].Fresh = stale && p.Talk[i].ID > seen && p.Talk[i].Author != v.user.ID
	}
	status := http.StatusUnprocessableEntity
	switch {
	case stale:
		status = http.StatusConflict
	case errors.Is(err, store.ErrMove):
		p.Fault = v.t("这张单现在不能这样做。")
	case no.Text != "":
		p.Fault = no.Text
	default:
		p.Fault = bad.text
	}
	return v.render(status, "ticket", p)
}

// change is what a form wants done, and what to say of it afterwards.
func (s *Server) change(v *visit, in typed) (func(tx *store.Tx, t *store.Ticket) (string, error), error) {
	desk, by := s.opt.Desk, v.user
	no := func(t *store.Ticket) string { return fmt.Sprintf("T%d", t.Number) }
	switch in.Do {
	case "claim":
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("%s 归你处理", no(t)), desk.Claim(tx, by, t)
		}, nil
	case "assign":
		to, err := s.opt.Store.FindMember(v.r.Context(), in.To)
		if errors.Is(err, store.ErrNotFound) {
			return nil, badForm(v.t("选一位转给谁"))
		}
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("%s 已转给 %s", no(t), to.Show()), desk.Assign(tx, by, t, to, in.Why)
		}, err
	case "hold":
		var until time.Time
		if in.Until != "" {
			var err error
			if until, err = time.ParseInLocation("2006-01-02T15:04", in.Until, s.opt.Now().Location()); err != nil {
				return nil, badForm(v.t("时间没看懂"))
			}
		}
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("%s 已挂起，时限暂停", no(t)), desk.Hold(tx, by, t, in.Whom, until)
		}, nil
	case "class":
		class, sub := splitClass(in.Class)
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("已改分类"), desk.SetClass(tx, by, t, class, sub)
		}, nil
	case "priority":
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("优先级已改为 %s", in.Priority), desk.SetPriority(tx, by, t, in.Priority, t.Urgency, strings.TrimSpace("优先级改为 "+in.Priority+" "+in.Why))
		}, nil
	case "resolve":
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("%s 已解决，已通知报障人", no(t)), desk.Resolve(tx, by, t, handlers.Resolution{Reason: in.Reason, Method: in.Method, Reply: in.Words, Outcome: outcomeOf(in.Outcome)})
		}, nil
	case "reopen":
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("%s 已重开", no(t)), desk.Reopen(tx, by, t, in.Why)
		}, nil
	case "void":
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("%s 已作废", no(t)), desk.Discard(tx, by, t, in.Why)
		}, nil
	case "watch":
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			return v.t("有进展会告诉你"), desk.Watch(tx, by, t)
		}, nil
	case "merge":
		into, ok := ticketNumber(in.Into)
		if !ok {
			return nil, badForm(v.t("并到哪张？写主单的编号"))
		}
		return func(tx *store.Tx, t *store.Ticket) (string, error) {
			master, err := tx.FindTicket(into)
			if errors.Is(err, store.ErrNotFound) {
				return "", badForm(v.t("没有 T%d", into))
			}
			if err != nil {
				return "", err
			}
			return v.t("%s 已并到 T%d", no(t), into), desk.Merge(tx, by, t, &master)
		}, nil
	}
	return nil, badForm(v.t("没有这个操作"))
}

var outcomes = []string{"knowledge", "one_off", "data_repair", "duplicate"}

func outcomeOf(text string) string {
	for _, o := range outcomes {
		if o == text {
			return o
		}
	}
	return ""
}

// say adds to the thread: a reply, a note that the reporter does not see, or a
// question that stops the clock.
func (s *Server) say(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	in := readTyped(v)
	media, err := s.takeFiles(v)
	if err != nil {
		return s.again(v, t, in, err)
	}
	done, desk := "", s.opt.Desk
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		t, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		if err := unchanged(v, t); err != nil {
			return err
		}
		if err := nothingNewer(tx, v, t); err != nil {
			return err
		}
		switch in.Kind {
		case "note":
			done = v.t("已记下，报障人看不到")
			clean, _ := mask.Scrub(in.Note)
			return desk.Note(tx, v.user, &t, clean, clean, media, "")
		case "ask":
			done = v.t("已问 %s，时限先暂停", v.nameIn(tx, t.Reporter))
			return desk.Inquire(tx, v.user, &t, in.Ask)
		}
		if v.r.PostFormValue("then") == "resolve" {
			done = v.t("%s 已解决，已通知报障人", fmt.Sprintf("T%d", t.Number))
			return desk.Resolve(tx, v.user, &t, handlers.Resolution{Method: in.Reply, Reply: in.Reply})
		}
		done = v.t("已发给 %s", v.nameIn(tx, t.Reporter))
		return desk.Reply(tx, v.user, &t, in.Reply, media)
	})
	if err != nil {
		return s.again(v, t, in, err)
	}
	v.notice(done)
	return v.redirect(fmt.Sprintf("/tickets/%d", t.Number))
}

// nothingNewer refuses words that were written without having seen what others
// have said meanwhile.
func nothingNewer(tx *store.Tx, v *visit, t store.Ticket) error {
	seen := number(v.r.PostFormValue("seen"))
	if seen == 0 {
		return nil
	}
	n, err := tx.CountEntriesAfter(t.ID, seen, v.user.ID)
	if err == nil && n > 0 {
		return errNewer
	}
	return err
}

func (v *visit) nameIn(tx *store.Tx, id string) string {
	u, err := tx.FindMember(id)
	if err != nil {
		return id
	}
	return u.Show()
}

// reveal shows a customer's clear values once, for a reason, on record.
func (s *Server) reveal(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	in := readTyped(v)
	if len([]rune(in.RevealWhy)) < 2 {
		return s.again(v, t, in, badForm(v.t("写明为什么要看明文，会记入审计")))
	}
	clear, err := s.opt.Store.Reveal(v.r.Context(), v.user.ID, t.Number, mask.Text(in.RevealWhy))
	if err != nil {
		return err
	}
	p, err := s.ticketPage(v, t)
	if err != nil {
		return err
	}
	p.Clear = &clear
	return v.show("ticket", p)
}

// seen is the sign of life of an open page; the answer tells who else looks,
// and whether there is something new.
func (s *Server) seen(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	others, err := s.opt.Store.SeeTicket(v.r.Context(), t.Number, v.user.ID, v.r.PostFormValue("writing") == "1")
	if err != nil {
		return err
	}
	p := othersPage{Ticket: t}
	if shown := v.r.PostFormValue("version"); shown != "" {
		p.New = shown != strconv.FormatInt(t.Version, 10)
	}
	if !p.New {
		err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { // a read, of what is committed
			p.New = nothingNewer(tx, v, t) != nil
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, o := range others {
		u, err := s.opt.Store.FindMember(v.r.Context(), o.Member)
		if err != nil {
			u = chat.User{ID: o.Member}
		}
		p.Others = append(p.Others, otherView{u.Show(), o.Writing})
	}
	return v.part("ticket", "others", p)
}

type othersPage struct {
	Ticket store.Ticket
	Others []otherView
	New    bool
}

type otherView struct {
	Name    string
	Writing bool
}

// addSnippet keeps a text for later replies.
func (s *Server) addSnippet(v *visit) error {
	title, body := strings.TrimSpace(v.r.PostFormValue("title")), strings.TrimSpace(v.r.PostFormValue("body"))
	if title == "" || body == "" {
		return badForm(v.t("快捷回复要有名字和内容"))
	}
	n := store.Snippet{Owner: v.user.ID, Title: chat.Cut(title, 20), Body: mask.Text(chat.Cut(body, 2000)), Shared: v.r.PostFormValue("shared") == "1" && v.user.Roles.Has(chat.Leader, chat.Admin)}
	if err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return tx.AddSnippet(&n) }); err != nil {
		return err
	}
	v.notice(v.t("已保存快捷回复「%s」", n.Title))
	return v.redirect(ownPath(v.r.PostFormValue("back")))
}

func (s *Server) deleteSnippet(v *visit) error {
	id := number(v.r.PathValue("id"))
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return tx.DeleteSnippet(v.user.ID, id, v.user.Roles.Has(chat.Admin))
	})
	if err != nil {
		return err
	}
	v.notice(v.t("快捷回复已删除"))
	return v.redirect(ownPath(v.r.PostFormValue("back")))
}
