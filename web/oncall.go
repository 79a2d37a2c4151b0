package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// The page of who is on duty: a week, group by group, as it really is after all
// stand-ins. What its forms do is what 值班 does in chat.

func (s *Server) oncallRoutes() []route {
	return []route{
		{method: "GET", path: "/oncall", roles: workers, nav: "oncall", do: s.oncall},
		{method: "POST", path: "/oncall", roles: workers, nav: "oncall", do: s.addShift},
		{method: "POST", path: "/oncall/{id}/end", roles: workers, do: s.endShift},
	}
}

type dutyView struct {
	handlers.Duty
	Who, For  string // names of the member and of whom they stand in for
	Mine, Now bool
	MayEnd    bool
	Group     string // title
}

type dutyDay struct {
	Day     time.Time
	Today   bool
	Trading bool
	Duties  []dutyView
	Open    []handlers.Uncovered
}

// Weekday is the day's name.
func (d dutyDay) Weekday() string { return weekdays[d.Day.Weekday()] }

type dutyLane struct {
	Title string
	Days  []dutyDay
}

type oncallPage struct {
	From, Before, After string // dates of Mondays
	Days                []dutyDay
	Lanes               []dutyLane
	Mine                []dutyView // my next shifts
	Now                 []dutyView
	Groups              []handlers.ServiceGroup
	People              []chat.User
	Leads               bool
	Typed               string // the same said in chat, an example
	Form                map[string]string
	Fault               string
	Feed                string // the last characters of the visitor's calendar token; "" for none
}

const dateLayout = "2006-01-02"

func (s *Server) oncall(v *visit) error {
	p, err := s.oncallWeek(v)
	if err != nil {
		return err
	}
	return v.show("oncall", p)
}

func (s *Server) oncallWeek(v *visit) (p oncallPage, err error) {
	ctx, desk := v.r.Context(), s.opt.Desk
	loc := desk.Rules.Calendar.Location()
	now := s.opt.Now().In(loc)
	monday := now
	if t, err := time.ParseInLocation(dateLayout, v.r.URL.Query().Get("from"), loc); err == nil {
		monday = t
	}
	monday = time.Date(monday.Year(), monday.Month(), monday.Day()-(int(monday.Weekday())+6)%7, 0, 0, 0, 0, loc)
	end := monday.AddDate(0, 0, 7)
	p = oncallPage{From: monday.Format(dateLayout), Before: monday.AddDate(0, 0, -7).Format(dateLayout), After: end.Format(dateLayout),
		Groups: desk.Rules.Groups, Leads: v.user.Roles.Has(chat.Leader, chat.Admin), Form: map[string]string{}, Typed: handlers.DutyExample}
	week, err := desk.FinalRoster(ctx, monday, end)
	if err != nil {
		return p, err
	}
	soon, err := desk.FinalRoster(ctx, now, now.AddDate(0, 0, 14))
	if err != nil {
		return p, err
	}
	names, err := s.dutyNames(v, week, soon)
	if err != nil {
		return p, err
	}
	view := func(x handlers.Duty) dutyView {
		x.From, x.Until = x.From.In(loc), x.Until.In(loc)
		return dutyView{Duty: x, Who: names(x.Member), For: names(x.Stands), Mine: x.Member == v.user.ID, Group: desk.Rules.GroupTitle(x.Shift.Group),
			Now: !x.From.After(now) && x.Until.After(now), MayEnd: !x.Weekly && x.Until.After(now) && (p.Leads || x.Member == v.user.ID)}
	}
	for _, x := range soon {
		d := view(x)
		if d.Now {
			p.Now = append(p.Now, d)
		}
		if d.Mine && len(p.Mine) < 5 {
			p.Mine = append(p.Mine, d)
		}
	}
	for day := monday; day.Before(end); day = day.AddDate(0, 0, 1) {
		p.Days = append(p.Days, dutyDay{Day: day, Today: day.Format(dateLayout) == now.Format(dateLayout), Trading: desk.Rules.Calendar.Trading(day)})
	}
	for _, g := range desk.Rules.Groups {
		lane := dutyLane{Title: desk.Rules.GroupTitle(g.Name)}
		of := slices.DeleteFunc(slices.Clone(week), func(x handlers.Duty) bool { return x.Shift.Group != g.Name })
		for _, day := range p.Days {
			day.Open = desk.Rules.Uncovered(day.Day, of)
			for _, x := range of {
				if x.From.Before(day.Day.AddDate(0, 0, 1)) && x.Until.After(day.Day) {
					day.Duties = append(day.Duties, view(x))
				}
			}
			lane.Days = append(lane.Days, day)
		}
		p.Lanes = append(p.Lanes, lane)
	}
	token, err := s.opt.Store.CalendarTokenOf(ctx, v.user.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	p.Feed = token.Last
	p.People, err = s.opt.Store.MembersWith(ctx, chat.Responder)
	return p, err
}

// dutyNames finds the names of everybody in the lists.
func (s *Server) dutyNames(v *visit, lists ...[]handlers.Duty) (func(string) string, error) {
	var ids []string
	for _, list := range lists {
		for _, x := range list {
			ids = append(ids, x.Member, x.Stands)
		}
	}
	slices.Sort(ids)
	known, err := s.opt.Store.FindMembers(v.r.Context(), slices.Compact(ids))
	return func(id string) string {
		if u, ok := known[id]; ok {
			return u.Show()
		}
		return id
	}, err
}

// addShift enters a shift or a stand-in.
func (s *Server) addShift(v *visit) error {
	form := map[string]string{}
	for _, name := range []string{"group", "member", "stands", "from", "until"} {
		form[name] = chat.Cut(strings.TrimSpace(v.r.PostFormValue(name)), 64)
	}
	loc := s.opt.Desk.Rules.Calendar.Location()
	from, err1 := time.ParseInLocation("2006-01-02T15:04", form["from"], loc)
	until, err2 := time.ParseInLocation("2006-01-02T15:04", form["until"], loc)
	sh := store.Shift{Group: form["group"], Member: form["member"], Stands: form["stands"], From: from, Until: until}
	if !v.user.Roles.Has(chat.Leader, chat.Admin) {
		sh.Member = v.user.ID
	}
	var no chat.Refusal
	switch {
	case err1 != nil || err2 != nil:
		no.Text = v.t("从什么时候到什么时候？两个时间都要填。")
	default:
		err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
			for _, id := range []string{sh.Member, sh.Stands} {
				if id == "" {
					continue
				}
				if _, err := tx.FindMember(id); errors.Is(err, store.ErrNotFound) {
					return chat.Refusal{Text: v.t("没有这个人")}
				} else if err != nil {
					return err
				}
			}
			_, err := s.opt.Desk.AddShift(tx, v.user, sh)
			return err
		})
		if err == nil {
			v.notice(v.t("已排上"))
			return v.redirect("/oncall?from=" + from.Format(dateLayout))
		}
		if !errors.As(err, &no) {
			return err
		}
	}
	p, err := s.oncallWeek(v)
	if err != nil {
		return err
	}
	p.Form, p.Fault = form, no.Text
	return v.render(http.StatusUnprocessableEntity, "oncall", p)
}

func (s *Server) endShift(v *visit) error {
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return s.opt.Desk.EndShift(tx, v.user, number(v.r.PathValue("id")))
	})
	if err != nil {
		return err
	}
	v.notice(v.t("这个班已撤"))
	return v.redirect("/oncall")
}
