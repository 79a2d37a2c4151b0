package bot

import (
	"errors"
	"strings"
	"sync"
)

// Bounds of what the platform sends, with room to spare. They are checked while
// scanning, so that a hostile document costs nothing.
const (
	xmlMaxDepth    = 8
	xmlMaxElements = 64
	xmlMaxAttrs    = 4
	xmlMaxName     = 64
)

// errMalformed is the one answer to a document that is not well-formed, or uses
// a part of its language that the platform never uses.
var errMalformed = errors.New("malformed callback")

// xmlElem is one element. text is what stands in it, entities resolved and
// CDATA unwrapped; an element with children has none.
type xmlElem struct {
	name   string
	text   string
	parent int16 // index in xmlDoc.elems; -1 for the root
	nested bool  // has children
	filled bool  // text was seen
}

// xmlDoc is a scanned document, its elements in the order of their start tags.
// It comes from scanXML and is given back with free; the texts stay valid.
type xmlDoc struct {
	elems [xmlMaxElements]xmlElem
	n     int
}

// xmlDocs keeps documents for the next callback: they are the only large thing
// that a callback would allocate.
var xmlDocs = sync.Pool{New: func() any { return new(xmlDoc) }}

func (d *xmlDoc) free() {
	clear(d.elems[:d.n])
	d.n = 0
	xmlDocs.Put(d)
}

// all returns the elements; the root is the first.
func (d *xmlDoc) all() []xmlElem { return d.elems[:d.n] }

// top returns the text of a child of the root, or "". There is at most one.
func (d *xmlDoc) top(name string) string {
	for i := 1; i < d.n; i++ {
		if e := &d.elems[i]; e.parent == 0 && e.name == name {
			return e.text
		}
	}
	return ""
}

// xmlScan reads the small part of XML 1.0 that the platform writes and refuses
// the rest, which encoding/xml accepts: DOCTYPE, processing instructions,
// comments, namespaces, text between elements, a second root, trailing bytes
// and repeated fields.
type xmlScan struct {
	s     string
	i     int
	doc   *xmlDoc
	open  [xmlMaxDepth]int16 // indexes of the elements that are open
	depth int
}

// scanXML reads a document. Its texts share the memory of s.
func scanXML(s string) (*xmlDoc, error) {
	s = strings.TrimPrefix(s, "\ufeff")
	if !validXMLChars(s) {
		return nil, errMalformed
	}
	x := xmlScan{s: s, doc: xmlDocs.Get().(*xmlDoc)}
	if !x.document() {
		x.doc.free()
		return nil, errMalformed
	}
	return x.doc, nil
}

func (x *xmlScan) document() bool {
	if !x.declaration() {
		return false
	}
	for {
		next := strings.IndexByte(x.s[x.i:], '<')
		if next < 0 {
			return x.depth == 0 && x.doc.n > 0 && blank(x.s[x.i:])
		}
		if at := x.i + next; !x.text(x.s[x.i:at]) || !x.markup(at) {
			return false
		}
	}
}

// declaration steps over <?xml version="1.0" encoding="UTF-8"?>, the only
// processing instruction that is allowed, and only at the very beginning.
func (x *xmlScan) declaration() bool {
	const head = "<?xml"
	if !strings.HasPrefix(x.s, head) {
		return true
	}
	end := strings.Index(x.s, "?>")
	if end < 0 {
		return false
	}
	words := strings.Fields(strings.ReplaceAll(x.s[len(head):end], `'`, `"`))
	if len(words) == 0 || words[0] != `version="1.0"` || !isXMLSpace(x.s[len(head)]) {
		return false
	}
	words = words[1:]
	if len(words) > 0 && strings.EqualFold(words[0], `encoding="utf-8"`) {
		words = words[1:]
	}
	if len(words) > 0 && (words[0] == `standalone="yes"` || words[0] == `standalone="no"`) {
		words = words[1:]
	}
	x.i = end + len("?>")
	return len(words) == 0
}

// markup reads what begins at the '<' at position at.
func (x *xmlScan) markup(at int) bool {
	const cdata = "<![CDATA["
	x.i = at + 1
	if x.i == len(x.s) {
		return false
	}
	switch x.s[x.i] {
	case '/':
		x.i++
		return x.endTag()
	case '!':
		if !strings.HasPrefix(x.s[at:], cdata) || x.depth == 0 {
			return false
		}
		x.i = at + len(cdata)
		end := strings.Index(x.s[x.i:], "]]>")
		if end < 0 {
			return false
		}
		text := x.s[x.i : x.i+end]
		x.i += end + len("]]>")
		return x.add(lineEnds(text))
	default: // '?' is no letter and is refused as a name
		return x.startTag()
	}
}

func (x *xmlScan) startTag() bool {
	name, ok := x.name()
	if !ok || x.depth == xmlMaxDepth || x.doc.n == xmlMaxElements {
		return false
	}
	empty, ok := x.attributes()
	if !ok {
		return false
	}
	e := xmlElem{name: name, parent: -1}
	if x.depth > 0 {
		e.parent = x.open[x.depth-1]
		up := &x.doc.elems[e.parent]
		if !blank(up.text) { // text beside elements: the platform never mixes them
			return false
		}
		up.nested, up.text = true, ""
	} else if x.doc.n > 0 { // a second root
		return false
	}
	if e.parent == 0 && x.repeated(name) {
		return false
	}
	x.doc.elems[x.doc.n] = e
	if !empty {
		x.open[x.depth] = int16(x.doc.n)
		x.depth++
	}
	x.doc.n++
	return true
}

// repeated tells whether the root has a child of this name already. Readers
// differ on which of two wins, so there must be one; lists stand deeper.
func (x *xmlScan) repeated(name string) bool {
	for i := 1; i < x.doc.n; i++ {
		if e := &x.doc.elems[i]; e.parent == 0 && e.name == name {
			return true
		}
	}
	return false
}

func (x *xmlScan) endTag() bool {
	name, ok := x.name()
	if !ok || x.depth == 0 || x.doc.elems[x.open[x.depth-1]].name != name {
		return false
	}
	x.space()
	if x.i == len(x.s) || x.s[x.i] != '>' {
		return false
	}
	x.i++
	x.depth--
	return true
}

// name reads a name of ASCII letters. A colon ends it and is then refused, so
// there are no namespaces.
func (x *xmlScan) name() (string, bool) {
	from := x.i
	for x.i < len(x.s) && isNameByte(x.s[x.i], x.i > from) {
		x.i++
	}
	n := x.i - from
	return x.s[from:x.i], n > 0 && n <= xmlMaxName
}

func isNameByte(c byte, inside bool) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' ||
		inside && ('0' <= c && c <= '9' || c == '-' || c == '.')
}

// attributes checks the attributes and steps over them and the end of the tag:
// the platform puts nothing of meaning there.
func (x *xmlScan) attributes() (empty, ok bool) {
	var names [xmlMaxAttrs]string
	for n := 0; ; n++ {
		spaced := x.space()
		rest := x.s[x.i:]
		if strings.HasPrefix(rest, ">") {
			x.i++
			return false, true
		}
		if strings.HasPrefix(rest, "/>") {
			x.i += 2
			return true, true
		}
		if !spaced || n == xmlMaxAttrs {
			return false, false
		}
		name, ok := x.attribute()
		if !ok || name == "xmlns" {
			return false, false
		}
		for _, other := range names[:n] {
			if other == name {
				return false, false
			}
		}
		names[n] = name
	}
}

func (x *xmlScan) attribute() (string, bool) {
	name, ok := x.name()
	x.space()
	if !ok || x.i == len(x.s) || x.s[x.i] != '=' {
		return "", false
	}
	x.i++
	x.space()
	if x.i == len(x.s) || x.s[x.i] != '"' && x.s[x.i] != '\'' {
		return "", false
	}
	end := strings.IndexByte(x.s[x.i+1:], x.s[x.i])
	if end < 0 {
		return "", false
	}
	value := x.s[x.i+1 : x.i+1+end]
	x.i += end + 2
	if strings.IndexByte(value, '<') >= 0 {
		return "", false
	}
	_, ok = entities(value)
	return name, ok
}

// text takes the characters between two pieces of markup.
func (x *xmlScan) text(s string) bool {
	if s == "" {
		return true
	}
	if x.depth == 0 {
		return blank(s)
	}
	plain := true
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '&', '\r':
			plain = false
		case ']':
			if strings.HasPrefix(s[i:], "]]>") {
				return false
			}
		}
	}
	if plain {
		return x.add(s)
	}
	s, ok := entities(lineEnds(s))
	return ok && x.add(s)
}

// add appends text to the innermost open element.
func (x *xmlScan) add(s string) bool {
	e := &x.doc.elems[x.open[x.depth-1]]
	if e.nested {
		return blank(s)
	}
	if e.filled {
		s = e.text + s
	}
	e.text, e.filled = s, true
	return true
}

// space steps over white space and tells whether there was any.
func (x *xmlScan) space() bool {
	from := x.i
	for x.i < len(x.s) && isXMLSpace(x.s[x.i]) {
		x.i++
	}
	return x.i > from
}
