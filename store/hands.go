package store

import "time"

// hands is what this process works on right now: one turn for each thread, one
// delivery for each place. A row that is marked as being worked on under our
// own epoch, but is in nobody's hands, was left behind by a failed write, and
// may be taken again.
type hands struct {
	life  time.Duration // longer than any work takes; after it the hand is taken for lost
	by    map[string]hand
	alone bool // what is in the hands is tried alone
}

type hand struct {
	claim claimed
	shard int
	since time.Time
}

// claimed names one claim of a row: an older claim of the same row ends
// without touching the newer one.
type claimed struct{ id, epoch, attempt int64 }

const (
	turnLife = time.Minute     // a turn has 20 s, and some for the record of its failure
	sendLife = 3 * time.Minute // a call of the platform has less, and every write about it begins anew
)

// grab takes a thread or a place into the hands, unless it is there already or
// its shard is not held under this epoch any more.
func (h *shards) grab(in *hands, key string, c claimed, shard int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.held[shard]; !ok || e != c.epoch || h.lapsed() {
		return false
	}
	if old, ok := in.by[key]; ok && time.Since(old.since) < in.life {
		return false
	}
	in.by[key] = hand{c, shard, time.Now()}
	return true
}

// letGo ends the work under a claim.
func (h *shards) letGo(in *hands, key string, c claimed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if in.by[key].claim == c {
		delete(in.by, key)
	}
	if len(in.by) == 0 {
		in.alone = false
	}
}

// keep tells that there is still work under a claim.
func (h *shards) keep(in *hands, key string, c claimed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if x, ok := in.by[key]; ok && x.claim == c {
		x.since = time.Now()
		in.by[key] = x
	}
}

func (h *shards) count(in *hands) (n int, alone bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, x := range in.by {
		if time.Since(x.since) >= in.life {
			delete(in.by, key)
		}
	}
	if len(in.by) == 0 {
		in.alone = false
	}
	return len(in.by), in.alone
}

// idle takes up to n shards that nobody works in out of what is held, so that
// no new work begins there.
func (h *shards) idle(n int) (ids []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	busy := map[int]bool{}
	for _, in := range []*hands{&h.turns, &h.sends} {
		for _, x := range in.by {
			busy[x.shard] = true
		}
	}
	for i := range shardCount {
		id := (botShard + 1 + i) % shardCount // the bot's last: its connection would have to be made anew
		if _, ok := h.held[id]; ok && !busy[id] && len(ids) < n {
			ids = append(ids, id)
			delete(h.held, id)
		}
	}
	return ids
}
