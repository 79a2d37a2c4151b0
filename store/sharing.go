package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// A sharing session (直播分享): somebody explains what many ask, live, to many.

// SharingState is where a sharing session stands.
type SharingState string

// A session is planned, announced to the groups, live, and over; or it is
// called off before it began.
const (
	SharingPlanned   SharingState = "planned"
	SharingAnnounced SharingState = "announced"
	SharingLive      SharingState = "live"
	SharingEnded     SharingState = "ended"
	SharingCancelled SharingState = "cancelled"
)

var sharingMoves = map[SharingState][]SharingState{
	SharingPlanned:   {SharingAnnounced, SharingCancelled},
	SharingAnnounced: {SharingLive, SharingEnded, SharingCancelled},
	SharingLive:      {SharingEnded},
}

// Title is the state's Chinese name.
func (s SharingState) Title() string {
	return map[SharingState]string{SharingPlanned: "待预告", SharingAnnounced: "已预告", SharingLive: "直播中", SharingEnded: "已结束", SharingCancelled: "已取消"}[s]
}

// May tells whether a session may go on to a state.
func (s SharingState) May(to SharingState) bool { return slices.Contains(sharingMoves[s], to) }

// Open tells whether questions for it are taken.
func (s SharingState) Open() bool { return s == SharingAnnounced || s == SharingLive }

// Sharing is one session.
type Sharing struct {
	ID          int64
	Number      int64
	State       SharingState
	Title       string
	Words       []string // what questions on its topic say: the effect is counted by them
	Speaker     string   // userid, "" for somebody from outside
	SpeakerName string
	Organiser   string // userid
	From, Until time.Time
	Link        string
	Recording   string
	Note        string   // what it is about
	Groups      []string // names of the groups that are told
	Gaps        []string // messages that lead the gaps it came from
	Entries     []int64  // knowledge entries on its topic
	Announced   time.Time
	Reminded    time.Time
	Began       time.Time
	Ended       time.Time
	Asked       int64 // questions so far
	Viewers     int64 // who watched; 0 while nobody said
	Minutes     int64 // each, on average
	Before      int64 // questions on the topic in the week before
	After       int64 // and after
	Counted     time.Time
	Reason      string    // why it was called off
	Look        time.Time // when the clock has something to do for it; zero for never
	Edition     int64     // grows when who was told must hear of a change: the sequence of its calendar event
	Changed     time.Time
	Version     int64
}

type sharingRow struct {
	ID                                                                                                 int64 `gorm:"primaryKey;autoIncrement:false"`
	Number                                                                                             int64
	State                                                                                              string
	Title, Words, Speaker, SpeakerName, Organiser, Link, Recording, Note, GroupList, Gaps, Entries     string
	StartsAt, EndsAt, AnnouncedAt, RemindedAt, BeganAt, EndedAt                                        int64
	Asked, Viewers, Minutes, BeforeCount, AfterCount, CountedAt, LookAt, Edition, ChangedAt, VersionNo int64
	Reason                                                                                             string
}

func (sharingRow) TableName() string { return "sharing" }

func sharingRowOf(s Sharing) sharingRow {
	entries, _ := json.Marshal(s.Entries)
	return sharingRow{ID: s.ID, Number: s.Number, State: string(s.State), Title: clip(s.Title, 400), Words: listText(s.Words), Speaker: clip(s.Speaker, 64), SpeakerName: clip(s.SpeakerName, 128), Organiser: clip(s.Organiser, 64),
		Link: s.Link, Recording: s.Recording, Note: s.Note, GroupList: listText(s.Groups), Gaps: listText(s.Gaps), Entries: string(entries), StartsAt: millis(s.From), EndsAt: millis(s.Until),
		AnnouncedAt: millis(s.Announced), RemindedAt: millis(s.Reminded), BeganAt: millis(s.Began), EndedAt: millis(s.Ended), Asked: s.Asked, Viewers: s.Viewers, Minutes: s.Minutes, BeforeCount: s.Before, AfterCount: s.After,
		CountedAt: millis(s.Counted), LookAt: millis(s.Look), Edition: s.Edition, ChangedAt: millis(s.Changed), VersionNo: s.Version, Reason: clip(s.Reason, 400)}
}

func (r sharingRow) sharing() Sharing {
	s := Sharing{ID: r.ID, Number: r.Number, State: SharingState(r.State), Title: r.Title, Words: list(r.Words), Speaker: r.Speaker, SpeakerName: r.SpeakerName, Organiser: r.Organiser, Link: r.Link, Recording: r.Recording, Note: r.Note,
		Groups: list(r.GroupList), Gaps: list(r.Gaps), From: fromMillis(r.StartsAt), Until: fromMillis(r.EndsAt), Announced: fromMillis(r.AnnouncedAt), Reminded: fromMillis(r.RemindedAt), Began: fromMillis(r.BeganAt), Ended: fromMillis(r.EndedAt),
		Asked: r.Asked, Viewers: r.Viewers, Minutes: r.Minutes, Before: r.BeforeCount, After: r.AfterCount, Counted: fromMillis(r.CountedAt), Look: fromMillis(r.LookAt), Edition: r.Edition, Changed: fromMillis(r.ChangedAt), Version: r.VersionNo, Reason: r.Reason}
	json.Unmarshal([]byte(r.Entries), &s.Entries) // written by us
	return s
}

// NewSharing keeps a session and gives it its number.
func (tx *Tx) NewSharing(s *Sharing) (err error) {
	if s.Number, err = tx.NextNumber(NumberSharing); err != nil {
		return err
	}
	s.ID, s.State, s.Changed, s.Version = tx.s.ids.next(tx.now), SharingPlanned, tx.now, 1
	r := sharingRowOf(*s)
	return tx.db.Create(&r).Error
}

// SaveSharing keeps what was changed of a session; ErrStale when somebody else
// changed it since it was read. How many questions there are is not touched.
func (tx *Tx) SaveSharing(s *Sharing) error {
	was := s.Version
	s.Version, s.Changed = was+1, tx.now
	r := sharingRowOf(*s)
	u := tx.db.Model(&sharingRow{}).Where("id = ? AND version_no = ?", s.ID, was).Select("*").Omit("id", "number", "asked").Updates(&r)
	if u.Error == nil && u.RowsAffected != 1 {
		return fmt.Errorf("session S%d: %w", s.Number, ErrStale)
	}
	return u.Error
}

// FindSharing returns a session by its number, or ErrNotFound.
func (s *Store) FindSharing(ctx context.Context, number int64) (Sharing, error) {
	return findSharing(s.read.WithContext(ctx), number)
}

// FindSharing sees the writes of this transaction.
func (tx *Tx) FindSharing(number int64) (Sharing, error) { return findSharing(tx.db, number) }

func findSharing(db *gorm.DB, number int64) (Sharing, error) {
	var r sharingRow
	err := db.First(&r, "number = ?", number).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fmt.Errorf("session S%d: %w", number, ErrNotFound)
	}
	return r.sharing(), err
}

// SharingQuery chooses sessions.
type SharingQuery struct {
	States []SharingState // none: all
	Since  time.Time      // that begin then or later; zero: all
	Newest bool           // the latest first, else the next first
	N      int
}

// ListSharings returns sessions in the order of their beginnings.
func (s *Store) ListSharings(ctx context.Context, q SharingQuery) ([]Sharing, error) {
	db := s.read.WithContext(ctx).Limit(min(max(q.N, 1), 500))
	if len(q.States) > 0 {
		db = db.Where("state IN ?", q.States)
	}
	if !q.Since.IsZero() {
		db = db.Where("starts_at >= ?", millis(q.Since))
	}
	if q.Newest {
		db = db.Order("starts_at DESC, id DESC")
	} else {
		db = db.Order("starts_at, id")
	}
	return sharingsOf(db)
}

// SharingsToLookAt returns the numbers of the sessions for which the clock has
// something to do, the earliest first.
func (s *Store) SharingsToLookAt(ctx context.Context, n int) (numbers []int64, err error) {
	err = s.read.WithContext(ctx).Model(&sharingRow{}).Where("look_at > 0 AND look_at <= ?", millis(s.now())).Order("look_at, id").Limit(n).Pluck("number", &numbers).Error
	return numbers, err
}

func sharingsOf(db *gorm.DB) ([]Sharing, error) {
	var rows []sharingRow
	err := db.Find(&rows).Error
	out := make([]Sharing, len(rows))
	for i, r := range rows {
		out[i] = r.sharing()
	}
	return out, err
}

// JoinSharing signs somebody up for a session, or off; again changes nothing.
func (tx *Tx) JoinSharing(number int64, member string, on bool) error {
	if !on {
		return tx.db.Exec("DELETE FROM sharing_person WHERE sharing=? AND member=?", number, member).Error
	}
	err := tx.db.Exec("INSERT INTO sharing_person (sharing, member, at) VALUES (?,?,?)", number, clip(member, 64), millis(tx.now)).Error
	if isDuplicate(err) {
		return nil
	}
	return err
}

// SharingPeople are those who signed up for a session, the first first.
func (s *Store) SharingPeople(ctx context.Context, number int64) ([]string, error) {
	return sharingPeople(s.read.WithContext(ctx), number)
}

// SharingPeople sees the writes of this transaction.
func (tx *Tx) SharingPeople(number int64) ([]string, error) { return sharingPeople(tx.db, number) }

func sharingPeople(db *gorm.DB, number int64) (ids []string, err error) {
	err = db.Raw("SELECT member FROM sharing_person WHERE sharing=? ORDER BY at, member", number).Scan(&ids).Error
	return ids, err
}

// CountSharingPeople counts who signed up, by session.
func (s *Store) CountSharingPeople(ctx context.Context, numbers []int64) (map[int64]int64, error) {
	var rows []struct{ Sharing, N int64 }
	err := s.read.WithContext(ctx).Raw("SELECT sharing, COUNT(*) AS n FROM sharing_person WHERE sharing IN ? GROUP BY sharing", numbers).Scan(&rows).Error
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.Sharing] = r.N
	}
	return out, err
}
