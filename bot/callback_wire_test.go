package bot

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener hands one end of a pipe to a server.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// overTheWire lets a real server read what write writes. It returns the status,
// 0 when the connection was closed without one, and the time that it took.
func overTheWire(t *testing.T, r *rig, write func(net.Conn)) (status int, took time.Duration) {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	server := &http.Server{Handler: r.AppHandler()}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	client, conn := net.Pipe()
	l.conns <- conn
	began := time.Now()
	go write(client)
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	took = time.Since(began)
	if err == nil {
		status = resp.StatusCode
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode == 200 && len(body) != 0 {
			t.Errorf("body %q", body)
		}
	}
	client.Close()
	server.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	time.Sleep(time.Second) // of the bubble's clock: the server lingers after a refusal
	return status, took
}

func TestSlowAndEndlessBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		cipher := r.app.Encrypt([]byte(textXML))
		env := appEnvelopeXML(testDoor.corp, testDoor.agent, cipher)
		head := "POST /wecom/app?" + query(r.app, testUnix, rigNonce, cipher).Encode() + " HTTP/1.1\r\nHost: x\r\n"
		drip := func(c net.Conn, length, piece string) {
			io.WriteString(c, head+length+"\r\n\r\n")
			for {
				if _, err := io.WriteString(c, piece); err != nil {
					return
				}
				time.Sleep(time.Second) // of the bubble's clock
			}
		}
		for _, c := range []struct {
			name   string
			write  func(net.Conn)
			status int
			most   time.Duration
		}{
			{"B14 10 MB announced", func(c net.Conn) { drip(c, "Content-Length: 10485760", "x") }, 413, 0},
			{"B14 one byte a second", func(c net.Conn) { drip(c, "Content-Length: 1000", "x") }, 400, bodyTime},
			{"B15 chunks without an end", func(c net.Conn) { drip(c, "Transfer-Encoding: chunked", "1\r\nx\r\n") }, 400, bodyTime},
			{"B15 large chunks without an end", func(c net.Conn) {
				io.WriteString(c, head+"Transfer-Encoding: chunked\r\n\r\n")
				for {
					if _, err := io.WriteString(c, "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"); err != nil {
						return
					}
				}
			}, 413, 0},
			{"B15 broken chunk", func(c net.Conn) { io.WriteString(c, head+"Transfer-Encoding: chunked\r\n\r\nzz\r\n") }, 400, 0},
			{"body cut short", func(c net.Conn) { io.WriteString(c, head+"Content-Length: 1000\r\n\r\nxx"); c.Close() }, 0, 0},
			{"whole", func(c net.Conn) { io.WriteString(c, head+"Content-Length: "+strconv.Itoa(len(env))+"\r\n\r\n"+env) }, 200, 0},
			{"whole in chunks", func(c net.Conn) {
				io.WriteString(c, head+"Transfer-Encoding: chunked\r\n\r\n")
				for i := range len(env) {
					io.WriteString(c, "1\r\n"+env[i:i+1]+"\r\n")
				}
				io.WriteString(c, "0\r\n\r\n")
			}, 200, 0},
			{"both lengths", func(c net.Conn) {
				io.WriteString(c, head+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
			}, 400, 0},
		} {
			status, took := overTheWire(t, r, c.write)
			if status != c.status || took > c.most {
				t.Errorf("%s: %d after %v, want %d", c.name, status, took, c.status)
			}
		}
		if r.inbox.calls != 2 || len(r.inbox.rows) != 1 {
			t.Errorf("%d calls, %d rows", r.inbox.calls, len(r.inbox.rows))
		}
	})
}

// What could not be stored closes the connection without a byte.
func TestUnansweredOverTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.inbox.err = errors.New("database is away")
		cipher := r.app.Encrypt([]byte(textXML))
		env := appEnvelopeXML(testDoor.corp, testDoor.agent, cipher)
		status, took := overTheWire(t, r, func(c net.Conn) {
			io.WriteString(c, "POST /?"+query(r.app, testUnix, rigNonce, cipher).Encode()+" HTTP/1.1\r\nHost: x\r\nContent-Length: "+strconv.Itoa(len(env))+"\r\n\r\n"+env)
		})
		if status != 0 || took != 0 {
			t.Errorf("%d after %v", status, took)
		}
	})
}
