package monitor

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"frontline/handlers/spec"
)

// tcpProbe opens a connection: up and ms, and days_left of a certificate.
type tcpProbe struct {
	address, send, expect string
	tls                   bool
}

func (p *tcpProbe) Kind() string { return "tcp" }

func (r *reader) tcpProbe(n *spec.Node) Probe {
	p := &tcpProbe{}
	r.Fields(n, "tcp", map[string]func(*spec.Node){
		"address": func(n *spec.Node) {
			p.address = r.Text(n)
			if _, port, err := net.SplitHostPort(p.address); err != nil || port == "" {
				r.Fault(n, "address 写成 主机:端口")
			}
		},
		"send":   func(n *spec.Node) { p.send = r.Text(n) },
		"expect": func(n *spec.Node) { p.expect = r.Text(n) },
		"tls":    func(n *spec.Node) { p.tls = r.Flag(n) },
	})
	if n.Kind == 'm' && p.address == "" {
		r.Fault(n, "tcp 要写 address")
	}
	return p
}

func (p *tcpProbe) Rows(ctx context.Context, _ *Sources, o Order) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	began := time.Now()
	row := Row{"up": 0}
	err := p.talk(ctx, o, row)
	row["ms"] = int(time.Since(began).Milliseconds())
	if err == nil {
		row["up"] = 1
	}
	return []Row{row}, nil
}

func (p *tcpProbe) talk(ctx context.Context, o Order, row Row) error {
	var conn net.Conn
	var err error
	if p.tls {
		// The certificate is looked at whoever signed it: its days are asked for.
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		conn, err = d.DialContext(ctx, "tcp", p.address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", p.address)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	if c, ok := conn.(*tls.Conn); ok {
		if certs := c.ConnectionState().PeerCertificates; len(certs) > 0 {
			row["days_left"] = int(certs[0].NotAfter.Sub(o.At).Hours() / 24)
		}
	}
	until, _ := ctx.Deadline()
	conn.SetDeadline(until)
	if p.send != "" {
		if _, err := conn.Write([]byte(p.send)); err != nil {
			return err
		}
	}
	if p.expect == "" {
		return nil
	}
	in := bufio.NewReaderSize(conn, 4096)
	var got strings.Builder
	for got.Len() < 4096 && !strings.Contains(got.String(), p.expect) {
		b, err := in.ReadByte()
		if err != nil {
			return err
		}
		got.WriteByte(b)
	}
	if !strings.Contains(got.String(), p.expect) {
		return net.ErrClosed
	}
	return nil
}
