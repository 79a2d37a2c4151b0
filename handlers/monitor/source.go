package monitor

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"frontline/handlers/spec"
)

// Target is a data source of the configuration: what an item may ask, by name,
// so that no item holds an address with a password.
type Target struct {
	Name  string
	Kind  string // mysql, postgres, sqlite, http
	URL   string
	Token string // bearer token, of http
}

// NewTarget reads the address of a data source.
func NewTarget(name, address, token string) (*Target, error) {
	t := &Target{Name: name, URL: address, Token: token}
	scheme, _, _ := strings.Cut(address, ":")
	switch scheme {
	case "mysql", "postgres", "sqlite":
		t.Kind = scheme
	case "postgresql":
		t.Kind = "postgres"
	case "http", "https":
		t.Kind = "http"
	default:
		return nil, errAddress
	}
	if t.Kind != "sqlite" {
		if u, err := url.Parse(address); err != nil || u.Host == "" {
			return nil, errAddress
		}
	}
	return t, nil
}

// Order is one run of a probe.
type Order struct {
	At      time.Time // what today means
	Timeout time.Duration
	Values  map[string]any // names that arguments may use
}

// Probe asks somebody and gets rows.
type Probe interface {
	Rows(ctx context.Context, s *Sources, o Order) ([]Row, error)
	Kind() string
}

// Fail is a check that did not come back, in plain words.
type Fail struct{ Text string }

func (f *Fail) Error() string { return f.Text }

// Sources are the targets with their connections. It is safe for many.
type Sources struct {
	Targets  map[string]*Target
	Commands string // folder of scripts; "" allows none
	client   *http.Client
	mu       sync.Mutex
	open     map[string]*database
}

type database struct {
	*sql.DB
	limit string // statement that sets the server's own time limit, %s is the time
}

// NewSources makes Sources; nothing is connected yet.
func NewSources(targets []*Target, commands string) *Sources {
	s := &Sources{Targets: map[string]*Target{}, Commands: commands, open: map[string]*database{}, client: newClient()}
	for _, t := range targets {
		s.Targets[t.Name] = t
	}
	return s
}

// Close ends all connections.
func (s *Sources) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, db := range s.open {
		db.Close()
	}
	s.open = map[string]*database{}
	s.client.CloseIdleConnections()
}

// probe reads the one way in which an item gets its rows.
func (r *reader) probe(n *spec.Node) Probe {
	var out Probe
	ways := map[string]func(*spec.Node){
		"sql":     func(n *spec.Node) { out = r.sqlProbe(n) },
		"http":    func(n *spec.Node) { out = r.httpProbe(n) },
		"tcp":     func(n *spec.Node) { out = r.tcpProbe(n) },
		"command": func(n *spec.Node) { out = r.commandProbe(n) },
	}
	r.Fields(n, "source", ways)
	if n.Kind == 'm' && len(n.Keys) != 1 {
		r.Fault(n, "source 写 sql、http、tcp、command 其中一种")
	}
	return out
}

// target reads the name of a data source of one of the kinds.
func (r *reader) target(n *spec.Node, kinds ...string) string {
	name := r.Text(n)
	if r.targets == nil {
		return name
	}
	t := r.targets[name]
	switch {
	case t == nil:
		var known []string
		for k, o := range r.targets {
			if slices.Contains(kinds, o.Kind) {
				known = append(known, k)
			}
		}
		slices.Sort(known)
		has := "配置的 monitors.sources 里一个也没有"
		if len(known) > 0 {
			has = "有：" + strings.Join(known, "、")
		}
		r.Fault(n, "没有数据源「%s」；%s", name, has)
	case !slices.Contains(kinds, t.Kind):
		r.Fault(n, "数据源「%s」是 %s，这里要 %s", name, t.Kind, strings.Join(kinds, " 或 "))
	}
	return name
}
