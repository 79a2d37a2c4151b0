package kb

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// A trained base is kept in a file, so that a restart need not train it anew. It
// holds numbers and hashes, no text: of each entry which tokens its questions
// have and what training made of them. What changed since is trained against its
// neighbours, and a file that does not fit is as good as none.

// snapshotForm goes up with every change of what a weight means; a file of
// another form is not read. Which tokens a text has is in the hashes.
const snapshotForm = 5

type snapshot struct {
	Form    int
	Promise float64
	Fit     snapshotFit
	Numbers []int64   // of the entries, ascending
	Tokens  []uint64  // a hash of each entry's tokens
	Lengths []uint32  // how many weights each entry has
	weights []float32 // behind the rest, as they are: there are some millions
}

type snapshotFit struct {
	Order     features
	Sure      sureWeights
	Threshold float64
	Own       int
	Verdicts  []snapshotVerdict // so that the base can still judge itself
}

type snapshotVerdict struct {
	X               signals
	Right, Stranger bool
	Weight          float64
}

func fitOf(f snapshotFit) fit {
	out := fit{order: orderWeights(f.Order), sure: f.Sure, threshold: f.Threshold, own: f.Own}
	for _, v := range f.Verdicts {
		out.verdicts = append(out.verdicts, verdict{v.X, v.Right, v.Stranger, v.Weight})
	}
	return out
}

func snapshotFitOf(f fit) snapshotFit {
	out := snapshotFit{Order: features(f.order), Sure: f.sure, Threshold: f.threshold, Own: f.own}
	for _, v := range f.verdicts {
		out.Verdicts = append(out.Verdicts, snapshotVerdict{v.x, v.right, v.stranger, v.weight})
	}
	return out
}

// most of a base that may be new to a snapshot; past it, training is the better way.
const freshShare = 50 // a fiftieth

var errNoFit = errors.New("it does not fit")

// tokenOrder gives each token its place among all, which is in the same order in
// every vocabulary.
func (v *vocabulary) tokenOrder() []uint32 {
	ids, place := make([]uint32, len(v.tokens)), make([]uint32, len(v.tokens))
	for id := range ids {
		ids[id] = uint32(id)
	}
	slices.SortFunc(ids, func(a, b uint32) int { return cmp.Compare(v.tokens[a], v.tokens[b]) })
	for n, id := range ids {
		place[id] = uint32(n)
	}
	return place
}

// sorter lists where an item's weights are in the order of their tokens, and hashes
// the tokens.
type sorter struct {
	vocab *vocabulary
	place []uint32
	keys  []uint64 // place and where it is
	order []int
}

func newSorter(v *vocabulary) *sorter { return &sorter{vocab: v, place: v.tokenOrder()} }

// byToken returns a list that is good until the next call.
func (s *sorter) byToken(it *item) ([]int, uint64) {
	s.keys, s.order = s.keys[:0], s.order[:0]
	for k, id := range it.weights.id {
		s.keys = append(s.keys, uint64(s.place[id])<<32|uint64(k))
	}
	slices.Sort(s.keys)
	sum := uint64(14695981039346656037) // FNV-1a of the tokens, their lowest byte first
	for _, key := range s.keys {
		k := int(key & math.MaxUint32)
		s.order = append(s.order, k)
		t := s.vocab.tokens[it.weights.id[k]]
		for i := range 8 {
			sum = (sum ^ uint64(byte(t>>(8*i)))) * 1099511628211
		}
	}
	return s.order, sum
}

// snapshotOf takes down a trained index.
func snapshotOf(ix *index, promise float64) *snapshot {
	s := &snapshot{Form: snapshotForm, Promise: promise, Fit: snapshotFitOf(ix.own)}
	sort := newSorter(ix.vocab)
	for _, it := range ix.items {
		order, tokens := sort.byToken(it)
		s.Numbers, s.Tokens, s.Lengths = append(s.Numbers, it.entry.Number), append(s.Tokens, tokens), append(s.Lengths, uint32(len(order)))
		for _, k := range order {
			s.weights = append(s.weights, it.weights.w[k])
		}
	}
	return s
}

// restore gives the items of a draft the weights that the snapshot has for them,
// finishes it, and trains those that are new to it, which it counts. errNoFit when
// these are too many.
func (s *snapshot) restore(ix *index, promise float64) (int, error) {
	if s.Form != snapshotForm || s.Promise != promise || len(s.Tokens) != len(s.Numbers) || len(s.Lengths) != len(s.Numbers) {
		return 0, errNoFit
	}
	var fresh []*item
	sort := newSorter(ix.vocab)
	at, n := 0, 0 // of weights, of entries
	matched := 0
	for _, it := range ix.items {
		for n < len(s.Numbers) && s.Numbers[n] < it.entry.Number {
			at, n = at+int(s.Lengths[n]), n+1
		}
		order, tokens := sort.byToken(it)
		if n == len(s.Numbers) || s.Numbers[n] != it.entry.Number || s.Tokens[n] != tokens || int(s.Lengths[n]) != len(order) || at+len(order) > len(s.weights) {
			fresh = append(fresh, it)
			continue
		}
		for i, k := range order {
			it.weights.w[k] = s.weights[at+i]
		}
		matched++
	}
	if len(fresh) > max(neighbourhood, len(ix.items)/freshShare) || len(s.Numbers)-matched > max(neighbourhood, len(s.Numbers)/freshShare) {
		return 0, errNoFit
	}
	ix.own = fitOf(s.Fit)
	ix.fit, ix.rough = ix.own, false
	ix.finish()
	if ix.trains() && len(fresh) > 0 && len(fresh) <= neighbourhood {
		ix.settle(fresh)
	}
	return len(fresh), nil
}

// writeSnapshot puts a snapshot in the place of a file, whole or not at all.
func writeSnapshot(path string, s *snapshot) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() {
		tmp.Close()
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(tmp, sum), 1<<20)
	if err := gob.NewEncoder(w).Encode(s); err != nil {
		return err
	}
	var b [4]byte
	for _, x := range s.weights {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(x))
		if _, err := w.Write(b[:]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := tmp.Write(sum.Sum(nil)); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// snapshotMost bounds the file: a million questions make some 150 MB.
const snapshotMost = 1 << 30

// readSnapshot reads what writeSnapshot wrote. fs.ErrNotExist without a file.
func readSnapshot(path string) (*snapshot, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > snapshotMost {
		return nil, fmt.Errorf("%s is larger than a snapshot", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < sha256.Size {
		return nil, fmt.Errorf("%s is cut off", path)
	}
	body, want := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], want) {
		return nil, fmt.Errorf("%s is damaged", path)
	}
	s, rest := &snapshot{}, bytes.NewReader(body)
	if err := gob.NewDecoder(rest).Decode(s); err != nil {
		return nil, err
	}
	raw := body[len(body)-rest.Len():]
	s.weights = make([]float32, len(raw)/4)
	for i := range s.weights {
		s.weights[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return s, nil
}
