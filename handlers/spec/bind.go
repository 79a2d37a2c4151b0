package spec

import (
	"errors"
	"strings"
)

// Bind turns the :names of a statement into placeholders and returns the names
// in their order. Quoted text and Postgres's :: are left alone. place writes
// the placeholder with a number, the first is 1.
func Bind(q string, place func(n int) string) (out string, names []string, err error) {
	var b strings.Builder
	for i := 0; i < len(q); i++ {
		c := q[i]
		switch {
		case c == '\'' || c == '"' || c == '`':
			end := strings.IndexByte(q[i+1:], c)
			if end < 0 {
				return "", nil, errors.New("SQL 里的引号没有配对")
			}
			b.WriteString(q[i : i+end+2])
			i += end + 1
		case c == ':' && i+1 < len(q) && q[i+1] == ':':
			b.WriteString("::")
			i++
		case c == ':' && i+1 < len(q) && nameByte(q[i+1], true):
			j := i + 1
			for j < len(q) && nameByte(q[j], false) {
				j++
			}
			names = append(names, q[i+1:j])
			b.WriteString(place(len(names)))
			i = j - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), names, nil
}

func nameByte(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c == '_' || !first && c >= '0' && c <= '9'
}
