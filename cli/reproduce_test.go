package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontline/bot/standin"
)

// After 复现 nothing that identifies the ticket's customer is anywhere: not in
// the database, the files, the log, in what was said, nor in the test systems.
func TestReproduceKeepsNobody(t *testing.T) {
	dir := t.TempDir()
	r := startTestDemo(t, dir)
	who := []string{"11010519491231002X", "13811112222", "6228480402564890018", "10023371"}
	reporter := r.as(t, "linxiaowen")
	if got := reporter.say("报障 客户银证转账转出报银行余额与账户信息不符 身份证 " + who[0] + " 手机 " + who[1] + " 卡号 " + who[2] + " 客户号 " + who[3] + " 金额 2500元"); !strings.Contains(got, "已建单 T1") {
		t.Fatal(got)
	}
	desk := r.as(t, "guyuan")
	for _, c := range []struct{ say, want string }{{"复现 1", "只取形状"}, {"执行", "R1 要第二个人批"}} {
		if got := desk.say(c.say); !strings.Contains(got, c.want) {
			t.Fatalf("%s: %s", c.say, got)
		}
	}
	if got := r.as(t, "chenshuo").say("批准 R1"); !strings.Contains(got, "批准") {
		t.Fatal(got)
	}
	if got := desk.listen(); !strings.Contains(got, "R1 完成") {
		t.Fatal(got)
	}
	everywhere := map[string][]byte{}
	for _, user := range []string{"guyuan", "chenshuo"} {
		feed, err := json.Marshal(r.standin.Feed(context.Background(), standin.FeedQuery{User: user}))
		if err != nil {
			t.Fatal(err)
		}
		everywhere["what "+user+" reads"] = feed
	}
	r.stop()
	everywhere["the log"] = []byte(r.log.String())
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		everywhere[path] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(everywhere) < 6 {
		t.Fatalf("only %d places", len(everywhere))
	}
	for place, b := range everywhere {
		for _, v := range who {
			if bytes.Contains(b, []byte(v)) {
				t.Errorf("%s is in clear in %s", v, place)
			}
		}
	}
}
