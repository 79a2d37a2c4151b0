package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Errors of a body that is refused outright.
var (
	errNotJSON   = errors.New("the body is not a JSON object or array")
	errRepeated  = errors.New("a key stands twice in one object")
	errTooNested = errors.New("nested too deeply")
)

// deepest bounds the nesting of a body; the deepest real sender has eight.
const deepest = 64

// freeMaps hold keys that the sender's users chose: there, A and a are two.
var freeMaps = map[string]bool{"labels": true, "annotations": true, "commonLabels": true, "groupLabels": true, "commonAnnotations": true, "routeLabels": true, "tags_map": true, "values": true, "dimensions": true, "headers": true}

// checkJSON takes a JSON object or array. A key that is repeated, also in other
// capitals, is refused: readers disagree on which of the two counts.
func checkJSON(body []byte) error {
	if !json.Valid(body) {
		if tooDeep(body) {
			return errTooNested
		}
		return errNotJSON
	}
	s := jsonScan{b: body}
	s.space()
	if s.b[s.i] != '{' && s.b[s.i] != '[' {
		return errNotJSON
	}
	return s.value(0, false)
}

// tooDeep tells whether a body that does not parse is nested beyond all reason.
func tooDeep(body []byte) bool {
	depth := 0
	for _, c := range body {
		switch c {
		case '{', '[':
			if depth++; depth > deepest {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// jsonScan walks a body that is known to be valid JSON.
type jsonScan struct {
	b []byte
	i int
}

func (s *jsonScan) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// str passes a string and returns it with its quotes.
func (s *jsonScan) str() []byte {
	from := s.i
	for s.i++; s.b[s.i] != '"'; s.i++ {
		if s.b[s.i] == '\\' {
			s.i++
		}
	}
	s.i++
	return s.b[from:s.i]
}

func (s *jsonScan) value(depth int, free bool) error {
	if depth > deepest {
		return errTooNested
	}
	s.space()
	switch s.b[s.i] {
	case '{':
		return s.object(depth, free)
	case '[':
		return s.array(depth)
	case '"':
		s.str()
	default:
		for s.i < len(s.b) && !strings.ContainsRune(",]} \n\t\r", rune(s.b[s.i])) {
			s.i++
		}
	}
	return nil
}

func (s *jsonScan) array(depth int) error {
	for s.i++; ; {
		s.space()
		if s.b[s.i] == ']' {
			s.i++
			return nil
		}
		if s.b[s.i] == ',' {
			s.i++
			continue
		}
		if err := s.value(depth+1, false); err != nil {
			return err
		}
	}
}

func (s *jsonScan) object(depth int, free bool) error {
	seen := map[string]bool{}
	for s.i++; ; {
		s.space()
		switch s.b[s.i] {
		case '}':
			s.i++
			return nil
		case ',':
			s.i++
			continue
		}
		key := s.key()
		id := key
		if !free {
			id = strings.ToLower(key)
		}
		if seen[id] {
			return fmt.Errorf("%w: %q", errRepeated, clip(key, 40))
		}
		seen[id] = true
		s.space()
		s.i++ // the colon
		if err := s.value(depth+1, freeMaps[key]); err != nil {
			return err
		}
	}
}

func (s *jsonScan) key() string {
	raw := s.str()
	key := string(raw[1 : len(raw)-1])
	if strings.Contains(key, `\`) {
		json.Unmarshal(raw, &key) // valid, as all of the body is
	}
	return key
}

// items are the objects of a body: itself, or what the array holds.
func items(body []byte) ([]json.RawMessage, error) {
	trimmed := strings.TrimLeft(string(body[:min(len(body), 64)]), " \r\n\t")
	if !strings.HasPrefix(trimmed, "[") {
		return []json.RawMessage{body}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, errShape
	}
	return list, nil
}

// clip cuts text to n bytes at a rune border.
func clip(text string, n int) string { return strings.ToValidUTF8(text[:min(n, len(text))], "") }
