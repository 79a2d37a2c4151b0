package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run runs one command in a folder of its own.
func run(t *testing.T, dir string, vars []string, args ...string) (code int, out, err string) {
	t.Helper()
	t.Chdir(dir)
	var stdout, stderr bytes.Buffer
	code = Run(context.Background(), args, Env{Vars: vars, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr})
	return code, stdout.String(), stderr.String()
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		vars []string
		args []string
		code int
		want string // in stdout or stderr
	}{
		{"no command", nil, nil, 2, "Usage: frontline COMMAND"},
		{"help", nil, []string{"help"}, 0, "frontline demo"},
		{"unknown", nil, []string{"dance"}, 2, `unknown command "dance"`},
		{"version", nil, []string{"version"}, 0, "frontline dev"},
		{"unknown flag", nil, []string{"serve", "-fast"}, 2, "-fast"},
		{"serve without a corp id", nil, []string{"serve"}, 2, "frontline demo"},
		{"serve with faults", []string{"FRONTLINE_LISTENN=x", "FRONTLINE_LOG_LEVEL=loud"}, []string{"serve"}, 2, "FRONTLINE_LISTENN"},
		{"missing file", nil, []string{"serve", "-config", "none.yaml"}, 2, "none.yaml"},
		{"config example", nil, []string{"config", "example"}, 0, "FRONTLINE_WECOM_APP_SECRET"},
		{"config check", nil, []string{"config", "check"}, 2, "wecom.corp_id"},
		{"demo outside", nil, []string{"demo", "-listen", "0.0.0.0:0"}, 2, "this machine only"},
		{"kb nothing", nil, []string{"kb"}, 2, "kb import FILE"},
		{"kb missing file", nil, []string{"kb", "import", "none.jsonl"}, 1, "none.jsonl"},
		{"kb eval incomplete", nil, []string{"kb", "eval", "-kb", "x"}, 2, "-queries"},
		{"user nothing", nil, []string{"user"}, 2, "user list"},
		{"unknown role", nil, []string{"user", "role", "zhou", "+king"}, 2, `unknown role "king"`},
		{"migrate", nil, []string{"migrate"}, 0, "up to date"},
		{"migrate twice", nil, []string{"migrate"}, 0, "up to date"},
		{"unreachable database", []string{"FRONTLINE_DATABASE_URL=mysql://u:topsecret@127.0.0.1:1/x", "FRONTLINE_ENCRYPTION_KEY=" + testKey}, []string{"migrate"}, 1, "reach the database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errText := run(t, dir, c.vars, c.args...)
			if code != c.code || !strings.Contains(out+errText, c.want) {
				t.Errorf("code %d, want %d with %q\nstdout: %s\nstderr: %s", code, c.code, c.want, out, errText)
			}
			if strings.Contains(out+errText, "topsecret") {
				t.Error("a password was printed")
			}
		})
	}
}

const testKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func TestUserRoles(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"user", "role", "zhou", "+curator"}, "zhou: reporter,curator"},
		{[]string{"user", "role", "zhou", "+tester", "-curator"}, "zhou: reporter,tester"},
		{[]string{"user", "role", "zhou", "-tester", "responder"}, "zhou: reporter,responder"},
		{[]string{"user", "list"}, "zhou"},
	} {
		code, out, errText := run(t, dir, nil, c.args...)
		if code != 0 || !strings.Contains(out, c.want) {
			t.Errorf("%v: %d %q %s, want %q", c.args, code, out, errText, c.want)
		}
	}
}

// What export writes, import reads back unchanged; a bad row anywhere stores nothing.
func TestKnowledgeFiles(t *testing.T) {
	dir := t.TempDir()
	writeTestFile(t, filepath.Join(dir, "in.jsonl"), `{"question":"新股中签后怎么缴款","answer":"中签当日 16:00 前账户有足够资金即可。","similar":["打新中了要做什么"],"tags":["新股"]}
{"question":"对账单在哪里下载","answer":"手机端「我的 > 对账单」。"}
`)
	writeTestFile(t, filepath.Join(dir, "bad.csv"), "标准问题,答案\n有答案,有\n没有答案,\n")
	steps := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"kb", "import", "-dry-run", "in.jsonl"}, 0, "would import 2 entries: 2 new"},
		{[]string{"kb", "import", "in.jsonl", "bad.csv"}, 1, "nothing was imported"},
		{[]string{"kb", "import", "in.jsonl"}, 0, "2 new"},
		{[]string{"kb", "import", "in.jsonl"}, 0, "2 the same"},
		{[]string{"kb", "export", "out.xlsx"}, 0, "exported 2"},
		{[]string{"kb", "import", "out.xlsx"}, 0, "2 the same"},
		{[]string{"kb", "export", "out.csv"}, 0, "exported 2"},
		{[]string{"kb", "import", "out.csv"}, 0, "2 the same"},
		{[]string{"kb", "export", "out.md"}, 0, "exported 2"},
		{[]string{"kb", "import", "out.md"}, 0, "2 the same"},
		{[]string{"kb", "search", "打新中了要做什么"}, 0, "新股中签后怎么缴款"},
		{[]string{"kb", "search", "-explain", "对账单哪里下"}, 0, "matched"},
		{[]string{"kb", "export", "out.doc"}, 1, "doc"},
	}
	for _, s := range steps {
		code, out, errText := run(t, dir, nil, s.args...)
		if code != s.code || !strings.Contains(out+errText, s.want) {
			t.Errorf("%v: code %d, want %d with %q\n%s%s", s.args, code, s.code, s.want, out, errText)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out.doc")); err == nil {
		t.Error("a failed export left a file")
	}
}

func TestKnowledgeEval(t *testing.T) {
	dir := t.TempDir()
	writeTestFile(t, filepath.Join(dir, "kb.jsonl"), `{"id":"a","question":"怎么重置交易密码","answer":"x","similar":["交易密码忘了","忘记交易密码怎么办"]}
{"id":"b","question":"银证转账时间","answer":"y","similar":["几点能银证转账"]}
`)
	writeTestFile(t, filepath.Join(dir, "q.jsonl"), `{"id":"1","text":"交易密码忘了","answers":["a"],"kind":"in"}
{"id":"2","text":"今天天气怎么样","answers":[],"kind":"chat"}
`)
	if code, out, errText := run(t, dir, nil, "kb", "eval", "-kb", "kb.jsonl", "-queries", "q.jsonl", "-out", "r.jsonl"); code != 0 {
		t.Fatalf("%d %s %s", code, out, errText)
	}
	text, err := os.ReadFile(filepath.Join(dir, "r.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d results", len(lines))
	}
	var first struct {
		ID       string
		Hits     []struct{ ID string }
		Answered bool
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first.ID != "1" || len(first.Hits) == 0 || first.Hits[0].ID != "a" || !first.Answered {
		t.Errorf("%s: %v", lines[0], err)
	}
	if !strings.Contains(lines[1], `"answered":false`) {
		t.Errorf("small talk was answered: %s", lines[1])
	}
}

// The terminal chat, alone: it runs the same engine inside itself.
func TestChatAlone(t *testing.T) {
	var out bytes.Buffer
	log := &logBuffer{}
	env := Env{Stdin: strings.NewReader("报障 行情页面不刷新\n查 1\n"), Stdout: &out, Stderr: log}
	if code := Run(context.Background(), []string{"chat", "-dir", t.TempDir()}, env); code != 0 {
		t.Fatalf("code %d\n%s\n%s", code, out.String(), log)
	}
	for _, want := range []string{"已建单 T1", "T1 待受理"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
}

// In a second terminal: it finds the demo that runs.
func TestChatFindsTheDemo(t *testing.T) {
	dir := t.TempDir()
	r := startTestDemo(t, dir)
	r.as(t, "linxiaowen").say("我的单")
	var out bytes.Buffer
	env := Env{Stdin: strings.NewReader("帮助\n"), Stdout: &out, Stderr: &out}
	if code := Run(context.Background(), []string{"chat", "-as", "hejun", "-dir", dir}, env); code != 0 || !strings.Contains(out.String(), "我是一线助手") {
		t.Errorf("code %d\n%s", code, out.String())
	}
	out.Reset()
	if code := Run(context.Background(), []string{"chat", "-as", "nobody", "-dir", dir}, env); code != 2 || !strings.Contains(out.String(), "linxiaowen") {
		t.Errorf("an unknown person: %d\n%s", code, out.String())
	}
	out.Reset()
	if code := Run(context.Background(), []string{"demo", "-dir", dir, "-reset", "-listen", "127.0.0.1:0"}, env); code != 1 {
		t.Errorf("a running demo was reset: %d\n%s", code, out.String())
	}
}
