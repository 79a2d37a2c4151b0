package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// viewerLife is how long after their last sign of life somebody counts as
// looking at a ticket.
const viewerLife = 40 * time.Second

// TicketViewer is somebody who has a ticket's page open.
type TicketViewer struct {
	Member  string
	Writing bool
}

// SeeTicket notes that a member has a ticket open, and returns who else has.
func (s *Store) SeeTicket(ctx context.Context, number int64, member string, writing bool) (others []TicketViewer, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE ticket_viewer SET seen_at=?, writing=? WHERE ticket=? AND member=?", millis(tx.now), writing, number, member)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			if err := tx.db.Exec("INSERT INTO ticket_viewer (ticket, member, seen_at, writing) VALUES (?,?,?,?)", number, member, millis(tx.now), writing).Error; err != nil && !isDuplicate(err) {
				return err
			}
			// Whoever opens a page takes the old signs away.
			if err := tx.db.Exec("DELETE FROM ticket_viewer WHERE seen_at < ?", millis(tx.now.Add(-10*viewerLife))).Error; err != nil {
				return err
			}
		}
		var rows []struct {
			Member  string
			Writing bool
		}
		err := tx.db.Raw("SELECT member, writing FROM ticket_viewer WHERE ticket=? AND member<>? AND seen_at>=? ORDER BY member", number, member, millis(tx.now.Add(-viewerLife))).Scan(&rows).Error
		others = nil
		for _, r := range rows {
			others = append(others, TicketViewer(r))
		}
		return err
	})
	return others, err
}

// TicketLinks lists what a ticket is tied to, oldest first.
func (s *Store) TicketLinks(ctx context.Context, number int64) ([]Link, error) {
	return ticketLinks(s.read.WithContext(ctx), number)
}

// TicketLinks lists what a ticket is tied to, oldest first.
func (tx *Tx) TicketLinks(number int64) ([]Link, error) { return ticketLinks(tx.db, number) }

func ticketLinks(db *gorm.DB, number int64) (out []Link, err error) {
	err = db.Raw("SELECT ticket, kind, number FROM ticket_link WHERE ticket=? ORDER BY created_at, kind, number", number).Scan(&out).Error
	return out, err
}

// TicketPeople lists who follows a ticket, in the order in which they came.
func (s *Store) TicketPeople(ctx context.Context, number int64) (out []TicketPerson, err error) {
	tx := &Tx{s: s, db: s.read.WithContext(ctx), now: s.now()}
	return tx.TicketPeople(number)
}

// LostWords returns the words about a ticket that could not be delivered,
// newest first.
func (s *Store) LostWords(ctx context.Context, number int64) ([]Delivered, error) {
	return s.words(s.read.WithContext(ctx).Where("state = 3").Limit(20), fmt.Sprintf("T%d", number))
}

// WordsAbout returns the last n words that were said about something with a
// number, such as A311, newest first.
func (s *Store) WordsAbout(ctx context.Context, about string, n int) ([]Delivered, error) {
	return s.words(s.read.WithContext(ctx).Limit(n), about)
}

func (s *Store) words(db *gorm.DB, about string) ([]Delivered, error) {
	var rows []outboxRow
	// '0' follows '/': all keys that begin with T12/.
	err := db.Where("send_key >= ? AND send_key < ?", about+"/", about+"0").Order("id DESC").Find(&rows).Error
	out := make([]Delivered, len(rows))
	for i, r := range rows {
		out[i] = s.delivered(r)
	}
	return out, err
}

// TicketMedia is one attachment of a ticket's thread.
type TicketMedia struct {
	chat.Media
	Note bool // of something that the reporter does not see
}

// FindTicketMedia returns one attachment of an entry, or ErrNotFound.
func (s *Store) FindTicketMedia(ctx context.Context, ticketID, entry int64, i int) (m TicketMedia, err error) {
	var rows []struct {
		Kind  string
		Media []byte
	}
	if err := s.read.WithContext(ctx).Raw("SELECT kind, media FROM ticket_entry WHERE id=? AND ticket_id=?", entry, ticketID).Scan(&rows).Error; err != nil {
		return m, err
	}
	var list []chat.Media
	if len(rows) == 1 {
		b, err := s.seal.open("media", rows[0].Media)
		if err != nil {
			return m, err
		}
		if b != nil {
			if err := json.Unmarshal(b, &list); err != nil {
				return m, err
			}
		}
	}
	if i < 0 || i >= len(list) {
		return m, fmt.Errorf("attachment %d of entry %d: %w", i, entry, ErrNotFound)
	}
	return TicketMedia{list[i], rows[0].Kind == "note" || rows[0].Kind == "event"}, nil
}

// CountEntriesAfter counts what others than a member added to a thread after an
// entry.
func (tx *Tx) CountEntriesAfter(ticketID, entry int64, except string) (n int64, err error) {
	err = tx.db.Raw("SELECT COUNT(*) FROM ticket_entry WHERE ticket_id=? AND id>? AND author<>?", ticketID, entry, except).Scan(&n).Error
	return n, err
}
