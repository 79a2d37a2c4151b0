package gen

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unusedSegments were never handed out, by a press article of 2022 that quotes
// the ministry; to be looked at again every year.
var unusedSegments = []string{"142", "143", "154", "161", "164", "194"}

func (g *Gen) mobile(o *opts) (string, error) {
	prefix := unusedSegments[g.r.IntN(len(unusedSegments))]
	if want := o.text("prefix"); want != "" {
		if !slices.Contains(unusedSegments, want) {
			return "", fmt.Errorf("号段 %s 有人在用；只能用 %s", want, strings.Join(unusedSegments, "、"))
		}
		prefix = want
	}
	return prefix + g.someDigits(8), nil
}

var mobileForm = regexp.MustCompile(`^1[3-9]\d{9}$`)

// CheckMobile checks the form of a mainland mobile number.
func CheckMobile(v string) error {
	if !mobileForm.MatchString(v) {
		return errors.New("手机号码应是 11 位数字，以 13 到 19 开头")
	}
	return nil
}

func (g *Gen) someDigits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + g.r.IntN(10))
	}
	return string(b)
}

// cardPrefix is issued to nobody.
const cardPrefix = "999999"

func (g *Gen) card(o *opts) (string, error) {
	n := o.number("length", 19)
	if n < 16 || n > 19 {
		return "", errors.New("银行卡号是 16 到 19 位")
	}
	head := cardPrefix
	if bank := o.text("bank"); bank != "" {
		head += fmt.Sprintf("%02d", SeedOf("bank", bank)%100) // cards of one bank look alike
	}
	head += g.someDigits(n - 1 - len(head))
	return head + string(luhn(head)), nil
}

// luhn is the check digit of digits.
func luhn(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// Luhn tells whether the last digit is the right check digit of the others.
func Luhn(v string) bool {
	return len(v) > 1 && allDigits(v) && luhn(v[:len(v)-1]) == v[len(v)-1]
}

// CheckCard checks a bank card number: 16 to 19 digits, Luhn.
func CheckCard(v string) error {
	if len(v) < 16 || len(v) > 19 || !allDigits(v) {
		return errors.New("银行卡号是 16 到 19 位数字")
	}
	if !Luhn(v) {
		return errors.New("银行卡号校验位不对")
	}
	return nil
}

// Unified social credit codes, GB 32100-2015, with the organisation code of
// GB 11714 inside.
const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var (
	usccWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	orgWeights  = [8]int{3, 7, 9, 10, 5, 8, 4, 2}
)

func usccCheck(v string) byte {
	sum := 0
	for i, w := range usccWeights {
		sum += strings.IndexByte(usccAlphabet, v[i]) * w
	}
	return usccAlphabet[(31-sum%31)%31]
}

func orgCheck(v string) byte {
	sum := 0
	for i, w := range orgWeights {
		d := int(v[i] - '0')
		if v[i] >= 'A' {
			d = int(v[i]-'A') + 10
		}
		sum += d * w
	}
	switch c := 11 - sum%11; c {
	case 10:
		return 'X'
	case 11:
		return '0'
	default:
		return byte('0' + c)
	}
}

func (g *Gen) uscc(o *opts) (string, error) {
	region := "990000"
	if g.profile == Strict {
		region = provinces[g.r.IntN(mainland)].code + "0000"
	}
	if o.has("region") {
		r, err := g.regionFor(o)
		if err != nil {
			return "", err
		}
		region = r
	}
	org := make([]byte, 8)
	for i := range org {
		org[i] = usccAlphabet[g.r.IntN(len(usccAlphabet))]
	}
	v := "91" + region + string(org) + string(orgCheck(string(org)))
	return v + string(usccCheck(v)), nil
}

// CheckUSCC checks a unified social credit code. Letters as registering
// authority (A, N, Y) are allowed, as the standard has them.
func CheckUSCC(v string) error {
	if len(v) != 18 {
		return errors.New("统一社会信用代码是 18 位")
	}
	for i := range len(v) {
		if strings.IndexByte(usccAlphabet, v[i]) < 0 {
			return fmt.Errorf("统一社会信用代码第 %d 位不能是 %c", i+1, v[i])
		}
	}
	if !allDigits(v[2:8]) {
		return errors.New("统一社会信用代码第 3 到 8 位应是地区码")
	}
	if orgCheck(v[8:16]) != v[16] {
		return errors.New("统一社会信用代码里的组织机构代码校验位不对")
	}
	if usccCheck(v) != v[17] {
		return fmt.Errorf("统一社会信用代码校验位不对，末位应是 %c", usccCheck(v))
	}
	return nil
}

var patternToken = regexp.MustCompile(`\{[a-z0-9:]*\}`)

// byRule makes numbers by a rule: # a digit, ? a letter, {branch} the branch,
// {seq:8} the next running number of this rule, {luhn} and {mod97} check
// digits over the digits before them.
func byRule(rule string) func(g *Gen, o *opts) (string, error) {
	return func(g *Gen, o *opts) (string, error) {
		p := rule
		if o.has("pattern") {
			p = o.text("pattern")
		}
		if p == "" {
			return "", errors.New("请给出规则，例：99{seq:8}、A9999#####")
		}
		var b strings.Builder
		for at := 0; at < len(p); {
			if p[at] == '{' {
				token := patternToken.FindString(p[at:])
				if token == "" {
					return "", fmt.Errorf("规则「%s」里的花括号没有写完", p)
				}
				v, err := g.token(strings.Trim(token, "{}"), p, b.String(), o)
				if err != nil {
					return "", err
				}
				b.WriteString(v)
				at += len(token)
				continue
			}
			switch p[at] {
			case '#':
				b.WriteByte(byte('0' + g.r.IntN(10)))
			case '?':
				b.WriteByte(byte('A' + g.r.IntN(26)))
			default:
				b.WriteByte(p[at])
			}
			at++
		}
		return b.String(), nil
	}
}

func (g *Gen) token(t, rule, before string, o *opts) (string, error) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, before)
	name, width, _ := strings.Cut(t, ":")
	switch name {
	case "branch":
		if b := o.text("branch"); b != "" {
			return b, nil
		}
		return g.branch, nil
	case "luhn":
		return string(luhn(digits)), nil
	case "mod97": // ISO 7064 MOD 97-10
		r := 0
		for i := range len(digits) {
			r = (r*10 + int(digits[i]-'0')) % 97
		}
		return fmt.Sprintf("%02d", 98-r*100%97), nil
	case "seq":
		n, err := g.seq(rule + "/" + o.text("branch"))
		if err != nil {
			return "", err
		}
		w, _ := strconv.Atoi(width)
		v := fmt.Sprintf("%0*d", w, n)
		if w > 0 && len(v) > w {
			return "", fmt.Errorf("规则「%s」的序号用完了", rule)
		}
		return v, nil
	}
	return "", fmt.Errorf("规则里没有 {%s}；有 {branch}、{seq:位数}、{luhn}、{mod97}", t)
}

func (g *Gen) digits(o *opts) (string, error) {
	n := o.number("n", 6)
	if n < 1 || n > 64 || o.flag("no_repeat") && n > 10 {
		return "", errors.New("数字的位数应在 1 到 64 之间，不重复时最多 10 位")
	}
	if !o.flag("no_repeat") {
		return g.someDigits(n), nil
	}
	p := g.r.Perm(10)
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + p[i])
	}
	return string(b), nil
}

func (g *Gen) email(*opts) (string, error) {
	return "test." + g.someDigits(8) + "@example.com", nil // RFC 2606
}

var emailForm = regexp.MustCompile(`^[a-z0-9._-]+@(example\.(com|net|org)|[a-z0-9-]+\.(test|invalid))$`)

func checkEmail(v string) error {
	if !emailForm.MatchString(v) {
		return errors.New("邮箱应在 example.com、.test 或 .invalid 下")
	}
	return nil
}

var docNets = []string{"192.0.2.", "198.51.100.", "203.0.113."} // RFC 5737

func (g *Gen) ip(*opts) (string, error) {
	return docNets[g.r.IntN(3)] + strconv.Itoa(1+g.r.IntN(254)), nil
}

func checkIP(v string) error {
	for _, n := range docNets {
		if last, err := strconv.Atoi(strings.TrimPrefix(v, n)); err == nil && strings.HasPrefix(v, n) && last < 256 && last >= 0 {
			return nil
		}
	}
	return errors.New("IP 地址应在文档专用网段内")
}

func matches(form, fault string) func(string) error {
	re := regexp.MustCompile(form)
	return func(v string) error {
		if !re.MatchString(v) {
			return errors.New(fault)
		}
		return nil
	}
}
