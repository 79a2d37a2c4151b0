package store

import (
	"context"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"frontline/bot/chat"
)

// Inbox, outbox and jobs are cut into shards; a replica works only on the
// shards it holds a lease for, each with an epoch that grows with every new
// owner (fencing): a replica that slept through its lease cannot write.
type shards struct {
	mu    sync.Mutex
	held  map[int]int64 // shard -> epoch
	until time.Time     // by this process's own clock: later than this they may be somebody else's
	turns hands
	sends hands
	file  *os.File // SQLite: the lock that says this process serves
}

func (h *shards) init() {
	h.held = map[int]int64{}
	h.turns = hands{life: turnLife, by: map[string]hand{}}
	h.sends = hands{life: sendLife, by: map[string]hand{}}
}

// lapsed tells that the leases were not renewed in time: the process was
// stopped, or the database away. The file lock of SQLite does not lapse.
func (h *shards) lapsed() bool { return h.file == nil && time.Now().After(h.until) }

// ErrServed means that another process serves this SQLite database.
var ErrServed = errors.New("another Frontline already works on this database")

func shardOf(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % shardCount)
}

// botShard holds everything that is said at the places of the smart bot: its
// long connection can be held by one replica only, the one that holds this shard.
var botShard = shardOf("bot")

// outboxShard is the shard in which words to a place wait.
func outboxShard(to chat.Address) int {
	if to.Via == chat.Bot {
		return botShard
	}
	return shardOf(to.String())
}

// SpeaksForBot tells whether this replica is the one that may hold the smart
// bot's long connection. The words for its places are claimed here and nowhere else.
func (s *Store) SpeaksForBot() bool {
	_, held := s.holding()[botShard]
	return held
}

// alertShard goes with the turns of alerts: deliveries are applied in their
// order, by one replica.
var alertShard = shardOf("alerts")

// AppliesAlerts tells whether this replica is the one that applies what senders
// of alerts sent.
func (s *Store) AppliesAlerts() bool {
	_, held := s.holding()[alertShard]
	return held
}

// gatherBot brings words that waited elsewhere into the bot's shard: those of
// an earlier version.
func (s *Store) gatherBot(ctx context.Context) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE outbox SET shard=? WHERE state=? AND shard<>? AND target LIKE 'bot/%'", botShard, outboxDue, botShard).Error
	})
}

func (h *shards) unlock() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file != nil {
		h.file.Close()
		h.file = nil
	}
	h.held = map[int]int64{}
}

// holding returns the shards held now and their epochs.
func (s *Store) holding() map[int]int64 {
	s.shards.mu.Lock()
	defer s.shards.mu.Unlock()
	if s.shards.lapsed() {
		return nil
	}
	out := make(map[int]int64, len(s.shards.held))
	for k, v := range s.shards.held {
		out[k] = v
	}
	return out
}

// Lead takes shards once, so that work can begin; Run keeps them.
func (s *Store) Lead(ctx context.Context) error {
	if err := s.gatherBot(ctx); err != nil {
		return err
	}
	if s.kind == sqliteDB {
		return s.leadAlone(ctx)
	}
	return s.renew(ctx)
}

// Run keeps the leases of this replica until ctx ends, then lets go of them.
func (s *Store) Run(ctx context.Context) error {
	if s.opt.Bell != nil {
		go s.opt.Bell.Listen(ctx, s.rung)
	}
	tick := time.NewTicker(s.opt.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.release()
		case <-tick.C:
			if err := s.renew(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("renew the shard leases", "err", err)
			}
		}
	}
}

func (s *Store) rung(topic string) {
	switch id, turn := strings.CutPrefix(topic, TopicTurn+" "); {
	case turn:
		s.turns.ring(id)
	case topic == TopicInbox:
		s.inboxBell.ring()
	case topic == TopicOutbox:
		s.outboxBell.ring()
	}
}

// leadAlone takes all shards at once: the file lock proves that whoever held
// them before is dead, so nobody waits for a lease to end after a crash.
func (s *Store) leadAlone(ctx context.Context) error {
	s.shards.mu.Lock()
	locked := s.shards.file != nil
	s.shards.mu.Unlock()
	if !locked {
		path := strings.TrimPrefix(s.opt.URL, "sqlite:") + ".lock"
		f, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		if err := lockFile(f); err != nil {
			f.Close()
			return ErrServed
		}
		s.shards.mu.Lock()
		s.shards.file = f
		s.shards.mu.Unlock()
	}
	err := s.InTx(ctx, func(tx *Tx) error {
		// Slots of dead servers are free at once too.
		return errors.Join(tx.db.Exec("UPDATE shard SET owner=?, epoch=epoch+1, until=?", s.opt.Replica, tx.now.Add(s.opt.Lease).UnixMilli()).Error,
			tx.db.Exec("UPDATE replica SET owner='', until=0 WHERE owner LIKE 'serve-%' AND owner<>?", s.opt.Replica).Error)
	})
	if err != nil {
		return err
	}
	return s.reload(ctx, time.Time{})
}

type shardRow struct {
	ID    int `gorm:"primaryKey;autoIncrement:false"`
	Owner string
	Epoch int64
	Until int64
}

func (shardRow) TableName() string { return "shard" }

// reload reads which shards this replica holds, proven until a time.
func (s *Store) reload(ctx context.Context, until time.Time) error {
	var rows []shardRow
	if err := s.write.WithContext(ctx).Where("owner = ?", s.opt.Replica).Find(&rows).Error; err != nil {
		return err
	}
	held := make(map[int]int64, len(rows))
	for _, r := range rows {
		held[r.ID] = r.Epoch
	}
	s.shards.mu.Lock()
	s.shards.held, s.shards.until = held, until
	s.shards.mu.Unlock()
	return nil
}

// renew prolongs what is held, gives up what is above the fair share and
// takes what is free, by the database's clock.
func (s *Store) renew(ctx context.Context) error {
	if s.kind == sqliteDB {
		return s.renewSlot(ctx) // the file lock is the lease of the shards
	}
	until := time.Now().Add(s.opt.Lease) // from before the question: never later than the database thinks
	now, err := s.dbNow(ctx)
	if err != nil {
		return err // what is held lapses by itself
	}
	if err := s.renewSlot(ctx); err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE shard SET until=? WHERE owner=? AND until>=?", now+s.opt.Lease.Milliseconds(), s.opt.Replica, now).Error
	})
	if err != nil {
		return err
	}
	var rows []shardRow
	if err := s.write.WithContext(ctx).Order("id").Find(&rows).Error; err != nil {
		return err
	}
	return s.balance(ctx, rows, now, until)
}

func (s *Store) balance(ctx context.Context, rows []shardRow, now int64, until time.Time) error {
	live, mine := map[string]bool{s.opt.Replica: true}, 0
	var free []shardRow
	for _, r := range rows {
		switch {
		case r.Owner == s.opt.Replica && r.Until >= now:
			mine++
		case r.Until < now || r.Owner == "":
			free = append(free, r)
		default:
			live[r.Owner] = true
		}
	}
	// A replica that holds nothing is seen by nobody in the shard table, so the
	// newcomers are counted from the replica slots.
	n, err := s.liveReplicas(ctx, now)
	if err != nil {
		return err
	}
	share := (shardCount + max(n, len(live)) - 1) / max(n, len(live))
	if over := mine - share; over > 0 {
		err = s.giveUp(ctx, over)
	} else {
		err = s.take(ctx, free, share-mine, now)
	}
	return errors.Join(err, s.reload(ctx, until))
}

func (s *Store) liveReplicas(ctx context.Context, now int64) (int, error) {
	// Slots are renewed with the leases; a slot renewed within one lease is alive.
	var n int64
	err := s.write.WithContext(ctx).Table("replica").Where("until > ? AND owner LIKE 'serve-%'", now+slotLife.Milliseconds()-s.opt.Lease.Milliseconds()).Count(&n).Error
	return int(n), err
}

// giveUp lets go of shards in which nothing is being worked on, so that nobody
// does a second time what is half done here.
func (s *Store) giveUp(ctx context.Context, n int) error {
	ids := s.shards.idle(n)
	return s.inTx(ctx, func(tx *Tx) error {
		for _, id := range ids {
			if err := tx.db.Exec("UPDATE shard SET owner='', until=0 WHERE id=? AND owner=?", id, s.opt.Replica).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) take(ctx context.Context, free []shardRow, n int, now int64) error {
	if n <= 0 || len(free) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx *Tx) error {
		for _, r := range free[:min(n, len(free))] {
			err := tx.db.Exec("UPDATE shard SET owner=?, epoch=epoch+1, until=? WHERE id=? AND owner=? AND epoch=? AND until=?",
				s.opt.Replica, now+s.opt.Lease.Milliseconds(), r.ID, r.Owner, r.Epoch, r.Until).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// release frees the leases, so that nobody waits for them after a clean stop.
func (s *Store) release() error {
	s.shards.unlock()
	if s.kind == sqliteDB {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// The slot stays until Close, but it does not count as a replica any more.
	s.ids.until.Add(-int64(s.opt.Lease))
	return s.inTx(ctx, func(tx *Tx) error {
		return errors.Join(tx.db.Exec("UPDATE replica SET until=until-? WHERE slot=? AND owner=?", s.opt.Lease.Milliseconds(), s.ids.mySlot(), s.opt.Replica).Error,
			tx.db.Exec("UPDATE shard SET owner='', until=0 WHERE owner=?", s.opt.Replica).Error)
	})
}
