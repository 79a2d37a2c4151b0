package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// sharingForm is what somebody typed about a session.
type sharingForm struct {
	Title, Speaker, From, Minutes, Link, Recording, Words, Entries, Note string
	Topic                                                                string // the proposal it began with
	Groups                                                               []string
	Version                                                              int64
}

// Has tells whether a group is ticked.
func (f sharingForm) Has(group string) bool { return slices.Contains(f.Groups, group) }

type sharingEditPage struct {
	Number int64 // 0: a new one
	State  store.SharingState
	Form   sharingForm
	All    []handlers.GroupChat
	Speak  []chat.User
	Fault  string
	Stale  bool
}

// Fixed tells that the session runs or is over: its time and groups stay.
func (p sharingEditPage) Fixed() bool {
	return p.State == store.SharingLive || p.State == store.SharingEnded
}

const formTime = "2006-01-02T15:04"

// newSharing is an empty form, or one that a topic filled in.
func (s *Server) newSharing(v *visit) error {
	f := sharingForm{Minutes: "40", Topic: chat.Cut(strings.TrimSpace(v.r.URL.Query().Get("topic")), 20)}
	if f.Topic != "" {
		t, err := s.opt.Desk.TopicOf(v.r.Context(), f.Topic)
		if err != nil {
			return err
		}
		f.Title, f.Words, f.Entries = t.Title(), t.Word, entryNames(t.Entries)
	}
	all, err := s.opt.Desk.GroupChats(v.r.Context())
	if err != nil {
		return err
	}
	f.Groups = s.opt.Desk.FrontGroups(all)
	return s.showSharingForm(v, http.StatusOK, sharingEditPage{Form: f, All: all})
}

func entryNames(numbers []int64) string {
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = "K" + strconv.FormatInt(n, 10)
	}
	return strings.Join(names, "、")
}

func (s *Server) editSharing(v *visit) error {
	x, err := s.findSharing(v)
	if err != nil {
		return err
	}
	return s.showSharingForm(v, http.StatusOK, sharingEditPage{Number: x.Number, State: x.State, Form: s.formOf(x)})
}

func (s *Server) formOf(x store.Sharing) sharingForm {
	from := x.From.In(s.opt.Desk.Rules.Calendar.Location())
	return sharingForm{Title: x.Title, Speaker: x.SpeakerName, From: from.Format(formTime), Minutes: strconv.Itoa(int(x.Until.Sub(x.From).Minutes())), Link: x.Link, Recording: x.Recording,
		Words: strings.Join(x.Words, "、"), Entries: entryNames(x.Entries), Note: x.Note, Groups: x.Groups, Version: x.Version}
}

func (s *Server) showSharingForm(v *visit, status int, p sharingEditPage) (err error) {
	if p.All == nil {
		if p.All, err = s.opt.Desk.GroupChats(v.r.Context()); err != nil {
			return err
		}
	}
	all, err := s.opt.Store.ListMembers(v.r.Context())
	if err != nil {
		return err
	}
	for _, u := range all {
		if works(u) && !u.Disabled {
			p.Speak = append(p.Speak, u)
		}
	}
	return v.render(status, "sharing_edit", p)
}

// readSharing reads the form into a session; a refusal says what is wrong.
func (s *Server) readSharing(v *visit, x *store.Sharing) (f sharingForm, err error) {
	if err := v.r.ParseForm(); err != nil {
		return f, badForm(v.t("表单不完整"))
	}
	get := func(name string, most int) string { return chat.Cut(strings.TrimSpace(v.r.PostFormValue(name)), most) }
	f = sharingForm{Title: get("title", 200), Speaker: get("speaker", 64), From: get("from", 32), Minutes: get("minutes", 8), Link: get("link", 1200), Recording: get("recording", 1200), Words: get("words", 400),
		Entries: get("entries", 400), Note: get("note", 2000), Topic: get("topic", 20), Groups: v.r.PostForm["group"], Version: number(v.r.PostFormValue("version"))}
	x.Title, x.Link, x.Recording, x.Note, x.Words, x.Groups = f.Title, f.Link, f.Recording, f.Note, handlers.SplitNames(f.Words), f.Groups
	if f.From != "" || x.From.IsZero() { // a session that runs has no time in its form
		if x.From, err = time.ParseInLocation(formTime, f.From, s.opt.Desk.Rules.Calendar.Location()); err != nil {
			return f, chat.Refusal{Text: v.t("什么时候开始？日期和时间都要填。")}
		}
		minutes, err := strconv.Atoi(f.Minutes)
		if err != nil {
			return f, chat.Refusal{Text: v.t("时长填分钟数，例：40")}
		}
		x.Until = x.From.Add(time.Duration(minutes) * time.Minute)
	}
	x.Entries = nil
	for _, name := range handlers.SplitNames(f.Entries) {
		n, ok := entryNumber(name)
		if !ok {
			return f, chat.Refusal{Text: v.t("知识写编号，如 K12、K14")}
		}
		if !slices.Contains(x.Entries, n) {
			x.Entries = append(x.Entries, n)
		}
	}
	if f.Speaker == "" {
		return f, chat.Refusal{Text: v.t("谁主讲？写上姓名。")}
	}
	return f, s.opt.Desk.SetSpeaker(v.r.Context(), x, f.Speaker)
}

// planSharing keeps a new session; the button beside it announces it at once.
func (s *Server) planSharing(v *visit) error {
	ctx, desk := v.r.Context(), s.opt.Desk
	x := store.Sharing{}
	f, err := s.readSharing(v, &x)
	var all []handlers.GroupChat
	if err == nil {
		all, err = desk.GroupChats(ctx)
	}
	if err == nil && f.Topic != "" {
		var t handlers.SharingTopic
		if t, err = desk.TopicOf(ctx, f.Topic); err == nil {
			x.Gaps = t.Gaps
		}
	}
	if err == nil {
		err = desk.LinkTopic(ctx, &x)
	}
	if err == nil {
		err = s.opt.Store.InTx(ctx, func(tx *store.Tx) error {
			plan := x // a repeated transaction starts from the same
			defer func() { x.Number = plan.Number }()
			if err := desk.PlanSharing(tx, v.user, &plan, all); err != nil || v.r.PostFormValue("then") != "announce" {
				return err
			}
			_, err := desk.AnnounceSharing(tx, v.user, &plan)
			return err
		})
	}
	var no chat.Refusal
	switch {
	case errors.As(err, &no):
		return s.showSharingForm(v, http.StatusUnprocessableEntity, sharingEditPage{Form: f, Fault: no.Text})
	case err != nil:
		return err
	}
	v.notice(v.t("已排期 S%d", x.Number))
	return v.redirect(sharingPath(x.Number))
}

// changeSharing keeps a changed session. When somebody else was quicker, the
// form comes back as typed and a second try counts.
func (s *Server) changeSharing(v *visit) error {
	was, err := s.findSharing(v)
	if err != nil {
		return err
	}
	want := was
	f, err := s.readSharing(v, &want)
	var all []handlers.GroupChat
	if err == nil {
		all, err = s.opt.Desk.GroupChats(v.r.Context())
	}
	if err == nil {
		err = s.onSharing(v, func(tx *store.Tx, x *store.Sharing) error {
			if x.Version != f.Version {
				return store.ErrStale
			}
			return s.opt.Desk.ChangeSharing(tx, v.user, x, all, func(x *store.Sharing) {
				x.Title, x.Speaker, x.SpeakerName, x.From, x.Until, x.Link, x.Recording = want.Title, want.Speaker, want.SpeakerName, want.From, want.Until, want.Link, want.Recording
				x.Words, x.Entries, x.Note, x.Groups = want.Words, want.Entries, want.Note, want.Groups
			})
		})
	}
	p := sharingEditPage{Number: was.Number, State: was.State, Form: f}
	var no chat.Refusal
	switch {
	case errors.Is(err, store.ErrStale):
		now, err := s.findSharing(v)
		if err != nil {
			return err
		}
		p.Stale, p.State, p.Form.Version = true, now.State, now.Version
		return s.showSharingForm(v, http.StatusConflict, p)
	case errors.As(err, &no):
		p.Fault = no.Text
		return s.showSharingForm(v, http.StatusUnprocessableEntity, p)
	case err != nil:
		return err
	}
	v.notice(v.t("已保存"))
	return v.redirect(sharingPath(was.Number))
}
