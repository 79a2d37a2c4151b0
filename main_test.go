package main

import (
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
	".":               {"cli"},
	"cli":             {"bot", "bot/chat", "bot/standin", "config", "handlers", "kb", "kb/llm", "kb/sample", "store", "web"},
	"bot":             {"bot/chat"},
	"bot/chat":        {},
	"bot/standin":     {},
	"config":          {},
	"handlers":        {"bot/chat", "handlers/mask", "kb", "store"},
	"handlers/mask":   {},
	"kb":              {},
	"kb/llm":          {"kb"},
	"kb/sample":       {"kb"},
	"store":           {"bot/chat", "kb"},
	"store/storetest": {"store"},
	"web":             {},
}

// only says which packages alone may use a library.
var only = map[string][]string{
	"github.com/silenceper/wechat/v2":   {"bot"},
	"gorm.io/":                          {"store"},
	"github.com/redis/go-redis/v9":      {"store"},
	"github.com/sashabaranov/go-openai": {"kb/llm"},
	"github.com/xuri/excelize/v2":       {"kb"},
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
