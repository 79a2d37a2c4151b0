// Package gen makes the personal and business numbers of people who do not
// exist: every check digit right, every number inside a range that can hit
// nobody. Each kind has a checker beside its generator.
package gen

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Profile says how far a number may go to satisfy the system under test.
type Profile string

const (
	Safe   Profile = "safe"   // region 99xxxx, segments that were never handed out
	Strict Profile = "strict" // province-level region codes, which nobody's number has
)

// Options of one value: what a recipe's `with` or the command line gives.
// Keys that a kind does not know are an error.
type Options map[string]any

// Gen makes values. It is safe for concurrent use; the same seed and the same
// calls in the same order give the same values, except sequences.
type Gen struct {
	mu      sync.Mutex
	r       *rand.Rand
	profile Profile
	now     func() time.Time
	seq     func(name string) (int64, error)
	branch  string
	used    map[string]bool // identity numbers given out, so that none comes twice
}

// Config of a generator; zero values are usable.
type Config struct {
	Seed    uint64
	Profile Profile                          // default Safe
	Now     func() time.Time                 // what ages count from; default time.Now
	Seq     func(name string) (int64, error) // running numbers that survive the process; default: count from 1
	Branch  string                           // {branch} in patterns; default 9900
}

// New makes a generator.
func New(c Config) *Gen {
	if c.Profile == "" {
		c.Profile = Safe
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Branch == "" {
		c.Branch = "9900"
	}
	if c.Seq == nil {
		var mu sync.Mutex
		at := map[string]int64{}
		c.Seq = func(name string) (int64, error) {
			mu.Lock()
			defer mu.Unlock()
			at[name]++
			return at[name], nil
		}
	}
	return &Gen{r: rand.New(rand.NewPCG(c.Seed, c.Seed^0x9e3779b97f4a7c15)), profile: c.Profile, now: c.Now, seq: c.Seq, branch: c.Branch, used: map[string]bool{}}
}

// SeedOf makes a seed from text: the same text, the same people.
func SeedOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// A kind is one thing that can be generated.
type kind struct {
	names []string // the first is the name in recipes; the others are what people type
	title string
	takes []string // options
	make  func(g *Gen, o *opts) (string, error)
	check func(value string) error // nil: nothing to check
}

func kinds() []kind {
	return []kind{
		{[]string{"person.id", "id", "id_card", "identity", "身份证"}, "居民身份证号", []string{"sex", "age", "birth", "region", "length", "ends_x", "leap_day", "age_band"}, (*Gen).identity, func(v string) error { _, err := ParseIdentity(v); return err }},
		{[]string{"person.name", "name", "姓名"}, "姓名", []string{"sex", "length", "compound_surname", "rare_char", "inner_dot", "inner_space", "fullwidth", "leading_space", "plain", "surname"}, (*Gen).name, checkName},
		{[]string{"person.mobile", "mobile", "phone", "手机"}, "手机号码", []string{"prefix"}, (*Gen).mobile, CheckMobile},
		{[]string{"bank.card", "card", "bank_card", "银行卡"}, "银行卡号", []string{"bank", "length"}, (*Gen).card, CheckCard},
		{[]string{"company.uscc", "uscc", "信用代码"}, "统一社会信用代码", []string{"region"}, (*Gen).uscc, CheckUSCC},
		{[]string{"account.sh", "sh", "沪市账户"}, "上海证券账户", []string{"pattern", "branch"}, byRule("A9999#####"), matches(`^[A-F]\d{9}$`, "上海证券账户是一个字母加 9 位数字")},
		{[]string{"account.sz", "sz", "深市账户"}, "深圳证券账户", []string{"pattern", "branch"}, byRule("0099######"), matches(`^\d{10}$`, "深圳证券账户是 10 位数字")},
		{[]string{"account.one", "ymt", "一码通"}, "一码通账户", []string{"pattern", "branch"}, byRule("9999########"), matches(`^\d{12}$`, "一码通是 12 位数字")},
		{[]string{"account.customer", "customer", "客户号"}, "客户号", []string{"pattern", "branch"}, byRule("99{seq:8}"), matches(`^\d{6,20}$`, "客户号应为 6 到 20 位数字")},
		{[]string{"account.fund", "fund", "资金账号"}, "资金账号", []string{"pattern", "branch"}, byRule("{branch}{seq:8}"), matches(`^\d{6,20}$`, "资金账号应为 6 到 20 位数字")},
		{[]string{"account.ofund", "ofund", "基金账号"}, "基金账号", []string{"pattern", "branch"}, byRule("99{seq:10}"), matches(`^\d{12}$`, "基金账号是 12 位数字")},
		{[]string{"branch", "营业部"}, "营业部代码", []string{"pattern", "branch"}, byRule("99##"), matches(`^\d{4}$`, "营业部代码是 4 位数字")},
		{[]string{"pattern", "规则"}, "按规则编号", []string{"pattern", "branch"}, byRule(""), nil},
		{[]string{"digits", "数字"}, "随机数字", []string{"n", "no_repeat"}, (*Gen).digits, matches(`^\d+$`, "应全是数字")},
		{[]string{"address", "地址"}, "联系地址", []string{"region"}, (*Gen).address, checkAddress},
		{[]string{"email", "邮箱"}, "邮箱", nil, (*Gen).email, checkEmail},
		{[]string{"ip", "ipv4"}, "IP 地址", nil, (*Gen).ip, checkIP},
		{[]string{"stock.code", "stock", "股票"}, "证券代码", []string{"market"}, (*Gen).stock, checkStock},
		{[]string{"stock.qty", "qty", "股数"}, "持仓数量", []string{"code", "odd_lot"}, (*Gen).quantity, matches(`^\d{1,9}$`, "数量应为正整数")},
		{[]string{"trading_day", "day", "交易日"}, "交易日", []string{"from", "offset"}, (*Gen).day, checkDay},
	}
}

var allKinds = kinds()

func find(name string) (*kind, error) {
	for i := range allKinds {
		if slices.Contains(allKinds[i].names, strings.ToLower(name)) {
			return &allKinds[i], nil
		}
	}
	return nil, fmt.Errorf("没有「%s」这种生成器；有：%s", name, strings.Join(Names(), "、"))
}

// Known tells whether there is a kind of that name.
func Known(name string) bool { _, err := find(name); return err == nil }

// Names lists the kinds as recipes call them.
func Names() []string {
	out := make([]string, len(allKinds))
	for i, k := range allKinds {
		out[i] = k.names[0]
	}
	return out
}

// Title says in Chinese what a kind makes.
func Title(name string) string {
	k, err := find(name)
	if err != nil {
		return name
	}
	return k.title
}

// CheckOptions names the first option that a kind does not take.
func CheckOptions(name string, keys []string) error {
	k, err := find(name)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !slices.Contains(k.takes, key) {
			return fmt.Errorf("生成器 %s 没有参数「%s」；有：%s", k.names[0], key, strings.Join(k.takes, "、"))
		}
	}
	return nil
}

// Make makes one value.
func (g *Gen) Make(name string, o Options) (string, error) {
	k, err := find(name)
	if err != nil {
		return "", err
	}
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if err := CheckOptions(name, keys); err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	in := &opts{m: o}
	v, err := k.make(g, in)
	if in.err != nil {
		return "", in.err
	}
	return v, err
}

// Check tells in a plain Chinese sentence what is wrong with a value; nil when
// nothing is.
func Check(name, value string) error {
	k, err := find(name)
	if err != nil {
		return err
	}
	if k.check == nil {
		return nil
	}
	return k.check(value)
}

// opts reads options, keeping the first fault.
type opts struct {
	m   Options
	err error
}

func (o *opts) has(key string) bool { v, ok := o.m[key]; return ok && v != nil && v != "" }

func (o *opts) text(key string) string {
	if !o.has(key) {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(o.m[key]))
}

func (o *opts) flag(key string) bool {
	switch v := o.m[key].(type) {
	case nil:
		return false
	case bool:
		return v
	default:
		b, err := strconv.ParseBool(fmt.Sprint(v))
		if err != nil && o.err == nil {
			o.err = fmt.Errorf("%s 应是 true 或 false，不是「%v」", key, v)
		}
		return b
	}
}

func (o *opts) number(key string, def int) int {
	if !o.has(key) {
		return def
	}
	n, err := strconv.Atoi(o.text(key))
	if err != nil {
		if f, e := strconv.ParseFloat(o.text(key), 64); e == nil && f == float64(int(f)) {
			return int(f)
		}
		if o.err == nil {
			o.err = fmt.Errorf("%s 应是整数，不是「%s」", key, o.text(key))
		}
	}
	return n
}

// span reads 30, [18, 65] or "18-65".
func (o *opts) span(key string, lo, hi int) (int, int) {
	if !o.has(key) {
		return lo, hi
	}
	fault := func() (int, int) {
		if o.err == nil {
			o.err = fmt.Errorf("%s 应是一个数或一个范围（例 30、18-65），不是「%v」", key, o.m[key])
		}
		return lo, hi
	}
	var parts []string
	switch v := o.m[key].(type) {
	case []any:
		for _, p := range v {
			parts = append(parts, fmt.Sprint(p))
		}
	case []int:
		for _, p := range v {
			parts = append(parts, strconv.Itoa(p))
		}
	case json.Number:
		parts = []string{v.String()}
	default:
		parts = strings.Split(strings.TrimSuffix(fmt.Sprint(v), "岁"), "-")
	}
	if len(parts) == 1 {
		parts = append(parts, parts[0])
	}
	if len(parts) != 2 {
		return fault()
	}
	a, errA := strconv.Atoi(strings.TrimSpace(parts[0]))
	b, errB := strconv.Atoi(strings.TrimSpace(parts[1]))
	if errors.Join(errA, errB) != nil || a < 0 || b < a || b > 120 {
		return fault()
	}
	return a, b
}

// sex reads 男/女, m/f, male/female: 1 for men, 0 for women, -1 for any.
func (o *opts) sex() int {
	switch strings.ToLower(o.text("sex")) {
	case "":
		return -1
	case "m", "male", "男", "1":
		return 1
	case "f", "female", "女", "0", "2":
		return 0
	}
	if o.err == nil {
		o.err = fmt.Errorf("sex 应是 男 或 女，不是「%s」", o.text("sex"))
	}
	return -1
}
