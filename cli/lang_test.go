package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"frontline/bot"
)

var chinese = regexp.MustCompile(`\p{Han}`)

// Every Chinese text of the doctor has English, with the same arguments, and so
// has every piece of advice about an error code.
func TestDoctorIsTranslated(t *testing.T) {
	src, err := os.ReadFile("doctor.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "doctor.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, _ := strconv.Unquote(lit.Value)
		if _, known := englishDoctor[text]; chinese.MatchString(text) && !known {
			t.Errorf("%q has no English", text)
		}
		found++
		return true
	})
	for code := int64(-1); code < 100_000; code++ {
		if a := bot.Advice(code); a != "" && englishDoctor[a] == "" {
			t.Errorf("the advice about %d has no English: %s", code, a)
		}
	}
	for _, code := range []int64{853000} { // far behind all others
		if a := bot.Advice(code); a == "" || englishDoctor[a] == "" {
			t.Errorf("the advice about %d has no English: %q", code, a)
		}
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for key, e := range englishDoctor {
		if strings.Join(verb.FindAllString(key, -1), "") != strings.Join(verb.FindAllString(e, -1), "") || chinese.MatchString(e) {
			t.Errorf("%q became %q", key, e)
		}
	}
	if found < 50 {
		t.Errorf("only %d texts were looked at", found)
	}
}

func TestDoctorSpeaksEnglish(t *testing.T) {
	dir := t.TempDir()
	_, out, _ := run(t, dir, []string{"FRONTLINE_LANG=en"}, "doctor")
	if chinese.MatchString(out) || !strings.Contains(out, "[unset] Redis: not set; one process needs none") {
		t.Errorf("the doctor says:\n%s", out)
	}
	if _, out, _ := run(t, dir, nil, "doctor"); !strings.Contains(out, "[未设] Redis：没有设置，单个进程不需要") {
		t.Errorf("the doctor says:\n%s", out)
	}
}
