package kb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// EntryVector is the vector of one question of an entry, as the store keeps it:
// eight bits a number and one scale for all.
type EntryVector struct {
	Model   string
	Text    string // TextHash of the question
	Entry   int64  // an entry that has the question
	Scale   float64
	Bits    []int8
	Changed int64 // the store's change number
}

// TextHash names a question by its text: the same text has one vector, in
// however many entries it stands.
func TextHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Quantize makes the unit vector of v in eight bits a number: v is about
// scale × bits. A vector without length, or with numbers that are none, is refused.
func Quantize(v []float32) (scale float64, bits []int8, ok bool) {
	sum, most := 0.0, 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
		most = max(most, math.Abs(float64(x)))
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return 0, nil, false
	}
	step := most / math.MaxInt8
	bits = make([]int8, len(v))
	for i, x := range v {
		bits[i] = int8(math.Round(float64(x) / step))
	}
	return step / math.Sqrt(sum), bits, true
}

// VectorStore keeps vectors and gives those of a model in the order of changes.
type VectorStore interface {
	Vectors(ctx context.Context, model string, after int64, n int) ([]EntryVector, error)
	PutVectors(ctx context.Context, list []EntryVector) error
	// DropVectors forgets vectors of a model by the hashes of their texts.
	DropVectors(ctx context.Context, model string, texts []string) error
	// DropOtherVectors forgets the vectors of all models but one.
	DropOtherVectors(ctx context.Context, model string) error
}

// Vectors are the embedded questions of a base, beside its words. They are
// followed as the base is; what is not embedded yet is found by words alone.
type Vectors struct {
	opt   VectorOptions
	know  *Engine
	live  atomic.Pointer[matrix]
	fuse  atomic.Pointer[fusion]
	asked recent

	mu    sync.Mutex // of what the next matrix is made from
	rows  map[string]row
	slab  []int8
	dead  int // rows of the slab that no text uses
	dim   int
	after int64
	seen  *index // the index that live was made for
	want  []missing
	total int
	fitAt time.Time
	fitOn *index // and the vectors that there were then; nil when vectors came since
}

// VectorOptions of Vectors.
type VectorOptions struct {
	Model    string // an embedding model by its name
	Embedder Embedder
	// Wait is how long a question waits for its vector.
	Wait time.Duration
	// Hide takes what identifies people out of a text before it is sent.
	Hide func(text string) string
	Log  *slog.Logger
}

type row struct {
	at    int32 // in units of dim
	scale float32
}

// missing is a question that has no vector yet.
type missing struct {
	text  string
	entry int64
}

// NewVectors returns vectors for an engine, which uses them from then on.
func NewVectors(know *Engine, opt VectorOptions) *Vectors {
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.Hide == nil {
		opt.Hide = func(text string) string { return text }
	}
	v := &Vectors{opt: opt, know: know, rows: map[string]row{}}
	know.vectors = v
	return v
}

const pageOfVectors = 2000

// Follow reads vectors as they come, every so often (a second when zero), until
// the context ends.
func (v *Vectors) Follow(ctx context.Context, src VectorStore, every time.Duration) error {
	if every <= 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	failing := false
	for {
		err := v.catchUp(ctx, src)
		if err != nil && ctx.Err() == nil && !failing {
			v.opt.Log.Warn("vectors not read, words go on alone", "component", "kb", "err", err)
		}
		failing = err != nil
		if err == nil {
			v.fit(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// catchUp reads what is new and lays it out when vectors or the base changed.
func (v *Vectors) catchUp(ctx context.Context, src VectorStore) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	fresh := false
	for {
		page, err := src.Vectors(ctx, v.opt.Model, v.after, pageOfVectors)
		if err != nil {
			return fmt.Errorf("vectors after %d: %w", v.after, err)
		}
		for _, x := range page {
			v.add(x)
			v.after, fresh, v.fitOn = max(v.after, x.Changed), true, nil
		}
		if len(page) < pageOfVectors {
			break
		}
	}
	if ix := v.know.live.Load(); ix != nil && (fresh || ix != v.seen) {
		v.lay(ix)
	}
	return nil
}

// add keeps a vector. One of another length says that the model behind the name
// is another: what there was is dropped, and will be made anew.
func (v *Vectors) add(x EntryVector) {
	if len(x.Bits) == 0 {
		return
	}
	if len(x.Bits) != v.dim {
		v.rows, v.slab, v.dead, v.dim = map[string]row{}, nil, 0, len(x.Bits)
	}
	if _, ok := v.rows[x.Text]; ok {
		v.dead++
	}
	v.rows[x.Text] = row{int32(len(v.slab) / v.dim), float32(x.Scale)}
	v.slab = append(v.slab, x.Bits...)
}

// lay makes the matrix of the questions that the index has.
func (v *Vectors) lay(ix *index) {
	m := &matrix{dim: v.dim}
	v.want, v.total = v.want[:0], 0
	used := make(map[string]bool, len(v.rows))
	for _, it := range ix.items {
		for k := range it.questions {
			text := it.questions[k].text
			hash := TextHash(text)
			v.total++
			if r, ok := v.rows[hash]; ok {
				used[hash] = true
				m.add(r, it.entry.Number)
			} else {
				v.want = append(v.want, missing{text, it.entry.Number})
			}
		}
	}
	if v.dead+len(v.rows)-len(used) > 1000+len(used) {
		v.compact(used, m)
	}
	m.bits = v.slab
	v.seen = ix
	v.live.Store(m)
}

// compact drops the rows that no question uses any more; the matrix's rows move
// with them. A reader of an older matrix keeps the older slab.
func (v *Vectors) compact(used map[string]bool, m *matrix) {
	slab := make([]int8, 0, len(used)*v.dim)
	moved := make(map[int32]int32, len(used))
	for hash, r := range v.rows {
		if !used[hash] {
			delete(v.rows, hash)
			continue
		}
		at := int32(len(slab) / v.dim)
		slab = append(slab, v.slab[int(r.at)*v.dim:int(r.at+1)*v.dim]...)
		moved[r.at] = at
		v.rows[hash] = row{at, r.scale}
	}
	v.slab, v.dead = slab, 0
	for i := range m.rows {
		m.rows[i] = moved[m.rows[i]]
	}
}

// State tells how far the vectors are.
func (v *Vectors) State() VectorState {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := VectorState{Want: v.total, Have: v.total - len(v.want), Dim: v.dim}
	if f := v.fuse.Load(); f != nil {
		s.Fitted = f.own
	}
	return s
}

// VectorState is how far the embedded questions are.
type VectorState struct {
	Want, Have int // questions of the base, and those with a vector of the model
	Dim        int
	Fitted     int // questions of the base that the weight of likeness was fitted on; 0: set by rule
}
