package gen

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Resident identity numbers by GB 11643-1999: region (6), date of birth (8),
// order (3, odd for men), check character (ISO 7064 MOD 11-2).

const idChecks = "10X98765432"

var idWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

func idCheck(d []byte) byte {
	sum := 0
	for i, w := range idWeights {
		sum += int(d[i]-'0') * w
	}
	return idChecks[sum%11]
}

// IdentityFacts is what a number says about its holder.
type IdentityFacts struct {
	Region string // six digits of GB/T 2260
	Birth  time.Time
	Male   bool
}

// ParseIdentity checks an 18-character number, or an old one of 15 digits, and
// reads it. It does not ask whether the region exists: KnownRegion does.
func ParseIdentity(v string) (f IdentityFacts, err error) {
	switch len(v) {
	case 15:
		for i := range 15 {
			if v[i] < '0' || v[i] > '9' {
				return f, errors.New("15 位身份证号应全是数字")
			}
		}
		return readIdentity(v[:6], "19"+v[6:12], v[12:15])
	case 18:
	default:
		return f, fmt.Errorf("身份证号应是 18 位或 15 位，这里是 %d 位", len([]rune(v)))
	}
	for i := range 17 {
		if v[i] < '0' || v[i] > '9' {
			return f, fmt.Errorf("身份证号第 %d 位应是数字", i+1)
		}
	}
	if f, err = readIdentity(v[:6], v[6:14], v[14:17]); err != nil {
		return f, err
	}
	if want := idCheck([]byte(v)); v[17] != want && !(want == 'X' && v[17] == 'x') {
		return f, fmt.Errorf("身份证号校验位不对，末位应是 %c", want)
	}
	return f, nil
}

func readIdentity(region, birth, order string) (f IdentityFacts, err error) {
	f.Region, f.Male = region, (order[2]-'0')%2 == 1
	if f.Birth, err = time.Parse("20060102", birth); err != nil {
		return f, fmt.Errorf("身份证号里的出生日期 %s 不存在", birth)
	}
	if f.Birth.Year() < 1850 || f.Birth.After(time.Now().AddDate(0, 0, 1)) {
		return f, fmt.Errorf("身份证号里的出生日期 %s 不合理", birth)
	}
	return f, nil
}

// Identity18 turns an old number of 15 digits into one of 18.
func Identity18(v string) (string, error) {
	if _, err := ParseIdentity(v); err != nil {
		return "", err
	}
	if len(v) == 18 {
		return v, nil
	}
	d := []byte(v[:6] + "19" + v[6:])
	return string(append(d, idCheck(d))), nil
}

// regionFor is the six digits of a fictional region. In the safe profile 99 is
// followed by the two digits of the province, so that people of one province
// look alike; strict is the province's own code, which stands in nobody's
// number because people are registered with a county.
func (g *Gen) regionFor(o *opts) (string, error) {
	province := ""
	if want := o.text("region"); want != "" {
		if len(want) == 6 && strings.HasPrefix(want, "99") && allDigits(want) {
			return want, nil
		}
		if province = provinceOf(want); province == "" {
			return "", fmt.Errorf("不认识地区「%s」；写省级名称，例：上海、广东", want)
		}
	}
	if province == "" {
		province = provinces[g.r.IntN(mainland)].code
	}
	if g.profile == Strict {
		return province + "0000", nil
	}
	return fmt.Sprintf("99%s%02d", province, g.r.IntN(100)), nil
}

func (g *Gen) identity(o *opts) (string, error) {
	birth, free, err := g.birth(o)
	if err != nil {
		return "", err
	}
	sex, length, endsX := o.sex(), o.number("length", 18), o.flag("ends_x")
	if length != 18 && length != 15 || length == 15 && endsX {
		return "", errors.New("身份证号只有 18 位（可以 X 结尾）和 15 位（全是数字）两种")
	}
	d := make([]byte, 17, 18)
	for try := 0; try < 5000; try++ {
		if free && try > 0 {
			if birth, _, err = g.birth(o); err != nil {
				return "", err
			}
		}
		region, err := g.regionFor(o)
		if err != nil {
			return "", err
		}
		order := 1 + g.r.IntN(995) // 996 to 999 once meant centenarians
		if sex >= 0 && order%2 != sex {
			if order++; order > 995 {
				order -= 2
			}
		}
		copy(d, region)
		putDate(d[6:14], birth)
		d[14], d[15], d[16] = byte('0'+order/100), byte('0'+order/10%10), byte('0'+order%10)
		check := idCheck(d)
		if endsX && check != 'X' {
			continue
		}
		v := string(d) + string(check)
		if length == 15 {
			if birth.Year() < 1900 || birth.Year() > 1999 {
				return "", errors.New("15 位身份证号只发给 1999 年以前出生的人，请改出生日期或年龄")
			}
			v = v[:6] + v[8:17]
		}
		if g.used[v] {
			continue
		}
		g.used[v] = true
		return v, nil
	}
	return "", errors.New("这组条件下没有更多不重复的身份证号了，放宽地区、生日或性别")
}

func putDate(d []byte, t time.Time) {
	y, m, day := t.Date()
	n := y*10000 + int(m)*100 + day
	for i := 7; i >= 0; i-- {
		d[i] = byte('0' + n%10)
		n /= 10
	}
}

// birth chooses a date of birth; free says that another one would do as well.
func (g *Gen) birth(o *opts) (t time.Time, free bool, err error) {
	today := g.now()
	if b := o.text("birth"); b != "" {
		for _, form := range []string{"2006-01-02", "20060102"} {
			if t, err = time.Parse(form, b); err == nil {
				if t.After(today) || t.Year() < 1900 {
					return t, false, fmt.Errorf("出生日期 %s 不合理", b)
				}
				return t, false, nil
			}
		}
		return t, false, fmt.Errorf("出生日期「%s」应写成 1990-01-31", b)
	}
	lo, hi := o.span("age", 18, 65)
	if o.has("age_band") {
		lo, hi = o.span("age_band", lo, hi)
	}
	if o.number("length", 18) == 15 && !o.has("age") && !o.has("age_band") {
		lo, hi = today.Year()-1999, today.Year()-1950
	}
	y, m, d := today.Date()
	// Born after the day hi+1 years ago, and not after the day lo years ago.
	first := time.Date(y-hi-1, m, d+1, 0, 0, 0, 0, time.UTC)
	last := time.Date(y-lo, m, d, 0, 0, 0, 0, time.UTC)
	if o.flag("leap_day") {
		var leap []time.Time
		for year := first.Year(); year <= last.Year(); year++ {
			t := time.Date(year, 2, 29, 0, 0, 0, 0, time.UTC)
			if t.Month() == 2 && !t.Before(first) && !t.After(last) {
				leap = append(leap, t)
			}
		}
		if len(leap) == 0 {
			return t, false, errors.New("这个年龄里没有 2 月 29 日出生的人")
		}
		return leap[g.r.IntN(len(leap))], true, nil
	}
	days := int(last.Sub(first).Hours()/24) + 1
	return first.AddDate(0, 0, g.r.IntN(max(1, days))), true, nil
}

// AgeAt is somebody's age in full years.
func AgeAt(birth, day time.Time) int {
	n := day.Year() - birth.Year()
	if day.Month() < birth.Month() || day.Month() == birth.Month() && day.Day() < birth.Day() {
		n--
	}
	return n
}
