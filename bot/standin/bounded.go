package standin

import "strconv"

// bounded is a map that forgets its oldest keys.
type bounded[V any] struct {
	max   int
	m     map[string]V
	order []string
}

func (b *bounded[V]) init(max int) {
	b.max, b.m, b.order = max, map[string]V{}, nil
}

func (b *bounded[V]) get(key string) (V, bool) {
	v, ok := b.m[key]
	return v, ok
}

func (b *bounded[V]) put(key string, v V) {
	if _, there := b.m[key]; !there {
		b.order = append(b.order, key)
	}
	b.m[key] = v
	for len(b.order) > b.max {
		delete(b.m, b.order[0])
		b.order = b.order[1:]
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
