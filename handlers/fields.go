package handlers

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"frontline/handlers/mask"
)

// Fields is what a report says, as far as it is known. Personal values are in
// clear here: a draft is sealed wherever it is kept.
type Fields struct {
	Symptom    string // masked
	AppVersion string
	System     string
	Urgency    string // urgent, calm, unknown; "" is not known yet
	Reason     string // why it is urgent
	Customer   string
	Phone      string
	Identity   string
	Card       string
	Slip       string // what was typed wrong, in words: 证件号
}

// fieldNames are the fields that can be required, with the words that ask for them.
var fieldNames = []struct{ key, title, question string }{
	{"symptom", "现象", "出了什么问题？说说在哪个页面、做了什么、看到什么提示，可以连发截图。"},
	{"system", "应用", "客户用的是哪一端？"},
	{"app_version", "版本", "应用的版本号是多少？（例：9.2.1；不知道就回「不清楚」）"},
	{"urgency", "急不急", "客户现在急着交易吗？"},
	{"customer", "客户", "是哪位客户？回客户号、手机号或证件号都行（只存密文）；不涉及客户就回「没有」。"},
}

func (f Fields) get(key string) string {
	switch key {
	case "symptom":
		return f.Symptom
	case "system":
		return f.System
	case "app_version":
		return f.AppVersion
	case "urgency":
		return f.Urgency
	case "customer":
		return f.Customer + f.Phone + f.Identity
	}
	return ""
}

var (
	versionFull = regexp.MustCompile(`(?i)(?:^|[^0-9.])v?([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,4}(?:\.[0-9]{1,5})?)(?:[^0-9.]|$)`)
	versionTold = regexp.MustCompile(`(?i)(?:版本号?|version|安卓|android|ios|苹果|鸿蒙|客户端|app)\s*(?:是|为|:|：|v)?\s*([0-9]{1,2}\.[0-9]{1,3})(?:[^0-9.]|$)`)
	urgentWords = regexp.MustCompile(`很急|急死|急着|着急|加急|紧急|马上要|影响交易|没法交易|不能交易|下不了单|撤不了单|委托失败|开盘|在等|等着`)
	manyWords   = regexp.MustCompile(`多[个名位]客户|好几[个名位]|很多客户|所有客户|全部客户|大面积|批量|都[打登进]不`)
	systems     = []struct {
		name  string
		words *regexp.Regexp
	}{
		{"安卓", regexp.MustCompile(`(?i)安卓|android|华为手机|小米手机`)},
		{"iOS", regexp.MustCompile(`(?i)ios|iphone|苹果`)},
		{"鸿蒙", regexp.MustCompile(`(?i)鸿蒙|harmony`)},
		{"电脑端", regexp.MustCompile(`(?i)电脑|pc端|pc版|桌面版|交易软件`)},
		{"网页", regexp.MustCompile(`网页|网厅|浏览器`)},
		{"柜台", regexp.MustCompile(`柜台|柜面|临柜`)},
		{"手机端", regexp.MustCompile(`(?i)手机端|手机app|手机软件|app`)},
	}
)

// read fills fields from a text: only what the text really says.
func (f *Fields) read(text string) {
	masked, finds := mask.Replace(text)
	for _, x := range finds {
		f.keep(x)
	}
	if v := versionFull.FindStringSubmatch(masked); v != nil {
		f.AppVersion = v[1]
	} else if v := versionTold.FindStringSubmatch(masked); v != nil {
		f.AppVersion = v[1]
	}
	for _, s := range systems {
		if f.System == "" && s.words.MatchString(masked) {
			f.System = s.name
		}
	}
	if m := urgentWords.FindString(masked); m != "" {
		f.Urgency, f.Reason = "urgent", m
	}
	if m := manyWords.FindString(masked); m != "" {
		f.Urgency, f.Reason = "urgent", m
	}
}

func (f *Fields) keep(x mask.Find) {
	if x.Slip {
		f.Slip = slipWords[x.Kind]
		return
	}
	if f.Slip == slipWords[x.Kind] {
		f.Slip = "" // said again, and right
	}
	switch x.Kind {
	case mask.Customer:
		f.Customer = x.Value
	case mask.Phone:
		f.Phone = x.Value
	case mask.Identity:
		f.Identity = x.Value
	case mask.Card:
		f.Card = x.Value
	}
}

// slipWords name what can be typed wrong.
var slipWords = map[mask.Kind]string{mask.Identity: "证件号", mask.Phone: "手机号", mask.Card: "银行卡号"}

// add appends what was said to the symptom. What is only numbers, a version
// or a system adds nothing to read.
func (f *Fields) add(text string) {
	masked := strings.TrimSpace(mask.Text(text))
	rest := versionFull.ReplaceAllString(masked, "")
	for _, s := range systems {
		rest = s.words.ReplaceAllString(rest, "")
	}
	rest = strings.Trim(rest, " 　\n,，。.;；:：*0123456789")
	if utf8.RuneCountInString(rest) < 2 {
		return
	}
	if f.Symptom != "" {
		masked = f.Symptom + "；" + masked
	}
	f.Symptom = clipRunes(masked, 2000)
}

func clipRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// askModel lets the model fill what the rules left open. Its words count only
// where the text itself has them.
func (d *Desk) askModel(ctx context.Context, person string, f *Fields, masked string) {
	if d.Model == nil || masked == "" {
		return
	}
	short, cancel := context.WithTimeout(ctx, modelTime)
	defer cancel()
	m, err := d.Model.ExtractFields(short, person, masked)
	if err != nil {
		d.Log.Debug("model gave no fields", "err", err)
		return
	}
	if f.AppVersion == "" && m.AppVersion != "" && strings.Contains(masked, m.AppVersion) {
		f.AppVersion = m.AppVersion
	}
	if f.System == "" {
		for _, s := range systems {
			if m.System != "" && s.words.MatchString(m.System) && s.words.MatchString(masked) {
				f.System = s.name
			}
		}
	}
	if f.Urgency == "" && m.Urgency == "urgent" {
		f.Urgency, f.Reason = "urgent", "描述里说急"
	}
}

// who is the customer as people may see it.
func (f Fields) who() string {
	switch {
	case f.Customer != "":
		return mask.Of(mask.Customer, f.Customer)
	case f.Identity != "":
		return mask.Of(mask.Identity, f.Identity)
	case f.Phone != "":
		return mask.Of(mask.Phone, f.Phone)
	}
	return ""
}

// priority by stated rules: trading is hit or many customers are, P2; a
// consultation P4; else P3. P1 is a person's decision.
func (f Fields) priority(class string) string {
	switch {
	case f.Urgency == "urgent":
		return "P2"
	case class == "consult":
		return "P4"
	}
	return "P3"
}
