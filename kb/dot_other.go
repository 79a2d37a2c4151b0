//go:build !amd64

package kb

// dot is the inner product of vectors of one length.
func dot(a, b []int8) int32 { return plainDot(a, b) }
