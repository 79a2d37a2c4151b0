// Package spec reads the YAML files that operators write, recipes and monitors,
// so that everything that is wrong with one is told with its line and column.
package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Fault is one thing that is wrong with a file, where it stands.
type Fault struct {
	File      string
	Line, Col int
	Text      string // one plain sentence
}

func (f Fault) Error() string { return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Text) }

// MaxFile bounds a file; anchors are refused, so it cannot
// grow in memory either.
const MaxFile = 256 << 10

// Node is a piece of a file that knows where it stands. Numbers are as written.
type Node struct {
	Kind      byte // s scalar, m map, l list, 0 nothing
	Text      string
	Quoted    bool
	Keys      []*Node
	Vals      []*Node
	Line, Col int
}

// Reader reads one file and gathers what is wrong with it.
type Reader struct {
	File   string
	Faults []Fault
}

// Fault records what is wrong with a piece.
func (r *Reader) Fault(n *Node, format string, args ...any) {
	r.At(n.Line, n.Col, format, args...)
}

// At records what is wrong at a place; fifty faults are enough for one file.
func (r *Reader) At(line, col int, format string, args ...any) {
	if len(r.Faults) < 50 {
		r.Faults = append(r.Faults, Fault{r.File, line, col, fmt.Sprintf(format, args...)})
	}
}

var yamlPlace = regexp.MustCompile(`^\[(\d+):(\d+)\] *([^\n]*)`)

// Parse reads the text; nil when it is not YAML.
func (r *Reader) Parse(text []byte) *Node {
	if len(text) > MaxFile {
		r.At(1, 1, "文件超过 %d KB", MaxFile>>10)
		return nil
	}
	doc, err := parser.ParseBytes(text, 0)
	if err != nil {
		line, col, why := 1, 1, err.Error()
		if m := yamlPlace.FindStringSubmatch(why); m != nil {
			line, _ = strconv.Atoi(m[1])
			col, _ = strconv.Atoi(m[2])
			why = m[3]
		}
		hint := ""
		if lines := strings.Split(string(text), "\n"); line <= len(lines) && strings.Contains(lines[line-1], "{") && strings.Contains(lines[line-1], "${") {
			hint = "；写在 { } 里的表达式或句子带逗号、冒号时要加引号，或者改成分行写"
		}
		r.At(line, col, "YAML 写法不对（%s）%s", why, hint)
		return nil
	}
	if len(doc.Docs) != 1 || doc.Docs[0].Body == nil {
		r.At(1, 1, "一个文件只写一份")
		return nil
	}
	return r.node(doc.Docs[0].Body)
}

func (r *Reader) node(n ast.Node) *Node {
	out := &Node{Line: 1, Col: 1}
	if t := n.GetToken(); t != nil && t.Position != nil {
		out.Line, out.Col = t.Position.Line, t.Position.Column
	}
	var pairs []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		pairs, out.Kind = v.Values, 'm'
	case *ast.MappingValueNode:
		pairs, out.Kind = []*ast.MappingValueNode{v}, 'm'
	case *ast.SequenceNode:
		out.Kind = 'l'
		for _, item := range v.Values {
			out.Vals = append(out.Vals, r.node(item))
		}
	case *ast.StringNode:
		out.Kind, out.Text = 's', v.Value
		out.Quoted = v.Token != nil && strings.ContainsAny(string(v.Token.Origin), `"'`) && strings.HasPrefix(strings.TrimSpace(v.Token.Origin), string(v.Token.Origin[strings.IndexAny(v.Token.Origin, `"'`)]))
	case *ast.LiteralNode:
		out.Kind, out.Text, out.Quoted = 's', v.Value.Value, true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		r.Fault(out, "这里不用锚点、引用和标签")
	default:
		out.Kind, out.Text = 's', n.GetToken().Value
	}
	for _, kv := range pairs {
		k := r.node(kv.Key)
		k.Kind, k.Text = 's', strings.Trim(kv.Key.GetToken().Value, `"'`)
		if slices.ContainsFunc(out.Keys, func(o *Node) bool { return o.Text == k.Text }) {
			r.Fault(k, "「%s」写了两次", k.Text)
			continue
		}
		out.Keys, out.Vals = append(out.Keys, k), append(out.Vals, r.node(kv.Value))
	}
	if out.Kind == 'm' && len(out.Keys) > 0 {
		out.Line, out.Col = out.Keys[0].Line, out.Keys[0].Col
	}
	return out
}

// Get is the value of a key, nil when it is not there.
func (n *Node) Get(key string) *Node {
	for i, k := range n.Keys {
		if k.Text == key {
			return n.Vals[i]
		}
	}
	return nil
}

// Fields reads a map whose keys are known; one that is not is a fault.
func (r *Reader) Fields(n *Node, what string, known map[string]func(*Node)) {
	if n.Kind != 'm' {
		r.Fault(n, "%s应是「键: 值」的一组", what)
		return
	}
	for i, k := range n.Keys {
		read, ok := known[k.Text]
		if !ok {
			r.Fault(k, "%s没有「%s」这一项%s", what, k.Text, Near(k.Text, known))
			continue
		}
		read(n.Vals[i])
	}
}

// Near names the known word that somebody may have meant, as the end of a sentence.
func Near[T any](word string, known map[string]T) string {
	best, least := "", 3
	for k := range known {
		if d := Distance(word, k); d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "，是不是「" + best + "」"
}

// Distance is how many letters differ (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := min(row[j+1]+1, row[j]+1)
			if a[i] == b[j] {
				next = min(next, last)
			} else {
				next = min(next, last+1)
			}
			last, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// Text reads one value.
func (r *Reader) Text(n *Node) string {
	if n.Kind != 's' {
		r.Fault(n, "这里应是一个值")
	}
	return n.Text
}

// Texts reads a list of values, or one.
func (r *Reader) Texts(n *Node) (out []string) {
	if n.Kind == 's' {
		return []string{n.Text}
	}
	if n.Kind != 'l' {
		r.Fault(n, "这里应是一个列表")
		return nil
	}
	for _, v := range n.Vals {
		out = append(out, r.Text(v))
	}
	return out
}

// Number reads a whole number within bounds.
func (r *Reader) Number(n *Node, lo, hi int) int {
	v, err := strconv.Atoi(n.Text)
	if n.Kind != 's' || err != nil || v < lo || v > hi {
		r.Fault(n, "这里应是 %d 到 %d 的整数", lo, hi)
		return lo
	}
	return v
}

// Flag reads true or false.
func (r *Reader) Flag(n *Node) bool {
	v, err := strconv.ParseBool(n.Text)
	if n.Kind != 's' || err != nil {
		r.Fault(n, "这里应是 true 或 false")
	}
	return v
}

// Duration reads a time such as 10s or 5m.
func (r *Reader) Duration(n *Node, most time.Duration) time.Duration {
	d, err := time.ParseDuration(n.Text)
	if n.Kind != 's' || err != nil || d <= 0 || d > most {
		r.Fault(n, "这里应是时长（例 10s、5m、168h），最长 %s", most)
		return most
	}
	return d
}
