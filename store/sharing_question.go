package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
)

// What people want to know of a sharing session, and what belongs to it.

// States of a question for a session.
const (
	SharingAsked    = "asked"
	SharingAnswered = "answered"
	SharingGap      = "gap" // not answered there: it went to the list of gaps
)

// SharingQuestion is something somebody wants to know of a session.
type SharingQuestion struct {
	ID      int64
	Sharing int64 // number of the session
	Place   int64 // within the session, from 1: what people say
	Message string
	Asker   string
	Text    string // masked
	State   string
	Answer  string // in short, as written down
	Entry   int64  // the entry it became, 0 for none
	Votes   int64  // how many others want to know it too; in lists only
	By      string // who said that it is answered
	At      time.Time
}

type sharingQuestionRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	Sharing   int64
	Place     int64
	MessageID string
	Asker     string
	Body      string
	State     string
	Answer    string
	Entry     int64
	HandledBy string
	At        int64 `gorm:"autoCreateTime:false"`
	Votes     int64 `gorm:"->;-:migration"`
}

func (sharingQuestionRow) TableName() string { return "sharing_question" }

func (r sharingQuestionRow) question() SharingQuestion {
	return SharingQuestion{r.ID, r.Sharing, r.Place, r.MessageID, r.Asker, r.Body, r.State, r.Answer, r.Entry, r.Votes, r.HandledBy, fromMillis(r.At)}
}

// AskSharing keeps a question for a session and gives it its place; fresh is
// false when its message was kept before. Who asks is signed up.
func (tx *Tx) AskSharing(q *SharingQuestion) (fresh bool, err error) {
	// First of all, so that two who ask at once take their places one after the other.
	if err := tx.db.Exec("UPDATE sharing SET asked=asked+1 WHERE number=?", q.Sharing).Error; err != nil {
		return false, err
	}
	var had sharingQuestionRow
	err = tx.db.First(&had, "message_id = ?", q.Message).Error
	if err == nil {
		*q = had.question()
		return false, tx.db.Exec("UPDATE sharing SET asked=asked-1 WHERE number=?", q.Sharing).Error
	}
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return false, err
	}
	var place []int64
	if err := tx.db.Raw("SELECT asked FROM sharing WHERE number=?", q.Sharing).Scan(&place).Error; err != nil {
		return false, err
	}
	if len(place) == 0 {
		return false, fmt.Errorf("session S%d: %w", q.Sharing, ErrNotFound)
	}
	q.ID, q.Place, q.State, q.At = tx.s.ids.next(tx.now), place[0], SharingAsked, tx.now
	r := sharingQuestionRow{ID: q.ID, Sharing: q.Sharing, Place: q.Place, MessageID: q.Message, Asker: clip(q.Asker, 64), Body: q.Text, State: q.State, At: millis(tx.now)}
	if err := tx.db.Create(&r).Error; err != nil {
		return false, err
	}
	return true, tx.JoinSharing(q.Sharing, q.Asker, true)
}

const sharingQuestions = "SELECT q.*, (SELECT COUNT(*) FROM sharing_vote v WHERE v.question=q.id) AS votes FROM sharing_question q WHERE q.sharing=? ORDER BY q.place"

// ListSharingQuestions returns the questions for a session in the order in which
// they were asked.
func (s *Store) ListSharingQuestions(ctx context.Context, number int64) ([]SharingQuestion, error) {
	return sharingQuestionsOf(s.read.WithContext(ctx), number)
}

// ListSharingQuestions sees the writes of this transaction.
func (tx *Tx) ListSharingQuestions(number int64) ([]SharingQuestion, error) {
	return sharingQuestionsOf(tx.db, number)
}

func sharingQuestionsOf(db *gorm.DB, number int64) ([]SharingQuestion, error) {
	var rows []sharingQuestionRow
	err := db.Raw(sharingQuestions, number).Scan(&rows).Error
	out := make([]SharingQuestion, len(rows))
	for i, r := range rows {
		out[i] = r.question()
	}
	return out, err
}

// SaveSharingQuestion keeps how a question stands: its state, answer and entry.
func (tx *Tx) SaveSharingQuestion(q SharingQuestion) error {
	return tx.db.Exec("UPDATE sharing_question SET state=?, answer=?, entry=?, handled_by=? WHERE id=?", q.State, q.Answer, q.Entry, clip(q.By, 64), q.ID).Error
}

// VoteSharing says that a member wants to know a question too, or no more.
func (tx *Tx) VoteSharing(question int64, member string, on bool) error {
	if !on {
		return tx.db.Exec("DELETE FROM sharing_vote WHERE question=? AND member=?", question, member).Error
	}
	err := tx.db.Exec("INSERT INTO sharing_vote (question, member) VALUES (?,?)", question, clip(member, 64)).Error
	if isDuplicate(err) {
		return nil
	}
	return err
}

// SharingVotes are the questions of a session that a member wants to know too.
func (s *Store) SharingVotes(ctx context.Context, number int64, member string) (map[int64]bool, error) {
	var ids []int64
	err := s.read.WithContext(ctx).Raw("SELECT v.question FROM sharing_vote v JOIN sharing_question q ON q.id=v.question WHERE q.sharing=? AND v.member=?", number, member).Scan(&ids).Error
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// SharingMaterial is something to read of a session: a link, or a file of ours.
type SharingMaterial struct {
	ID      int64
	Sharing int64
	Title   string
	Link    string // "" for a file
	File    string // id in the file store
	Size    int64
	Author  string
	At      time.Time
}

type sharingMaterialRow struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Sharing int64
	Title   string
	Link    string
	File    string
	Size    int64
	Author  string
	At      int64 `gorm:"autoCreateTime:false"`
}

func (sharingMaterialRow) TableName() string { return "sharing_material" }

func (r sharingMaterialRow) material() SharingMaterial {
	return SharingMaterial{r.ID, r.Sharing, r.Title, r.Link, r.File, r.Size, r.Author, fromMillis(r.At)}
}

// AddSharingMaterial keeps something to read and gives it its id.
func (tx *Tx) AddSharingMaterial(m *SharingMaterial) error {
	m.ID, m.At = tx.s.ids.next(tx.now), tx.now
	return tx.db.Create(&sharingMaterialRow{m.ID, m.Sharing, clip(m.Title, 200), m.Link, m.File, m.Size, clip(m.Author, 64), millis(m.At)}).Error
}

// DropSharingMaterial takes it away; ErrNotFound when it is not there.
func (tx *Tx) DropSharingMaterial(number, id int64) error {
	u := tx.db.Exec("DELETE FROM sharing_material WHERE id=? AND sharing=?", id, number)
	if u.Error == nil && u.RowsAffected == 0 {
		return fmt.Errorf("material of S%d: %w", number, ErrNotFound)
	}
	return u.Error
}

// ListSharingMaterials returns what there is to read, the oldest first.
func (s *Store) ListSharingMaterials(ctx context.Context, number int64) ([]SharingMaterial, error) {
	var rows []sharingMaterialRow
	err := s.read.WithContext(ctx).Where("sharing = ?", number).Order("id").Limit(100).Find(&rows).Error
	out := make([]SharingMaterial, len(rows))
	for i, r := range rows {
		out[i] = r.material()
	}
	return out, err
}

// CountAbout counts the questions asked in [from, to) that say one of the words
// or found one of the entries, without those that were asked in a session.
func (s *Store) CountAbout(ctx context.Context, words []string, entries []int64, from, to time.Time) (n int64, err error) {
	if len(words)+len(entries) == 0 {
		return 0, nil
	}
	var either []string
	args := []any{millis(from), millis(to)}
	for _, w := range words {
		either = append(either, "LOWER(body) LIKE ? ESCAPE '!'")
		args = append(args, "%"+likeEscape.Replace(strings.ToLower(w))+"%")
	}
	if len(entries) > 0 {
		either = append(either, "entry IN ?")
		args = append(args, entries)
	}
	err = s.read.WithContext(ctx).Raw("SELECT COUNT(*) FROM question WHERE asked_at >= ? AND asked_at < ? AND ("+strings.Join(either, " OR ")+") AND message_id NOT IN (SELECT message_id FROM sharing_question)", args...).Scan(&n).Error
	return n, err
}

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// PauseTopic keeps a topic from being proposed for a session until a time.
func (tx *Tx) PauseTopic(topic, by string, until time.Time) error {
	if err := tx.db.Exec("DELETE FROM sharing_pause WHERE topic=?", clip(topic, 128)).Error; err != nil {
		return err
	}
	return tx.db.Exec("INSERT INTO sharing_pause (topic, author, until) VALUES (?,?,?)", clip(topic, 128), clip(by, 64), millis(until)).Error
}

// PausedTopics are the topics that are not proposed now.
func (s *Store) PausedTopics(ctx context.Context) (topics []string, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT topic FROM sharing_pause WHERE until > ? ORDER BY topic", millis(s.now())).Scan(&topics).Error
	return topics, err
}
