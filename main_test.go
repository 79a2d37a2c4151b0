package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is the table of who may import what of ours. Go forbids cycles but
// not the wrong direction, so this test does. Test files may import more.
var allowed = map[string][]string{
	".":                        {"cli"},
	"cli":                      {"bot", "bot/chat", "bot/standin", "config", "history", "handlers", "handlers/alert", "handlers/calendar", "handlers/construct", "handlers/construct/gen", "handlers/monitor", "handlers/spec", "kb", "kb/llm", "kb/sample", "store", "uat", "web"},
	"bot":                      {"bot/chat"},
	"bot/chat":                 {},
	"bot/standin":              {},
	"config":                   {"bot/chat"},
	"handlers":                 {"bot/chat", "chart", "handlers/alert", "handlers/calendar", "handlers/construct", "handlers/construct/gen", "handlers/mask", "handlers/monitor", "kb", "store"},
	"handlers/alert":           {"bot/chat", "handlers/mask", "store"},
	"handlers/alert/alerttest": {"bot/standin"},
	"handlers/calendar":        {},
	"chart":                    {},
	"docs/examples/report":     {},
	"ical":                     {},
	"history":                  {"bot/chat", "handlers/calendar", "store"},
	"handlers/mask":            {},
	"handlers/construct":       {"bot/chat", "handlers/construct/gen", "handlers/mask", "handlers/spec", "store"},
	"handlers/monitor":         {"handlers/alert", "handlers/calendar", "handlers/mask", "handlers/spec", "store"},
	"handlers/spec":            {},
	"uat":                      {},
	"handlers/construct/gen":   {"handlers/calendar"},
	"kb":                       {},
	"kb/llm":                   {"kb"},
	"kb/sample":                {"kb"},
	"picture":                  {},
	"sheet":                    {},
	"store":                    {"bot/chat", "kb"},
	"store/storetest":          {"store"},
	"web":                      {"bot/chat", "chart", "handlers", "handlers/alert", "handlers/calendar", "handlers/construct", "handlers/mask", "handlers/monitor", "ical", "kb", "picture", "sheet", "store"},
}

// only says which packages alone may use a library.
var only = map[string][]string{
	"github.com/silenceper/wechat/v2":   {"bot"},
	"gorm.io/":                          {"store"},
	"github.com/redis/go-redis/v9":      {"store"},
	"github.com/wneessen/go-mail":       {"bot"},
	"github.com/sashabaranov/go-openai": {"kb/llm"},
	"github.com/xuri/excelize/v2":       {"kb", "sheet"},
	"github.com/coder/websocket":        {"bot", "bot/standin"},
}

func TestImports(t *testing.T) {
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "internal" || d.Name() == "bench" || d.Name() == "dist") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		mine, known := allowed[pkg]
		if !known {
			t.Errorf("%s: package %s is not in the table of this test", path, pkg)
		}
		for _, im := range file.Imports {
			name, _ := strconv.Unquote(im.Path.Value)
			if ours, ok := strings.CutPrefix(name, "frontline/"); ok && !slices.Contains(mine, ours) {
				t.Errorf("%s: %s must not import %s", fset.Position(im.Pos()), pkg, ours)
			}
			for lib, users := range only {
				if strings.HasPrefix(name, lib) && !slices.Contains(users, pkg) {
					t.Errorf("%s: only %v may import %s", fset.Position(im.Pos()), users, name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// logKeys is the fixed list of keys of log lines: what machines may rely on.
var logKeys = []string{"address", "ahead", "api", "attempt", "check", "class", "code", "command", "component", "delivery_id", "err", "file", "job", "message_id", "outcome", "panic", "place", "prompt", "replica", "result",
	"shard", "skew", "stack", "thread", "ticket_id", "took", "version", "via", "wait"}

// TestLogKeys finds every call of a logger and refuses keys that are not in the list.
func TestLogKeys(t *testing.T) {
	fset := token.NewFileSet()
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "standin/") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !isLogger(sel.X) {
				return true
			}
			from := map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "With": 0}
			first, ok := from[sel.Sel.Name]
			if !ok {
				return true
			}
			for i := first; i < len(call.Args); i += 2 {
				lit, ok := call.Args[i].(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					continue
				}
				key, _ := strconv.Unquote(lit.Value)
				used[key] = true
				if !slices.Contains(logKeys, key) {
					t.Errorf("%s: log key %q is not in the list of this test", fset.Position(lit.Pos()), key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 8 {
		t.Errorf("only %d keys were found: does this test still see the calls?", len(used))
	}
}

// isLogger tells whether an expression is called log, Log or …Log.
func isLogger(x ast.Expr) bool {
	switch e := x.(type) {
	case *ast.Ident:
		return e.Name == "log"
	case *ast.SelectorExpr:
		return e.Sel.Name == "log" || e.Sel.Name == "Log"
	}
	return false
}
