package web

import (
	"context"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// entryStates are those that the list can be narrowed to.
var entryStates = []string{kb.Published, kb.Draft, kb.Review, kb.Retired, store.EntryWaiting}

// kbFilter is what stands in the address of the list of knowledge.
type kbFilter struct {
	Text, State, Group, Owner, Category string
	Page                                int // from 1
}

const kbPage = 30

// readKBFilter takes what makes sense of an address; the rest is left out.
func readKBFilter(q url.Values) kbFilter {
	text := func(name string, most int) string { return chat.Cut(strings.TrimSpace(q.Get(name)), most) }
	f := kbFilter{Text: text("q", 200), State: text("state", 16), Group: text("group", 64), Owner: text("owner", 64), Category: text("category", 64), Page: 1}
	if !slices.Contains(entryStates, f.State) {
		f.State = ""
	}
	if p, _ := strconv.Atoi(q.Get("page")); p > 1 && p <= store.CountMost/kbPage {
		f.Page = p
	}
	return f
}

func (f kbFilter) values() url.Values {
	q := url.Values{}
	for _, p := range [][2]string{{"q", f.Text}, {"state", f.State}, {"group", f.Group}, {"owner", f.Owner}, {"category", f.Category}} {
		if p[1] != "" {
			q.Set(p[0], p[1])
		}
	}
	return q
}

func (f kbFilter) address(page int) string {
	q := f.values()
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "/kb"
	}
	return "/kb?" + q.Encode()
}

// Plain tells whether nothing is chosen.
func (f kbFilter) Plain() bool { return len(f.values()) == 0 }

func (f kbFilter) query() store.EntryQuery {
	return store.EntryQuery{State: f.State, Group: f.Group, Owner: f.Owner, Category: f.Category, Text: f.Text, Offset: (f.Page - 1) * kbPage, N: kbPage}
}

type kbTab struct {
	Title, Path string
	N           int64
	Hot         bool
	Current     bool
}

type kbRow struct {
	kb.Entry
	Change string // state of the change that waits, "" for none
	Keeper string // who keeps it, by name
	Use    store.EntryUse
	Late   bool // review is due, or out of date
	Out    bool // out of date
}

// Solved is the share of those who said something that were helped, in
// percent; -1 when nobody did.
func (r kbRow) Solved() int {
	if r.Use.Useful+r.Use.Useless == 0 {
		return -1
	}
	return int(100 * r.Use.Useful / (r.Use.Useful + r.Use.Useless))
}

type kbPageData struct {
	Filter                     kbFilter
	Tabs                       []kbTab
	Rows                       []kbRow
	Groups, Owners, Categories []string
	People                     map[string]chat.User
	States                     []string
	Total                      int64
	Live                       int64
	Verdict                    *verdict
	Writes, Curates            bool
	PrevPath, NextPath         template.URL
	Team                       []chat.User // who may keep an entry; for curators only
	Query                      string      // the filter, for what is done to all of it
}

// Columns of the list, the one of the ticks included.
func (p kbPageData) Columns() int {
	if p.Curates {
		return 8
	}
	return 7
}

// Bulk tells whether all of the filter can be changed at once.
func (p kbPageData) Bulk() bool { return p.Total <= handlers.BulkMost }

// useDays is how far back the use of an entry is counted.
const useDays = 30

// knowledge is the list of entries, and what a question would find.
func (s *Server) knowledge(v *visit) error {
	ctx, f := v.r.Context(), readKBFilter(v.r.URL.Query())
	if n, ok := entryNumber(f.Text); ok {
		if _, err := s.opt.Store.FindEntry(ctx, n); err == nil {
			return v.redirect("/kb/" + strconv.FormatInt(n, 10))
		}
	}
	f.Text = mask.Text(f.Text)
	p := kbPageData{Filter: f, States: entryStates[:4], Writes: handlers.Proposes(v.user), Curates: handlers.Curates(v.user)}
	var err error
	if p.Tabs, err = v.kbTabs(ctx, f.address(1)); err != nil {
		return err
	}
	if p.Total, err = s.opt.Store.CountEntries(ctx, f.query()); err != nil {
		return err
	}
	if p.Live, err = s.opt.Store.CountEntries(ctx, store.EntryQuery{State: kb.Published}); err != nil {
		return err
	}
	list, err := s.opt.Store.PageEntries(ctx, f.query())
	if err != nil {
		return err
	}
	if p.Rows, err = v.kbRows(ctx, list); err != nil {
		return err
	}
	if err := s.kbNames(ctx, &p); err != nil {
		return err
	}
	if p.Query = f.values().Encode(); p.Curates {
		if p.Team, err = s.entryTeam(ctx); err != nil {
			return err
		}
	}
	if f.Page > 1 {
		p.PrevPath = template.URL(f.address(f.Page - 1))
	}
	if int64(f.Page*kbPage) < p.Total {
		p.NextPath = template.URL(f.address(f.Page + 1))
	}
	if f.Text != "" {
		found, err := s.opt.Knowledge.Search(ctx, kb.Query{Text: f.Text, N: 5, Now: s.opt.Now()})
		if err != nil {
			return fmt.Errorf("search the knowledge: %w", err)
		}
		p.Verdict = v.verdictOf(found)
	}
	return v.show("kb", p)
}

// entryNumber reads K12 and k12; a bare number is looked for as text.
func entryNumber(text string) (int64, bool) {
	rest := strings.TrimPrefix(strings.ToUpper(text), "K")
	if rest == strings.ToUpper(text) || len(rest) > 15 {
		return 0, false
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	return n, err == nil && n > 0
}

// kbTabs are the views of the knowledge base; path is the one that is shown.
func (v *visit) kbTabs(ctx context.Context, path string) ([]kbTab, error) {
	tabs := []struct {
		title, state string
		hot          bool
	}{{"全部", "", false}, {"待完成", store.EntryWaiting, true}, {"已发布", kb.Published, false}, {"已停用", kb.Retired, false}}
	var out []kbTab
	for _, t := range tabs {
		f := kbFilter{State: t.state}
		n, err := v.s.opt.Store.CountEntries(ctx, store.EntryQuery{State: t.state})
		if err != nil {
			return nil, err
		}
		out = append(out, kbTab{Title: v.t(t.title), Path: f.address(1), N: n, Hot: t.hot && n > 0, Current: f.address(1) == path})
	}
	if handlers.Curates(v.user) {
		for _, t := range [][2]string{{"知识缺口", "/kb/gaps"}, {"知识体检", "/kb/health"}, {"同义词", "/kb/synonyms"}, {"导入与导出", "/kb/import"}} {
			out = append(out, kbTab{Title: v.t(t[0]), Path: t[1], Current: t[1] == path})
		}
	}
	return out, nil
}

func (s *Server) kbNames(ctx context.Context, p *kbPageData) (err error) {
	if p.Groups, err = s.opt.Store.EntryNames(ctx, "group"); err != nil {
		return err
	}
	if p.Categories, err = s.opt.Store.EntryNames(ctx, "category"); err != nil {
		return err
	}
	if p.Owners, err = s.opt.Store.EntryNames(ctx, "owner"); err != nil {
		return err
	}
	p.People, err = s.opt.Store.FindMembers(ctx, p.Owners)
	return err
}

// Name is a person by name, or the id when nobody is known by it.
func (p kbPageData) Name(id string) string { return nameIn(p.People, id) }

func nameIn(people map[string]chat.User, id string) string {
	if u, ok := people[id]; ok {
		return u.Show()
	}
	return id
}

// entryTeam are those who may keep an entry.
func (s *Server) entryTeam(ctx context.Context) ([]chat.User, error) {
	all, err := s.opt.Store.ListMembers(ctx)
	return slices.DeleteFunc(all, func(u chat.User) bool { return u.Disabled || !handlers.Proposes(u) }), err
}

// kbRows adds to entries what their lines show.
func (v *visit) kbRows(ctx context.Context, list []kb.Entry) ([]kbRow, error) {
	numbers, owners := make([]int64, len(list)), make([]string, len(list))
	for i, e := range list {
		numbers[i], owners[i] = e.Number, e.Owner
	}
	now := v.s.opt.Now()
	uses, err := v.s.opt.Store.EntryUses(ctx, numbers, now.AddDate(0, 0, -useDays))
	if err != nil {
		return nil, err
	}
	changes, err := v.s.opt.Store.ProposalStates(ctx, numbers)
	if err != nil {
		return nil, err
	}
	people, err := v.s.opt.Store.FindMembers(ctx, owners)
	if err != nil {
		return nil, err
	}
	rows := make([]kbRow, len(list))
	today := now.Format(time.DateOnly)
	for i, e := range list {
		rows[i] = kbRow{Entry: e, Change: changes[e.Number], Keeper: nameIn(people, e.Owner), Use: uses[e.Number], Out: e.OutOfDate(now)}
		rows[i].Late = rows[i].Out || e.ReviewAt != "" && e.ReviewAt <= today
	}
	return rows, nil
}
