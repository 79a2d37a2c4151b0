package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStart: size of the binary, time until the demo is ready, memory at rest.
func TestStart(t *testing.T) {
	only(t)
	bin := filepath.Join(t.TempDir(), "frontline")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("binary                 %8.1f MB   (goal < 60)", float64(info.Size())/1e6)
	dir := filepath.Join(t.TempDir(), "demo")
	for _, run := range []string{"first start", "second start"} {
		began := time.Now()
		demo := exec.Command(bin, "demo", "-dir", dir, "-listen", "127.0.0.1:0")
		out, err := demo.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := demo.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		took := time.Since(began)
		if err != nil || !strings.Contains(line, "ready") {
			t.Fatalf("the demo says %q, %v", line, err)
		}
		t.Logf("demo ready, %-12s %6.2f s    (goal < 2)", run, took.Seconds())
		time.Sleep(3 * time.Second)
		t.Logf("memory at rest         %8.1f MB   (goal < 100)", rss(t, demo.Process.Pid))
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	}
}

// rss is the resident memory of a process, where the system tells it.
func rss(t *testing.T, pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Logf("no memory figure here: %v", err)
		return 0
	}
	for _, l := range strings.Split(string(b), "\n") {
		var kb float64
		if n, _ := fmt.Sscanf(l, "VmRSS: %f kB", &kb); n == 1 {
			return kb / 1e3
		}
	}
	return 0
}
