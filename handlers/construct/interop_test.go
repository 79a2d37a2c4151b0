package construct

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontline/handlers/construct/gen"
	"frontline/store/storetest"
)

// npmFolder is a copy of testdata/interop with its packages installed.
func npmFolder(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := osexec.LookPath(tool); err != nil {
			storetest.Skip(t, tool+" is not installed")
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/interop")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := osexec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		storetest.Skip(t, fmt.Sprintf("npm cannot install: %v %s", err, out))
	}
	return dir
}

// loan asks for a loan as a recipe would, and checks what came back.
func loan(t *testing.T, address string) {
	t.Helper()
	c, q := oneTarget(only(0), &Target{Name: "loan", Kind: "soap", Address: address, CIDR: anywhere, Rights: []string{"call"}, Rate: 100, Namespace: "http://service.parabank.parasoft.com/"})
	q.Kind, q.Op, q.Read = "soap", "requestLoan", false
	ask := func(amount string) (map[string]any, error) {
		q.SOAPBody = Ordered{{"m:loanRequest", Ordered{{"customerId", 12212}, {"availableFunds", "1000.00"}, {"loanAmount", amount}, {"downPayment", "0.10"}}}}
		return c.send(context.Background(), q)
	}
	resp, err := ask("500000.25")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := resp["loanResponse"].(map[string]any)
	if got["accountId"] != "12212" || got["loanProviderName"] != "甲<银行>" || got["message"] != "借 500000.25" || got["approved"] != "true" {
		t.Errorf("%v", resp)
	}
	var f *Fail
	if _, err = ask("1000000.01"); !errors.As(err, &f) || f.Class != "soap_fault:Server" || !strings.Contains(f.Text, "额度不足") {
		t.Errorf("%v", err)
	}
}

// TestSOAPPeers calls two servers that share nothing with us and little with
// each other, by a contract that nobody here wrote.
func TestSOAPPeers(t *testing.T) {
	t.Run("npm", func(t *testing.T) {
		cmd := osexec.Command("node", "soap.js")
		cmd.Dir, cmd.Stderr = npmFolder(t), os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { in.Close(); cmd.Wait() }()
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("the server says no port")
		}
		loan(t, "http://127.0.0.1:"+lines.Text()+"/loan")
	})
	t.Run("php", func(t *testing.T) {
		if out, err := osexec.Command("php", "-r", "exit(class_exists('SoapServer') ? 0 : 1);").CombinedOutput(); err != nil {
			storetest.Skip(t, fmt.Sprintf("php with SOAP is not installed: %v %s", err, out))
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		l.Close()
		dir, err := filepath.Abs("testdata/interop")
		if err != nil {
			t.Fatal(err)
		}
		cmd := osexec.Command("php", "-S", addr, filepath.Join(dir, "soap.php"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { cmd.Process.Kill(); cmd.Wait() }()
		for until := time.Now().Add(10 * time.Second); ; {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(until) {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // until it listens
		}
		loan(t, "http://"+addr+"/")
	})
}

// TestIDValidator asks npm's id-validator about generated identity numbers.
func TestIDValidator(t *testing.T) {
	g := gen.New(gen.Config{Seed: 5})
	var ids strings.Builder
	for range 20_000 {
		v, err := g.Make("person.id", gen.Options{"age": "1-100"})
		if err != nil {
			t.Fatal(err)
		}
		ids.WriteString(v + "\n")
	}
	cmd := osexec.Command("node", "ids.js")
	cmd.Dir, cmd.Stdin = npmFolder(t), strings.NewReader(ids.String())
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "done 0" {
		t.Errorf("%v %.400s", err, out)
	}
}
