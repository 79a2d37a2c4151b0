// Package bench measures what the program promises, as ratios within one run.
// Nothing here runs unless FRONTLINE_BENCH is set.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"frontline/bot"
	"frontline/cli"
	"frontline/store"
	"frontline/store/storetest"
)

const (
	corp   = "wwbench00000000001"
	agent  = "1000002"
	token  = "bench-token"
	aesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	rounds = 5
)

func setting(name string, def int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return def
}

func only(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make bench")
	}
}

func TestMain(m *testing.M) {
	if kind := os.Getenv("FRONTLINE_BENCH_SERVER"); kind != "" {
		if err := serve(kind, os.Getenv("FRONTLINE_BENCH_URL")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is the child process that is measured: net/http alone, or net/http,
// the callback handler and the store.
func serve(kind, dbURL string) error {
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })
	if kind != "hello" {
		s, err := store.Open(context.Background(), store.Options{URL: dbURL, Key: storetest.Key, Serve: true})
		if err != nil {
			return err
		}
		defer s.Close()
		k, err := bot.NewKeys(token, aesKey, corp)
		if err != nil {
			return err
		}
		cli.TuneGC()
		h = bot.NewCallback(bot.Options{Corp: corp, AgentID: agent, AppKeys: []*bot.Keys{k}, Inbox: s, Replies: s}).AppHandler()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	if file := os.Getenv("FRONTLINE_BENCH_PROFILE"); file != "" {
		f, err := os.Create(file + "." + kind)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is done
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// child starts a server in a process of its own.
func child(t *testing.T, kind, dbURL string) (addr string, pid int) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "FRONTLINE_BENCH_SERVER="+kind, "FRONTLINE_BENCH_URL="+dbURL)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s does not start: %v", kind, err)
	}
	return strings.TrimSpace(line), c.Process.Pid
}

// cpu is the processor time of a process so far, where the system tells it.
func cpu(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from the state on
	user, _ := strconv.Atoi(f[11])
	sys, _ := strconv.Atoi(f[12])
	return time.Duration(user+sys) * 10 * time.Millisecond
}

// The platform's side of a callback: https://developer.work.weixin.qq.com/document/path/90968

func sealed(key []byte, inner string) string {
	plain := make([]byte, 16, 16+4+len(inner)+len(corp)+32)
	_, _ = rand.Read(plain)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(inner)))
	plain = append(plain, inner...)
	plain = append(plain, corp...)
	pad := 32 - len(plain)%32
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}

func signature(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

var made atomic.Int64

// callbacks makes n whole HTTP requests, each a new message, of 5000 members.
func callbacks(n int, host string) [][]byte {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		panic(err)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	out := make([][]byte, n)
	var wg sync.WaitGroup
	const makers = 4
	for g := range makers {
		wg.Go(func() {
			for i := g; i < n; i += makers {
				id := made.Add(1)
				inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[member%d]]></FromUserName><CreateTime>%s</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[客户登录后行情不刷新，重启过手机还是一样，版本 8.2.%d，急]]></Content><MsgId>7%012d</MsgId><AgentID>%s</AgentID></xml>",
					corp, id%5000, now, id%97, id, agent)
				enc := sealed(key, inner)
				nonce := fmt.Sprint(1_000_000_000 + id)
				q := url.Values{"msg_signature": {signature(token, now, nonce, enc)}, "timestamp": {now}, "nonce": {nonce}}
				body := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><AgentID><![CDATA[%s]]></AgentID><Encrypt><![CDATA[%s]]></Encrypt></xml>", corp, agent, enc)
				out[i] = fmt.Appendf(nil, "POST /wecom/app?%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/4.0\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", q.Encode(), host, len(body), body)
			}
		})
	}
	wg.Wait()
	return out
}

// result is one round of one server.
type result struct {
	rate     float64
	p50, p99 time.Duration
	cpu      time.Duration // of the server, for one request; a database server's own is not in it
}

// drive sends the requests over kept connections, each the next one as soon as
// its last was answered with 200.
func drive(addr string, conns int, requests func(i int) []byte, n int) (result, error) {
	var next atomic.Int64
	took := make([][]time.Duration, conns)
	errs := make(chan error, conns)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for c := range conns {
		ready.Add(1)
		done.Go(func() {
			conn, err := net.Dial("tcp", addr)
			ready.Done()
			if err != nil {
				errs <- err
				return
			}
			defer conn.Close()
			r := bufio.NewReaderSize(conn, 4096)
			<-start
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				began := time.Now()
				if _, err := conn.Write(requests(i)); err != nil {
					errs <- err
					return
				}
				if err := answered(r); err != nil {
					errs <- err
					return
				}
				took[c] = append(took[c], time.Since(began))
			}
		})
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	whole := time.Since(began)
	select {
	case err := <-errs:
		return result{}, err
	default:
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return result{rate: float64(n) / whole.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100]}, nil
}

// answered reads one answer: as little work as a client can do.
func answered(r *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch {
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			return fmt.Errorf("answered %q", line)
		case len(line) <= 2:
			_, err := r.Discard(length)
			return err
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[16:])))
		}
	}
}

func medianOf(list []result) result {
	sort.Slice(list, func(i, j int) bool { return list[i].rate < list[j].rate })
	return list[len(list)/2]
}

// TestAcks: durable acknowledgements of callbacks against bare net/http.
func TestAcks(t *testing.T) {
	only(t)
	conns, n := setting("FRONTLINE_BENCH_CONNS", 256), setting("FRONTLINE_BENCH_N", 40_000)
	kinds := []string{"hello", "sqlite", "mysql"}
	dbs := map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "frontline.db")}
	if os.Getenv("FRONTLINE_BENCH_KINDS") != "" {
		kinds = strings.Split(os.Getenv("FRONTLINE_BENCH_KINDS"), ",")
	}
	if slices.Contains(kinds, "mysql") {
		dbs["mysql"] = storetest.MySQL(t)
	}
	addr, pid := map[string]string{}, map[string]int{}
	for _, k := range kinds {
		addr[k], pid[k] = child(t, k, dbs[k])
	}
	hello := []byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/4.0\r\n\r\n")
	got := map[string][]result{}
	for round := range rounds + 1 {
		for _, k := range kinds {
			request := func(int) []byte { return hello }
			if k != "hello" {
				list := callbacks(n, addr[k])
				request = func(i int) []byte { return list[i] }
			}
			before := cpu(pid[k])
			r, err := drive(addr[k], conns, request, n)
			if err != nil {
				t.Fatalf("%s: %v", k, err)
			}
			r.cpu = (cpu(pid[k]) - before) / time.Duration(n)
			if round > 0 { // the first one warms up
				got[k] = append(got[k], r)
			}
		}
	}
	base := medianOf(got["hello"]).rate
	t.Logf("%d connections, %d requests a round, median of %d rounds", conns, n, rounds)
	t.Logf("%-8s %10s %7s %9s %9s %9s", "", "acks/s", "ratio", "p50", "p99", "cpu/ack")
	for _, k := range kinds {
		r := medianOf(got[k])
		t.Logf("%-8s %10.0f %7.2f %9s %9s %9s", k, r.rate, r.rate/base, r.p50.Round(10*time.Microsecond), r.p99.Round(10*time.Microsecond), r.cpu.Round(time.Microsecond))
	}
}
