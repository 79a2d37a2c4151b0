package kb

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func randomVector(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func matrixOf(t testing.TB, list [][]float32) *matrix {
	t.Helper()
	m := &matrix{dim: len(list[0])}
	for i, v := range list {
		scale, bits, ok := Quantize(v)
		if !ok {
			t.Fatal("not quantized")
		}
		m.add(row{int32(i), float32(scale)}, int64(i/2+1)) // two questions an entry
		m.bits = append(m.bits, bits...)
	}
	return m
}

// What is found is what comparing with floating point finds, and as like.
func TestNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, dim := range []int{3, 8, 129} {
		list := make([][]float32, 3*fewRows)
		for i := range list {
			list[i] = randomVector(r, dim)
		}
		m := matrixOf(t, list)
		for range 20 {
			q := randomVector(r, dim)
			best := map[int64]float64{}
			for i, v := range list {
				if c := cosineOfFloats(q, v); c > best[int64(i/2+1)] {
					best[int64(i/2+1)] = c
				}
			}
			top := 0.0
			for _, c := range best {
				top = max(top, c)
			}
			scale, bits, _ := Quantize(q)
			got := m.nearest(bits, scale, 5)
			if len(got) != 5 || math.Abs(got[0].like-top) > 0.02 || best[got[0].entry] < top-0.02 {
				t.Fatalf("%d: %v, best %v", dim, got, top)
			}
			if !slices.IsSortedFunc(got, func(a, b near) int { return int(math.Copysign(1, b.like-a.like)) }) {
				t.Fatalf("not in order: %v", got)
			}
			seen := map[int64]bool{}
			for _, x := range got {
				if seen[x.entry] {
					t.Fatalf("an entry twice: %v", got)
				}
				seen[x.entry] = true
			}
		}
		if m.nearest(make([]int8, dim+1), 1, 5) != nil {
			t.Error("a vector of another length was compared")
		}
	}
}

func cosineOfFloats(a, b []float32) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// Whatever the processor has, the products are the same.
func TestDot(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 31, 32, 33, 64, 100, 1024, 4096} {
		a, b := make([]int8, n), make([]int8, n+3)
		for i := range a {
			a[i], b[i] = int8(r.IntN(256)-128), int8(r.IntN(256)-128)
		}
		if n == 4096 {
			for i := range a {
				a[i], b[i] = -128, -128
			}
		}
		want := int32(0)
		for i := range a {
			want += int32(a[i]) * int32(b[i])
		}
		if got, plain := dot(a, b), plainDot(a, b[:n]); got != want || plain != want {
			t.Errorf("%d: %d and %d, want %d", n, got, plain, want)
		}
	}
}

func TestQuantizeRefuses(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, v := range [][]float32{nil, {0, 0}, {float32(math.NaN()), 1}, {inf, 1}} {
		if _, _, ok := Quantize(v); ok {
			t.Errorf("%v was taken", v)
		}
	}
	scale, bits, ok := Quantize([]float32{3, -4})
	if !ok || bits[1] != -127 || math.Abs(scale*float64(bits[0])-0.6) > 0.01 {
		t.Errorf("%v %v", scale, bits)
	}
}

// BenchmarkNearest looks at every question of a large base; p99 is of one search.
func BenchmarkNearest(b *testing.B) {
	for _, size := range []struct{ n, dim int }{{10_000, 1024}, {100_000, 512}, {100_000, 1024}} {
		b.Run(fmt.Sprintf("%dx%d", size.n, size.dim), func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 4))
			m := &matrix{dim: size.dim, bits: make([]int8, size.n*size.dim)}
			for i := range m.bits {
				m.bits[i] = int8(r.IntN(255) - 127)
			}
			for i := range size.n {
				m.add(row{int32(i), 0.001}, int64(i))
			}
			scale, bits, _ := Quantize(randomVector(r, size.dim))
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				at := time.Now()
				m.nearest(bits, scale, candidates)
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
