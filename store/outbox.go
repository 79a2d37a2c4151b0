package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"frontline/bot/chat"
)

// States of an outbox row.
const (
	outboxDue = iota
	outboxSending
	outboxSent
	outboxDead
	outboxHeld   // until the quiet hours of its place are over (quiet.go)
	outboxSummed // said together with others that were held
)

// roadInline marks words that rode on the answer of a smart bot callback.
const roadInline = "inline"

type outboxRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	SendKey   string
	Target    string
	TargetKey string
	ReplyTo   string
	Shard     int
	State     int
	Epoch     int64
	Attempt   int
	DueAt     int64
	Urgent    int
	SentParts int
	Unsure    int
	Body      []byte
	Parts     []byte
	Road      string
	Receipt   string
	Reason    string
	SentAt    int64
}

func (outboxRow) TableName() string { return "outbox" }

// Serial is a number that nothing else has, for keys of what happens more than
// once.
func (tx *Tx) Serial() int64 { return tx.s.ids.next(tx.now) }

// Enqueue queues words; it is the only way to say anything to anyone. An
// empty Key is made from the turn and the place in its order, an empty To is
// where the turn's message came from. A key that is queued already is left
// as it is: said once.
func (tx *Tx) Enqueue(out chat.Outgoing) error {
	tx.count++
	if tx.turn != nil {
		m := tx.turn.Msg
		if out.To == (chat.Address{}) {
			out.To = m.From
		}
		if out.Key == "" {
			out.Key = fmt.Sprintf("%s/%d", m.ID, tx.count)
		}
		if out.ReplyTo == "" && out.To == m.From && out.To.Via == chat.Bot {
			out.ReplyTo = m.ID
		}
	}
	if out.Key == "" || out.To.ID == "" {
		return errors.New("outgoing words need a key and a place")
	}
	if tx.heard != nil {
		*tx.heard = append(*tx.heard, out)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	target := out.To.String()
	key := out.Key
	if len(key) > 191 {
		key = "#" + hashKey(key)
	}
	row := outboxRow{
		ID: tx.s.ids.next(tx.now), SendKey: key, Target: clip(target, 191), TargetKey: hashKey(target), ReplyTo: out.ReplyTo,
		Shard: outboxShard(out.To), DueAt: millis(tx.dueAt(out)), Body: tx.s.seal.sealed("outbox", body),
	}
	if out.Urgent {
		row.Urgent = 1
	}
	until, err := tx.holds(out)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		row.State, row.DueAt = outboxHeld, millis(until)
	}
	if err := tx.db.Create(&row).Error; err != nil {
		if isDuplicate(err) {
			return nil
		}
		return fmt.Errorf("queue words: %w", err)
	}
	tx.bells = append(tx.bells, tx.s.ringOutbox)
	return nil
}

// dueAt leaves words that can ride on the smart bot's answer the time to do so.
func (tx *Tx) dueAt(out chat.Outgoing) time.Time {
	if out.ReplyTo == "" || out.To.Via != chat.Bot {
		return tx.now
	}
	if tx.answersLive(out) || tx.turn != nil && tx.turn.Msg.Kind == chat.KindClick && out.Body.Update == nil {
		return tx.now
	}
	return tx.now.Add(tx.s.opt.Grace)
}

// answersLive tells whether out answers a message of the long connection.
func (tx *Tx) answersLive(out chat.Outgoing) bool {
	if tx.turn != nil && tx.turn.Msg.ID == out.ReplyTo {
		return tx.turn.Msg.Live()
	}
	var r inboxRow
	if err := tx.db.Select("body").Where("message_id = ?", out.ReplyTo).Limit(1).Find(&r).Error; err != nil || r.Body == nil {
		return false // it only waits a little longer
	}
	m, err := tx.s.message(r)
	return err == nil && m.Live()
}

func (s *Store) delivery(r outboxRow) (chat.Delivery, error) {
	d := chat.Delivery{ID: r.ID, Epoch: r.Epoch, Attempt: r.Attempt, Since: idTime(r.ID), Sent: r.SentParts, Unknown: r.Unsure != 0}
	body, err := s.seal.open("outbox", r.Body)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(body, &d.Outgoing); err != nil {
		return d, err
	}
	parts, err := s.seal.open("parts", r.Parts)
	if err != nil || parts == nil {
		return d, err
	}
	return d, json.Unmarshal(parts, &d.Parts)
}

// Claim takes up to n due deliveries of the shards this replica holds, the
// oldest of each place, urgent words before others, one per place at a time.
func (s *Store) Claim(ctx context.Context, n int) ([]chat.Delivery, error) {
	held := s.holding()
	if len(held) == 0 || n <= 0 {
		return nil, nil
	}
	rows, err := s.outboxHeads(ctx, held, n)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return s.start(ctx, rows, held)
}

// start claims what was found due and is in our hands, and lets go of the rest.
func (s *Store) start(ctx context.Context, rows []outboxRow, held map[int]int64) ([]chat.Delivery, error) {
	var out []chat.Delivery
	err := s.InTx(ctx, func(tx *Tx) error {
		out = out[:0]
		first, err := tx.firstWords(rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.State == outboxDue && r.Urgent == 0 && first[r.TargetKey] < r.ID {
				continue
			}
			d, err := tx.claim(r, held[r.Shard])
			if err != nil {
				return err
			}
			if d != nil {
				out = append(out, *d)
			}
		}
		return nil
	})
	started := map[int64]bool{}
	if err == nil {
		for _, d := range out {
			started[d.ID] = true
		}
	}
	for _, r := range rows {
		if !started[r.ID] {
			s.shards.letGo(&s.shards.sends, r.TargetKey, claimed{id: r.ID, epoch: held[r.Shard]})
		}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// firstWords are the oldest words that are not said yet, by place. The rows were
// read in more than one look, before their places were in our hands: words that
// another worker took, failed to send and put back in between hid from both.
func (tx *Tx) firstWords(rows []outboxRow) (map[string]int64, error) {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.TargetKey
	}
	var list []outboxRow
	err := tx.db.Raw("SELECT target_key, MIN(id) AS id FROM outbox WHERE state IN (0,1) AND target_key IN ? GROUP BY target_key", keys).Scan(&list).Error
	first := make(map[string]int64, len(list))
	for _, r := range list {
		first[r.TargetKey] = r.ID
	}
	return first, err
}

func (tx *Tx) claim(r outboxRow, epoch int64) (*chat.Delivery, error) {
	if r.State == outboxSending && r.Parts != nil {
		r.Unsure = 1 // its owner died between the call and the record of it
	}
	// The attempt counts too: while this update waits, a replica that slept may
	// still freeze other bytes than those read here.
	u := tx.db.Exec("UPDATE outbox SET state=?, epoch=?, unsure=? WHERE id=? AND state=? AND epoch=? AND attempt=?", outboxSending, epoch, r.Unsure, r.ID, r.State, r.Epoch, r.Attempt)
	if u.Error != nil {
		return nil, u.Error
	}
	if u.RowsAffected != 1 {
		// MySQL counts rows that changed: one that was left behind under our own
		// epoch stays as it is. One that was finished since it was read does not.
		var still int64
		err := tx.db.Model(&outboxRow{}).Where("id = ? AND state = ? AND epoch = ? AND attempt = ?", r.ID, outboxSending, epoch, r.Attempt).Count(&still).Error
		if err != nil || still != 1 || r.State != outboxSending {
			return nil, err
		}
	}
	r.Epoch = epoch
	d, err := tx.s.delivery(r)
	if err != nil {
		return nil, tx.db.Exec("UPDATE outbox SET state=?, reason=? WHERE id=?", outboxDead, clip(err.Error(), 1000), r.ID).Error
	}
	return &d, nil
}

// outboxHeads finds what may be sent next at each place, and takes the places
// into the hands.
func (s *Store) outboxHeads(ctx context.Context, held map[int]int64, n int) ([]outboxRow, error) {
	db := s.read.WithContext(ctx)
	busy, _ := s.shards.count(&s.shards.sends)
	var heads, urgent, sending []outboxRow
	head := "SELECT o.* FROM outbox o JOIN (SELECT MIN(id) AS id FROM outbox WHERE state=0%s GROUP BY target_key) h ON h.id=o.id WHERE o.due_at<=?" + shardsIn("o", held) + " ORDER BY o.id LIMIT ?"
	now := s.now().UnixMilli()
	if err := db.Raw("SELECT o.* FROM outbox o WHERE o.state=1"+shardsIn("o", held)+" ORDER BY o.id LIMIT ?", n+busy+1000).Scan(&sending).Error; err != nil {
		return nil, err
	}
	if err := db.Raw(fmt.Sprintf(head, " AND urgent=1"), now, n+len(sending)).Scan(&urgent).Error; err != nil {
		return nil, err
	}
	if err := db.Raw(fmt.Sprintf(head, ""), now, n+len(sending)+len(urgent)).Scan(&heads).Error; err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	var out []outboxRow
	for _, rows := range [][]outboxRow{sending, urgent, heads} {
		for _, r := range rows {
			epoch := held[r.Shard]
			if taken[r.TargetKey] || len(out) == n {
				continue
			}
			taken[r.TargetKey] = true
			if r.State == outboxSending && r.Epoch > epoch {
				continue // somebody has the shard after us
			}
			if s.shards.grab(&s.shards.sends, r.TargetKey, claimed{id: r.ID, epoch: epoch}, r.Shard) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// fenced runs an update that only the claim with d's epoch may make.
func (s *Store) fenced(ctx context.Context, d chat.Delivery, set string, args ...any) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.fenced(d, set, args...) })
}

// wrote keeps the hands in step with a write about d: at its end, or when it
// is another's, the next word for its place may go; after another error the
// caller tries again.
func (s *Store) wrote(d chat.Delivery, end bool, err error) error {
	key, c := hashKey(d.To.String()), claimed{id: d.ID, epoch: d.Epoch}
	if errors.Is(err, ErrFenced) || err == nil && end {
		s.shards.letGo(&s.shards.sends, key, c)
		s.outboxBell.ring()
	} else {
		s.shards.keep(&s.shards.sends, key, c)
	}
	return err
}

func (tx *Tx) fenced(d chat.Delivery, set string, args ...any) error {
	args = append(args, d.ID, outboxSending, d.Epoch)
	u := tx.db.Exec("UPDATE outbox SET "+set+" WHERE id=? AND state=? AND epoch=?", args...)
	if u.Error == nil && u.RowsAffected != 1 {
		return ErrFenced
	}
	return u.Error
}

// Freeze fixes the bytes of d before its first attempt, and counts an attempt.
func (s *Store) Freeze(ctx context.Context, d chat.Delivery, parts []chat.Part) error {
	b, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	// What an earlier attempt left unsure stays so, until a part is known to have arrived.
	return s.wrote(d, false, s.fenced(ctx, d, "parts=?, attempt=attempt+1", s.seal.sealed("parts", b)))
}

// Sent records that the next part of d arrived; after the last one d is done.
func (s *Store) Sent(ctx context.Context, d chat.Delivery, r chat.Receipt) error {
	receipt, err := json.Marshal(chat.Receipt{MsgID: r.MsgID, Invalid: r.Invalid, Status: r.Status})
	if err != nil {
		return err
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		state := outboxSending
		if d.Sent+1 >= len(d.Parts) {
			state = outboxSent
		}
		err := tx.fenced(d, "sent_parts=?, state=?, road=?, receipt=?, unsure=0, sent_at=?", d.Sent+1, state, r.Road, string(receipt), millis(tx.now))
		if err != nil || r.ResponseCode == "" || d.Body.Card == nil {
			return err
		}
		return tx.KeepCode(d.Body.Card.TaskID, d.To.ID, r.ResponseCode)
	})
	return s.wrote(d, d.Sent+1 >= len(d.Parts), err)
}

// Again makes d due at a later time; unsure tells that it may have arrived.
func (s *Store) Again(ctx context.Context, d chat.Delivery, at time.Time, unsure bool, cause error) error {
	n, reason := 0, ""
	if unsure {
		n = 1
	}
	if cause != nil {
		reason = clip(cause.Error(), 1000)
	}
	set, args := answered(d, cause)
	return s.wrote(d, true, s.fenced(ctx, d, "state=?, due_at=?, unsure=?, reason=?"+set, append([]any{outboxDue, millis(at), n, reason}, args...)...))
}

// Never ends d with its reason.
func (s *Store) Never(ctx context.Context, d chat.Delivery, cause error) error {
	set, args := answered(d, cause)
	return s.wrote(d, true, s.fenced(ctx, d, "state=?, reason=?"+set, append([]any{outboxDead, clip(cause.Error(), 1000)}, args...)...))
}

// answered sets what a subscriber answered when it did not take an event; 0
// when it did not answer.
func answered(d chat.Delivery, cause error) (set string, args []any) {
	if d.To.Kind != chat.Hook || cause == nil {
		return "", nil
	}
	r := chat.Receipt{}
	var a interface{ AnswerStatus() int }
	if errors.As(cause, &a) {
		r.Status = a.AnswerStatus()
	}
	raw, _ := json.Marshal(r) // numbers and strings always encode
	return ", receipt=?", []any{string(raw)}
}

// Recent returns when messages were sent to a place since a time, oldest first.
func (s *Store) Recent(ctx context.Context, to chat.Address, since time.Time) ([]time.Time, error) {
	var rows []outboxRow
	err := s.read.WithContext(ctx).Select("sent_at", "sent_parts").Where("target_key = ? AND sent_at >= ? AND road <> ?", hashKey(to.String()), millis(since), roadInline).
		Order("sent_at").Limit(5000).Find(&rows).Error
	var out []time.Time
	for _, r := range rows {
		for range r.SentParts {
			out = append(out, fromMillis(r.SentAt))
		}
	}
	return out, err
}

// Wait returns when there may be something to send.
func (s *Store) Wait(ctx context.Context) error {
	return s.outboxBell.wait(ctx, 300*time.Millisecond)
}

// KeepCode stores a response code with which a card's copy can be rewritten
// once, within 72 hours. It comes from a send, and a fresh one from each click.
func (tx *Tx) KeepCode(taskID, user, code string) error {
	err := tx.db.Exec("INSERT INTO card_code (id, task_id, user_id, code_key, code, got_at, spent_at) VALUES (?,?,?,?,?,?,0)",
		tx.s.ids.next(tx.now), clip(taskID, 128), clip(user, 64), hashKey(code), tx.s.seal.sealed("card", []byte(code)), millis(tx.now)).Error
	if isDuplicate(err) {
		return nil
	}
	return err
}

// Card returns the newest unused response code of a card's copy, or "".
func (s *Store) Card(ctx context.Context, taskID, user string) (string, error) {
	var rows []struct{ Code []byte }
	err := s.read.WithContext(ctx).Raw("SELECT code FROM card_code WHERE task_id=? AND user_id=? AND spent_at=0 AND got_at>? ORDER BY id DESC LIMIT 1",
		taskID, user, s.now().Add(-72*time.Hour).UnixMilli()).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return "", err
	}
	code, err := s.seal.open("card", rows[0].Code)
	return string(code), err
}

// SpendCard marks a response code as used.
func (s *Store) SpendCard(ctx context.Context, code string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE card_code SET spent_at=? WHERE code_key=?", millis(tx.now), hashKey(code)).Error
	})
}
