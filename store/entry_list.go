package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"frontline/kb"
)

// The knowledge base as curators look at it.

// EntryQuery chooses entries; its zero value chooses all.
type EntryQuery struct {
	State    string // a state; "waiting": drafts and changes that somebody has to go on with
	Group    string
	Owner    string
	Category string
	Text     string // in the question or in a similar one
	Before   int64  // only smaller numbers, 0 for all
	Offset   int
	N        int
}

// EntryWaiting as a state chooses what is not finished: drafts, reviews, and
// published entries with a change.
const EntryWaiting = "waiting"

func (s *Store) entriesWhere(ctx context.Context, q EntryQuery) *gorm.DB {
	db := s.read.WithContext(ctx).Model(&entryRow{})
	switch q.State {
	case "":
	case EntryWaiting:
		db = db.Where("state IN ? OR number IN (SELECT entry FROM entry_proposal)", []string{kb.Draft, kb.Review})
	case kb.Review:
		db = db.Where("state = ? OR number IN (SELECT entry FROM entry_proposal WHERE state = ?)", kb.Review, kb.Review)
	default:
		db = db.Where("state = ?", q.State)
	}
	for _, c := range [][2]string{{"service_group", q.Group}, {"owner", q.Owner}, {"category", q.Category}} {
		if c[1] != "" {
			db = db.Where(c[0]+" = ?", c[1])
		}
	}
	if q.Before > 0 {
		db = db.Where("number < ?", q.Before)
	}
	if q.Text != "" {
		like := "%" + likeEscaper.Replace(q.Text) + "%"
		db = db.Where("question LIKE ? ESCAPE '!' OR similar_list LIKE ? ESCAPE '!'", like, like)
	}
	return db
}

// PageEntries returns a page of entries, the newest number first.
func (s *Store) PageEntries(ctx context.Context, q EntryQuery) ([]kb.Entry, error) {
	var rows []entryRow
	err := s.entriesWhere(ctx, q).Order("number DESC").Offset(q.Offset).Limit(q.N).Find(&rows).Error
	out := make([]kb.Entry, len(rows))
	for i, r := range rows {
		out[i] = r.entry()
	}
	return out, err
}

// CountEntries counts what a query chooses, without its page; CountMost means
// that many or more.
func (s *Store) CountEntries(ctx context.Context, q EntryQuery) (n int64, err error) {
	part := s.entriesWhere(ctx, q).Select("number").Limit(CountMost)
	err = s.read.WithContext(ctx).Table("(?) AS part", part).Count(&n).Error
	return n, err
}

// EntryNames are the values that entries have in a column: group, owner or category.
func (s *Store) EntryNames(ctx context.Context, column string) (names []string, err error) {
	of := map[string]string{"group": "service_group", "owner": "owner", "category": "category"}[column]
	err = s.read.WithContext(ctx).Model(&entryRow{}).Where(of+" <> ''").Distinct().Order(of).Limit(200).Pluck(of, &names).Error
	return names, err
}

// EntryTags are the tags that published entries have.
func (s *Store) EntryTags(ctx context.Context) (tags []string, err error) {
	var lists []string
	err = s.read.WithContext(ctx).Model(&entryRow{}).Where("state = ?", kb.Published).Distinct().Limit(2000).Pluck("tags", &lists).Error
	for _, l := range lists {
		tags = append(tags, list(l)...)
	}
	slices.Sort(tags)
	return slices.Compact(tags), err
}

// EntryUse is how an entry did: how often it was shown, and what people said.
type EntryUse struct {
	Entry                              int64
	Shown, Useful, Useless, Asked      int64 // Asked: shown as the sure answer
	Off, Incomplete, Outdated, Unclear int64 // why it was no use, where that was said
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	Key string
	N   int64
}

// Reasons are the reasons that were given, the most frequent first.
func (u EntryUse) Reasons() []ReasonCount {
	all := []ReasonCount{{ReasonOff, u.Off}, {ReasonIncomplete, u.Incomplete}, {ReasonOutdated, u.Outdated}, {ReasonUnclear, u.Unclear}}
	all = slices.DeleteFunc(all, func(c ReasonCount) bool { return c.N == 0 })
	slices.SortStableFunc(all, func(a, b ReasonCount) int { return cmp.Compare(b.N, a.N) })
	return all
}

// EntryUses counts the questions since a time that some entries were shown for.
func (s *Store) EntryUses(ctx context.Context, numbers []int64, since time.Time) (map[int64]EntryUse, error) {
	var rows []EntryUse
	err := s.read.WithContext(ctx).Raw(`SELECT entry, COUNT(*) AS shown, SUM(CASE WHEN feedback='useful' THEN 1 ELSE 0 END) AS useful, SUM(CASE WHEN feedback IN ('useless','person') THEN 1 ELSE 0 END) AS useless,
		SUM(CASE WHEN band='answer' THEN 1 ELSE 0 END) AS asked, SUM(CASE WHEN reason='off' THEN 1 ELSE 0 END) AS off, SUM(CASE WHEN reason='incomplete' THEN 1 ELSE 0 END) AS incomplete,
		SUM(CASE WHEN reason='outdated' THEN 1 ELSE 0 END) AS outdated, SUM(CASE WHEN reason='unclear' THEN 1 ELSE 0 END) AS unclear FROM question WHERE entry IN ? AND id >= ? GROUP BY entry`, numbers, idAt(since)).Scan(&rows).Error
	out := make(map[int64]EntryUse, len(rows))
	for _, r := range rows {
		out[r.Entry] = r
	}
	return out, err
}
