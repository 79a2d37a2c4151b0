//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// Debian's own Prometheus and Alertmanager beside the real program: what they
// send arrives, and how the two take alerts is compared.

// tool is the path of a program, or the end of the test where there is none.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		storetest.Skip(t, name+" is not installed")
	}
	return path
}

// peer is a program of others on a port of its own.
type peer struct {
	t    *testing.T
	addr string
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &peer{t: t, addr: l.Addr().String()}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%v\n%s", p.args, tail(p.log.String(), 3000))
		}
	})
	return p
}

func (p *peer) start(args ...string) {
	p.t.Helper()
	if len(args) > 0 {
		p.args = args
	}
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + p.addr + "/-/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Since(began) > 30*time.Second {
			p.t.Fatalf("%s is not ready: %v", p.args[0], err)
		}
	}
}

func (p *peer) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// alertmanager starts one with a configuration.
func alertmanager(t *testing.T, config string) *peer {
	t.Helper()
	dir, bin := t.TempDir(), tool(t, "prometheus-alertmanager")
	p := newPeer(t)
	p.start(bin, "--config.file="+write(t, filepath.Join(dir, "am.yml"), config), "--storage.path="+filepath.Join(dir, "am"),
		"--web.listen-address="+p.addr, "--cluster.listen-address=", "--log.level=warn")
	return p
}

// A Prometheus rule fires and ends; its Alertmanager posts to the program, and
// so does Prometheus itself: each time it is one alert that began and ended, and
// the group hears of both.
func TestPrometheusAndAlertmanager(t *testing.T) {
	tool(t, "prometheus")
	tool(t, "prometheus-alertmanager")
	w, r := alertWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), nil)
	r.start()
	w.up(r)
	var abnormal atomic.Int64
	metrics := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(rw, "trade_accounts{status=\"abnormal\",market=\"SH\"} %d\n", abnormal.Load())
	}))
	defer metrics.Close()
	am := alertmanager(t, fmt.Sprintf(`route: { receiver: frontline, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: frontline
    webhook_configs:
      - url: http://%s/hooks/alertmanager
        http_config: { authorization: { credentials: %s } }
`, r.addr, hooksToken))
	dir := t.TempDir()
	rules := write(t, filepath.Join(dir, "rules.yml"), `groups:
  - name: trade
    interval: 1s
    rules:
      - alert: TradeStatusAbnormal
        expr: trade_accounts{status="abnormal"} > 30
        labels: { severity: critical, system: 集中交易, team: quick }
        annotations: { summary: '沪A状态异常 {{ $value }} 户' }
`)
	config := write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [%s]
scrape_configs: [{ job_name: trade, static_configs: [{ targets: ['%s'] }] }]
alerting:
  alertmanagers:
    - static_configs: [{ targets: ['%s'] }]
    - path_prefix: /hooks/spare
      authorization: { credentials: %s }
      static_configs: [{ targets: ['%s'] }]
`, rules, strings.TrimPrefix(metrics.URL, "http://"), am.addr, hooksToken, r.addr))
	prom := newPeer(t)
	prom.start(tool(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+prom.addr, "--rules.alert.resend-delay=1s", "--log.level=warn")
	both := []string{"alertmanager", "spare"}
	await := func(what string, ok func(c store.AlertTally) bool) {
		t.Helper()
		for _, source := range both {
			w.until(source+": "+what, 60*time.Second, func() bool {
				time.Sleep(50 * time.Millisecond)
				return ok(w.tally(r, source))
			})
		}
	}
	heard := func(what string) {
		t.Helper()
		w.until("the group hears of "+what, 30*time.Second, func() bool {
			n := 0
			for _, p := range w.pushed() {
				if strings.Contains(p.Text, what) {
					n++
				}
			}
			return n == len(both)
		})
	}
	abnormal.Store(33)
	await("it fires", func(c store.AlertTally) bool { return c.OpenAtEnd == 1 })
	heard("沪A状态异常 33 户")
	abnormal.Store(3)
	await("it has ended", func(c store.AlertTally) bool { return c.OpenAtEnd == 0 && c.Resolved > 0 })
	heard("已恢复")
	for _, source := range both {
		c := w.tally(r, source)
		if c.Opened != 1 || c.Resolved != 1 || c.WithoutOpen != 0 {
			t.Errorf("%s: %+v, want one alert that began and ended", source, c)
		}
		var list struct {
			Alerts []struct {
				Name, Severity, State, Title string
				Labels                       map[string]string
			} `json:"alerts"`
		}
		if err := r.api(t.Context(), "alerts?source="+source, &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Alerts) != 1 || list.Alerts[0].Labels["market"] != "SH" {
			t.Errorf("%s: %+v", source, list)
		}
	}
}

// batches makes n bodies of size alerts each, as Prometheus posts them: all
// different, of a few rules, as many as systems have.
func batches(n, size int, run string) [][]byte {
	out := make([][]byte, n)
	starts := time.Now().UTC().Format(time.RFC3339Nano)
	ends := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	for i := range n {
		list := make([]map[string]any, size)
		for k := range size {
			id := i*size + k
			list[k] = map[string]any{"startsAt": starts, "endsAt": ends, "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
				"labels":      map[string]string{"alertname": fmt.Sprint("Rule", id%20), "instance": fmt.Sprintf("host-%s-%d", run, id), "job": "trade", "severity": "warning", "system": "集中交易"},
				"annotations": map[string]string{"summary": fmt.Sprintf("委托队列积压，主机 %d", id), "description": "队列长度超过阈值已 5 分钟，请检查下游网关"}}
		}
		out[i], _ = json.Marshal(list)
	}
	return out
}

// pour posts all bodies over some connections, each the next one when its last
// was answered 2xx, and returns how long that took.
func pour(t *testing.T, address string, conns int, bodies [][]byte) time.Duration {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: conns}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	errs := make(chan error, conns)
	began := time.Now()
	for range conns {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(bodies) {
					errs <- nil
					return
				}
				req, err := http.NewRequest("POST", address, bytes.NewReader(bodies[i]))
				if err != nil {
					errs <- err
					return
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+hooksToken)
				resp, err := client.Do(req)
				if err != nil {
					errs <- err
					return
				}
				answer, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode/100 != 2 {
					errs <- fmt.Errorf("%s: %s", resp.Status, answer)
					return
				}
			}
		}()
	}
	for range conns {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

// held is how many alerts an Alertmanager knows.
func (p *peer) held(ctx context.Context) int {
	p.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.addr+"/api/v2/alerts", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var list []struct{ Fingerprint string }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

const quietAlertmanager = "route: { receiver: nobody, group_by: [alertname], group_wait: 20s, group_interval: 2m, repeat_interval: 1h }\nreceivers: [{ name: nobody }]\n"

// A thousand alerts are accepted, then the process is killed: how many are there
// after it started again?
func TestAlertsLostBesideAlertmanager(t *testing.T) {
	am := alertmanager(t, quietAlertmanager)
	w, r := alertWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), nil)
	r.start()
	w.up(r)
	const most, size = 1000, 50
	bodies := batches(most/size, size, "lost")
	pour(t, "http://"+am.addr+"/api/v2/alerts", 4, bodies)
	pour(t, "http://"+r.addr+"/hooks/spare", 4, bodies)
	am.kill()
	r.kill()
	am.start()
	r.start()
	w.up(r)
	w.applied(r)
	ours := w.tally(r, "spare")
	t.Logf("1000 alerts accepted, then kill -9 and a new start: lost by Frontline %d, by Alertmanager %d (it keeps alerts in memory and counts on Prometheus to send them again)", most-ours.OpenAtEnd, most-am.held(t.Context()))
	if ours.Opened != most || ours.OpenAtEnd != most {
		t.Errorf("%+v", ours)
	}
}

// Alerts a second that are accepted, 50 in a POST: by the program, which has
// them on the disk when it answers, and by Alertmanager, which has them in memory.
// The program applies them after that: the second figure of its is of alerts that
// are grouped, counted and on the pages. make bench-alerts prints the figures.
func TestAlertRateBesideAlertmanager(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make bench-alerts")
	}
	const size, posts, conns, rounds = 50, 400, 8, 5
	for _, kind := range []string{"sqlite", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			dbURL := "sqlite:" + filepath.Join(t.TempDir(), "frontline.db")
			if kind == "mysql" {
				dbURL = storetest.MySQL(t)
			}
			am := alertmanager(t, quietAlertmanager)
			w, r := alertWorld(t, dbURL, nil)
			r.start()
			w.up(r)
			address := map[string]string{"frontline": "http://" + r.addr + "/hooks/spare", "alertmanager": "http://" + am.addr + "/api/v2/alerts"}
			pid := map[string]int{"frontline": r.cmd.Process.Pid, "alertmanager": am.cmd.Process.Pid}
			rate, work := map[string][]float64{}, map[string][]float64{}
			for round := range rounds + 1 { // the first one warms up
				bodies := batches(posts, size, fmt.Sprint(round))
				for _, what := range []string{"new", "repeated"} {
					for _, who := range []string{"alertmanager", "frontline"} {
						before := processor(pid[who])
						began := time.Now()
						took := pour(t, address[who], conns, bodies)
						whole := took
						if who == "frontline" {
							w.applied(r)
							whole = time.Since(began)
						}
						if round > 0 {
							rate[who+what+" applied"] = append(rate[who+what+" applied"], size*posts/whole.Seconds())
							work[who+what] = append(work[who+what], float64((processor(pid[who])-before).Microseconds())/size/posts)
							rate[who+what] = append(rate[who+what], size*posts/took.Seconds())
						}
					}
				}
			}
			for _, what := range []string{"new", "repeated"} {
				ours, theirs := middle(rate["frontline"+what]), middle(rate["alertmanager"+what])
				applied := middle(rate["frontline"+what+" applied"])
				t.Logf("%-9s alerts a second, %d in a POST, %d connections, median of %d rounds: kept by Frontline on %s %.0f, Alertmanager %.0f, ratio %.2f; applied %.0f, ratio %.2f; processor time of the server for an alert, until it is applied, %.0f µs and %.0f µs",
					what, size, conns, rounds, kind, ours, theirs, ours/theirs, applied, applied/theirs, middle(work["frontline"+what]), middle(work["alertmanager"+what]))
			}
		})
	}
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// processor is the processor time of a process so far, 0 where the system does
// not tell.
func processor(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from the state on
	user, _ := strconv.Atoi(f[11])
	sys, _ := strconv.Atoi(f[12])
	return time.Duration(user+sys) * 10 * time.Millisecond
}
