package gen

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var today = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)

func newGen(seed uint64, p Profile) *Gen {
	return New(Config{Seed: seed, Profile: p, Now: func() time.Time { return today }})
}

func make1(t *testing.T, g *Gen, kind string, o Options) string {
	t.Helper()
	v, err := g.Make(kind, o)
	if err != nil {
		t.Fatalf("%s %v: %v", kind, o, err)
	}
	return v
}

func TestIdentityVectors(t *testing.T) {
	good := []string{"11010519491231002X", "440524188001010014", "130503196704010016", "990000199001010017", "990000199001010025", "99000020000229001X",
		"110000199001010013", "310000199001010010", "44000019900101001X", "440300199001010016", "110105491231002", "130503670401001"}
	// One number for each check character: order numbers 018 004 009 003 …
	for i, order := range strings.Fields("018 004 009 003 008 002 007 001 006 019 005") {
		good = append(good, "99000019900101"+order+string("0123456789X"[i]))
	}
	for _, v := range good {
		if _, err := ParseIdentity(v); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
	bad := map[string]string{"110105194912310021": "校验位", "11010519900230001X": "19900230", "11010519491231002": "17 位", "1101051949123100２X": "位", "99000019001301001X": "出生日期", "": "0 位", "1101054912310AB": "数字", "99000020991231001X": "不合理"}
	for v, want := range bad {
		if _, err := ParseIdentity(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want something about %s", v, err, want)
		}
	}
	for old, want := range map[string]string{"110105491231002": "11010519491231002X", "130503670401001": "130503196704010016"} {
		if got, err := Identity18(old); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", old, got, err, want)
		}
	}
}

func TestOtherVectors(t *testing.T) {
	for _, v := range []string{"79927398713", "4111111111111111", "9999990000000000014", "9999990000000000022", "999999000000000006"} {
		if !Luhn(v) {
			t.Errorf("%s should pass Luhn", v)
		}
	}
	for _, v := range []string{"79927398710", "4111111111111112", "", "1", "4111-1111"} {
		if Luhn(v) {
			t.Errorf("%s should not pass Luhn", v)
		}
	}
	for _, v := range []string{"91110000600037341L", "91990000999999998Q", "919900009999T001X1"} {
		if err := CheckUSCC(v); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
	for _, v := range []string{"91110000600037342L", "91110000600037341M", "9111000060003734", "91110000I00037341L", "91A10000600037341L"} {
		if CheckUSCC(v) == nil {
			t.Errorf("%s should be refused", v)
		}
	}
	for code, want := range map[string][2]int{"600000": {100, 100}, "688001": {1, 200}, "113001": {10, 10}, "204001": {1000, 1000}, "300750": {100, 100}, "920001": {1, 100}} {
		if step, least, err := Lot(code); err != nil || step != want[0] || least != want[1] {
			t.Errorf("Lot(%s) = %d, %d, %v, want %v", code, step, least, err, want)
		}
	}
	if _, _, err := Lot("999999"); err == nil {
		t.Error("999999 is no security")
	}
	for day, trades := range map[string]bool{"2026-02-24": true, "2026-02-23": false, "2026-10-08": true, "2026-10-07": false, "2025-10-08": false, "2026-02-14": false, "2026-02-28": false, "2026-05-09": false, "2024-02-09": false} {
		if (Check("trading_day", day) == nil) != trades {
			t.Errorf("trading on %s should be %v", day, trades)
		}
	}
}

// Every kind passes its own checker, in both profiles, and gives the same
// values for the same seed.
func TestKinds(t *testing.T) {
	for _, p := range []Profile{Safe, Strict} {
		for _, name := range Names() {
			o := Options{}
			if name == "pattern" {
				o["pattern"] = "F{branch}{seq:6}##?{luhn}{mod97}"
			}
			a, b := newGen(7, p), newGen(7, p)
			for range 2000 {
				v := make1(t, a, name, o)
				if again := make1(t, b, name, o); again != v {
					t.Fatalf("%s: the same seed gave %q and %q", name, v, again)
				}
				if err := Check(name, v); err != nil {
					t.Fatalf("%s %q: %v", name, v, err)
				}
				for what, kind := range map[string]string{"identity": "person.id", "phone": "person.mobile", "card": "bank.card"} {
					if name == kind && !Fictional(p, what, v) {
						t.Fatalf("%s %q could be somebody's", name, v)
					}
				}
			}
		}
	}
	if Fictional(Safe, "identity", "310000199001010010") || Fictional(Strict, "identity", "310101199001010010") || Fictional(Safe, "phone", "13800138000") || Fictional(Safe, "card", "6222020000000000001") {
		t.Error("a number that may be somebody's counts as fictional")
	}
}

func TestIdentityOptions(t *testing.T) {
	g := newGen(1, Safe)
	for range 500 {
		f, err := ParseIdentity(make1(t, g, "id", Options{"sex": "女", "age": 30, "region": "上海"}))
		if err != nil || f.Male || AgeAt(f.Birth, today) != 30 || !strings.HasPrefix(f.Region, "9931") {
			t.Fatalf("%+v, %v", f, err)
		}
		if v := make1(t, g, "id", Options{"ends_x": true}); v[17] != 'X' {
			t.Fatal(v)
		}
		if f, _ := ParseIdentity(make1(t, g, "id", Options{"leap_day": true, "age": []any{18, 65}})); f.Birth.Format("0102") != "0229" {
			t.Fatal(f)
		}
		if v := make1(t, g, "id", Options{"length": 15}); len(v) != 15 || ParseErr(v) != nil {
			t.Fatal(v)
		}
		if f, _ := ParseIdentity(make1(t, g, "id", Options{"birth": "1990-01-01", "sex": "m"})); !f.Male || f.Birth.Format(time.DateOnly) != "1990-01-01" {
			t.Fatal(f)
		}
	}
	for _, o := range []Options{{"sex": "x"}, {"age": "abc"}, {"age": "40-30"}, {"region": "火星"}, {"colour": 1}, {"birth": "1990-02-30"}, {"birth": "2990-01-01"}, {"length": 17}, {"length": 15, "birth": "2001-01-01"}, {"leap_day": "perhaps"}} {
		if v, err := g.Make("id", o); err == nil {
			t.Errorf("%v gave %s", o, v)
		}
	}
	// A pool that runs dry says so instead of repeating itself.
	strict := newGen(1, Strict)
	seen := map[string]bool{}
	for {
		v, err := strict.Make("id", Options{"region": "上海", "birth": "1990-01-01", "sex": "女"})
		if err != nil {
			break
		}
		if seen[v] {
			t.Fatal("twice", v)
		}
		seen[v] = true
	}
	if len(seen) < 400 || len(seen) > 497 {
		t.Errorf("%d numbers of about 497", len(seen))
	}
}

func ParseErr(v string) error { _, err := ParseIdentity(v); return err }

func TestNames(t *testing.T) {
	g := newGen(3, Safe)
	top := 0
	for range 100_000 {
		v := make1(t, g, "name", nil)
		if !strings.ContainsAny(v, "测试") {
			t.Fatalf("%s does not look like test data", v)
		}
		if r, _ := utf8.DecodeRuneInString(v); strings.ContainsRune("王李张刘陈", r) {
			top++
		}
	}
	if share := float64(top) / 1000; share < 30.0 || share > 31.6 {
		t.Errorf("the five most frequent surnames have %.2f %%", share)
	}
	for _, c := range []struct {
		o  Options
		ok func(string) bool
	}{
		{Options{"length": 4}, func(v string) bool { return utf8.RuneCountInString(v) == 4 }},
		{Options{"compound_surname": true, "length": 4}, func(v string) bool { return strings.Contains(compounds, string([]rune(v)[:2])) }},
		{Options{"rare_char": true}, func(v string) bool { return len(v) > 3*utf8.RuneCountInString(v) }},
		{Options{"inner_dot": true, "length": 20}, func(v string) bool { return strings.Contains(v, "·") && utf8.RuneCountInString(v) == 20 }},
		{Options{"leading_space": true}, func(v string) bool { return v[0] == ' ' }},
		{Options{"fullwidth": true}, func(v string) bool { return strings.Contains(v, "\u3000") }},
		{Options{"plain": true, "length": 2}, func(v string) bool { return !strings.ContainsAny(v, "测试") }},
	} {
		for range 200 {
			if v := make1(t, g, "name", c.o); !c.ok(v) {
				t.Fatalf("%v gave %q", c.o, v)
			}
		}
	}
}

func TestSequencesNeverRepeat(t *testing.T) {
	n := int64(41)
	g := New(Config{Seq: func(string) (int64, error) { n++; return n, nil }})
	if v := make1(t, g, "account.fund", Options{"branch": "3001"}); v != "300100000042" {
		t.Error(v)
	}
	if v := make1(t, g, "pattern", Options{"pattern": "{seq:2}"}); v != "43" {
		t.Error(v)
	}
	n = 99
	if v, err := g.Make("pattern", Options{"pattern": "{seq:2}"}); err == nil {
		t.Error("a sequence ran over its width:", v)
	}
	for _, p := range []string{"{", "{nothing}", "ab{seq"} {
		if v, err := g.Make("pattern", Options{"pattern": p}); err == nil {
			t.Errorf("%s gave %s", p, v)
		}
	}
}

// TestOracles asks independent libraries about a hundred thousand numbers.
func TestOracles(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	g := newGen(11, Safe)
	seen := make(map[string]bool, n)
	var ids, cards, codes strings.Builder
	for i := range n {
		v := make1(t, g, "id", Options{"age": "0-100"})
		if seen[v] || !Fictional(Safe, "identity", v) {
			t.Fatalf("%s: twice, or outside the fictional range", v)
		}
		seen[v] = true
		fmt.Fprintln(&ids, v)
		if i%10 == 0 {
			fmt.Fprintln(&cards, make1(t, g, "card", nil))
			fmt.Fprintln(&codes, make1(t, g, "uscc", nil))
		}
	}
	// ISO 7064, Luhn and the credit code come from python-stdnum, which knows no
	// fictional region, so the check digits are asked for alone.
	script := `
import sys
from stdnum import luhn
from stdnum.iso7064 import mod_11_2
from stdnum.cn import uscc
which = sys.argv[1]
for line in sys.stdin:
    v = line.strip()
    if which == 'id': mod_11_2.validate(v)
    elif which == 'card': luhn.validate(v)
    else: uscc.validate(v)
print('ok')
`
	if exec.Command("/usr/bin/python3", "-c", "import stdnum").Run() != nil {
		if os.Getenv("FRONTLINE_TEST_REQUIRE") != "" {
			t.Fatal("required here, but python3-stdnum is not installed")
		}
		t.Skip("python3-stdnum is not installed")
	}
	for which, in := range map[string]string{"id": ids.String(), "card": cards.String(), "uscc": codes.String()} {
		c := exec.Command("/usr/bin/python3", "-c", script, which)
		c.Stdin = strings.NewReader(in)
		if out, err := c.CombinedOutput(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
			t.Errorf("stdnum does not accept a %s: %s %v", which, out[max(0, len(out)-400):], err)
		}
	}
}

func BenchmarkIdentity(b *testing.B) {
	g := newGen(1, Safe)
	for b.Loop() {
		if _, err := g.Make("person.id", Options{"age": 30}); err != nil {
			b.Fatal(err)
		}
	}
}
