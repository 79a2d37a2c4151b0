package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	Title      string // masked
	Reporter   string
	Assignee   string
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
	Nudges     int
	Nudged     time.Time
	Source     string // ID of the message that made it: a message makes one ticket
	Version    int64
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
}

func (ticketRow) TableName() string { return "ticket" }

func (r ticketRow) ticket() Ticket {
	t := Ticket{ID: r.ID, Number: r.Number, State: TicketState(r.State), Priority: r.Priority, Class: r.Class, Title: r.Title, Reporter: r.Reporter,
		Assignee: r.Assignee, AppVersion: r.AppVersion, System: r.AppSystem, Urgency: r.Urgency, Created: fromMillis(r.CreatedAt), Updated: fromMillis(r.UpdatedAt),
		Resolved: fromMillis(r.ResolvedAt), Nudges: r.Nudges, Nudged: fromMillis(r.NudgedAt), Source: r.SourceMessage, Version: r.Version,
		Customer: Personal{Mask: r.CustomerMask}, Phone: Personal{Mask: r.PhoneMask}, Identity: Personal{Mask: r.IdentityMask}}
	json.Unmarshal([]byte(r.Place), &t.Place)
	return t
}

// CreateTicket stores t as new and gives it its number. The message that made
// it makes no second one: ErrExists.
func (tx *Tx) CreateTicket(t *Ticket) error {
	n, err := tx.NextNumber(NumberTicket)
	if err != nil {
		return err
	}
	place, err := json.Marshal(t.Place)
	if err != nil {
		return err
	}
	t.ID, t.Number, t.Created, t.Updated, t.Version = tx.s.ids.next(tx.now), n, tx.now, tx.now, 1
	if t.State == "" {
		t.State = TicketNew
	}
	if t.Source == "" {
		t.Source = hashKey(fmt.Sprint("ticket ", t.ID))
	}
	seal := tx.s.seal
	r := ticketRow{ID: t.ID, Number: n, State: string(t.State), Priority: t.Priority, Class: t.Class, Title: clip(t.Title, 400), Reporter: t.Reporter,
		Assignee: t.Assignee, Via: string(t.Place.Via), Place: string(place), AppVersion: clip(t.AppVersion, 64), AppSystem: clip(t.System, 64), Urgency: t.Urgency,
		Customer: seal.sealed("customer", bytesOf(t.Customer.Value)), Phone: seal.sealed("phone", bytesOf(t.Phone.Value)), Identity: seal.sealed("identity", bytesOf(t.Identity.Value)),
		CustomerMask: t.Customer.Mask, PhoneMask: t.Phone.Mask, IdentityMask: t.Identity.Mask,
		CustomerKey: seal.blind("customer", t.Customer.Value), PhoneKey: seal.blind("phone", t.Phone.Value), IdentityKey: seal.blind("identity", t.Identity.Value),
		CreatedAt: millis(tx.now), UpdatedAt: millis(tx.now), SourceMessage: t.Source, Version: 1}
	if err := tx.db.Create(&r).Error; err != nil {
		if isDuplicate(err) {
			return fmt.Errorf("ticket of message %s: %w", t.Source, ErrExists)
		}
		return err
	}
	return nil
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

// MoveTicket changes the state of t as it was read: ErrMove when the table has
// no such move, ErrStale when somebody else was quicker.
func (tx *Tx) MoveTicket(t *Ticket, to TicketState) error {
	if !slices.Contains(ticketMoves[t.State], to) {
		return fmt.Errorf("from %s to %s: %w", t.State, to, ErrMove)
	}
	u := tx.db.Exec("UPDATE ticket SET state=?, updated_at=?, version=version+1 WHERE id=? AND version=?", to, millis(tx.now), t.ID, t.Version)
	if u.Error == nil && u.RowsAffected != 1 {
		return fmt.Errorf("ticket T%d: %w", t.Number, ErrStale)
	}
	t.State, t.Version = to, t.Version+1
	return u.Error
}

// NudgeTicket counts a reminder of t as it was read.
func (tx *Tx) NudgeTicket(t *Ticket) error {
	u := tx.db.Exec("UPDATE ticket SET nudges=nudges+1, nudged_at=?, version=version+1 WHERE id=? AND version=?", millis(tx.now), t.ID, t.Version)
	if u.Error == nil && u.RowsAffected != 1 {
		return fmt.Errorf("ticket T%d: %w", t.Number, ErrStale)
	}
	t.Nudges, t.Nudged, t.Version = t.Nudges+1, tx.now, t.Version+1
	return u.Error
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

// SetTicketPriority changes the priority of t as it was read, with its reason.
func (tx *Tx) SetTicketPriority(t *Ticket, priority, urgency string) error {
	u := tx.db.Exec("UPDATE ticket SET priority=?, urgency=?, updated_at=?, version=version+1 WHERE id=? AND version=?", priority, urgency, millis(tx.now), t.ID, t.Version)
	if u.Error == nil && u.RowsAffected != 1 {
		return fmt.Errorf("ticket T%d: %w", t.Number, ErrStale)
	}
	t.Priority, t.Urgency, t.Version = priority, urgency, t.Version+1
	return u.Error
}

// TicketQuery chooses tickets; zero values choose everything.
type TicketQuery struct {
	States   []TicketState
	Assignee string
	Text     string // part of the masked title
	Phone    string // normal form; found by its blind index
	Customer string
	Identity string
	Before   int64 // id of the last ticket of the page before
	N        int
}

// ListTickets returns tickets, newest first.
func (s *Store) ListTickets(ctx context.Context, q TicketQuery) ([]Ticket, error) {
	db := s.read.WithContext(ctx).Order("id DESC").Limit(min(max(q.N, 1), 200))
	if len(q.States) > 0 {
		db = db.Where("state IN ?", q.States)
	}
	if q.Assignee != "" {
		db = db.Where("assignee = ?", q.Assignee)
	}
	if q.Text != "" {
		db = db.Where("title LIKE ? ESCAPE '!'", "%"+likeEscaper.Replace(q.Text)+"%")
	}
	for _, f := range []struct{ column, kind, value string }{{"phone_key", "phone", q.Phone}, {"customer_key", "customer", q.Customer}, {"identity_key", "identity", q.Identity}} {
		if f.value != "" {
			db = db.Where(f.column+" = ?", s.seal.blind(f.kind, f.value))
		}
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	var rows []ticketRow
	err := db.Find(&rows).Error
	out := make([]Ticket, len(rows))
	for i, r := range rows {
		out[i] = r.ticket()
	}
	return out, err
}

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")
