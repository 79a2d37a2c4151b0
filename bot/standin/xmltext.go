package standin

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlText writes the platform's XML: texts in CDATA, numbers bare.
type xmlText struct{ bytes.Buffer }

func (x *xmlText) open(name string)  { x.WriteString("<" + name + ">") }
func (x *xmlText) close(name string) { x.WriteString("</" + name + ">") }

func (x *xmlText) text(name, value string) {
	x.open(name)
	x.WriteString("<![CDATA[" + strings.ReplaceAll(xmlSafe(value), "]]>", "]]]]><![CDATA[>") + "]]>")
	x.close(name)
}

func (x *xmlText) number(name string, n int64) {
	x.open(name)
	x.WriteString(strconv.FormatInt(n, 10))
	x.close(name)
}

func (x *xmlText) raw(name, value string) {
	x.open(name)
	x.WriteString(value)
	x.close(name)
}

// xmlSafe drops the characters that XML cannot carry.
func xmlSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}

// node is any XML element, for the parts of a reply that repeat.
type node struct {
	name     string
	text     string
	children []*node
}

// parseXML reads a small document into nodes.
func parseXML(data []byte) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	root := &node{}
	stack := []*node{root}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
		if len(stack) > 32 {
			return nil, errors.New("the XML is nested too deep")
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("the XML has not exactly one root")
	}
	return root.children[0], nil
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// value is the text of a child, "" when it is missing.
func (n *node) value(name string) string {
	c := n.child(name)
	if c == nil {
		return ""
	}
	if len(c.children) > 0 {
		return ""
	}
	return strings.TrimSpace(c.text)
}

// The XML card of a passive update has the JSON card's fields in other clothes:
// CamelCase names, lists as repeated elements (doc 90241).
var (
	cardLists   = []string{"horizontal_content_list", "vertical_content_list", "jump_list", "button_list", "option_list", "select_list", "action_list"}
	cardNumbers = []string{"type", "style", "desc_color", "mode"}
	cardTruths  = []string{"is_checked", "disable"}
)

func (n *node) cardJSON() map[string]any {
	out := map[string]any{}
	for _, c := range n.children {
		name := snake(c.name)
		var v any
		text := strings.TrimSpace(c.text)
		number, err := strconv.Atoi(text)
		switch {
		case len(c.children) > 0:
			v = c.cardJSON()
		case slices.Contains(cardNumbers, name) && err == nil:
			v = number
		case slices.Contains(cardTruths, name):
			v = text == "true" || text == "1"
		case name == "aspect_ratio":
			f, _ := strconv.ParseFloat(text, 64)
			v = f
		default:
			v = text
		}
		if slices.Contains(cardLists, name) {
			list, _ := out[name].([]any)
			out[name] = append(list, v)
		} else {
			out[name] = v
		}
	}
	return out
}

// snake turns HorizontalContentList into horizontal_content_list; the platform
// writes KeyName for keyname.
func snake(s string) string {
	if s == "KeyName" {
		return "keyname"
	}
	var b strings.Builder
	for i, r := range s {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && (s[i-1] < 'A' || s[i-1] > 'Z') {
			b.WriteByte('_')
		}
		if upper {
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
