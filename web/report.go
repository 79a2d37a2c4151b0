package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

type reportPage struct {
	Form    reportForm
	Faults  map[string]string
	Classes []handlers.Class
	Photos  []photoView
	Kept    time.Time // when the draft was kept; zero: none
	Behalf  bool      // for somebody else, in the console
	People  []chat.User
	Gone    bool // the link was used already
	First   string
}

type photoView struct{ Name, Path string }

// The choices of the form.
func (reportPage) Accounts() []string { return accountKinds }
func (reportPage) Logins() []string   { return loginWays }
func (reportPage) Systems() []string  { return systemNames }

// Action is where the form goes.
func (p reportPage) Action() string {
	if p.Behalf {
		return "/tickets/new"
	}
	return "/m/report"
}

// Fault is what is wrong with a field, and where to read it.
func (p reportPage) Fault(field string) string { return p.Faults[field] }

// newMark names one report.
func newMark() string {
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// report shows the form: prefilled by a link, else with the draft, else empty
// with what is known of the visitor.
func (s *Server) report(v *visit) error {
	p := reportPage{Form: reportForm{Mark: newMark(), Class: "program", Name: v.user.Show()}}
	ctx := v.r.Context()
	if token := v.r.URL.Query().Get("p"); token != "" {
		b, err := s.opt.Store.FindPrefill(ctx, v.user.ID, token)
		switch {
		case errors.Is(err, store.ErrNotFound):
			p.Gone = true
		case err != nil:
			return err
		default:
			if err := json.Unmarshal(b, &p.Form); err != nil {
				return fmt.Errorf("read a prefilled form: %w", err)
			}
			p.Form.Prefill = token
			return s.showReport(v, http.StatusOK, "m_report", p)
		}
	}
	if about := v.r.URL.Query().Get("about"); about != "" {
		// Somebody asked and was not helped: the form begins with their words.
		q, err := s.opt.Store.FindQuestion(ctx, about)
		if err == nil && q.Asker == v.user.ID {
			p.Form.Text = q.Text
			return s.showReport(v, http.StatusOK, "m_report", p)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	b, at, err := s.opt.Store.FindReportDraft(ctx, v.user.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil {
		if err := json.Unmarshal(b, &p.Form); err != nil {
			return fmt.Errorf("read a draft: %w", err)
		}
		p.Kept = at
	} else if last, err := s.opt.Store.ListTickets(ctx, store.TicketQuery{Reporter: v.user.ID, N: 1}); err == nil && len(last) > 0 {
		p.Form.Version, p.Form.System = last[0].AppVersion, last[0].System
	}
	return s.showReport(v, http.StatusOK, "m_report", p)
}

// showReport fills in what the form needs around its values.
func (s *Server) showReport(v *visit, status int, page string, p reportPage) error {
	p.Classes = s.opt.Desk.Rules.Classes
	if p.Form.Mark == "" {
		p.Form.Mark = newMark()
	}
	if p.Form.Name == "" && !p.Behalf {
		p.Form.Name = v.user.Show()
	}
	for _, name := range p.Form.Photos {
		if id, ok := s.photoOf(v.user.ID, name); ok {
			p.Photos = append(p.Photos, photoView{name, "/m/report/photo/" + id + "?s=" + name[len(id)+1:]})
		}
	}
	for _, f := range []string{"class", "text", "customer", "identity", "phone", "securities", "system", "version", "occurred", "behalf", "name", "my_phone", "mail", "photo"} {
		if p.Faults[f] != "" && p.First == "" {
			p.First = f
		}
	}
	if p.Behalf {
		return v.render(status, page, p)
	}
	return v.renderMobile(status, page, p)
}

// sendReport makes the ticket of the form.
func (s *Server) sendReport(v *visit) error {
	f := readReport(v)
	t, err := s.fileReport(v, &f, v.user)
	if err != nil {
		return s.reportFault(v, f, false, err)
	}
	return v.redirect(fmt.Sprintf("/m/t/%d?new", t.Number))
}

// reportFault shows the form again, with everything that was filled in.
func (s *Server) reportFault(v *visit, f reportForm, behalf bool, err error) error {
	var bad formFaults
	var no chat.Refusal
	var p problem
	page := reportPage{Form: f, Faults: map[string]string{}, Behalf: behalf}
	switch {
	case errors.As(err, &bad):
		page.Faults = bad
	case errors.As(err, &no):
		page.Faults["text"] = no.Text
	case errors.As(err, &p) && p.status == http.StatusUnprocessableEntity:
		page.Faults["photo"] = p.text
	default:
		return err
	}
	if behalf {
		return s.showBehalf(v, http.StatusUnprocessableEntity, page)
	}
	return s.showReport(v, http.StatusUnprocessableEntity, "m_report", page)
}

// formFaults are the faults of a form, by field.
type formFaults map[string]string

func (formFaults) Error() string { return "the form has faults" }

// fileReport checks a form and makes its ticket; a form sent twice makes one.
func (s *Server) fileReport(v *visit, f *reportForm, reporter chat.User) (t store.Ticket, err error) {
	ctx := v.r.Context()
	if f.Mark == "" {
		f.Mark = newMark() // not from our page: each is one of its own
	}
	faults := f.check(v)
	media, err := s.keptPhotos(v, f)
	if err != nil {
		return t, err
	}
	more, err := s.takeFiles(v)
	if err != nil {
		return t, err
	}
	media = append(media, more...)
	if len(media) > mostFiles {
		faults["photo"] = v.t("一次最多 %d 张图片", mostFiles)
	}
	for _, m := range more { // what was wrong elsewhere does not lose them
		f.Photos = append(f.Photos, s.opt.Store.PhotoName(v.user.ID, m.File))
	}
	if len(faults) > 0 {
		return t, formFaults(faults)
	}
	made := f.ticket(reporter.ID)
	if reporter.ID != v.user.ID {
		made.Place.Via = chat.Page
	}
	err = s.opt.Store.InTx(ctx, func(tx *store.Tx) error {
		t = made
		if f.Prefill != "" {
			if err := tx.UsePrefill(v.user.ID, f.Prefill); err != nil {
				return err
			}
		}
		if err := s.opt.Desk.Open(tx, v.user, &t); err != nil {
			return err
		}
		clean, _ := mask.Scrub(f.Text)
		if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: reporter.ID, Text: mask.Text(clean), Original: clean, Media: media}); err != nil {
			return err
		}
		by := ""
		if reporter.ID != v.user.ID {
			by = v.user.ID
		}
		if err := tx.KeepTicketForm(t.ID, f.form(by)); err != nil {
			return err
		}
		if err := tx.KeepReportDraft(v.user.ID, nil); err != nil {
			return err
		}
		return s.opt.Desk.Filed(tx, v.user, reporter, &t)
	})
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) && f.Prefill != "" {
		if first, ferr := s.opt.Store.TicketOfSource(ctx, made.Source); ferr == nil {
			return first, nil // the same form again, after an answer that got lost
		}
		if f.Prefill != "" && errors.Is(err, store.ErrNotFound) {
			return t, chat.Refusal{Text: v.t("这个链接已经用过或过期了，去掉它再提交一次即可。")}
		}
	}
	return t, err
}

func (s *Server) photoOf(member, name string) (id string, ok bool) {
	id, sign, ok := strings.Cut(name, ".")
	if !ok {
		return "", false
	}
	return id, subtle.ConstantTimeCompare([]byte(id+"."+sign), []byte(s.opt.Store.PhotoName(member, id))) == 1
}

// keptPhotos are the photos that came one by one before the form.
func (s *Server) keptPhotos(v *visit, f *reportForm) (out []chat.Media, err error) {
	var good []string
	for i, name := range f.Photos {
		id, ok := s.photoOf(v.user.ID, name)
		if !ok || s.opt.Files == nil {
			continue // not this person's
		}
		content, err := s.opt.Files.Get(v.r.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		good = append(good, name)
		out = append(out, chat.Media{Kind: "image", Name: fmt.Sprintf("%s %d", v.t("图片"), i+1), File: id, Size: int64(len(content)), Type: http.DetectContentType(content)})
	}
	f.Photos = good
	return out, nil
}

// reportPhoto keeps one photo before the form is sent: a bad line loses one
// photo, not all.
func (s *Server) reportPhoto(v *visit) error {
	media, err := s.takeFiles(v)
	if err != nil {
		return err
	}
	if len(media) != 1 {
		return badForm(v.t("选一张图片"))
	}
	name := s.opt.Store.PhotoName(v.user.ID, media[0].File)
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(map[string]string{"name": name, "path": "/m/report/photo/" + media[0].File + "?s=" + name[len(media[0].File)+1:]})
}

// reportPhotoBack shows a kept photo to the person who sent it.
func (s *Server) reportPhotoBack(v *visit) error {
	id := v.r.PathValue("id")
	if _, ok := s.photoOf(v.user.ID, id+"."+v.r.URL.Query().Get("s")); !ok || s.opt.Files == nil {
		return errNotFound
	}
	content, err := s.opt.Files.Get(v.r.Context(), id)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", http.DetectContentType(content)) // drawn by us: JPEG or PNG
	v.w.Write(content)
	return nil
}

// reportDraft keeps what is filled in so far.
func (s *Server) reportDraft(v *visit) error {
	f := readReport(v)
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if f.Text+f.Customer+f.Identity+f.Phone == "" && len(f.Photos) == 0 {
		b = nil
	}
	if err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return tx.KeepReportDraft(v.user.ID, b) }); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = v.w.Write([]byte(v.t("草稿已存 %s", s.opt.Now().Format("15:04"))))
	return err
}

type nearPage struct {
	Hits   []kb.Hit
	Mine   []store.Ticket
	Others int
}

// nearRunes is from where on a text is worth looking for.
const nearRunes = 8

// reportNear shows, while somebody types, what may help at once: knowledge,
// their own open tickets of the same, and how many others have it. Of other
// people's tickets nothing is shown but their number.
func (s *Server) reportNear(v *visit) error {
	ctx := v.r.Context()
	text := mask.Text(chat.Cut(strings.TrimSpace(v.r.PostFormValue("text")), 200))
	p := nearPage{}
	if len([]rune(text)) >= nearRunes {
		found, err := s.opt.Knowledge.Search(ctx, kb.Query{Text: text, N: 3, Now: s.opt.Now()})
		if err != nil {
			return err
		}
		if found.Band != kb.Refuse {
			for _, h := range found.Hits {
				if h.Score >= nearScore {
					p.Hits = append(p.Hits, h)
				}
			}
		}
		near, err := s.opt.Desk.Similar(ctx, text, 0, 20)
		if err != nil {
			return err
		}
		for _, t := range near {
			if t.Reporter == v.user.ID {
				p.Mine = append(p.Mine, t)
			} else {
				p.Others++
			}
		}
	}
	return v.part("m_report", "near", p)
}

// newTicket is the form on behalf of somebody, in the console.
func (s *Server) newTicket(v *visit) error {
	return s.showBehalf(v, http.StatusOK, reportPage{Form: reportForm{Class: "program"}, Behalf: true})
}

func (s *Server) showBehalf(v *visit, status int, p reportPage) (err error) {
	if p.People, err = s.opt.Store.ListMembers(v.r.Context()); err != nil {
		return err
	}
	return s.showReport(v, status, "ticket_new", p)
}

func (s *Server) sendNewTicket(v *visit) error {
	f := readReport(v)
	reporter, err := s.opt.Store.FindMember(v.r.Context(), f.Behalf)
	if errors.Is(err, store.ErrNotFound) || err == nil && reporter.Disabled {
		faults := formFaults(f.check(v))
		faults["behalf"] = v.t("没有这位同事，写账号")
		return s.reportFault(v, f, true, faults)
	}
	if err != nil {
		return err
	}
	if f.Name == "" {
		f.Name = reporter.Show()
	}
	t, err := s.fileReport(v, &f, reporter)
	if err != nil {
		return s.reportFault(v, f, true, err)
	}
	v.notice(v.t("已登记 T%d", t.Number))
	return v.redirect(fmt.Sprintf("/tickets/%d", t.Number))
}
