package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontline/handlers/construct"
)

func runFor(t *testing.T, vars []string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(context.Background(), args, Env{Vars: vars, Stdout: &o, Stderr: &e})
	return code, o.String(), e.String()
}

func TestConstructCommand(t *testing.T) {
	code, out, errs := runFor(t, nil, "construct", "list")
	if code != exitDone || !strings.Contains(out, "open-account") || !strings.Contains(out, "branch=…") {
		t.Errorf("list: %d %s %s", code, out, errs)
	}
	code, out, errs = runFor(t, nil, "construct", "run", "open-full", "-count", "2", "sex=女", "age=30", "gem=true")
	if code != exitDone || strings.Count(out, " done 客户号=****") != 2 || !strings.Contains(out, "R1 done 2/2 seed ") {
		t.Errorf("run: %d %s %s", code, out, errs)
	}
	if code, out, _ = runFor(t, nil, "construct", "run", "-clear", "open-account", "branch=3001"); code != exitDone || !strings.Contains(out, "cust_no=99") {
		t.Errorf("in clear: %d %s", code, out)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"open-account"}, "branch= (营业部)"},
		{[]string{"open-account", "branch=9999"}, "不在清单里"},
		{[]string{"open-account", "branch=3001", "id_no=123"}, "身份证号"},
		{[]string{"open-account", "brunch=3001"}, "没有参数 brunch"},
		{[]string{"open-account", "branch=3001", "-count", "500"}, "最多 200 个"},
		{[]string{"open-account", "branch=3001", "-count", "21"}, "second person"},
		{[]string{"nothing"}, "no recipe"},
		{[]string{"open-account", "branch=3001", "-env", "prod"}, "不能在 prod 用"},
	} {
		if code, _, errs := runFor(t, nil, append([]string{"construct", "run"}, c.args...)...); code != exitUsage || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s", c.args, code, errs)
		}
	}
	if code, _, errs := runFor(t, []string{"FRONTLINE_CONSTRUCT_ZONE=prod"}, "construct", "list"); code != exitUsage || !strings.Contains(errs, "construct.zone") {
		t.Errorf("in production: %d %s", code, errs)
	}
}

func TestConstructCheck(t *testing.T) {
	dir := t.TempDir()
	good, err := construct.Examples.ReadFile("recipes/open-account.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := runFor(t, nil, "construct", "check", dir); code != exitDone || !strings.Contains(out, "open-account v3: 4 steps, ok") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if err := os.WriteFile(file, bytes.Replace(good, []byte("timeout: 3m"), []byte("timeuot: 3m"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runFor(t, nil, "construct", "check", file); code != exitFailed || !strings.Contains(errs, file+":19:1: 配方没有「timeuot」") {
		t.Errorf("%d %s", code, errs)
	}
	if code, _, _ := runFor(t, nil, "uat", "-listen", "0.0.0.0:8090"); code != exitUsage {
		t.Errorf("the stand-in listens everywhere: %d", code)
	}
}
