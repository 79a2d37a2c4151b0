package construct

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

// maxFile bounds a recipe or an environment; anchors are refused, so it cannot
// grow in memory either.
const maxFile = 256 << 10

// node is a piece of a file that knows where it stands. Numbers are as written.
type node struct {
	kind      byte // s scalar, m map, l list, 0 nothing
	text      string
	quoted    bool
	keys      []*node
	vals      []*node
	line, col int
}

// reader reads one file and gathers what is wrong with it.
type reader struct {
	file   string
	faults []Fault
}

func (r *reader) fault(n *node, format string, args ...any) {
	r.at(n.line, n.col, format, args...)
}

func (r *reader) at(line, col int, format string, args ...any) {
	if len(r.faults) < 50 {
		r.faults = append(r.faults, Fault{r.file, line, col, fmt.Sprintf(format, args...)})
	}
}

var yamlPlace = regexp.MustCompile(`^\[(\d+):(\d+)\] *([^\n]*)`)

// parse reads the text; nil when it is not YAML.
func (r *reader) parse(text []byte) *node {
	if len(text) > maxFile {
		r.at(1, 1, "文件超过 %d KB", maxFile>>10)
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
		r.at(line, col, "YAML 写法不对（%s）%s", why, hint)
		return nil
	}
	if len(doc.Docs) != 1 || doc.Docs[0].Body == nil {
		r.at(1, 1, "一个文件写一个配方或环境")
		return nil
	}
	return r.node(doc.Docs[0].Body)
}

func (r *reader) node(n ast.Node) *node {
	out := &node{line: 1, col: 1}
	if t := n.GetToken(); t != nil && t.Position != nil {
		out.line, out.col = t.Position.Line, t.Position.Column
	}
	var pairs []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		pairs, out.kind = v.Values, 'm'
	case *ast.MappingValueNode:
		pairs, out.kind = []*ast.MappingValueNode{v}, 'm'
	case *ast.SequenceNode:
		out.kind = 'l'
		for _, item := range v.Values {
			out.vals = append(out.vals, r.node(item))
		}
	case *ast.StringNode:
		out.kind, out.text = 's', v.Value
		out.quoted = v.Token != nil && strings.ContainsAny(string(v.Token.Origin), `"'`) && strings.HasPrefix(strings.TrimSpace(v.Token.Origin), string(v.Token.Origin[strings.IndexAny(v.Token.Origin, `"'`)]))
	case *ast.LiteralNode:
		out.kind, out.text, out.quoted = 's', v.Value.Value, true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		r.fault(out, "这里不用锚点、引用和标签")
	default:
		out.kind, out.text = 's', n.GetToken().Value
	}
	for _, kv := range pairs {
		k := r.node(kv.Key)
		k.kind, k.text = 's', strings.Trim(kv.Key.GetToken().Value, `"'`)
		if slices.ContainsFunc(out.keys, func(o *node) bool { return o.text == k.text }) {
			r.fault(k, "「%s」写了两次", k.text)
			continue
		}
		out.keys, out.vals = append(out.keys, k), append(out.vals, r.node(kv.Value))
	}
	if out.kind == 'm' && len(out.keys) > 0 {
		out.line, out.col = out.keys[0].line, out.keys[0].col
	}
	return out
}

func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k.text == key {
			return n.vals[i]
		}
	}
	return nil
}

// fields reads a map whose keys are known; one that is not is a fault.
func (r *reader) fields(n *node, what string, known map[string]func(*node)) {
	if n.kind != 'm' {
		r.fault(n, "%s应是「键: 值」的一组", what)
		return
	}
	for i, k := range n.keys {
		read, ok := known[k.text]
		if !ok {
			r.fault(k, "%s没有「%s」这一项%s", what, k.text, near(k.text, known))
			continue
		}
		read(n.vals[i])
	}
}

func near[T any](word string, known map[string]T) string {
	best, least := "", 3
	for k := range known {
		if d := distance(word, k); d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "，是不是「" + best + "」"
}

// distance is how many letters differ (Levenshtein).
func distance(a, b string) int {
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

func (r *reader) text(n *node) string {
	if n.kind != 's' {
		r.fault(n, "这里应是一个值")
	}
	return n.text
}

func (r *reader) texts(n *node) (out []string) {
	if n.kind == 's' {
		return []string{n.text}
	}
	if n.kind != 'l' {
		r.fault(n, "这里应是一个列表")
		return nil
	}
	for _, v := range n.vals {
		out = append(out, r.text(v))
	}
	return out
}

func (r *reader) number(n *node, lo, hi int) int {
	v, err := strconv.Atoi(n.text)
	if n.kind != 's' || err != nil || v < lo || v > hi {
		r.fault(n, "这里应是 %d 到 %d 的整数", lo, hi)
		return lo
	}
	return v
}

func (r *reader) flag(n *node) bool {
	v, err := strconv.ParseBool(n.text)
	if n.kind != 's' || err != nil {
		r.fault(n, "这里应是 true 或 false")
	}
	return v
}

func (r *reader) duration(n *node, most time.Duration) time.Duration {
	d, err := time.ParseDuration(n.text)
	if n.kind != 's' || err != nil || d <= 0 || d > most {
		r.fault(n, "这里应是时长（例 10s、5m、168h），最长 %s", most)
		return most
	}
	return d
}
