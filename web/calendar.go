package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"frontline/handlers"
	"frontline/ical"
	"frontline/store"
)

// The calendar feed: a person's own shifts and the sharing sessions, for a
// calendar program that knows a secret address. It has names and no other
// personal data.

const (
	calendarBack  = 30 * 24 * time.Hour
	calendarAhead = 60 * 24 * time.Hour
	// shiftsLaid is how long before its beginning a shift of the weekly roster
	// counts as made: it has no time of its own.
	shiftsLaid = 8 * 24 * time.Hour
)

func (s *Server) calendarRoutes() []route {
	return []route{
		{method: "GET", path: "/ical/{file}", public: true, do: s.calendarFeed},
		{method: "GET", path: "/m/s/{number}/calendar.ics", roles: anybody, do: s.sharingCalendar},
		{method: "POST", path: "/profile/calendar", roles: anybody, nav: "profile", do: s.changeCalendar},
	}
}

// calendarFeed answers who knows a token; whoever does not learns nothing.
func (s *Server) calendarFeed(v *visit) error {
	ctx := v.r.Context()
	value, ok := strings.CutSuffix(v.r.PathValue("file"), ".ics")
	if !ok {
		return errNotFound
	}
	token, err := s.opt.Store.FindCalendarToken(ctx, value)
	if err != nil {
		return err
	}
	u, err := s.opt.Store.FindMember(ctx, token.Member)
	if err != nil {
		return err
	}
	if u.Disabled {
		return errNotFound
	}
	now := s.opt.Now()
	from, to := now.Add(-calendarBack), now.Add(calendarAhead)
	c := ical.Calendar{Name: v.t("一线：值班与分享"), Refresh: time.Hour}
	duties, err := s.opt.Desk.DutiesOf(ctx, u.ID, from, to)
	if err != nil {
		return err
	}
	var stood []string
	for _, x := range duties {
		stood = append(stood, x.Stands)
	}
	known, err := s.opt.Store.FindMembers(ctx, stood)
	if err != nil {
		return err
	}
	for _, x := range duties {
		c.Events = append(c.Events, v.dutyEvent(x, nameIn(known, x.Stands)))
	}
	sessions, err := s.opt.Store.ListSharings(ctx, store.SharingQuery{Since: from, N: 200})
	if err != nil {
		return err
	}
	for _, x := range sessions {
		if handlers.SeesSharing(u, x) {
			c.Events = append(c.Events, v.sharingEvent(x))
		}
	}
	return v.sendCalendar(c, "")
}

// sharingCalendar is one session as a file, for who signs up.
func (s *Server) sharingCalendar(v *visit) error {
	x, err := s.findSharing(v)
	if err != nil {
		return err
	}
	return v.sendCalendar(ical.Calendar{Name: x.Title, Events: []ical.Event{v.sharingEvent(x)}}, fmt.Sprintf("S%d.ics", x.Number))
}

// sendCalendar sends a calendar, or nothing to a program that has it already.
func (v *visit) sendCalendar(c ical.Calendar, name string) error {
	body := c.Bytes()
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := v.w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	for _, has := range strings.Split(v.r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(has), "W/") == tag {
			v.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	if name != "" {
		h.Set("Content-Disposition", "attachment; filename="+name)
	}
	v.w.Write(body)
	return nil
}

// calendarHost is what makes the names of events unique in the world.
func (s *Server) calendarHost() string {
	if u, err := url.Parse(s.opt.PublicURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "frontline.invalid"
}

// dutyEvent is a shift. Its name stays the same while group, member and
// beginning do.
func (v *visit) dutyEvent(x store.Shift, stands string) ical.Event {
	s := v.s
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", x.Group, x.Member, x.From.Unix()))
	e := ical.Event{UID: "duty-" + hex.EncodeToString(sum[:10]) + "@" + s.calendarHost(), Start: x.From, End: x.Until, Summary: v.t("值班：%s", s.opt.Desk.Rules.GroupTitle(x.Group)), Changed: x.From.Add(-shiftsLaid)}
	if !x.Weekly {
		e.Changed = store.MadeAt(x.ID)
	}
	if stands != "" {
		e.Summary += v.t("（替 %s）", stands)
	}
	if s.opt.PublicURL != "" {
		e.URL = s.opt.PublicURL + "/oncall"
	}
	return e
}

func (v *visit) sharingEvent(x store.Sharing) ical.Event {
	s := v.s
	e := ical.Event{UID: fmt.Sprintf("sharing-S%d@%s", x.Number, s.calendarHost()), Start: x.From, End: x.Until, Summary: fmt.Sprintf("S%d %s", x.Number, x.Title), Description: v.t("主讲：%s", x.SpeakerName), Location: x.Link,
		Cancelled: x.State == store.SharingCancelled, Sequence: x.Edition, Changed: x.Changed}
	if x.Link != "" {
		e.Description += "\n" + v.t("直播：%s", x.Link)
	}
	if s.opt.PublicURL != "" {
		e.URL = s.opt.PublicURL + handlers.SharingPath(x.Number)
		e.Description += "\n" + v.t("提问和材料：%s", e.URL)
	}
	return e
}

// changeCalendar makes a new address, which is shown in the answer itself and
// never again, or takes the one there is away.
func (s *Server) changeCalendar(v *visit) error {
	switch v.r.PostFormValue("do") {
	case "make":
		value, err := s.opt.Store.NewCalendarToken(v.r.Context(), v.user.ID)
		if err != nil {
			return err
		}
		return s.showProfile(v, http.StatusOK, func(p *profilePage) { p.Feed = s.feedAddress(v, value) })
	case "drop":
		if err := s.opt.Store.DropCalendarToken(v.r.Context(), v.user.ID); err != nil {
			return err
		}
		v.notice(v.t("日历地址已作废"))
		return v.redirect("/profile#calendar")
	}
	return badForm(v.t("表单不完整"))
}

// feedAddress is the whole address, as a calendar program takes it.
func (s *Server) feedAddress(v *visit, value string) string {
	base := s.opt.PublicURL
	if base == "" {
		base = "http://" + v.r.Host
	}
	return base + "/ical/" + value + ".ics"
}
