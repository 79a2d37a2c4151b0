package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/sheet"
	"frontline/store"
)

// The pages of sharing sessions: what is coming and what was, what one could be
// about, and one session with its questions, materials and effect. What the
// buttons do is what the words in chat do.

var organisers = chat.RoleSet{chat.Curator, chat.Leader, chat.Admin}

func (s *Server) sharingRoutes() []route {
	return []route{
		{method: "GET", path: "/sessions", roles: anybody, nav: "sessions", do: s.sharings},
		{method: "POST", path: "/sessions", roles: organisers, nav: "sessions", do: s.planSharing},
		{method: "GET", path: "/sessions/new", roles: organisers, nav: "sessions", do: s.newSharing},
		{method: "POST", path: "/sessions/topics", roles: organisers, do: s.pauseTopic},
		{method: "GET", path: "/sessions/{number}", roles: workers, nav: "sessions", do: s.sharingPage},
		{method: "POST", path: "/sessions/{number}", roles: organisers, nav: "sessions", do: s.changeSharing},
		{method: "GET", path: "/sessions/{number}/edit", roles: organisers, nav: "sessions", do: s.editSharing},
		{method: "POST", path: "/sessions/{number}/act", roles: workers, nav: "sessions", do: s.actOnSharing},
		{method: "POST", path: "/sessions/{number}/questions", roles: workers, nav: "sessions", do: s.settleSharing},
		{method: "POST", path: "/sessions/{number}/materials", roles: workers, nav: "sessions", upload: true, do: s.changeMaterials},
		{method: "POST", path: "/sessions/{number}/viewers", roles: organisers, nav: "sessions", upload: true, do: s.noteViewers},
		{method: "GET", path: "/sessions/{number}/export", roles: workers, do: s.exportSharing},
		{method: "GET", path: "/m/s/{number}", roles: anybody, do: s.attendSharing},
		{method: "POST", path: "/m/s/{number}", roles: anybody, do: s.actAttending},
		{method: "GET", path: "/m/s/{number}/material/{id}", roles: anybody, do: s.material},
	}
}

type sharingRow struct {
	store.Sharing
	People int64 // signed up
}

type sharingsPage struct {
	Over   bool
	Rows   []sharingRow
	Topics []handlers.SharingTopic
	Plans  bool // the visitor plans sessions
	Works  bool // … sees the console's page of one
}

const sharingsShown = 100

// sharings lists what is coming, or what was; whoever plans sees the topics too.
func (s *Server) sharings(v *visit) (err error) {
	ctx := v.r.Context()
	p := sharingsPage{Over: v.r.URL.Query().Get("view") == "over", Plans: handlers.Organises(v.user), Works: works(v.user)}
	q := store.SharingQuery{States: []store.SharingState{store.SharingPlanned, store.SharingAnnounced, store.SharingLive}, N: sharingsShown}
	if p.Over {
		q = store.SharingQuery{States: []store.SharingState{store.SharingEnded, store.SharingCancelled}, Newest: true, N: sharingsShown}
	}
	list, err := s.opt.Store.ListSharings(ctx, q)
	if err != nil {
		return err
	}
	var numbers []int64
	for _, x := range list {
		if handlers.SeesSharing(v.user, x) {
			p.Rows, numbers = append(p.Rows, sharingRow{Sharing: x}), append(numbers, x.Number)
		}
	}
	if len(numbers) > 0 {
		people, err := s.opt.Store.CountSharingPeople(ctx, numbers)
		if err != nil {
			return err
		}
		for i := range p.Rows {
			p.Rows[i].People = people[p.Rows[i].Number]
		}
	}
	if p.Plans && !p.Over {
		if p.Topics, err = s.opt.Desk.Topics(ctx); err != nil {
			return err
		}
		p.Topics = p.Topics[:min(len(p.Topics), 6)]
	}
	return v.show("sharings", p)
}

// SharingState is a session's state: a shape and a word.
func (s shell) SharingState(x store.SharingState) [2]string {
	look := map[store.SharingState]string{store.SharingPlanned: "wait", store.SharingAnnounced: "doing", store.SharingLive: "doing", store.SharingEnded: "done"}
	return [2]string{look[x], s.T(x.Title())}
}

// SharingTime is when a session is, with its weekday.
func (s shell) SharingTime(x store.Sharing) string {
	loc := s.v.s.opt.Desk.Rules.Calendar.Location()
	from := x.From.In(loc)
	return fmt.Sprintf("%s %s–%s", from.Format("2006-01-02")+" "+s.T(weekdays[from.Weekday()]), from.Format("15:04"), x.Until.In(loc).Format("15:04"))
}

type sharingView struct {
	store.Sharing
	Questions []sharingQuestionRow
	Figures   handlers.SharingFigures
	Materials []store.SharingMaterial
	People    []string // names of who signed up
	Groups    []string // titles
	Entries   []kb.Entry
	Organiser string
	Plans     bool // may change it
	Leads     bool // may begin, end and settle
	Begins    bool
	Ends      bool
	Cancels   bool
	Files     bool // files can be kept
	Fault     string
	Half      bool // the week after is not over: the effect is so far
}

type sharingQuestionRow struct {
	store.SharingQuestion
	Who string
}

// Path is the page of a session.
func (p sharingView) Path() string { return sharingPath(p.Number) }

func sharingPath(number int64) string { return "/sessions/" + strconv.FormatInt(number, 10) }

// findSharing is the session of the address, one that the visitor may know of.
func (s *Server) findSharing(v *visit) (store.Sharing, error) {
	x, err := s.opt.Store.FindSharing(v.r.Context(), number(v.r.PathValue("number")))
	if err == nil && !handlers.SeesSharing(v.user, x) {
		return x, errNotFound
	}
	return x, err
}

func (s *Server) sharingPage(v *visit) error { return s.showSharing(v, http.StatusOK, "") }

func (s *Server) showSharing(v *visit, status int, fault string) error {
	x, err := s.findSharing(v)
	if err != nil {
		return err
	}
	p := sharingView{Sharing: x, Fault: fault, Plans: handlers.Organises(v.user), Leads: handlers.Leads(v.user, x), Files: s.opt.Files != nil}
	p.Begins = p.Leads && handlers.MayBegin(x, s.opt.Now())
	p.Ends = p.Leads && x.State == store.SharingLive
	p.Cancels = p.Plans && x.State.May(store.SharingCancelled)
	if err := s.fillSharing(v, &p); err != nil {
		return err
	}
	return v.render(status, "sharing", p)
}

func (s *Server) fillSharing(v *visit, p *sharingView) (err error) {
	ctx := v.r.Context()
	if p.State == store.SharingEnded && p.Counted.IsZero() {
		p.Half = true
		if err := s.opt.Desk.SharingEffect(ctx, &p.Sharing); err != nil {
			return err
		}
	}
	list, err := s.opt.Store.ListSharingQuestions(ctx, p.Number)
	if err != nil {
		return err
	}
	p.Figures = handlers.SharingFiguresOf(list)
	if p.Materials, err = s.opt.Store.ListSharingMaterials(ctx, p.Number); err != nil {
		return err
	}
	people, err := s.opt.Store.SharingPeople(ctx, p.Number)
	if err != nil {
		return err
	}
	ids := append([]string{p.Sharing.Organiser}, people...)
	for _, q := range list {
		ids = append(ids, q.Asker)
	}
	known, err := s.opt.Store.FindMembers(ctx, ids)
	if err != nil {
		return err
	}
	p.Organiser = nameIn(known, p.Sharing.Organiser)
	for _, id := range people {
		p.People = append(p.People, nameIn(known, id))
	}
	for _, q := range list {
		p.Questions = append(p.Questions, sharingQuestionRow{q, nameIn(known, q.Asker)})
	}
	slices.SortStableFunc(p.Questions, func(a, b sharingQuestionRow) int {
		if open := boolInt(b.State == store.SharingAsked) - boolInt(a.State == store.SharingAsked); open != 0 {
			return open
		}
		return int(b.Votes - a.Votes)
	})
	all, err := s.opt.Desk.GroupChats(ctx)
	if err != nil {
		return err
	}
	for _, name := range p.Sharing.Groups {
		p.Groups = append(p.Groups, groupTitle(all, name))
	}
	entries, err := s.opt.Store.EntriesOf(ctx, p.Sharing.Entries)
	for _, n := range p.Sharing.Entries {
		if e, ok := entries[n]; ok {
			p.Entries = append(p.Entries, e)
		}
	}
	return err
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func groupTitle(all []handlers.GroupChat, name string) string {
	if i := slices.IndexFunc(all, func(g handlers.GroupChat) bool { return g.Name == name && g.Title != "" }); i >= 0 {
		return all[i].Title
	}
	return name
}

// onSharing changes the session of the address as it is now.
func (s *Server) onSharing(v *visit, do func(tx *store.Tx, x *store.Sharing) error) error {
	return s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		x, err := tx.FindSharing(number(v.r.PathValue("number")))
		if err != nil {
			return err
		}
		if !handlers.SeesSharing(v.user, x) {
			return errNotFound
		}
		return do(tx, &x)
	})
}

// actOnSharing announces, reminds, begins, ends or cancels.
func (s *Server) actOnSharing(v *visit) error {
	desk, words := s.opt.Desk, ""
	err := s.onSharing(v, func(tx *store.Tx, x *store.Sharing) error {
		switch v.r.PostFormValue("do") {
		case "announce":
			n, err := desk.AnnounceSharing(tx, v.user, x)
			words = v.t("已预告，已发 %d 个群", n)
			return err
		case "remind":
			words = v.t("已提醒")
			return desk.RemindSharing(tx, v.user, x)
		case "begin":
			words = v.t("已开播")
			return desk.BeginSharing(tx, v.user, x)
		case "end":
			words = v.t("已结束，没答的已进知识缺口")
			return desk.EndSharing(tx, v.user, x)
		case "cancel":
			words = v.t("已取消")
			return desk.CancelSharing(tx, v.user, x, v.r.PostFormValue("reason"))
		}
		return badForm(v.t("表单不完整"))
	})
	if err != nil {
		return err
	}
	v.notice(words)
	return v.redirect(sharingPath(number(v.r.PathValue("number"))))
}

// settleSharing says of a question that it was answered, or that it was not.
func (s *Server) settleSharing(v *visit) error {
	n, place := number(v.r.PathValue("number")), number(v.r.PostFormValue("place"))
	err := s.onSharing(v, func(tx *store.Tx, x *store.Sharing) error {
		_, err := s.opt.Desk.AnswerSharing(tx, v.user, n, place, v.r.PostFormValue("answer"), v.r.PostFormValue("do") != "open")
		return err
	})
	if err != nil {
		return err
	}
	v.notice(v.t("已记下"))
	return v.redirect(sharingPath(n) + "#questions")
}

// pauseTopic puts a topic off.
func (s *Server) pauseTopic(v *visit) error {
	word := strings.TrimSpace(v.r.PostFormValue("topic"))
	if word == "" {
		return badForm(v.t("表单不完整"))
	}
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return s.opt.Desk.PauseTopic(tx, v.user, word) })
	if err != nil {
		return err
	}
	v.notice(v.t("四周内不再提这个话题"))
	return v.redirect("/sessions")
}

// noteViewers takes the viewing figures: typed, or as a list of who watched.
func (s *Server) noteViewers(v *visit) error {
	people, minutes := number(v.r.PostFormValue("people")), number(v.r.PostFormValue("minutes"))
	if f, head, err := v.r.FormFile("file"); err == nil {
		defer f.Close()
		seen, err := handlers.ReadViewers(fileName(head.Filename), f)
		if err != nil {
			return s.showSharing(v, http.StatusUnprocessableEntity, err.Error())
		}
		people, minutes = seen.People, seen.Minutes
	} else if !errors.Is(err, http.ErrMissingFile) && !errors.Is(err, http.ErrNotMultipart) {
		return err
	}
	err := s.onSharing(v, func(tx *store.Tx, x *store.Sharing) error {
		_, err := s.opt.Desk.NoteViewers(tx, v.user, x, people, minutes)
		return err
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return s.showSharing(v, http.StatusUnprocessableEntity, no.Text)
	}
	if err != nil {
		return err
	}
	v.notice(v.t("观看 %d 人，人均 %d 分钟", people, minutes))
	return v.redirect(sharingPath(number(v.r.PathValue("number"))))
}

// exportSharing is the list of the questions, with how each stands.
func (s *Server) exportSharing(v *visit) error {
	x, err := s.findSharing(v)
	if err != nil {
		return err
	}
	if !handlers.Leads(v.user, x) {
		return needs(organisers)
	}
	p := sharingView{Sharing: x}
	if err := s.fillSharing(v, &p); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(fmt.Sprintf("S%d.xlsx", x.Number)))
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w, err := sheet.XLSX(v.w, v.t("提问"))
	if err != nil {
		return err
	}
	if err := w.Row(v.t("编号"), v.t("提问"), v.t("提问人"), v.t("时间"), v.t("同问"), v.t("状态"), v.t("答案要点"), v.t("知识")); err != nil {
		return err
	}
	for _, q := range p.Questions {
		entry := ""
		if q.Entry > 0 {
			entry = "K" + strconv.FormatInt(q.Entry, 10)
		}
		if err := w.Row(strconv.FormatInt(q.Place, 10), q.Text, q.Who, q.At.In(s.opt.Now().Location()).Format(time.DateTime), strconv.FormatInt(q.Votes, 10), v.t(questionStates[q.State]), q.Answer, entry); err != nil {
			return err
		}
	}
	return w.Close()
}

var questionStates = map[string]string{store.SharingAsked: "待答", store.SharingAnswered: "已答", store.SharingGap: "进了知识缺口"}

// QuestionState says how a question for a session stands.
func (s shell) QuestionState(state string) string { return s.T(questionStates[state]) }
