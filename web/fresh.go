package web

import (
	"html/template"
	"maps"
	"net/url"
	"strconv"
)

// fresh is the hint over a list that new rows have come: people choose when
// the list moves. It asks again by itself.
type fresh struct {
	N    int          // rows that came since; at most freshMost
	Ask  template.URL // where the hint asks again
	List template.URL // the list with its filters, from the start
}

// freshMost is where counting ends: more is "99+".
const freshMost = 100

// Many tells that there are more than are counted.
func (f fresh) Many() bool { return f.N >= freshMost }

// freshAfter makes the hint of a list: its path, its filters, its newest row.
func freshAfter(path string, filters url.Values, newest int64) fresh {
	q := url.Values{}
	maps.Copy(q, filters)
	for _, k := range []string{"after", "before", "page"} {
		q.Del(k)
	}
	f := fresh{List: template.URL(path + "?" + q.Encode())}
	q.Set("after", strconv.FormatInt(newest, 10))
	f.Ask = template.URL(path + "/fresh?" + q.Encode())
	return f
}

func newest[T any](rows []T, id func(T) int64) int64 {
	if len(rows) == 0 {
		return 0
	}
	return id(rows[0])
}

func above(id, after int64) int {
	if id > after {
		return 1
	}
	return 0
}
