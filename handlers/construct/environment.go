package construct

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"frontline/handlers/construct/gen"
)

// Environment is where recipes may run: an allow-list. There is no class for
// production.
type Environment struct {
	Name, Title string
	Class       string // sit, uat, perf
	Profile     gen.Profile
	Recipes     []string // names, or * for all that want to
	MaxTTL      time.Duration
	Vars        map[string]string
	Dict        map[string]map[string]string
	Lists       map[string][]Choice
	Targets     map[string]*Target
	file        string
}

// Choice is one value of a list that a parameter takes from.
type Choice struct{ Value, Title string }

// Target is a system of an environment.
type Target struct {
	Name, Kind string // http, soap, call, tcp, mysql, sqlite
	Address    string
	CIDR       []netip.Prefix
	Rights     []string // read, call, sql_write
	Rate       int      // calls a second
	User       string
	Secret     string // read from secret_file
	Namespace  string
	GBK        bool
	Header     string // of the identity probe
	Query      string
	Func       string
}

// May tells whether the environment has a right on a target.
func (t *Target) May(right string) bool { return slices.Contains(t.Rights, right) }

// Allows tells whether both sides agree.
func (e *Environment) Allows(r *Recipe) bool {
	return r.In(e.Name) && (slices.Contains(e.Recipes, "*") || slices.Contains(e.Recipes, r.Name))
}

// LoadEnvironments reads every .yaml of a folder.
func LoadEnvironments(dir string) (map[string]*Environment, []Fault) {
	names, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	sort.Strings(names)
	out := map[string]*Environment{}
	var faults []Fault
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			faults = append(faults, Fault{File: n, Line: 1, Col: 1, Text: err.Error()})
			continue
		}
		e, f := ReadEnvironment(n, b)
		faults = append(faults, f...)
		if e == nil {
			continue
		}
		if out[e.Name] != nil {
			faults = append(faults, Fault{File: n, Line: 1, Col: 1, Text: "环境「" + e.Name + "」有两个"})
		}
		out[e.Name] = e
	}
	return out, faults
}

var targetKinds = []string{"http", "soap", "call", "tcp", "mysql", "sqlite"}

// ReadEnvironment reads one environment.
func ReadEnvironment(file string, text []byte) (*Environment, []Fault) {
	r := newReader(file)
	root := r.Parse(text)
	if root == nil {
		return nil, r.Faults
	}
	e := &Environment{Profile: gen.Safe, MaxTTL: 30 * 24 * time.Hour, Vars: map[string]string{}, Dict: map[string]map[string]string{}, Lists: map[string][]Choice{}, Targets: map[string]*Target{}, file: file}
	str := func(to *string) func(*node) { return func(n *node) { *to = r.Text(n) } }
	r.Fields(root, "环境", map[string]func(*node){
		"kind": func(n *node) {
			if n.Text != "environment" {
				r.Fault(n, "kind 应是 environment")
			}
		},
		"name": str(&e.Name), "title": str(&e.Title),
		"class": func(n *node) { // layer 2: the word for production does not exist
			if e.Class = r.Text(n); !slices.Contains([]string{"sit", "uat", "perf"}, e.Class) {
				r.Fault(n, "class 只能是 sit、uat 或 perf")
			}
		},
		"profile": func(n *node) {
			if e.Profile = gen.Profile(r.Text(n)); e.Profile != gen.Safe && e.Profile != gen.Strict {
				r.Fault(n, "profile 是 safe 或 strict")
			}
		},
		"recipes": func(n *node) { e.Recipes = r.Texts(n) },
		"max_ttl": func(n *node) { e.MaxTTL = r.Duration(n, 365*24*time.Hour) },
		"vars": func(n *node) {
			for i, k := range n.Keys {
				e.Vars[k.Text] = r.Text(n.Vals[i])
			}
		},
		"dict": func(n *node) {
			for i, k := range n.Keys {
				e.Dict[k.Text] = map[string]string{}
				for j, kk := range n.Vals[i].Keys {
					e.Dict[k.Text][kk.Text] = r.Text(n.Vals[i].Vals[j])
				}
			}
		},
		"lists": func(n *node) {
			for i, k := range n.Keys {
				for j, kk := range n.Vals[i].Keys {
					e.Lists[k.Text] = append(e.Lists[k.Text], Choice{kk.Text, r.Text(n.Vals[i].Vals[j])})
				}
			}
		},
		"targets": func(n *node) {
			for i, k := range n.Keys {
				t := r.target(k.Text, n.Vals[i])
				e.Targets[t.Name] = t
			}
		},
	})
	if e.Name == "" || e.Class == "" {
		r.Fault(root, "环境要有 name 和 class")
	}
	if e.Title == "" {
		e.Title = strings.ToUpper(e.Name)
	}
	return e, r.Faults
}

func (r *reader) target(name string, n *node) *Target {
	t := &Target{Name: name, Rate: 50}
	str := func(to *string) func(*node) { return func(n *node) { *to = r.Text(n) } }
	r.Fields(n, "目标", map[string]func(*node){
		"kind": func(n *node) {
			if t.Kind = r.Text(n); !slices.Contains(targetKinds, t.Kind) {
				r.Fault(n, "没有「%s」这种目标；有：%s", t.Kind, strings.Join(targetKinds, "、"))
			}
		},
		"address": str(&t.Address), "user": str(&t.User), "namespace": str(&t.Namespace),
		"cidr": func(n *node) {
			for _, c := range r.Texts(n) {
				p, err := netip.ParsePrefix(c)
				if err != nil {
					r.Fault(n, "网段写成 10.20.0.0/16")
				}
				t.CIDR = append(t.CIDR, p)
			}
		},
		"rights": func(n *node) {
			t.Rights = r.Texts(n)
			for _, right := range t.Rights {
				if !slices.Contains([]string{"read", "call", "sql_write"}, right) {
					r.Fault(n, "rights 是 read、call、sql_write")
				}
			}
		},
		"rate": func(n *node) { t.Rate = r.Number(n, 1, 10000) },
		"secret_file": func(n *node) {
			b, err := os.ReadFile(r.Text(n))
			if err != nil {
				r.Fault(n, "口令文件读不了")
			}
			t.Secret = strings.TrimSpace(string(b))
		},
		"charset": func(n *node) { t.GBK = strings.EqualFold(r.Text(n), "gbk") },
		"identify": func(n *node) {
			r.Fields(n, "identify", map[string]func(*node){"header": str(&t.Header), "query": str(&t.Query), "func": str(&t.Func)})
		},
	})
	if t.Kind != "sqlite" && len(t.CIDR) == 0 {
		r.Fault(n, "目标 %s 要写允许的网段 cidr", name)
	}
	if t.Address == "" {
		r.Fault(n, "目标 %s 缺 address", name)
	}
	if t.Header == "" && t.Query == "" && t.Func == "" {
		r.Fault(n, "目标 %s 缺 identify：没有环境标记的系统不能用", name)
	}
	return t
}
