package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"frontline/bot/chat"
)

var (
	han       = regexp.MustCompile(`[\p{Han}，。；：、（）「」]`)
	action    = regexp.MustCompile(`\{\{.*?\}\}`)
	quoted    = regexp.MustCompile(`(\.T )?"([^"]*)"`)
	brandMark = "<b>一</b>"
)

// Every Chinese text of a template goes through the catalogue and has English.
func TestTemplatesAreTranslated(t *testing.T) {
	err := fs.WalkDir(embedded, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := embedded.ReadFile(path)
		text := strings.ReplaceAll(string(b), brandMark, "")
		if m := han.FindStringIndex(action.ReplaceAllString(text, "")); m != nil {
			plain := action.ReplaceAllString(text, "")
			t.Errorf("%s: text outside the catalogue: %.60s", path, plain[m[0]:])
		}
		for _, a := range action.FindAllString(text, -1) {
			for _, m := range quoted.FindAllStringSubmatch(a, -1) {
				if m[1] == "" && han.MatchString(m[2]) {
					t.Errorf("%s: %q is not passed through T", path, m[2])
				}
				if _, ok := english[m[2]]; m[1] != "" && !ok {
					t.Errorf("%s: %q has no English", path, m[2])
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// spoken are Chinese texts of the code that are not the console's own words:
// what is said in chat, and what is looked for in it.
var spoken = []string{"#＃", "没解决", "查 ", `(?:单号|已建单) (T\d+)`, "报障 伪造的消息", "优先级改为 ", "接手", "转给", "并到", "报障人撤回", "、,， ;；\n\t", "测试消息：%s 从控制台发出，收到就说明机器人正常。"}

// Every other Chinese text of the code is a key of the catalogue.
func TestCodeIsTranslated(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := slices.Clone(spoken)
	for _, s := range scenes {
		said = append(said, s.Text)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "lang") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			if _, known := english[text]; han.MatchString(text) && !known && !slices.Contains(said, text) {
				t.Errorf("%s: %q has no English", name, text)
			}
			return true
		})
	}
}

// A translation takes the arguments that the text takes, and no Chinese is left in it.
func TestTranslationsFit(t *testing.T) {
	verb := regexp.MustCompile(`%[a-z]`)
	for key, e := range english {
		if !slices.Equal(verb.FindAllString(key, -1), verb.FindAllString(e, -1)) {
			t.Errorf("%q and %q take different arguments", key, e)
		}
		if key != "English" && han.MatchString(e) {
			t.Errorf("the English of %q is %q", key, e)
		}
	}
	for _, r := range chat.Roles {
		if english[r.Title()] == "" {
			t.Errorf("role %s has no English", r)
		}
	}
}

func TestEnglishPage(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	b.client.Jar.(*jar).all = append(b.client.Jar.(*jar).all, cookie("lang", "en"))
	_, body := b.get("/tokens")
	for _, want := range []string{`lang="en"`, "API tokens", "Home", "Sign out"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the English page", want)
		}
	}
}

// Every command's summary has English.
func TestCommandsAreTranslated(t *testing.T) {
	c := startConsole(t, nil)
	for _, x := range c.web.opt.Desk.Commands {
		if !x.Hidden && english[x.Summary] == "" {
			t.Errorf("%s: %q has no English", x.Name, x.Summary)
		}
	}
	b := c.as(chat.Admin)
	b.client.Jar.(*jar).all = append(b.client.Jar.(*jar).all, cookie("lang", "en"))
	if _, body := b.get("/rights"); !strings.Contains(body, "tickets that wait, most urgent first") {
		t.Error("the table of rights has no English summaries")
	}
}
