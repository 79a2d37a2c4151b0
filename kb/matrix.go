package kb

import (
	"runtime"
	"sync"
)

// matrix is a snapshot of the embedded questions, laid out for looking at all
// of them: exact, without an index to build or to be wrong.
type matrix struct {
	dim   int
	bits  []int8
	rows  []int32 // of bits, in units of dim
	scale []float32
	entry []int64
}

func (m *matrix) add(r row, entry int64) {
	m.rows, m.scale, m.entry = append(m.rows, r.at), append(m.scale, r.scale), append(m.entry, entry)
}

// near is an entry by its question that is most like the one asked.
type near struct {
	entry int64
	like  float64 // cosine, -1 to 1
}

// fewRows are looked at by one goroutine.
const fewRows = 4096

// nearest returns the n entries whose questions are most like the vector, best
// first; equal ones by number. All processors share a large base.
func (m *matrix) nearest(bits []int8, scale float64, n int) []near {
	if len(bits) != m.dim || m.dim == 0 {
		return nil
	}
	parts := max(1, min(runtime.GOMAXPROCS(0), len(m.rows)/fewRows))
	lists := make([]nearList, parts)
	var wg sync.WaitGroup
	for p := range parts {
		from, to := p*len(m.rows)/parts, (p+1)*len(m.rows)/parts
		if p == parts-1 {
			m.scan(bits, scale, from, to, n, &lists[p])
		} else {
			wg.Go(func() { m.scan(bits, scale, from, to, n, &lists[p]) })
		}
	}
	wg.Wait()
	for _, l := range lists[1:] {
		for _, x := range l {
			lists[0].keep(x, n)
		}
	}
	return lists[0]
}

func (m *matrix) scan(bits []int8, scale float64, from, to, n int, out *nearList) {
	least := -2.0 // what the list would not take anyway
	for i := from; i < to; i++ {
		at := int(m.rows[i]) * m.dim
		like := scale * float64(m.scale[i]) * float64(dot(bits, m.bits[at:at+m.dim]))
		if like <= least {
			continue
		}
		out.keep(near{m.entry[i], like}, n)
		if len(*out) == n {
			least = (*out)[n-1].like
		}
	}
}

// plainDot is the inner product. Sums side by side keep the processor busy; the
// products of many thousand numbers of eight bits fit an int32.
func plainDot(a, b []int8) int32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 int32
	i := 0
	for ; i+8 <= len(a); i += 8 {
		x, y := a[i:i+8:i+8], b[i:i+8:i+8]
		s0 += int32(x[0])*int32(y[0]) + int32(x[4])*int32(y[4])
		s1 += int32(x[1])*int32(y[1]) + int32(x[5])*int32(y[5])
		s2 += int32(x[2])*int32(y[2]) + int32(x[6])*int32(y[6])
		s3 += int32(x[3])*int32(y[3]) + int32(x[7])*int32(y[7])
	}
	for ; i < len(a); i++ {
		s0 += int32(a[i]) * int32(b[i])
	}
	return s0 + s1 + s2 + s3
}

// nearList holds the best entries, each once, best first.
type nearList []near

func (l *nearList) keep(x near, n int) {
	list := *l
	for i, y := range list {
		if y.entry != x.entry {
			continue
		}
		if y.like >= x.like {
			return
		}
		list = append(list[:i], list[i+1:]...)
		break
	}
	at := len(list)
	for at > 0 && (x.like > list[at-1].like || x.like == list[at-1].like && x.entry < list[at-1].entry) {
		at--
	}
	if at == n {
		*l = list
		return
	}
	list = append(list, near{})
	copy(list[at+1:], list[at:])
	list[at] = x
	*l = list[:min(n, len(list))]
}
