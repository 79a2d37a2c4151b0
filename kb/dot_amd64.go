package kb

import "golang.org/x/sys/cpu"

// dotAVX2 is the inner product of n numbers, a multiple of 32 and not 0.
//
//go:noescape
func dotAVX2(a, b *int8, n int) int32

var wide = cpu.X86.HasAVX2

// dot is the inner product of vectors of one length.
func dot(a, b []int8) int32 {
	b = b[:len(a)]
	n := len(a) &^ 31
	if !wide || n == 0 {
		return plainDot(a, b)
	}
	return dotAVX2(&a[0], &b[0], n) + plainDot(a[n:], b[n:])
}
