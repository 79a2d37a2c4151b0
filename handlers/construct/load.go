package construct

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct/gen"
)

// Examples are three recipes that a demo runs with.
//
//go:embed recipes/*.yaml
var Examples embed.FS

// Library is all recipes that were loaded, and what may be said for them.
type Library struct {
	Recipes []*Recipe // by name
	words   []word
	files   map[string][]byte // as they were read, by name
}

type word struct {
	say    string
	recipe *Recipe
	lock   map[string]string
}

// Find finds a recipe by name.
func (l *Library) Find(name string) *Recipe {
	for _, r := range l.Recipes {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// LoadDir reads every .yaml below a folder; the faults are all that is wrong.
func LoadDir(dir string) (*Library, []Fault) { return LoadFS(os.DirFS(dir), ".") }

// LoadFS reads every .yaml of a folder.
func LoadFS(fsys fs.FS, dir string) (*Library, []Fault) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, []Fault{{File: dir, Line: 1, Col: 1, Text: err.Error()}}
	}
	files := map[string][]byte{}
	for _, n := range names {
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, []Fault{{File: n, Line: 1, Col: 1, Text: err.Error()}}
		}
		files[n] = b
	}
	return Load(files)
}

// Load reads recipes. Nothing runs that was not checked whole: every name that
// is used, in the order in which it comes to be.
func Load(files map[string][]byte) (*Library, []Fault) {
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	sort.Strings(names)
	lib := &Library{files: files}
	var readers []*reader
	for _, n := range names {
		rd := newReader(n)
		readers = append(readers, rd)
		root := rd.Parse(files[n])
		if root == nil {
			continue
		}
		rd.addresses(root)
		rec := rd.head(root)
		rec.file, rec.root = n, root
		sum := sha256.Sum256(files[n])
		rec.SHA = hex.EncodeToString(sum[:])
		if lib.Find(rec.Name) != nil && rec.Name != "" {
			rd.Fault(root, "配方「%s」有两个", rec.Name)
			continue
		}
		lib.Recipes = append(lib.Recipes, rec)
	}
	for i := range readers {
		for _, rec := range lib.Recipes {
			if rec.file == readers[i].File {
				readers[i].body(rec, lib)
				readers[i].aliases(rec, lib)
			}
		}
	}
	var faults []Fault
	for _, rd := range readers {
		faults = append(faults, rd.Faults...)
	}
	if len(faults) == 0 {
		faults = append(faults, lib.cycles()...)
	}
	slices.SortFunc(lib.Recipes, func(a, b *Recipe) int { return strings.Compare(a.Name, b.Name) })
	sort.SliceStable(lib.words, func(i, j int) bool { return len(lib.words[i].say) > len(lib.words[j].say) })
	return lib, faults
}

// Layer 1: no address anywhere in a recipe.
var (
	addressLike = regexp.MustCompile(`://|\b\d{1,3}(?:\.\d{1,3}){3}\b|@tcp\(|\[[0-9a-fA-F]*:[0-9a-fA-F:.]*\]|\blocalhost\b`)
	sixLike     = regexp.MustCompile(`(?i)\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){3,7}\b|::ffff:`)
)

func holdsAddress(text string) bool {
	return addressLike.MatchString(text) || sixLike.MatchString(text)
}

func (r *reader) addresses(n *node) {
	if n.Kind == 's' && holdsAddress(n.Text) {
		r.Fault(n, "配方里不能写地址；用环境里的目标名")
	}
	for _, k := range n.Keys {
		if holdsAddress(k.Text) {
			r.Fault(k, "配方里不能写地址；用环境里的目标名")
		}
	}
	for _, v := range n.Vals {
		r.addresses(v)
	}
}

var (
	recipeName = regexp.MustCompile(`^[a-z][a-z0-9-]{2,48}$`)
	stepName   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)
)

func skip(*node) {}

// head reads what others need to know of a recipe.
func (r *reader) head(root *node) *Recipe {
	rec := &Recipe{Version: 1, Timeout: 5 * time.Minute, OnFailure: "undo", TTL: 7 * 24 * time.Hour, Count: Count{1, 1, 1}, RunRoles: []chat.Role{chat.Tester}}
	str := func(to *string) func(*node) { return func(n *node) { *to = r.Text(n) } }
	r.Fields(root, "配方", map[string]func(*node){
		"kind": func(n *node) {
			if n.Text != "recipe" {
				r.Fault(n, "kind 应是 recipe")
			}
		},
		"name": func(n *node) {
			if rec.Name = r.Text(n); !recipeName.MatchString(rec.Name) {
				r.Fault(n, "名字用小写字母、数字和横线，3 到 49 个字符")
			}
		},
		"title": str(&rec.Title), "owner": str(&rec.Owner), "description": str(&rec.Description),
		"version":        func(n *node) { rec.Version = r.Number(n, 1, 100000) },
		"manual_minutes": func(n *node) { rec.Manual = r.Number(n, 0, 10000) },
		"tags":           func(n *node) { rec.Tags = r.Texts(n) },
		"aliases":        skip,
		"environments":   func(n *node) { rec.Environments = r.Texts(n) },
		"roles": func(n *node) {
			r.Fields(n, "roles", map[string]func(*node){
				"run":     func(n *node) { rec.RunRoles = r.roles(n) },
				"approve": func(n *node) { rec.ApproveRoles = r.roles(n) },
			})
		},
		"approval": skip, "params": skip, "vars": skip, "steps": skip, "outputs": skip, "from_ticket": skip,
		"count": func(n *node) {
			r.Fields(n, "count", map[string]func(*node){
				"default":  func(n *node) { rec.Count.Default = r.Number(n, 1, 1000) },
				"max":      func(n *node) { rec.Count.Max = r.Number(n, 1, 1000) },
				"parallel": func(n *node) { rec.Count.Parallel = r.Number(n, 1, 16) },
			})
		},
		"timeout": func(n *node) { rec.Timeout = r.Duration(n, 2*time.Hour) },
		"on_failure": func(n *node) {
			if rec.OnFailure = r.Text(n); !slices.Contains([]string{"undo", "keep", "ask"}, rec.OnFailure) {
				r.Fault(n, "on_failure 是 undo、keep 或 ask")
			}
		},
		"cleanup": func(n *node) {
			r.Fields(n, "cleanup", map[string]func(*node){
				"ttl":  func(n *node) { rec.TTL = r.Duration(n, 90*24*time.Hour) },
				"warn": func(n *node) { rec.Warn = r.Duration(n, 30*24*time.Hour) },
			})
		},
	})
	if rec.Name == "" {
		r.Fault(root, "缺名字 name")
	}
	if rec.Title == "" {
		rec.Title = rec.Name
	}
	if len(rec.Environments) == 0 {
		r.Fault(root, "缺 environments：在哪些环境可以用")
	}
	if n := root.Get("steps"); n == nil || n.Kind != 'l' || len(n.Vals) == 0 {
		r.Fault(root, "缺步骤 steps")
	}
	if n := root.Get("outputs"); n != nil { // the names, which calling recipes use
		for _, o := range n.Vals {
			if name := o.Get("name"); name != nil {
				rec.Outputs = append(rec.Outputs, &Output{Name: name.Text})
			}
		}
	}
	if n := root.Get("params"); n != nil && n.Kind == 'l' {
		for _, p := range n.Vals {
			rec.Params = append(rec.Params, r.param(p))
		}
	}
	return rec
}

func (r *reader) roles(n *node) (out []chat.Role) {
	for _, t := range r.Texts(n) {
		if !slices.Contains(chat.Roles, chat.Role(t)) {
			r.Fault(n, "没有「%s」这个角色", t)
			continue
		}
		out = append(out, chat.Role(t))
	}
	return out
}

var paramTypes = []string{"string", "integer", "decimal", "bool", "date", "enum", "list", "branch", "id_card", "mobile", "bank_card", "stock_code", "ticket", "customer", "trading_day"}

func (r *reader) param(n *node) *Param {
	p := &Param{Type: "string"}
	str := func(to *string) func(*node) { return func(n *node) { *to = r.Text(n) } }
	num := func(to *int) func(*node) { return func(n *node) { *to = r.Number(n, 0, 10000) } }
	r.Fields(n, "参数", map[string]func(*node){
		"name": func(n *node) {
			if p.Name = r.Text(n); !stepName.MatchString(p.Name) {
				r.Fault(n, "参数名用小写字母、数字和下划线")
			}
		},
		"label": str(&p.Label), "help": str(&p.Help), "from": str(&p.From), "min": str(&p.Min), "max": str(&p.Max),
		"type": func(n *node) {
			if p.Type = r.Text(n); !slices.Contains(paramTypes, p.Type) {
				r.Fault(n, "没有「%s」这种参数；有：%s", p.Type, strings.Join(paramTypes, "、"))
			}
		},
		"generator": func(n *node) {
			if p.Generator = r.Text(n); !gen.Known(p.Generator) {
				r.Fault(n, "没有「%s」这种生成器；有：%s", p.Generator, strings.Join(gen.Names(), "、"))
			}
		},
		"pattern": func(n *node) {
			var err error
			if p.form, err = regexp.Compile(r.Text(n)); err != nil {
				r.Fault(n, "pattern 不是正则表达式")
			}
			p.Pattern = n.Text
		},
		"says": func(n *node) { p.Says = r.Texts(n) }, "enum": func(n *node) { p.Enum = r.Texts(n) },
		"with": func(n *node) { p.withNode = n }, "when": func(n *node) { p.whenNode = n },
		"required": func(n *node) { p.Required = r.Flag(n) }, "secret": func(n *node) { p.Secret = r.Flag(n) },
		"max_length": num(&p.MaxLength), "max_items": num(&p.MaxItems),
		"default": func(n *node) { p.Default, _ = r.value(n, scope{}).eval(nil) },
		"item": func(n *node) {
			p.Item = map[string]string{}
			for i, k := range n.Keys {
				p.Item[k.Text] = n.Vals[i].Text
			}
		},
	})
	if p.Label == "" {
		p.Label = p.Name
	}
	if p.Type == "enum" && len(p.Enum) == 0 {
		r.Fault(n, "enum 类型的参数要列出 enum")
	}
	if p.Default != nil {
		v, err := p.coerce(p.Default)
		if err != nil {
			r.Fault(n, "默认值不对：%v", err)
		}
		p.Default = v
	}
	return p
}

func (r *reader) aliases(rec *Recipe, lib *Library) {
	n := rec.root.Get("aliases")
	if n == nil {
		return
	}
	for _, a := range n.Vals {
		al := Alias{Lock: map[string]string{}}
		r.Fields(a, "别名", map[string]func(*node){
			"say": func(n *node) { al.Say = r.Texts(n) },
			"lock": func(n *node) {
				for i, k := range n.Keys {
					if rec.Param(k.Text) == nil {
						r.Fault(k, "没有「%s」这个参数", k.Text)
					}
					al.Lock[k.Text] = n.Vals[i].Text
				}
			},
		})
		for _, s := range al.Say {
			for _, w := range lib.words {
				if w.say == strings.ToLower(s) {
					r.Fault(a, "「%s」已经是配方 %s 的说法", s, w.recipe.Name)
				}
			}
			lib.words = append(lib.words, word{strings.ToLower(s), rec, al.Lock})
		}
		rec.Aliases = append(rec.Aliases, al)
	}
}

// cycles finds recipes that call themselves.
func (l *Library) cycles() (out []Fault) {
	var walk func(r *Recipe, on []string) bool
	walk = func(r *Recipe, on []string) bool {
		if slices.Contains(on, r.Name) {
			return true
		}
		for _, s := range r.Steps {
			for _, a := range s.actions() {
				if a.Kind == "recipe" {
					if sub := l.Find(a.Recipe); sub != nil && walk(sub, append(on, r.Name)) {
						return true
					}
				}
			}
		}
		return false
	}
	for _, r := range l.Recipes {
		if walk(r, nil) {
			out = append(out, Fault{File: r.file, Line: 1, Col: 1, Text: fmt.Sprintf("配方 %s 绕了一圈又调用自己", r.Name)})
		}
	}
	return out
}
