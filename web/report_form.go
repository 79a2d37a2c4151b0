package web

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/store"
)

// reportForm is the form for a report, on a phone and in the console. Its json
// is the draft, which is sealed wherever it is kept.
type reportForm struct {
	Mark       string   `json:"mark,omitempty"` // of this one report: sent twice, it makes one ticket
	Prefill    string   `json:"-"`              // token of the link that it came by
	Behalf     string   `json:"behalf,omitempty"`
	Class      string   `json:"class,omitempty"`
	Subclass   string   `json:"subclass,omitempty"`
	Text       string   `json:"text,omitempty"`
	Urgent     bool     `json:"urgent,omitempty"`
	Customer   string   `json:"customer,omitempty"`
	Identity   string   `json:"identity,omitempty"`
	Phone      string   `json:"phone,omitempty"`
	Branch     string   `json:"branch,omitempty"`
	Accounts   []string `json:"accounts,omitempty"`
	Securities string   `json:"securities,omitempty"`
	System     string   `json:"system,omitempty"`
	Version    string   `json:"version,omitempty"`
	Login      string   `json:"login,omitempty"`
	Occurred   string   `json:"occurred,omitempty"`
	Remarks    string   `json:"remarks,omitempty"`
	Name       string   `json:"name,omitempty"`
	MyPhone    string   `json:"my_phone,omitempty"`
	Mail       string   `json:"mail,omitempty"`
	Photos     []string `json:"photos,omitempty"` // signed names of photos that are here already
}

const (
	reportRunes   = 500
	occurredAt    = "2006-01-02T15:04"
	remarksRunes  = 500
	securityCodes = 20
)

var (
	accountKinds = []string{"沪 A", "深 A", "两融", "港股通", "期权", "基金"}
	loginWays    = []string{"资金账号 + 交易密码", "手机号 + 验证码", "指纹或面容", "扫码", "还没登录"}
	systemNames  = []string{"iOS", "安卓", "鸿蒙", "电脑端", "网页", "柜台"}
	securityCode = regexp.MustCompile(`^[0-9A-Za-z.]{1,12}$`)
)

// readReport takes a form as it was sent, cut to what it may hold.
func readReport(v *visit) reportForm {
	form := func(name string, most int) string { return chat.Cut(strings.TrimSpace(v.r.PostFormValue(name)), most) }
	f := reportForm{Mark: form("mark", 40), Prefill: form("p", 80), Behalf: form("behalf", 64), Class: form("class", 32), Subclass: form("subclass", 32), Text: form("text", reportRunes+1), Urgent: form("urgent", 4) == "1",
		Customer: form("customer", 40), Identity: form("identity", 40), Phone: form("phone", 40), Branch: form("branch", 64), Securities: form("securities", 300), System: form("system", 32), Version: form("version", 32),
		Login: form("login", 32), Occurred: form("occurred", 20), Remarks: form("remarks", remarksRunes), Name: form("name", 40), MyPhone: form("my_phone", 30), Mail: form("mail", 120)}
	for _, a := range v.r.PostForm["account"] {
		if slices.Contains(accountKinds, a) && !slices.Contains(f.Accounts, a) {
			f.Accounts = append(f.Accounts, a)
		}
	}
	for _, p := range v.r.PostForm["kept"] {
		if len(f.Photos) < mostFiles {
			f.Photos = append(f.Photos, chat.Cut(p, 120))
		}
	}
	return f
}

// check tells field by field what is wrong, and puts values into normal form.
func (f *reportForm) check(v *visit) map[string]string {
	faults, rules := map[string]string{}, v.s.opt.Desk.Rules
	i := slices.IndexFunc(rules.Classes, func(c handlers.Class) bool { return c.Name == f.Class })
	switch {
	case i < 0:
		faults["class"] = v.t("选一个分类")
	case f.Subclass != "" && !slices.Contains(rules.Classes[i].Subclasses, f.Subclass):
		f.Subclass = "" // of another class
	}
	switch n := len([]rune(f.Text)); {
	case n < 4:
		faults["text"] = v.t("说说在哪个页面、做了什么、看到什么提示")
	case n > reportRunes:
		faults["text"] = v.t("最多 %d 字", reportRunes)
	}
	if f.Identity != "" {
		id, ok := mask.ValidIdentity(f.Identity)
		if f.Identity = id; !ok {
			faults["identity"] = v.t("证件号不对：位数、日期或校验位有误")
		}
	}
	if f.Phone != "" {
		p, ok := mask.ValidPhone(f.Phone)
		if f.Phone = p; !ok {
			faults["phone"] = v.t("应为 11 位手机号")
		}
	}
	if f.Customer != "" {
		c, ok := mask.ValidCustomer(f.Customer)
		if f.Customer = c; !ok {
			faults["customer"] = v.t("客户号是 4 到 20 位数字或字母")
		}
	}
	need := v.s.opt.Desk.Required
	if slices.Contains(need, "customer") && f.Customer+f.Identity+f.Phone == "" {
		faults["customer"] = v.t("客户号、证件号、手机号填一项")
	}
	if slices.Contains(need, "app_version") && f.Version == "" {
		faults["version"] = v.t("填应用版本，不清楚就写「不清楚」")
	}
	if slices.Contains(need, "system") && f.System == "" {
		faults["system"] = v.t("客户用的是哪一端？")
	}
	for _, c := range f.codes() {
		if !securityCode.MatchString(c) {
			faults["securities"] = v.t("证券代码之间用顿号或空格隔开：%s", chat.Cut(c, 12))
		}
	}
	if len(f.codes()) > securityCodes {
		faults["securities"] = v.t("最多 %d 只", securityCodes)
	}
	f.checkReporter(v, faults)
	if f.Occurred != "" {
		at, err := time.ParseInLocation(occurredAt, f.Occurred, v.s.opt.Now().Location())
		if err != nil || at.After(v.s.opt.Now().Add(5*time.Minute)) {
			faults["occurred"] = v.t("发生时间不对，或还没到")
		}
	}
	return faults
}

func (f *reportForm) checkReporter(v *visit, faults map[string]string) {
	if f.Name == "" {
		faults["name"] = v.t("填上报人姓名")
	}
	if f.MyPhone != "" {
		p, ok := mask.ValidPhone(f.MyPhone)
		if f.MyPhone = p; !ok {
			faults["my_phone"] = v.t("应为 11 位手机号")
		}
	}
	if f.Mail != "" {
		if a, err := mail.ParseAddress(f.Mail); err != nil || a.Address != f.Mail {
			faults["mail"] = v.t("邮箱格式不对")
		}
	}
}

// codes are the securities that a customer holds.
func (f reportForm) codes() []string {
	return strings.FieldsFunc(f.Securities, func(r rune) bool { return strings.ContainsRune("、,， ;；\n\t", r) })
}

// Has tells whether an account kind is ticked.
func (f reportForm) Has(kind string) bool { return slices.Contains(f.Accounts, kind) }

// ticket is the form as a ticket.
func (f reportForm) ticket(reporter string) store.Ticket {
	text, _ := mask.Scrub(f.Text)
	t := store.Ticket{Priority: handlers.PriorityOf(f.Class, f.Urgent), Class: f.Class, Subclass: f.Subclass, Title: handlers.TitleOf(text), Reporter: reporter, AppVersion: f.Version, System: f.System,
		Place: chat.Address{Kind: chat.Person, ID: reporter, Via: chat.Form}, Source: store.FormSource(reporter, f.Mark)}
	if f.Urgent {
		t.Urgency = "urgent"
	}
	t.Customer, _ = handlers.PersonalOf(mask.Customer, f.Customer) // they were checked
	t.Phone, _ = handlers.PersonalOf(mask.Phone, f.Phone)
	t.Identity, _ = handlers.PersonalOf(mask.Identity, f.Identity)
	return t
}

// form is what the ticket has no column for.
func (f reportForm) form(filedBy string) store.TicketForm {
	return store.TicketForm{Name: f.Name, Phone: f.MyPhone, Mail: f.Mail, Branch: f.Branch, Accounts: f.Accounts, Securities: f.codes(), Login: f.Login, Occurred: strings.Replace(f.Occurred, "T", " ", 1), Remarks: mask.Text(f.Remarks), FiledBy: filedBy}
}
