package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// TicketState is where a ticket is in its life.
type TicketState string

const (
	TicketNew        TicketState = "new"
	TicketAssigned   TicketState = "assigned"
	TicketInProgress TicketState = "in_progress"
	TicketWaiting    TicketState = "waiting"
	TicketResolved   TicketState = "resolved"
	TicketClosed     TicketState = "closed"
	TicketReopened   TicketState = "reopened"
	TicketVoid       TicketState = "void"
	TicketMerged     TicketState = "merged"
)

// ticketMoves is the one table of allowed moves.
var ticketMoves = map[TicketState][]TicketState{
	TicketNew:        {TicketAssigned, TicketInProgress, TicketWaiting, TicketResolved, TicketVoid, TicketMerged},
	TicketAssigned:   {TicketNew, TicketInProgress, TicketWaiting, TicketResolved, TicketVoid, TicketMerged},
	TicketInProgress: {TicketAssigned, TicketWaiting, TicketResolved, TicketVoid, TicketMerged},
	TicketWaiting:    {TicketAssigned, TicketInProgress, TicketResolved, TicketVoid, TicketMerged},
	TicketResolved:   {TicketClosed, TicketReopened},
	TicketClosed:     {TicketReopened},
	TicketReopened:   {TicketAssigned, TicketInProgress, TicketWaiting, TicketResolved, TicketVoid, TicketMerged},
}

// Title is the state's Chinese name.
func (t TicketState) Title() string {
	return map[TicketState]string{TicketNew: "待受理", TicketAssigned: "已受理", TicketInProgress: "处理中", TicketWaiting: "待补充", TicketResolved: "已解决",
		TicketClosed: "已关闭", TicketReopened: "已重开", TicketVoid: "已撤回", TicketMerged: "已合并"}[t]
}

// Open tells whether somebody still has to do something.
func (t TicketState) Open() bool { return slices.Contains(openStates, t) }

var openStates = []TicketState{TicketNew, TicketAssigned, TicketInProgress, TicketWaiting, TicketReopened}

// OpenTicketStates are the states in which somebody still has to do something.
func OpenTicketStates() []TicketState { return slices.Clone(openStates) }

// ErrMove refuses a move that the table does not have.
var ErrMove = errors.New("a ticket in this state cannot go there")

// Personal is a value that identifies a customer: sealed at rest, its mask in clear.
type Personal struct {
	Value string // normal form; only ever read through Store.Reveal
	Mask  string
}

// Ticket is a person's report, worked on until it is closed.
type Ticket struct {
	ID         int64
	Number     int64
	State      TicketState
	Priority   string // P1 to P4
	Class      string // data, program, consult, other
	Subclass   string
	Title      string // masked
	Reporter   string
	Assignee   string
	Group      string       // service group that works on it
	Place      chat.Address // where it was reported
	AppVersion string
	System     string
	Urgency    string
	Customer   Personal
	Phone      Personal
	Identity   Personal
	Created    time.Time
	Updated    time.Time
	Resolved   time.Time
	Closed     time.Time
	Nudges     int
	Nudged     time.Time
	Source     string // ID of the message that made it: a message makes one ticket
	Master     int64  // number of the ticket it was merged into
	Joined     int    // people who said 算我一个, and tickets merged in

	// The two clocks, on working time. While Paused is set they stand still.
	RespondDue time.Time // first response at the latest
	ResolveDue time.Time
	Responded  time.Time
	Paused     time.Time
	WaitFor    string    // reporter, customer, third: whom a waiting ticket waits for
	WaitUntil  time.Time // when it is taken up again by itself
	Warned     int       // bits of the warnings given, see handlers
	Look       time.Time // when the clock job looks at it next; zero: never

	Reason  string    // why it happened, in words
	Method  string    // what solved it
	Outcome string    // knowledge, one_off, data_repair, duplicate
	Handler string    // who resolved it, and so whom a rating is about
	Cycle   int       // how often it was reopened
	Rating  int       // 1 to 5; 0 not rated
	Why     string    // of a bad rating
	Asked   time.Time // when the rating was asked for
	Told    time.Time // when the reporter last heard of it
	Version int64
}

type ticketRow struct {
	ID            int64 `gorm:"primaryKey;autoIncrement:false"`
	Number        int64
	State         string
	Priority      string
	Class         string
	Title         string
	Reporter      string
	Assignee      string
	Via           string
	Place         string
	AppVersion    string
	AppSystem     string
	Urgency       string
	Customer      []byte
	Phone         []byte
	Identity      []byte
	CustomerMask  string
	PhoneMask     string
	IdentityMask  string
	CustomerKey   string
	PhoneKey      string
	IdentityKey   string
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	UpdatedAt     int64 `gorm:"autoUpdateTime:false"`
	ResolvedAt    int64
	ClosedAt      int64
	Nudges        int
	NudgedAt      int64
	SourceMessage string
	Version       int64
	Subclass      string
	ServiceGroup  string
	Master        int64
	Joined        int
	RespondDue    int64
	ResolveDue    int64
	RespondedAt   int64
	PausedAt      int64
	WaitFor       string
	WaitUntil     int64
	Warned        int
	LookAt        int64
	Reason        string
	Method        string
	Outcome       string
	Handler       string
	Cycle         int
	Rating        int
	RatingWhy     string
	AskedAt       int64
	ToldAt        int64
	Branch        string // the reporter's, when it was made
	AnsweredAt    int64  // the first response of the first cycle
	AnsweredLate  int64
	Counted       int64
}

func (ticketRow) TableName() string { return "ticket" }

func (r ticketRow) ticket() Ticket {
	t := Ticket{ID: r.ID, Number: r.Number, State: TicketState(r.State), Priority: r.Priority, Class: r.Class, Title: r.Title, Reporter: r.Reporter,
		Assignee: r.Assignee, AppVersion: r.AppVersion, System: r.AppSystem, Urgency: r.Urgency, Created: fromMillis(r.CreatedAt), Updated: fromMillis(r.UpdatedAt),
		Resolved: fromMillis(r.ResolvedAt), Nudges: r.Nudges, Nudged: fromMillis(r.NudgedAt), Source: r.SourceMessage, Version: r.Version,
		Customer: Personal{Mask: r.CustomerMask}, Phone: Personal{Mask: r.PhoneMask}, Identity: Personal{Mask: r.IdentityMask}}
	json.Unmarshal([]byte(r.Place), &t.Place)
	t.Closed, t.Subclass, t.Group, t.Master, t.Joined = fromMillis(r.ClosedAt), r.Subclass, r.ServiceGroup, r.Master, r.Joined
	t.RespondDue, t.ResolveDue, t.Responded, t.Paused = fromMillis(r.RespondDue), fromMillis(r.ResolveDue), fromMillis(r.RespondedAt), fromMillis(r.PausedAt)
	t.WaitFor, t.WaitUntil, t.Warned, t.Look = r.WaitFor, fromMillis(r.WaitUntil), r.Warned, fromMillis(r.LookAt)
	t.Reason, t.Method, t.Outcome, t.Handler, t.Cycle = r.Reason, r.Method, r.Outcome, r.Handler, r.Cycle
	t.Rating, t.Why, t.Asked, t.Told = r.Rating, r.RatingWhy, fromMillis(r.AskedAt), fromMillis(r.ToldAt)
	return t
}

// work is the part of the row that a ticket's life changes.
func (t *Ticket) work(r *ticketRow) {
	r.State, r.Priority, r.Class, r.Subclass, r.Urgency = string(t.State), t.Priority, t.Class, clip(t.Subclass, 32), t.Urgency
	r.Assignee, r.ServiceGroup, r.Master, r.Joined = t.Assignee, t.Group, t.Master, t.Joined
	r.ResolvedAt, r.ClosedAt, r.Nudges, r.NudgedAt = millis(t.Resolved), millis(t.Closed), t.Nudges, millis(t.Nudged)
	r.RespondDue, r.ResolveDue, r.RespondedAt, r.PausedAt = millis(t.RespondDue), millis(t.ResolveDue), millis(t.Responded), millis(t.Paused)
	r.WaitFor, r.WaitUntil, r.Warned, r.LookAt = t.WaitFor, millis(t.WaitUntil), t.Warned, millis(t.Look)
	r.Reason, r.Method, r.Outcome, r.Handler, r.Cycle = clip(t.Reason, 1000), clip(t.Method, 1000), t.Outcome, t.Handler, t.Cycle
	r.Rating, r.RatingWhy, r.AskedAt, r.ToldAt = t.Rating, clip(t.Why, 400), millis(t.Asked), millis(t.Told)
}

// CreateTicket stores t as new and gives it its number. The message that made
// it makes no second one: ErrExists.
func (tx *Tx) CreateTicket(t *Ticket) error {
	r, err := tx.insertTicket(t)
	if err != nil {
		return err
	}
	tx.countTicket(&r, 1)
	return tx.undo(t.Reporter, undoneTicket, tx.now.Add(-ReportedAfter), 0, t.ID)
}

func (tx *Tx) insertTicket(t *Ticket) (r ticketRow, err error) {
	n, err := tx.NextNumber(NumberTicket)
	if err != nil {
		return r, err
	}
	place, err := json.Marshal(t.Place)
	if err != nil {
		return r, err
	}
	t.ID, t.Number, t.Created, t.Updated, t.Version = tx.s.ids.next(tx.now), n, tx.now, tx.now, 1
	if t.State == "" {
		t.State = TicketNew
	}
	if t.Source == "" {
		t.Source = hashKey(fmt.Sprint("ticket ", t.ID))
	}
	branch, err := tx.branchOf(t.Reporter)
	if err != nil {
		return r, err
	}
	seal := tx.s.seal
	r = ticketRow{ID: t.ID, Number: n, Title: clip(t.Title, 400), Reporter: t.Reporter,
		Via: string(t.Place.Via), Place: string(place), AppVersion: clip(t.AppVersion, 64), AppSystem: clip(t.System, 64),
		Customer: seal.sealed("customer", bytesOf(t.Customer.Value)), Phone: seal.sealed("phone", bytesOf(t.Phone.Value)), Identity: seal.sealed("identity", bytesOf(t.Identity.Value)),
		CustomerMask: t.Customer.Mask, PhoneMask: t.Phone.Mask, IdentityMask: t.Identity.Mask,
		CustomerKey: seal.blind("customer", t.Customer.Value), PhoneKey: seal.blind("phone", t.Phone.Value), IdentityKey: seal.blind("identity", t.Identity.Value),
		CreatedAt: millis(tx.now), UpdatedAt: millis(tx.now), SourceMessage: t.Source, Version: 1, Branch: branch, Counted: tx.s.counting.no}
	t.work(&r)
	r.firstAnswer()
	if err := tx.db.Create(&r).Error; err != nil {
		if isDuplicate(err) {
			return r, fmt.Errorf("ticket of message %s: %w", t.Source, ErrExists)
		}
		return r, err
	}
	return r, nil
}

// branchOf is where somebody works, "" for who is not known.
func (tx *Tx) branchOf(member string) (branch string, err error) {
	err = tx.db.Raw("SELECT department FROM member WHERE id=?", member).Scan(&branch).Error
	return branch, err
}

// ImportTicket stores a ticket of an other system as it was: its state and its
// times stay, its id lies in the time when it was made. The same source again is
// ErrExists.
func (tx *Tx) ImportTicket(t *Ticket) error {
	made := t.Created
	r, err := tx.insertTicket(t)
	if err != nil {
		return err
	}
	if made.IsZero() || !made.Before(tx.now) {
		tx.countTicket(&r, 1)
		return nil
	}
	// Ids sort by time and lists are ranges of them. The last bits are chance, so
	// that what was made in one millisecond has ids of its own.
	old := t.ID
	t.ID, t.Created = idAt(made)|rand.Int64N(1<<(slotBits+countBits)), made
	r.CreatedAt = millis(made)
	tx.countTicket(&r, 1)
	return tx.db.Exec("UPDATE ticket SET id=?, created_at=?, updated_at=? WHERE id=?", t.ID, millis(made), millis(tx.now), old).Error
}

func bytesOf(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// FindTicket returns a ticket by the number people say, or ErrNotFound.
func (s *Store) FindTicket(ctx context.Context, number int64) (Ticket, error) {
	return findTicket(s.read.WithContext(ctx), number)
}

// FindTicket sees the writes of this transaction.
func (tx *Tx) FindTicket(number int64) (Ticket, error) { return findTicket(tx.db, number) }

func findTicket(db *gorm.DB, number int64) (Ticket, error) {
	var r ticketRow
	err := db.First(&r, "number = ?", number).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Ticket{}, fmt.Errorf("ticket T%d: %w", number, ErrNotFound)
	}
	return r.ticket(), err
}

// SameTicket returns the open ticket that a reporter made with the same title
// since a time, or ErrNotFound: said twice is reported once.
func (tx *Tx) SameTicket(reporter, title string, since time.Time) (Ticket, error) {
	var r ticketRow
	err := tx.db.Where("reporter = ? AND state IN ? AND id >= ? AND title = ?", reporter, openStates, idAt(since), clip(title, 400)).Order("id").First(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Ticket{}, ErrNotFound
	}
	return r.ticket(), err
}

// ListOpenTickets returns a reporter's open tickets, oldest first.
func (s *Store) ListOpenTickets(ctx context.Context, reporter string, n int) ([]Ticket, error) {
	var rows []ticketRow
	err := s.read.WithContext(ctx).Where("reporter = ? AND state IN ?", reporter, openStates).Order("id").Limit(n).Find(&rows).Error
	out := make([]Ticket, len(rows))
	for i, r := range rows {
		out[i] = r.ticket()
	}
	return out, err
}

// TicketEntry is one thing in a ticket's thread.
type TicketEntry struct {
	ID       int64
	At       time.Time
	Kind     string // report, reply, note, event
	Author   string // userid, or "" for the desk itself
	Text     string // masked
	Original string // as written; sealed at rest, empty when read through ListTicketEntries
	Media    []chat.Media
	Message  string
}

// AddTicketEntry appends to a ticket's thread.
func (tx *Tx) AddTicketEntry(ticketID int64, e TicketEntry) error {
	var media []byte
	if len(e.Media) > 0 {
		b, err := json.Marshal(e.Media)
		if err != nil {
			return err
		}
		media = tx.s.seal.sealed("media", b)
	}
	return tx.db.Exec("INSERT INTO ticket_entry (id, ticket_id, at, kind, author, body, original, media, message_id) VALUES (?,?,?,?,?,?,?,?,?)",
		tx.s.ids.next(tx.now), ticketID, millis(tx.now), e.Kind, clip(e.Author, 64), e.Text, tx.s.seal.sealed("original", bytesOf(e.Original)), media, e.Message).Error
}

// ListTicketEntries returns a ticket's thread, oldest first, masked.
func (s *Store) ListTicketEntries(ctx context.Context, ticketID int64, n int) ([]TicketEntry, error) {
	var rows []struct {
		ID, At                        int64
		Kind, Author, Body, MessageID string
		Media                         []byte
	}
	err := s.read.WithContext(ctx).Table("ticket_entry").Where("ticket_id = ?", ticketID).Order("id").Limit(n).Find(&rows).Error
	out := make([]TicketEntry, len(rows))
	for i, r := range rows {
		out[i] = TicketEntry{ID: r.ID, At: fromMillis(r.At), Kind: r.Kind, Author: r.Author, Text: r.Body, Message: r.MessageID}
		if b, err := s.seal.open("media", r.Media); err == nil && b != nil {
			json.Unmarshal(b, &out[i].Media)
		}
	}
	return out, err
}

// Reveal reads the clear values that identify a ticket's customer. Every call
// is a recorded look-up: who, which ticket, why.
func (s *Store) Reveal(ctx context.Context, actor string, number int64, why string) (t Ticket, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		var r ticketRow
		if err := tx.db.First(&r, "number = ?", number).Error; errors.Is(err, gorm.ErrRecordNotFound) {
			return fmt.Errorf("ticket T%d: %w", number, ErrNotFound)
		} else if err != nil {
			return err
		}
		t = r.ticket()
		for _, f := range []struct {
			purpose string
			sealed  []byte
			to      *Personal
		}{{"customer", r.Customer, &t.Customer}, {"phone", r.Phone, &t.Phone}, {"identity", r.Identity, &t.Identity}} {
			b, err := s.seal.open(f.purpose, f.sealed)
			if err != nil {
				return err
			}
			f.to.Value = string(b)
		}
		return tx.Audit(actor, "ticket.reveal", fmt.Sprintf("T%d", number), map[string]string{"why": why})
	})
	if err != nil {
		return Ticket{}, err // nothing is seen that is not on record
	}
	return t, nil
}
