package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/store"
)

// Sharing sessions (直播分享): what many ask is explained live. This file has the
// rules that chat and pages share: which sessions there may be, who moves them,
// and who is told.

// GroupChat is a group that messages can go to.
type GroupChat struct {
	Name, Title string
	ChatID      string // as the smart bot knows it; "" where it is not in it
	Robot       bool
}

const (
	sharingLength  = 40 * time.Minute // where nobody says how long
	sharingLeast   = 5 * time.Minute
	sharingMost    = 8 * time.Hour
	sharingAhead   = 366 * 24 * time.Hour
	sharingRemind  = 15 * time.Minute // before the beginning
	sharingEarly   = time.Hour        // before it, it may go live
	sharingOverrun = 30 * time.Minute // after the planned end, unless somebody ends it
	// SharingEffect is how long before and after questions on the topic are counted.
	SharingEffect    = 7 * 24 * time.Hour
	sharingTitleMost = 60
	sharingWordsMost = 10
)

// organisers plan sessions; a speaker may also begin, end and answer.
var organisers = curators

// Organises tells whether a person plans sessions.
func Organises(u chat.User) bool { return u.Roles.Has(organisers...) }

// Leads tells whether a person may begin and end a session and settle its questions.
func Leads(u chat.User, s store.Sharing) bool {
	return Organises(u) || s.Speaker == u.ID && u.ID != ""
}

// GroupChats are the groups that have a robot: those of the configuration and
// those added in the console.
func (d *Desk) GroupChats(ctx context.Context) ([]GroupChat, error) {
	own, err := d.Store.ListGroups(ctx)
	out := slices.DeleteFunc(slices.Clone(d.Chats), func(g GroupChat) bool { return !g.Robot })
	for _, g := range own {
		if g.KeyEnd != "" {
			out = append(out, GroupChat{g.Name, g.Title, g.ChatID, true})
		}
	}
	return out, err
}

// FrontGroups are the groups that are told of a session where nobody says which:
// all but the one of the support desk.
func (d *Desk) FrontGroups(all []GroupChat) (names []string) {
	for _, g := range all {
		if g.Name != d.Announce || len(all) == 1 {
			names = append(names, g.Name)
		}
	}
	return names
}

// checkSharing cleans a session and refuses what cannot be.
func checkSharing(s *store.Sharing, now time.Time) error {
	s.Title, s.Note = chat.Cut(oneLine(Hidden(s.Title)), sharingTitleMost+1), chat.Cut(strings.TrimSpace(Hidden(s.Note)), 1000)
	s.SpeakerName = chat.Cut(oneLine(s.SpeakerName), 40)
	switch n := utf8.RuneCountInString(s.Title); {
	case n < 2:
		return refuse("分享讲什么？写上主题。")
	case n > sharingTitleMost:
		return refuse(fmt.Sprintf("主题最多 %d 个字。", sharingTitleMost))
	case s.SpeakerName == "":
		return refuse("谁主讲？写上姓名。")
	case !s.From.After(now):
		return refuse("开始时间要在现在之后。")
	case s.From.After(now.Add(sharingAhead)):
		return refuse("最多提前一年排期。")
	case s.Until.Sub(s.From) < sharingLeast || s.Until.Sub(s.From) > sharingMost:
		return refuse("时长要在 5 分钟到 8 小时之间。")
	}
	for _, link := range []*string{&s.Link, &s.Recording} {
		clean, err := WebLink(*link)
		if err != nil {
			return err
		}
		*link = clean
	}
	words := s.Words
	if s.Words = nil; len(words) == 0 {
		words = []string{s.Title}
	}
	for _, w := range words {
		w = oneLine(Hidden(w))
		if n := utf8.RuneCountInString(w); n == 0 {
			continue
		} else if n < 2 || n > 20 && w != s.Title {
			return refuse("话题词每个 2 到 20 个字，用顿号隔开。")
		}
		if !slices.Contains(s.Words, w) {
			s.Words = append(s.Words, w)
		}
	}
	if len(s.Words) > sharingWordsMost {
		return refuse(fmt.Sprintf("话题词最多 %d 个。", sharingWordsMost))
	}
	return nil
}

// WebLink is an address that people can be sent to, in a form that can stand in
// Markdown; "" stays.
func WebLink(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(text) > 1000 {
		return "", refuse("链接要以 https:// 或 http:// 开头，例：https://live.example.com/1024")
	}
	clean := linkEscape.Replace(u.String())
	if strings.ContainsFunc(clean, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", refuse("链接里不能有空格。")
	}
	return clean, nil
}

var linkEscape = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D", `"`, "%22", "'", "%27", "`", "%60", "|", "%7C", "\\", "%5C")

// knownGroups refuses a group that is not there.
func knownGroups(names []string, all []GroupChat) error {
	for _, n := range names {
		if !slices.ContainsFunc(all, func(g GroupChat) bool { return g.Name == n }) {
			return refuse(fmt.Sprintf("没有「%s」这个群，或它没有群机器人。", chat.Plain(chat.Cut(n, 40))))
		}
	}
	return nil
}

// knownEntries refuses entries that are not there.
func knownEntries(tx *store.Tx, numbers []int64) error {
	for _, n := range numbers {
		if _, err := tx.FindEntry(n); errors.Is(err, store.ErrNotFound) {
			return refuse(fmt.Sprintf("没有 K%d 这条知识。", n))
		} else if err != nil {
			return err
		}
	}
	return nil
}

// PlanSharing keeps a new session. Nobody is told yet. all are the groups there are.
func (d *Desk) PlanSharing(tx *store.Tx, by chat.User, s *store.Sharing, all []GroupChat) error {
	if !Organises(by) {
		return refuse("分享由知识管理员或管理者来排期。")
	}
	if err := checkSharing(s, tx.Now()); err != nil {
		return err
	}
	if err := errors.Join(knownGroups(s.Groups, all), knownEntries(tx, s.Entries)); err != nil {
		return err
	}
	s.Organiser = by.ID
	s.Look = s.From.Add(-sharingRemind)
	if err := tx.NewSharing(s); err != nil {
		return err
	}
	return tx.Audit(by.ID, "sharing.plan", sharingNo(*s), map[string]any{"title": s.Title, "from": s.From.Format(time.RFC3339)})
}

func sharingNo(s store.Sharing) string { return fmt.Sprintf("S%d", s.Number) }

// moveSharing takes a session on to a state.
func moveSharing(tx *store.Tx, s *store.Sharing, to store.SharingState) error {
	if !s.State.May(to) {
		return refuse(fmt.Sprintf("S%d %s，不能再这样做。", s.Number, s.State.Title()))
	}
	s.State = to
	s.Look = nextSharingLook(*s)
	return tx.SaveSharing(s)
}

// nextSharingLook is when the clock has something to do for a session.
func nextSharingLook(s store.Sharing) time.Time {
	switch s.State {
	case store.SharingPlanned, store.SharingAnnounced:
		if s.Reminded.IsZero() {
			return s.From.Add(-sharingRemind)
		}
		if s.State == store.SharingPlanned {
			return s.Until
		}
		return s.From
	case store.SharingLive:
		return s.Until.Add(sharingOverrun)
	case store.SharingEnded:
		if s.Counted.IsZero() {
			return s.Ended.Add(SharingEffect)
		}
	}
	return time.Time{}
}

// AnnounceSharing tells the groups of a session, and who wants to hear of
// sessions. It returns how many groups that were.
func (d *Desk) AnnounceSharing(tx *store.Tx, by chat.User, s *store.Sharing) (int, error) {
	switch {
	case !Organises(by):
		return 0, refuse("分享由知识管理员或管理者来预告。")
	case s.State.Open():
		return 0, refuse(fmt.Sprintf("S%d 已经预告过了。改时间回「改期 S%d 周五16:00」。", s.Number, s.Number))
	case !s.Until.After(tx.Now()):
		return 0, refuse(fmt.Sprintf("S%d 约的时间已经过了，先改期：改期 S%d 周五16:00", s.Number, s.Number))
	}
	s.Announced = tx.Now()
	if !tx.Now().Before(s.From.Add(-sharingRemind)) {
		s.Reminded = tx.Now() // what they hear now is the reminder
	} else {
		s.Reminded = time.Time{} // what the organiser heard was none
	}
	if err := moveSharing(tx, s, store.SharingAnnounced); err != nil {
		return 0, err
	}
	if err := d.tellSharingGroups(tx, *s, "announced", d.sharingNews(tx, *s, "直播分享")); err != nil {
		return 0, err
	}
	others, err := tx.Subscribers("sharing")
	if err != nil {
		return 0, err
	}
	for _, place := range others {
		body := chat.Body{Text: d.sharingNote(tx, *s, "直播分享")}
		if place.Kind == chat.Robot {
			if slices.Contains(s.Groups, place.ID) {
				continue // told already
			}
			body = chat.Body{Markdown: d.sharingNews(tx, *s, "直播分享")}
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("S%d/announced/%s", s.Number, place), To: place, Body: body}); err != nil {
			return 0, err
		}
	}
	return len(s.Groups), tx.Audit(by.ID, "sharing.announce", sharingNo(*s), map[string]any{"groups": s.Groups})
}

// ChangeSharing changes a session that is not over. Who knows of it hears of
// another time, link or speaker.
func (d *Desk) ChangeSharing(tx *store.Tx, by chat.User, s *store.Sharing, all []GroupChat, change func(s *store.Sharing)) error {
	if !Organises(by) {
		return refuse("分享由知识管理员或管理者来改。")
	}
	was := *s
	change(s)
	if s.State == store.SharingCancelled {
		return refuse(fmt.Sprintf("S%d 已取消，重新排一场。", s.Number))
	}
	over := s.State == store.SharingEnded || s.State == store.SharingLive
	if over { // what has been stays
		s.From, s.Until, s.Groups = was.From, was.Until, was.Groups
	}
	now := tx.Now()
	if over || s.From.Equal(was.From) {
		now = s.From.Add(-time.Second) // a beginning that stays may be over
	}
	if err := checkSharing(s, now); err != nil {
		return err
	}
	if err := errors.Join(knownGroups(s.Groups, all), knownEntries(tx, s.Entries)); err != nil {
		return err
	}
	moved := !s.From.Equal(was.From) || !s.Until.Equal(was.Until)
	if !s.From.Equal(was.From) && tx.Now().Before(s.From.Add(-sharingRemind)) {
		s.Reminded = time.Time{}
	}
	told := s.State.Open() && (moved || s.Link != was.Link || s.SpeakerName != was.SpeakerName)
	if moved || told {
		s.Edition++
	}
	s.Look = nextSharingLook(*s)
	if err := tx.SaveSharing(s); err != nil {
		return err
	}
	if told {
		head := "直播分享有变动"
		if moved {
			head = "直播分享改期（原 " + sharingTime(was, tx.Now()) + "）"
		}
		if err := d.tellSharing(tx, *s, fmt.Sprintf("changed/%d", s.Edition), head, by.ID); err != nil {
			return err
		}
	}
	return tx.Audit(by.ID, "sharing.change", sharingNo(*s), map[string]any{"from": s.From.Format(time.RFC3339), "until": s.Until.Format(time.RFC3339)})
}

// CancelSharing calls a session off and tells who knows of it.
func (d *Desk) CancelSharing(tx *store.Tx, by chat.User, s *store.Sharing, reason string) error {
	if !Organises(by) && by.ID != byClock.ID {
		return refuse("分享由知识管理员或管理者来取消。")
	}
	told := s.State == store.SharingAnnounced
	s.Reason = chat.Cut(oneLine(Hidden(reason)), 100)
	s.Edition++
	if err := moveSharing(tx, s, store.SharingCancelled); err != nil {
		return err
	}
	if told {
		head := "直播分享取消了"
		if s.Reason != "" {
			head += "（" + s.Reason + "）"
		}
		if err := d.tellSharing(tx, *s, "cancelled", head, by.ID); err != nil {
			return err
		}
	}
	return tx.Audit(by.ID, "sharing.cancel", sharingNo(*s), map[string]string{"reason": s.Reason})
}

// MayBegin tells whether a session may go live now: not much before its time,
// of which people were told.
func MayBegin(s store.Sharing, now time.Time) bool {
	return s.State == store.SharingAnnounced && !now.Before(s.From.Add(-sharingEarly))
}

// BeginSharing makes a session live: somebody says so, or its time has come.
func (d *Desk) BeginSharing(tx *store.Tx, by chat.User, s *store.Sharing) error {
	if !Leads(by, *s) && by.ID != byClock.ID {
		return refuse("由主讲人或知识管理员开播。")
	}
	if s.State == store.SharingPlanned {
		return refuse(fmt.Sprintf("S%d 还没预告，先回「预告 S%d」。", s.Number, s.Number))
	}
	if s.State == store.SharingAnnounced && !MayBegin(*s, tx.Now()) {
		return refuse(fmt.Sprintf("S%d 约的是 %s，要提前讲先改期：改期 S%d 今天16:00", s.Number, sharingTime(*s, d.local(tx.Now())), s.Number))
	}
	s.Began = tx.Now()
	if err := moveSharing(tx, s, store.SharingLive); err != nil {
		return err
	}
	return tx.Audit(by.ID, "sharing.begin", sharingNo(*s), map[string]string{})
}
