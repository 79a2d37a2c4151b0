package web

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"frontline/store"
	"frontline/store/storetest"
)

// The examples of docs/examples do what they say, against a running server.
func TestExamples(t *testing.T) {
	c := startConsole(t, nil)
	p := c.program("admin", "write")
	for i, x := range []struct {
		needs string
		args  []string
		want  string
	}{
		{"curl", []string{"sh", "../docs/examples/report.sh", "示例一：行情不刷新"}, `"number":1`},
		{"python3", []string{"python3", "../docs/examples/report.py", "示例二：登录闪退"}, "T2 示例二"},
		{"go", []string{"go", "run", "../docs/examples/report", "新股中签怎么缴款"}, "T3 新股中签"},
	} {
		if _, err := exec.LookPath(x.needs); err != nil {
			storetest.Skip(t, "no "+x.needs)
		}
		cmd := exec.Command(x.args[0], x.args[1:]...)
		cmd.Env = append(os.Environ(), "FRONTLINE_URL="+c.URL, "FRONTLINE_TOKEN="+p.token)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), x.want) {
			t.Errorf("%v: %v\n%s", x.args, err, out)
		}
		n, err := c.store.CountTickets(t.Context(), store.TicketQuery{})
		if err != nil || n != int64(i+1) {
			t.Errorf("%d tickets after %v, %v", n, x.args, err)
		}
	}
}
