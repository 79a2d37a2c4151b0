package mask

import (
	"regexp"
	"sort"
	"strings"
	"time"
)

// A run is a stretch of digits as people type them: full-width or not, with
// single spaces or dashes between, perhaps an X at the end.
type run struct {
	from, to int
	digits   string
	joined   bool // no separators inside
}

// All returns everything found in text, in order, without overlaps.
func All(text string) []Find {
	finds := secrets(text)
	for _, r := range runs(text) {
		if f, ok := classify(text, r); ok && !overlaps(finds, f) {
			finds = append(finds, f)
		} else if !ok && !r.joined {
			// The separators may stand between different things: look at the pieces.
			for _, p := range pieces(text, r) {
				if f, ok := classify(text, p); ok && !overlaps(finds, f) {
					finds = append(finds, f)
				}
			}
		}
	}
	sort.Slice(finds, func(i, j int) bool { return finds[i].From < finds[j].From })
	return finds
}

func overlaps(finds []Find, f Find) bool {
	for _, g := range finds {
		if f.From < g.To && g.From < f.To {
			return true
		}
	}
	return false
}

// digitOf reads ASCII and full-width digits.
func digitOf(r rune) (byte, bool) {
	switch {
	case r >= '0' && r <= '9':
		return byte(r), true
	case r >= '０' && r <= '９':
		return byte(r-'０') + '0', true
	}
	return 0, false
}

func isX(r rune) bool { return r == 'x' || r == 'X' || r == 'ｘ' || r == 'Ｘ' }

func isGap(r rune) bool { return r == ' ' || r == '-' || r == '\u3000' || r == '－' || r == '–' }

func runs(text string) []run {
	var out []run
	var b []byte
	r := run{joined: true}
	gap := 0
	flush := func() {
		if len(b) >= 6 {
			r.digits = string(b)
			out = append(out, r)
		}
		b, r, gap = b[:0], run{joined: true}, 0
	}
	for i, c := range text {
		d, ok := digitOf(c)
		switch {
		case ok:
			if len(b) == 0 {
				r.from = i
			}
			if gap > 0 {
				r.joined = false
			}
			b, gap, r.to = append(b, d), 0, i+runeLen(c)
		case isX(c) && len(b) == 17 && gap <= 1:
			b, r.to = append(b, 'X'), i+runeLen(c)
			flush()
		case isGap(c) && len(b) > 0 && gap == 0:
			gap = 1
		default:
			flush()
		}
	}
	flush()
	return out
}

func runeLen(c rune) int { return len(string(c)) }

func pieces(text string, r run) []run {
	var out []run
	start := r.from
	cut := func(end int) {
		for _, p := range runs(text[start:end]) {
			p.from, p.to = p.from+start, p.to+start
			out = append(out, p)
		}
	}
	for i, c := range text[r.from:r.to] {
		if isGap(c) {
			cut(r.from + i)
			start = r.from + i + runeLen(c)
		}
	}
	cut(r.to)
	return out
}

func classify(text string, r run) (Find, bool) {
	f := Find{From: r.from, To: r.to, Value: r.digits}
	d := r.digits
	switch {
	case len(d) == 18 && validID18(d):
		f.Kind = Identity
	case len(d) == 15 && r.joined && validID15(d):
		f.Kind = Identity
	case len(d) == 11 && isMobile(d):
		f.Kind = Phone
	case len(d) == 13 && strings.HasPrefix(d, "86") && isMobile(d[2:]):
		f.Kind, f.Value = Phone, d[2:]
	case customerWord.MatchString(before(text, r.from)) && !strings.Contains(d, "X"):
		f.Kind = Customer
	case len(d) >= 13 && len(d) <= 19 && isCard(d):
		f.Kind = Card
	default:
		f.Kind, f.Slip = slip(d, before(text, r.from)), true
	}
	return f, f.Kind != ""
}

// slip tells what a number was meant to be that was typed wrong: a digit too
// few or too many after the word for it, or an identity number whose date is
// right and whose check character is not. Shown in clear it would give away as
// much as the right one.
func slip(d, before string) Kind {
	switch n := len(d); {
	case n >= 14 && n <= 20 && identityWord.MatchString(before):
		return Identity
	case n == 18 && d[0] >= '1' && d[0] <= '8' && validBirth(d[6:14]):
		return Identity
	case n >= 9 && n <= 13 && phoneWord.MatchString(before):
		return Phone
	case n >= 12 && n <= 21 && cardWord.MatchString(before):
		return Card
	}
	return ""
}

// These words stand right before the number they name.
var (
	identityWord = wordBefore("身份证号码|身份证号|身份证|证件号码|证件号|证件")
	phoneWord    = wordBefore("手机号码|手机号|手机|电话号码|电话|联系方式")
	cardWord     = wordBefore("银行卡号|银行卡|卡号|卡")
)

func wordBefore(words string) *regexp.Regexp {
	return regexp.MustCompile(`(` + words + `)\s*(是|为|:|：)?\s*$`)
}

// customerWord stands right before a customer's number.
var customerWord = regexp.MustCompile(`(客户号|客户编号|客户代码|客户|资金账号|资金帐号|资金账户|资金号|股东账号|股东号|证券账户|账号|帐号)\s*(是|为|:|：|尾号)?\s*$`)

func before(text string, at int) string {
	return text[max(0, at-40):at]
}

// isMobile: mainland mobile numbers are 11 digits and begin with 13 to 19.
func isMobile(d string) bool { return len(d) == 11 && d[0] == '1' && d[1] >= '3' }

// validID18 follows GB 11643-1999: region, birth date, sequence, and a check
// character by ISO 7064 MOD 11-2.
func validID18(d string) bool {
	if !validBirth(d[6:14]) || d[0] == '0' || d[0] == '9' {
		return false
	}
	sum := 0
	for i := range 17 {
		if d[i] == 'X' {
			return false
		}
		sum += int(d[i]-'0') * (1 << (17 - i) % 11)
	}
	return "10X98765432"[sum%11] == d[17]
}

func validID15(d string) bool { return d[0] != '0' && d[0] != '9' && validBirth("19"+d[6:12]) }

// validBirth leaves the upper end open: a number of next year is more likely a
// clock that is wrong than no identity number.
func validBirth(ymd string) bool {
	t, err := time.Parse("20060102", ymd)
	return err == nil && t.Year() >= 1900 && t.Year() < 2100
}

// isCard: bank cards carry a Luhn check digit (ISO/IEC 7812); 62 is UnionPay.
func isCard(d string) bool {
	if strings.Contains(d, "X") || !strings.ContainsRune("3456", rune(d[0])) {
		return false
	}
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// secretWord catches a password or code that somebody typed out. What follows
// must look like one, so that "密码忘了" is no find.
var secretWord = regexp.MustCompile(`(?i)(?:密码|口令|password|passwd|pwd|验证码|动态码)\s*(?:是|为|改成|:|：|=)\s*([!-~]{4,64})|(?:密码|口令|password|passwd|pwd)\s*([0-9]{6})(?:[^0-9]|$)`)

// namesSecret tells whether the words of secretWord may be in a text: most texts
// have none, and looking closely takes a while.
func namesSecret(text string) bool {
	for i := range len(text) - 1 {
		if text[i]|0x20 == 'p' && (text[i+1]|0x20 == 'a' || text[i+1]|0x20 == 'w') {
			return true
		}
	}
	return strings.Contains(text, "码") || strings.Contains(text, "口令")
}

func secrets(text string) []Find {
	if !namesSecret(text) {
		return nil
	}
	var out []Find
	for _, m := range secretWord.FindAllStringSubmatchIndex(text, -1) {
		from, to := m[2], m[3]
		if from < 0 {
			from, to = m[4], m[5]
		}
		out = append(out, Find{Kind: Secret, From: from, To: to})
	}
	return out
}

// ValidIdentity tells whether a value is an identity number whose date and
// check digit are right, and returns its normal form.
func ValidIdentity(text string) (value string, ok bool) {
	value = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "　", "").Replace(strings.TrimSpace(text)))
	switch len(value) {
	case 18:
		return value, digitsBut(value, 17) && validID18(value)
	case 15:
		return value, digitsBut(value, 15) && validID15(value)
	}
	return value, false
}

// ValidPhone tells whether a value is a mobile number.
func ValidPhone(text string) (value string, ok bool) {
	value = strings.NewReplacer(" ", "", "-", "", "+86", "").Replace(strings.TrimSpace(text))
	return value, len(value) == 11 && digitsBut(value, 11) && isMobile(value)
}

// customerNo is a customer number as houses have them.
var customerNo = regexp.MustCompile(`^[0-9A-Z]{4,20}$`)

// ValidCustomer tells whether a value can be a customer number: 4 to 20 digits
// and letters, in upper case without blanks.
func ValidCustomer(text string) (value string, ok bool) {
	value = strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	return value, customerNo.MatchString(value)
}

func digitsBut(s string, n int) bool { return strings.Trim(s[:n], "0123456789") == "" }
