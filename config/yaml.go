package config

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the file; anchors and aliases are refused, so it cannot grow
// in memory either.
const maxFile = 1 << 20

// readYAML reads the file into c, naming every unknown key and every value of
// the wrong type with its line.
func readYAML(c *Config, file string, text []byte, f *Faults) {
	if len(text) > maxFile {
		f.add("%s: larger than 1 MiB", file)
		return
	}
	doc, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey()) // repeats are named below, with all else
	if err != nil {
		f.add("%s:%s", file, yamlFault(err))
		return
	}
	if len(doc.Docs) > 1 {
		f.add("%s: holds more than one document", file)
		return
	}
	if len(doc.Docs) == 0 || doc.Docs[0].Body == nil {
		return // an empty file is all defaults
	}
	r := yamlReader{file: file, f: f}
	r.object(doc.Docs[0].Body, reflect.ValueOf(c).Elem(), "")
}

type yamlReader struct {
	file string
	f    *Faults
}

func (r yamlReader) fault(n ast.Node, format string, args ...any) {
	line := 0
	if t := n.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	r.f.add("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...))
}

func (r yamlReader) object(n ast.Node, v reflect.Value, path string) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return
	default:
		r.fault(n, "%s must hold keys and values", or(strings.TrimSuffix(path, "."), "the file"))
		return
	}
	fields := map[string]int{}
	for i := range v.NumField() {
		fields[v.Type().Field(i).Tag.Get("yaml")] = i
	}
	seen := map[string]bool{}
	for _, kv := range values {
		key := kv.Key.String()
		i, ok := fields[key]
		switch {
		case !ok:
			r.fault(kv.Key, "unknown key %q%s", path+key, nearest(key, fields))
		case seen[key]:
			r.fault(kv.Key, "key %q stands here twice", path+key)
		default:
			r.value(kv.Value, v.Field(i), path+key)
		}
		seen[key] = true
	}
}

func (r yamlReader) value(n ast.Node, v reflect.Value, path string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		r.fault(n, "%s: anchors and aliases are not used here", path)
		return
	case *ast.NullNode:
		return // "key:" with nothing behind it leaves the default
	}
	switch v.Kind() {
	case reflect.Struct:
		r.object(n, v, path+".")
	case reflect.Slice:
		r.list(n, v, path)
	default:
		r.scalar(n, v, path)
	}
}

func (r yamlReader) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fault(n, "%s must be a list", path)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		r.value(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	v.Set(out)
}

func (r yamlReader) scalar(n ast.Node, v reflect.Value, path string) {
	s, ok := n.(ast.ScalarNode)
	if !ok {
		if _, block := n.(*ast.LiteralNode); !block {
			r.fault(n, "%s must be a single value", path)
			return
		}
	}
	var text string
	if b, block := n.(*ast.LiteralNode); block {
		text = b.Value.Value
	} else if str, isString := s.(*ast.StringNode); isString {
		text = str.Value
	} else {
		text = s.GetToken().Value // numbers as written: an id keeps its zeros
	}
	var f Faults
	setText(v, text, path, &f)
	for _, fault := range f {
		r.fault(n, "%s", fault)
	}
}

func nearest(key string, fields map[string]int) string {
	best, dist := "", 3
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if d := distance(key, n); d < dist {
			best, dist = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
