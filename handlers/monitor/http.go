package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"frontline/handlers/spec"
)

const maxBody = 2 << 20

// httpProbe asks an address. With rows it reads them from the JSON answer;
// without, the row is up, status and ms, and days_left of the certificate.
type httpProbe struct {
	target, path, url string
	method, body      string
	headers           map[string]string
	status            []int
	has               string // text that the answer must hold
	rows              *vm.Program
}

func (p *httpProbe) Kind() string { return "http" }

// answer is what a rows expression may name.
type answer struct {
	Body   any    `expr:"body"`
	Text   string `expr:"text"`
	Status int    `expr:"status"`
	MS     int    `expr:"ms"`
}

func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // what answers is what is checked, and a token goes nowhere else
	}
}

func (r *reader) httpProbe(n *spec.Node) Probe {
	p := &httpProbe{method: http.MethodGet, headers: map[string]string{}}
	str := func(to *string) func(*spec.Node) { return func(n *spec.Node) { *to = r.Text(n) } }
	r.Fields(n, "http", map[string]func(*spec.Node){
		"target": func(n *spec.Node) { p.target = r.target(n, "http") },
		"path":   str(&p.path), "body": str(&p.body), "contains": str(&p.has),
		"url": func(n *spec.Node) {
			if u, err := url.Parse(r.Text(n)); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				r.Fault(n, "url 写成 https://… 这样")
			} else if u.User != nil {
				r.Fault(n, "监控项里不写密码；用配置的 monitors.sources")
			}
			p.url = n.Text
		},
		"method": func(n *spec.Node) {
			if p.method = r.Text(n); !slices.Contains([]string{"GET", "HEAD", "POST"}, p.method) {
				r.Fault(n, "method 是 GET、HEAD 或 POST")
			}
		},
		"headers": func(n *spec.Node) {
			for i, k := range n.Keys {
				if slices.Contains([]string{"authorization", "cookie"}, strings.ToLower(k.Text)) {
					r.Fault(k, "监控项里不写口令；用配置的 monitors.sources 里的 token")
				}
				p.headers[k.Text] = r.Text(n.Vals[i])
			}
		},
		"status": func(n *spec.Node) {
			for _, v := range append([]*spec.Node{}, listOf(n)...) {
				p.status = append(p.status, r.Number(v, 100, 599))
			}
		},
		"rows": func(n *spec.Node) {
			var err error
			if p.rows, err = expr.Compile(r.Text(n), expr.Env(answer{}), expr.MaxNodes(maxNodes), expr.DisableBuiltin("repeat")); err != nil {
				r.At(n.Line, n.Col+spec.ExprColumn(err), "rows 不对：%s", spec.ExprWords(err))
			}
		},
	})
	if (p.target == "") == (p.url == "") {
		r.Fault(n, "http 写 target（和 path）或 url 其中一种")
	}
	return p
}

func listOf(n *spec.Node) []*spec.Node {
	if n.Kind == 'l' {
		return n.Vals
	}
	return []*spec.Node{n}
}

func (p *httpProbe) Rows(ctx context.Context, s *Sources, o Order) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	req, err := p.request(ctx, s)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	resp, err := s.client.Do(req)
	if err != nil {
		if p.rows == nil {
			return []Row{{"up": 0, "ms": int(time.Since(began).Milliseconds())}}, nil
		}
		return nil, &Fail{netWords(err, o)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil || len(text) > maxBody {
		return nil, &Fail{"回答没有读完（最多 2 MB）"}
	}
	ms := int(time.Since(began).Milliseconds())
	ok := resp.StatusCode < 400
	if len(p.status) > 0 {
		ok = slices.Contains(p.status, resp.StatusCode)
	}
	ok = ok && bytes.Contains(text, []byte(p.has))
	if p.rows == nil {
		row := Row{"up": ok, "ms": ms, "status": resp.StatusCode}
		if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
			row["days_left"] = int(resp.TLS.PeerCertificates[0].NotAfter.Sub(o.At).Hours() / 24)
		}
		return []Row{row}, nil
	}
	if !ok {
		return nil, &Fail{fmt.Sprintf("回答是 %d", resp.StatusCode)}
	}
	return p.read(answer{Text: string(text), Status: resp.StatusCode, MS: ms})
}

func (p *httpProbe) request(ctx context.Context, s *Sources) (*http.Request, error) {
	address, token := p.url, ""
	if p.target != "" {
		t := s.Targets[p.target]
		if t == nil {
			return nil, &Fail{"没有数据源 " + p.target}
		}
		address, token = strings.TrimSuffix(t.URL, "/")+"/"+strings.TrimPrefix(p.path, "/"), t.Token
	}
	var body io.Reader
	if p.body != "" {
		body = strings.NewReader(p.body)
	}
	req, err := http.NewRequestWithContext(ctx, p.method, address, body)
	if err != nil {
		return nil, &Fail{"地址不对"}
	}
	req.Header.Set("User-Agent", "frontline-monitor")
	if p.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range p.headers {
		req.Header.Set(k, v)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req, nil
}

// read makes rows of what the expression chose.
func (p *httpProbe) read(a answer) ([]Row, error) {
	d := json.NewDecoder(strings.NewReader(a.Text))
	d.UseNumber()
	if err := d.Decode(&a.Body); err != nil {
		return nil, &Fail{"回答不是 JSON"}
	}
	a.Body = plain(a.Body)
	machine := vm.VM{MemoryBudget: 200_000}
	out, err := machine.Run(p.rows, a)
	if err != nil {
		return nil, &Fail{"回答里取不到 rows：" + spec.ExprWords(err)}
	}
	return rowsOf(out)
}

// plain gives JSON numbers their Go types, whole ones exactly.
func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return int(i)
		}
		f, err := x.Float64()
		if err != nil {
			return x.String()
		}
		return f
	case map[string]any:
		for k, o := range x {
			x[k] = plain(o)
		}
	case []any:
		for i, o := range x {
			x[i] = plain(o)
		}
	}
	return v
}

func rowsOf(v any) ([]Row, error) {
	switch x := v.(type) {
	case map[string]any:
		return []Row{x}, nil
	case []any:
		if len(x) > mostRows {
			return nil, &Fail{fmt.Sprintf("结果超过 %d 行", mostRows)}
		}
		rows := make([]Row, 0, len(x))
		for _, o := range x {
			m, ok := o.(map[string]any)
			if !ok {
				return nil, &Fail{"rows 里的每一项要是一个对象"}
			}
			rows = append(rows, m)
		}
		return rows, nil
	case nil:
		return nil, nil
	}
	return nil, &Fail{"rows 要是对象的列表"}
}

func netWords(err error, o Order) string {
	var n net.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "解析不了主机名"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return fmt.Sprintf("超过 %s 没有回答", o.Timeout)
	}
	return "连不上"
}
