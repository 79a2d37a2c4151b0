package monitor

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/netresearch/go-cron"

	"frontline/handlers/alert"
	"frontline/handlers/spec"
)

// Samples are the items of the demo, over its own test systems.
//
//go:embed items/*.yaml
var Samples embed.FS

// reader reads one item.
type reader struct {
	spec.Reader
	targets map[string]*Target
}

// LoadDir reads every .yaml of a folder; the faults are all that is wrong.
func LoadDir(dir string, targets map[string]*Target) ([]*Item, []spec.Fault) {
	return LoadFS(os.DirFS(dir), ".", targets)
}

// LoadFS reads every .yaml of a folder.
func LoadFS(fsys fs.FS, dir string, targets map[string]*Target) ([]*Item, []spec.Fault) {
	files, faults := readFS(fsys, dir)
	if len(faults) > 0 {
		return nil, faults
	}
	return Load(files, targets)
}

func readFS(fsys fs.FS, dir string) (map[string][]byte, []spec.Fault) {
	if st, err := fs.Stat(fsys, dir); err != nil || !st.IsDir() {
		return nil, []spec.Fault{{File: dir, Line: 1, Col: 1, Text: "没有这个文件夹"}}
	}
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, []spec.Fault{{File: dir, Line: 1, Col: 1, Text: err.Error()}}
	}
	files := map[string][]byte{}
	for _, n := range names {
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, []spec.Fault{{File: n, Line: 1, Col: 1, Text: err.Error()}}
		}
		files[n] = b
	}
	return files, nil
}

// Load reads items. targets are the data sources by name; nil leaves the names
// unchecked, for files that are looked at without their configuration.
func Load(files map[string][]byte, targets map[string]*Target) (items []*Item, faults []spec.Fault) {
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	sort.Strings(names)
	seen, tokens := map[string]string{}, map[string]string{}
	for _, n := range names {
		r := &reader{spec.Reader{File: n}, targets}
		if root := r.Parse(files[n]); root != nil {
			i := r.item(root)
			sum := sha256.Sum256(files[n])
			i.SHA, i.Text, i.file = hex.EncodeToString(sum[:]), string(files[n]), n
			if other, twice := seen[i.Name]; twice && i.Name != "" {
				r.Fault(root, "监控「%s」在 %s 里已经有了", i.Name, other)
			}
			seen[i.Name] = n
			if i.Beat != nil && i.Beat.Token != "" {
				if other, twice := tokens[i.Beat.Token]; twice {
					r.Fault(root, "token 和 %s 的一样", other)
				}
				tokens[i.Beat.Token] = n
			}
			items = append(items, i)
		}
		faults = append(faults, r.Faults...)
	}
	return items, faults
}

var (
	itemName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,47}$`)
	ruleName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	labelKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
)

// elsewhere are fields that people look for here and that belong to the
// configuration, because they hold for alerts of every origin.
var elsewhere = map[string]string{"route": "发到哪个群写在配置的 alerts.routes 里", "escalate": "升级的时间写在配置的 alerts.escalate 里", "mail": "发到哪些邮箱写在配置的 alerts.routes 里", "repeat": "重复提醒写在配置的 alerts.routes 里", "group_by": "合并写在配置的 alerts.routes 里",
	"maintenance": "维护时段写在配置的 alerts.maintenance 里", "timezone": "时区写在 schedule 里"}

func (r *reader) item(root *spec.Node) *Item {
	if n := root.Get("kind"); n != nil && n.Text == "heartbeat" {
		return r.heartbeat(root)
	}
	i := &Item{Timeout: defaultCheck, Labels: map[string]string{}, NoData: Lack{2, alert.Warning, ""}, OnError: Lack{3, alert.Warning, ""}, Baseline: Baseline{20, 7}, root: root}
	str := func(to *string) func(*spec.Node) { return func(n *spec.Node) { *to = r.Text(n) } }
	known := map[string]func(*spec.Node){
		"kind": func(n *spec.Node) {
			if n.Text != "monitor" {
				r.Fault(n, "kind 应是 monitor 或 heartbeat")
			}
		},
		"name": func(n *spec.Node) {
			if i.Name = r.Text(n); !itemName.MatchString(i.Name) || slices.Contains(reserved, i.Name) {
				r.Fault(n, "名字用小写字母、数字和横线，2 到 48 个字符；daily 和 new 网页要用")
			}
		},
		"title": str(&i.Title), "owner": str(&i.Owner), "system": str(&i.System), "runbook": str(&i.Runbook),
		"labels":   func(n *spec.Node) { r.labels(i, n) },
		"schedule": func(n *spec.Node) { i.When = r.schedule(n) },
		"timeout":  func(n *spec.Node) { i.Timeout = r.Duration(n, longestCheck) },
		"source":   func(n *spec.Node) { i.Probe = r.probe(n) },
		"breakdown": func(n *spec.Node) {
			i.Breakdown = r.breakdown(n)
		},
		"detail":   func(n *spec.Node) { i.Detail = r.detail(n) },
		"no_data":  func(n *spec.Node) { r.lack(n, "no_data", &i.NoData) },
		"on_error": func(n *spec.Node) { r.lack(n, "on_error", &i.OnError) },
		"baseline": func(n *spec.Node) { r.baseline(i, n) },
		"rules":    func(n *spec.Node) {},
	}
	for word, where := range elsewhere {
		known[word] = func(n *spec.Node) { r.Fault(n, "%s", where) }
	}
	r.Fields(root, "监控项", known)
	if root.Kind != 'm' {
		return i
	}
	if n := root.Get("rules"); n != nil {
		r.rules(i, n)
	}
	for _, need := range []struct{ field, why string }{{"name", "缺名字 name"}, {"schedule", "缺 schedule：什么时候查"}, {"source", "缺 source：从哪里查"}} {
		if root.Get(need.field) == nil {
			r.Fault(root, "%s", need.why)
		}
	}
	if i.Title == "" {
		i.Title = i.Name
	}
	if i.Detail != nil && i.Breakdown == nil {
		r.Fault(root.Get("detail"), "detail 要和 breakdown 一起用：先有状态，才有状态里的对象")
	}
	most := i.Timeout + grace
	if i.Detail != nil {
		most *= 2
	}
	if i.When.Text != "" && most >= i.When.gap(time.Now()) {
		r.Fault(root, "timeout（%s）要比两次检查的间隔短 %s 以上", i.Timeout, most-i.Timeout)
	}
	return i
}

func (r *reader) labels(i *Item, n *spec.Node) {
	if n.Kind != 'm' {
		r.Fault(n, "labels 是「名: 值」的一组")
		return
	}
	for k, key := range n.Keys {
		if !labelKey.MatchString(key.Text) || slices.Contains([]string{"source", "kind", "name", "severity", "monitor", "rule"}, key.Text) {
			r.Fault(key, "「%s」不能用作标签名", key.Text)
		}
		i.Labels[key.Text] = r.Text(n.Vals[k])
	}
}

func (r *reader) schedule(n *spec.Node) Schedule {
	s := Schedule{Only: Always}
	ways := 0
	r.Fields(n, "schedule", map[string]func(*spec.Node){
		"every": func(n *spec.Node) {
			s.Every, s.Text = r.Duration(n, 24*time.Hour), "每 "+r.Text(n)
			if ways++; s.Every < 10*time.Second {
				r.Fault(n, "最短每 10s 一次")
			}
		},
		"at": func(n *spec.Node) {
			texts := r.Texts(n)
			var err error
			if s.At, err = dayTimes(texts); err != nil {
				r.Fault(n, "%v", err)
			}
			ways++
			s.Text = "每天 " + strings.Join(texts, "、")
		},
		"cron": func(n *spec.Node) {
			var err error
			if s.Cron, err = cron.ParseStandard(r.Text(n)); err != nil {
				r.Fault(n, "cron 不对：%v", err)
			}
			ways++
			s.Text = "cron " + n.Text
		},
		"only": func(n *spec.Node) {
			if s.Only = r.Text(n); !slices.Contains([]string{Always, TradingDays, TradingHours}, s.Only) {
				r.Fault(n, "only 是 always、trading_days（交易日）或 trading_hours（交易时段）")
			}
		},
		"calendar": func(n *spec.Node) {
			if r.Text(n) != "sse" {
				r.Fault(n, "calendar 只有 sse（沪深交易日）")
			}
			if s.Only == Always {
				s.Only = TradingDays
			}
		},
		"timezone": func(n *spec.Node) {
			var err error
			if s.Zone, err = time.LoadLocation(r.Text(n)); err != nil {
				r.Fault(n, "不认识时区「%s」", n.Text)
			}
		},
		"jitter": func(n *spec.Node) { s.Jitter = r.Duration(n, 10*time.Minute) },
	})
	if ways != 1 && n.Kind == 'm' {
		r.Fault(n, "schedule 要写 every、at、cron 其中一种")
	}
	if s.Cron != nil && s.Cron.Next(time.Now()).IsZero() {
		r.Fault(n, "这个 cron 永远不会到时间")
	}
	return s
}

func (r *reader) breakdown(n *spec.Node) *Breakdown {
	b := &Breakdown{Digits: 2, ZeroDigits: 1}
	r.Fields(n, "breakdown", map[string]func(*spec.Node){
		"key":         func(n *spec.Node) { b.Key = r.Text(n) },
		"value":       func(n *spec.Node) { b.Value = r.Text(n) },
		"expect_keys": func(n *spec.Node) { b.Expect = r.Texts(n) },
		"ratio_of": func(n *spec.Node) {
			if b.Total = r.Text(n); b.Total == "total" {
				b.Total = ""
			}
		},
		"ratio_digits": func(n *spec.Node) { b.Digits = r.Number(n, 0, 6) },
		"zero_digits":  func(n *spec.Node) { b.ZeroDigits = r.Number(n, 0, 6) },
	})
	if n.Kind == 'm' && (b.Key == "" || b.Value == "") {
		r.Fault(n, "breakdown 要写 key（状态是哪一列）和 value（数量是哪一列）")
	}
	if len(b.Expect) > 200 {
		r.Fault(n, "expect_keys 最多 200 个")
	}
	return b
}

func (r *reader) lack(n *spec.Node, what string, l *Lack) {
	r.Fields(n, what, map[string]func(*spec.Node){
		"after":    func(n *spec.Node) { l.After = r.Number(n, 0, 1000) },
		"severity": func(n *spec.Node) { l.Severity = r.severity(n) },
		"say":      func(n *spec.Node) { l.Say = r.Text(n) },
	})
}

func (r *reader) baseline(i *Item, n *spec.Node) {
	r.Fields(n, "baseline", map[string]func(*spec.Node){
		"window":  func(n *spec.Node) { i.Baseline.Window = r.Number(n, 4, 60) },
		"min":     func(n *spec.Node) { i.Baseline.Min = r.Number(n, 4, 60) },
		"align":   func(n *spec.Node) { r.only(n, "time_of_day", "trading_day") },
		"exclude": func(n *spec.Node) { r.only(n, "holiday", "incident") },
	})
	if i.Baseline.Min > i.Baseline.Window {
		r.Fault(n, "min 不能比 window 大")
	}
}

// only takes the words that are always so: same time of the day on trading
// days, without what was alarming.
func (r *reader) only(n *spec.Node, words ...string) {
	for _, w := range r.Texts(n) {
		if !slices.Contains(words, w) {
			r.Fault(n, "这里只有 %s", strings.Join(words, "、"))
		}
	}
}

func (r *reader) severity(n *spec.Node) string {
	w := r.Text(n)
	if !severity(w) {
		r.Fault(n, "severity 是 critical、major、warning 或 info")
	}
	return w
}

func (r *reader) rules(i *Item, n *spec.Node) {
	if n.Kind != 'l' {
		r.Fault(n, "rules 是一个列表")
		return
	}
	var keys []string
	if i.Breakdown != nil {
		keys = i.Breakdown.Expect
	}
	for _, v := range n.Vals {
		rule := &Rule{Severity: alert.Warning, For: Span{Checks: 1}, ClearFor: Span{Checks: 1}}
		r.Fields(v, "规则", map[string]func(*spec.Node){
			"name": func(n *spec.Node) {
				if rule.Name = r.Text(n); !ruleName.MatchString(rule.Name) || rule.Name == "no-data" || rule.Name == "error" {
					r.Fault(n, "规则名用小写字母、数字和横线；no-data 和 error 另有用处")
				}
			},
			"title":     func(n *spec.Node) { rule.Title = r.Text(n) },
			"severity":  func(n *spec.Node) { rule.Severity = r.severity(n) },
			"when":      func(n *spec.Node) { rule.When = r.compile(n, keys) },
			"clear":     func(n *spec.Node) { rule.Clear = r.compile(n, keys) },
			"for":       func(n *spec.Node) { rule.For = r.span(n) },
			"clear_for": func(n *spec.Node) { rule.ClearFor = r.span(n) },
		})
		if rule.Name == "" || rule.When == nil {
			r.Fault(v, "规则要有 name 和 when")
			continue
		}
		if i.Rule(rule.Name) != nil {
			r.Fault(v, "规则「%s」写了两次", rule.Name)
		}
		i.Rules = append(i.Rules, rule)
	}
}

// span reads 3 (checks) or 10m.
func (r *reader) span(n *spec.Node) Span {
	if !strings.ContainsAny(n.Text, "smh") {
		return Span{Checks: r.Number(n, 1, 1000)}
	}
	return Span{Time: r.Duration(n, 7*24*time.Hour)}
}

// Stamp tells one state of a folder from another, by the names, sizes and times
// of its files.
func Stamp(dir string) string {
	names, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	var b strings.Builder
	for _, n := range names {
		if st, err := os.Stat(n); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", n, st.Size(), st.ModTime().UnixNano())
		}
	}
	return b.String()
}
