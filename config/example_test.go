package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write example.yaml anew")

// TestExampleIsCurrent makes the example from the comments of the structs.
func TestExampleIsCurrent(t *testing.T) {
	want := makeExample(t)
	if *update {
		if err := os.WriteFile("example.yaml", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if Example != want {
		t.Error("example.yaml is stale: run go test ./config -update")
	}
}

func TestExampleLoads(t *testing.T) {
	file := t.TempDir() + "/frontline.yaml"
	if err := os.WriteFile(file, []byte(Example), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%#v", c), fmt.Sprintf("%#v", Default()); got != want {
		t.Errorf("the example is not the defaults:\n%s\n%s", got, want)
	}
}

// TestEveryOptionInExample: with the # of every option taken away, each is known.
func TestEveryOptionUncommentedLoads(t *testing.T) {
	var lines []string
	for _, l := range strings.Split(Example, "\n") {
		trimmed := strings.TrimLeft(l, " ")
		if strings.HasPrefix(trimmed, "#") && !strings.HasPrefix(trimmed, "# ") {
			l = strings.Replace(l, "#", "", 1)
		}
		lines = append(lines, l)
	}
	var f Faults
	readYAML(Default(), "example", []byte(strings.Join(lines, "\n")), &f)
	if len(f) > 0 {
		t.Errorf("%v\n%s", f, strings.Join(lines, "\n"))
	}
}

func makeExample(t *testing.T) string {
	structs := map[string]*ast.StructType{}
	docs := map[string]string{}
	var decls []ast.Decl
	for _, name := range []string{"config.go", "tickets.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	for _, d := range decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok {
				if st, ok := ts.Type.(*ast.StructType); ok {
					structs[ts.Name.Name] = st
					docs[ts.Name.Name] = g.Doc.Text()
				}
			}
		}
	}
	var b strings.Builder
	b.WriteString("# Frontline configuration. Every option can also be set by a variable: the path in upper\n# snake case behind FRONTLINE_, so wecom.app.secret is FRONTLINE_WECOM_APP_SECRET; a name that\n# ends in _FILE names a file that holds the value. Lines that begin with #key are not set.\n\n")
	writeStruct(&b, structs, docs, "Config", "")
	return b.String()
}

func writeStruct(b *strings.Builder, structs map[string]*ast.StructType, docs map[string]string, name, indent string) {
	for _, f := range structs[name].Fields.List {
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		doc := f.Doc.Text()
		kind, list := fmt.Sprint(f.Type), false
		if a, ok := f.Type.(*ast.ArrayType); ok {
			kind, list = fmt.Sprint(a.Elt), true
		}
		if structs[kind] != nil && doc == "" {
			// The comment of a section is the struct's own, without its name.
			doc = strings.ToUpper(kind[:1]) + kind[1:] + strings.TrimPrefix(docs[kind], kind)
		}
		for _, l := range strings.Split(strings.TrimSpace(doc), "\n") {
			if l != "" {
				b.WriteString(indent + "# " + l + "\n")
			}
		}
		key := tag.Get("yaml")
		switch value := tag.Get("default"); {
		case structs[kind] != nil && list:
			fmt.Fprintf(b, "%s#%s:\n", indent, key)
			var item strings.Builder
			writeStruct(&item, structs, docs, kind, indent+"    ")
			writeItem(b, item.String(), indent)
			continue
		case structs[kind] != nil:
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			writeStruct(b, structs, docs, kind, indent+"  ")
		case value != "":
			fmt.Fprintf(b, "%s%s: %s\n", indent, key, quote(value))
		default:
			fmt.Fprintf(b, "%s#%s: %s\n", indent, key, tag.Get("example"))
		}
		if indent == "" {
			b.WriteString("\n")
		}
	}
}

// writeItem comments out one item of a list of structs.
func writeItem(b *strings.Builder, item, indent string) {
	first := true
	for _, l := range strings.Split(strings.TrimRight(item, "\n"), "\n") {
		text := strings.TrimLeft(l, " ")
		if strings.HasPrefix(text, "# ") {
			fmt.Fprintf(b, "%s# %s\n", indent, strings.TrimPrefix(text, "# "))
			continue
		}
		lead := "    "
		if first {
			lead, first = "  - ", false
		}
		fmt.Fprintf(b, "%s#%s%s\n", indent, lead, strings.TrimPrefix(text, "#"))
	}
	b.WriteString("\n")
}

func quote(v string) string {
	if strings.HasPrefix(v, ":") {
		return `"` + v + `"`
	}
	return v
}
