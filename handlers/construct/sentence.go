package construct

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"frontline/bot/chat"
	"frontline/handlers/construct/gen"
	"frontline/handlers/spec"
)

// Sentence is what one sentence says: which recipe, with which values.
type Sentence struct {
	Recipe  *Recipe
	Lock    map[string]string
	Params  map[string]any
	Count   int
	Unknown []string // words that nothing was made of
}

var (
	countWord = regexp.MustCompile(`^[x×]?(\d{1,4})(?:个|户|份|套|人)$`)
	ageWord   = regexp.MustCompile(`^(\d{1,3}(?:-\d{1,3})?)岁$`)
	moneyWord = regexp.MustCompile(`^(.*?)(\d{1,12}(?:\.\d{1,2})?)(万?)元?$`)
	holdWord  = regexp.MustCompile(`^\d{6}[x×*]\d+`)
	spoken    = map[string]string{"一个": "1个", "两个": "2个", "二个": "2个", "三个": "3个", "五个": "5个", "十个": "10个", "一户": "1户", "两户": "2户", "三户": "3户"}
)

// Read understands a sentence such as 开户 女 30岁 上海 2个. Where a word means
// several recipes, the one that understands the most of the rest is meant.
func (e *Engine) Read(text string, u chat.User) Sentence {
	tokens := strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("，,；;。、", c) })
	best := Sentence{Unknown: tokens}
	if len(tokens) == 0 {
		return best
	}
	first := strings.ToLower(tokens[0])
	var named []word
	for _, w := range e.Library().words { // longest first
		if w.recipe.May(u) && (strings.Contains(w.say, first) || strings.HasPrefix(first, w.say)) {
			named = append(named, w)
		}
	}
	for _, r := range e.Library().Recipes {
		if r.May(u) && (r.Name == first || strings.ToLower(r.Title) == first) {
			named = append(named, word{first, r, nil})
		}
	}
	// What was said itself comes before what merely holds it.
	slices.SortStableFunc(named, func(a, b word) int { return spec.Distance(a.say, first) - spec.Distance(b.say, first) })
	for i, w := range named {
		rest := append([]string{}, tokens[1:]...)
		if tail := strings.TrimPrefix(first, w.say); tail != first && tail != "" {
			rest = append([]string{tokens[0][len(w.say):]}, rest...)
		}
		s := e.fill(w.recipe, w.lock, rest)
		if i == 0 || len(s.Unknown) < len(best.Unknown) {
			best = s
		}
	}
	return best
}

// Fill reads further words for a recipe that is known.
func (e *Engine) Fill(r *Recipe, text string) Sentence {
	return e.fill(r, nil, strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("，；;。、", c) }))
}

func (e *Engine) fill(r *Recipe, lock map[string]string, tokens []string) Sentence {
	s := Sentence{Recipe: r, Lock: lock, Params: map[string]any{}}
	env, _ := e.Environment(r, "") // without one the lists are empty
	for _, t := range tokens {
		if v := spoken[t]; v != "" {
			t = v
		}
		if m := countWord.FindStringSubmatch(t); m != nil {
			s.Count, _ = strconv.Atoi(m[1])
			continue
		}
		if !s.token(r, env, t) {
			s.Unknown = append(s.Unknown, t)
		}
	}
	return s
}

// token takes one word as the value of a parameter.
func (s *Sentence) token(r *Recipe, env *Environment, t string) bool {
	for _, sep := range []string{"=", "：", ":"} {
		if k, v, ok := strings.Cut(t, sep); ok && v != "" {
			if k == "数量" || k == "count" {
				n, err := strconv.Atoi(v)
				s.Count = n
				return err == nil
			}
			if p := r.named(k); p != nil {
				s.Params[p.Name] = v
				return true
			}
		}
	}
	if m := ageWord.FindStringSubmatch(t); m != nil && r.Param("age") != nil {
		s.Params["age"] = m[1]
		return true
	}
	for _, p := range r.Params {
		if _, have := s.Params[p.Name]; have || p.Secret {
			continue
		}
		if v, ok := p.spoken(env, t); ok {
			s.Params[p.Name] = v
			return true
		}
	}
	return false
}

// named finds a parameter by its name, its label or another word for it.
func (r *Recipe) named(k string) *Param {
	for _, p := range r.Params {
		if p.Name == k || p.Label == k || strings.HasPrefix(p.Label, k+"(") || slices.Contains(p.Says, k) {
			return p
		}
	}
	return nil
}

func (p *Param) says(t string) bool {
	for _, w := range append([]string{p.Label}, p.Says...) {
		if strings.Contains(strings.ToLower(t), strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// spoken tells whether a word by itself is a value of this parameter.
func (p *Param) spoken(env *Environment, t string) (any, bool) {
	if env != nil && p.From != "" {
		for _, c := range env.Lists[p.From] {
			if t == c.Value || t == c.Title || t == strings.TrimSuffix(c.Title, "营业部") {
				return c.Value, true
			}
		}
	}
	switch p.Type {
	case "enum":
		for _, o := range p.Enum {
			if strings.Contains(t, o) && (len([]rune(o)) > 1 || len([]rune(t)) <= 2) {
				return o, true
			}
		}
	case "bool":
		if p.says(t) {
			return !strings.HasPrefix(t, "不") && !strings.HasPrefix(t, "没") && !strings.HasPrefix(t, "无"), true
		}
	case "decimal":
		m := moneyWord.FindStringSubmatch(t)
		if m == nil || m[1] != "" && !p.says(m[1]) || m[1] == "" && m[3] == "" && !strings.HasSuffix(t, "元") {
			return nil, false
		}
		d, err := ParseDecimal(m[2])
		if err != nil {
			return nil, false
		}
		if m[3] != "" {
			ten, _ := ParseDecimal("10000")
			v, _ := decimalOp("*")(d, ten)
			d = v.(Decimal)
		}
		return d.String(), true
	case "id_card", "mobile", "bank_card":
		if checkShape(p.Type, t) == nil {
			return t, true
		}
	case "list":
		if holdWord.MatchString(t) {
			return t, true
		}
	case "string":
		if p.Name == "place" && gen.Place(t) {
			return t, true
		}
	}
	return nil, false
}

// Suits finds the recipe that a ticket's words hint at most.
func (e *Engine) Suits(text string, u chat.User) *Recipe {
	var best *Recipe
	most := 0
	for _, r := range e.Library().Recipes {
		if !r.May(u) {
			continue
		}
		n := 0
		for _, t := range r.Tags {
			if strings.Contains(text, t) {
				n++
			}
		}
		if n > most {
			best, most = r, n
		}
	}
	return best
}

var moneyFact = regexp.MustCompile(`(\d{1,12}(?:\.\d{1,2})?)\s*(万)?元`)

// Facts are what a recipe may know of a ticket: shapes of its identity number,
// and from its masked words what identifies nobody. identity is read here and
// kept nowhere.
func (e *Engine) Facts(r *Recipe, masked, identity string) map[string]any {
	out := map[string]any{}
	env, _ := e.Environment(r, "")
	for _, f := range r.Facts {
		switch f.Of {
		case "id_card":
			if shape := idShape(identity, f.Keep, e); len(shape) > 0 {
				out[f.Name] = shape
			}
		case "money":
			if m := moneyFact.FindStringSubmatch(masked); m != nil {
				if d, err := ParseDecimal(m[1]); err == nil {
					if m[2] != "" {
						ten, _ := ParseDecimal("10000")
						v, _ := decimalOp("*")(d, ten)
						d = v.(Decimal)
					}
					out[f.Name] = d.String()
				}
			}
		case "branch":
			if env == nil {
				continue
			}
			for _, c := range env.Lists["branches"] {
				if strings.Contains(masked, c.Title) || strings.Contains(masked, strings.TrimSuffix(c.Title, "营业部")+"营业部") {
					out[f.Name] = c.Value
				}
			}
		}
	}
	return out
}

func idShape(identity string, keep []string, e *Engine) map[string]any {
	f, err := gen.ParseIdentity(identity)
	if err != nil {
		return nil
	}
	shape := map[string]any{}
	for _, k := range keep {
		switch k {
		case "length":
			shape[k] = len(identity)
		case "sex":
			if shape[k] = "女"; f.Male {
				shape[k] = "男"
			}
		case "age_band": // five years
			lo := gen.AgeAt(f.Birth, e.Store.Now()) / 5 * 5
			shape[k] = strconv.Itoa(lo) + "-" + strconv.Itoa(lo+4)
		case "ends_x":
			shape[k] = strings.HasSuffix(identity, "X")
		case "leap_day":
			shape[k] = f.Birth.Month() == 2 && f.Birth.Day() == 29
		}
	}
	if shape["length"] == 15 {
		delete(shape, "age_band") // one of those is of the last century anyway
		delete(shape, "ends_x")
	}
	return shape
}
