package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

type groupRow struct {
	GroupInfo
	Console   bool      // added here; the others stand in the configuration and are read-only
	KeyEnd    string    // of a key added here: all that is ever shown of it
	Announces bool      // new tickets are told there
	Used      int       // messages in the last minute
	Last      time.Time // the newest of the last day
	// Quiet hours as they are said, and for the form.
	Quiet, QuietFrom, QuietUntil string
}

type groupsPage struct {
	Groups []groupRow
	Limit  int
}

// robotLimit is what one group robot takes in a minute.
const robotLimit = 20

// groups shows the groups of the configuration and those added here.
func (s *Server) groups(v *visit) error {
	own, err := s.opt.Store.ListGroups(v.r.Context())
	if err != nil {
		return err
	}
	p := groupsPage{Limit: robotLimit}
	for _, g := range s.opt.Groups {
		p.Groups = append(p.Groups, groupRow{GroupInfo: g})
	}
	for _, g := range own {
		p.Groups = append(p.Groups, groupRow{GroupInfo: GroupInfo{g.Name, g.Title, g.KeyEnd != "", g.ChatID, g.Owners}, Console: true, KeyEnd: g.KeyEnd})
	}
	for i := range p.Groups {
		if err := s.groupUse(v, &p.Groups[i]); err != nil {
			return err
		}
	}
	return v.show("groups", p)
}

// groupUse fills in what was sent to a group of late.
func (s *Server) groupUse(v *visit, g *groupRow) error {
	now := s.opt.Now()
	sent, err := s.opt.Store.Recent(v.r.Context(), chat.Address{Kind: chat.Robot, ID: g.Name}, now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	for _, at := range sent {
		if now.Sub(at) < time.Minute {
			g.Used++
		}
		g.Last = at
	}
	g.Announces = s.opt.Desk.Announce == g.Name
	q, err := s.opt.Store.QuietHours(v.r.Context(), chat.Address{Kind: chat.Robot, ID: g.Name})
	g.QuietFrom, g.QuietUntil = "22:00", "07:00"
	if q.Set() {
		g.Quiet, g.QuietFrom, g.QuietUntil = handlers.QuietWords(q), clockText(q.From), clockText(q.Until)
	}
	return err
}

// configured is the configuration's group of a name, or nil.
func (s *Server) configured(name string) *GroupInfo {
	for i := range s.opt.Groups {
		if s.opt.Groups[i].Name == name {
			return &s.opt.Groups[i]
		}
	}
	return nil
}

// testGroup sends one message through a group's robot.
func (s *Server) testGroup(v *visit) error {
	name := v.r.PathValue("name")
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		if g := s.configured(name); g != nil && !g.HasRobot {
			return errNotFound
		} else if g == nil {
			g, err := tx.FindGroup(name)
			if err != nil {
				return err
			}
			if g.KeyEnd == "" {
				return errNotFound
			}
		}
		err := tx.Enqueue(chat.Outgoing{Key: "group-test/" + name + "/" + v.id, To: chat.Address{Kind: chat.Robot, ID: name}, Asked: true,
			Body: chat.Body{Markdown: fmt.Sprintf("测试消息：%s 从控制台发出，收到就说明机器人正常。", chat.PlainMarkdown(v.user.Show()))}})
		if err != nil {
			return err
		}
		return tx.Audit(v.user.ID, "group.test", name, map[string]string{})
	})
	if err != nil {
		return err
	}
	v.notice(v.t("测试消息已放入发送队列"))
	return v.redirect("/groups")
}

// groupForm is what somebody typed about a group. The key is taken, never
// shown again, not even in the form that comes back with a fault.
type groupForm struct {
	Name, Title, ChatID, Owners string
	Version                     int64
	key                         string
	owners                      []string
}

type groupPage struct {
	New       bool
	Form      groupForm
	Faults    map[string]string // by field: what is wrong and what to do
	Stale     bool              // somebody else was quicker; Now is what they left
	Retype    bool              // a key was typed and has to be typed again
	Now       store.Group
	Announces bool
}

func (s *Server) newGroup(v *visit) error { return v.show("group", groupPage{New: true}) }

func (s *Server) editGroup(v *visit) error {
	g, err := s.opt.Store.FindGroup(v.r.Context(), v.r.PathValue("name"))
	if err != nil {
		return err
	}
	f := groupForm{Name: g.Name, Title: g.Title, ChatID: g.ChatID, Owners: strings.Join(g.Owners, " "), Version: g.Version}
	return v.show("group", s.groupPage(f, g))
}

func (s *Server) groupPage(f groupForm, now store.Group) groupPage {
	return groupPage{New: now.Version == 0, Form: f, Now: now, Retype: f.key != "", Announces: s.opt.Desk.Announce == f.Name}
}

func (s *Server) addGroup(v *visit) error { return s.putGroup(v, store.Group{}) }

func (s *Server) changeGroup(v *visit) error {
	now, err := s.opt.Store.FindGroup(v.r.Context(), v.r.PathValue("name"))
	if err != nil {
		return err
	}
	return s.putGroup(v, now)
}

// putGroup stores a form: a new group, or a change of the present one. What
// cannot be stored comes back as it was typed.
func (s *Server) putGroup(v *visit, now store.Group) error {
	ctx := v.r.Context()
	f := readGroup(v.r)
	switch {
	case now.Version == 0:
		f.Version = 0
	case f.Version == 0:
		return badForm(v.t("表单不完整"))
	default:
		f.Name = now.Name
	}
	faults, err := s.checkGroup(v, &f, now)
	if err != nil {
		return err
	}
	p := s.groupPage(f, now)
	if p.Faults = faults; len(faults) > 0 {
		return v.render(http.StatusUnprocessableEntity, "group", p)
	}
	err = s.opt.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.PutGroup(v.user.ID, store.Group{Name: f.Name, Title: f.Title, ChatID: f.ChatID, Owners: f.owners, Version: f.Version}, f.key)
	})
	switch {
	case errors.Is(err, store.ErrExists):
		p.Faults = map[string]string{"name": v.t("已经有叫 %s 的群，换一个名字", f.Name)}
		return v.render(http.StatusUnprocessableEntity, "group", p)
	case errors.Is(err, store.ErrStale):
		if p.Now, err = s.opt.Store.FindGroup(ctx, f.Name); err != nil {
			return err
		}
		p.Stale, p.Form.Version = true, p.Now.Version // saving again is meant to win
		return v.render(http.StatusConflict, "group", p)
	case err != nil:
		return err
	case now.Version == 0:
		v.notice(v.t("已添加 %s，发一条测试消息试试", f.Title))
	case f.key != "":
		v.notice(v.t("已保存 %s，新的 key 立即生效", f.Title))
	default:
		v.notice(v.t("已保存 %s", f.Title))
	}
	return v.redirect("/groups")
}

// deleteGroup takes a group away, unless something still goes there.
func (s *Server) deleteGroup(v *visit) error {
	name := v.r.PathValue("name")
	if s.opt.Desk.Announce == name {
		return conflict(v.t("新工单播报正用着这个群（配置项 tickets.group），先在配置里改掉再删"))
	}
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return tx.DeleteGroup(v.user.ID, name, number(v.r.PostFormValue("version")))
	})
	if errors.Is(err, store.ErrWaiting) {
		return conflict(v.t("还有消息在排队等着发到这个群，发完再删；在「收发记录」里能看到它们"))
	}
	if err != nil {
		return err
	}
	v.notice(v.t("已删除 %s", name))
	return v.redirect("/groups")
}

func readGroup(r *http.Request) groupForm {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return groupForm{Name: field("name"), Title: field("title"), ChatID: field("chat_id"), Owners: field("owners"), key: field("robot_key"), Version: number(field("version"))}
}

const (
	titleRunes = 40
	mostOwners = 20
)

var (
	groupName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	chatID    = regexp.MustCompile(`^[0-9A-Za-z_@.-]{1,128}$`)
	between   = regexp.MustCompile(`[\s\x{3000},;\x{ff0c}\x{3001}\x{ff1b}]+`)
	keyForm   = regexp.MustCompile(`^[0-9A-Za-z_-]{8,128}$`)
)

// robotKey is a webhook key, as it is or out of the whole address.
func robotKey(text string) (key string, ok bool) {
	if strings.ContainsAny(text, "/?") {
		u, err := url.Parse(text)
		if err != nil || !strings.HasSuffix(u.Path, "/cgi-bin/webhook/send") {
			return "", false
		}
		text = u.Query().Get("key")
	}
	text = strings.TrimPrefix(text, "key=")
	return text, keyForm.MatchString(text)
}

// checkGroup names what is wrong, by field, with what to do about it. It takes
// the key out of an address and reads the list of owners.
func (s *Server) checkGroup(v *visit, f *groupForm, now store.Group) (faults map[string]string, err error) {
	faults = map[string]string{}
	switch {
	case now.Version > 0:
	case !groupName.MatchString(f.Name):
		faults["name"] = v.t("只用小写字母、数字和短横线，以字母或数字开头，最多 64 个，例：trading-support")
	case s.configured(f.Name) != nil:
		faults["name"] = v.t("配置文件里已有叫 %s 的群，换一个名字，或到配置文件里改它", f.Name)
	}
	switch {
	case f.Title == "":
		faults["title"] = v.t("写上大家认得的群名，例：交易系统支持群")
	case utf8.RuneCountInString(f.Title) > titleRunes:
		faults["title"] = v.t("群名最多 %d 个字，请写短一点", titleRunes)
	case !utf8.ValidString(f.Title) || strings.ContainsFunc(f.Title, invisible):
		faults["title"] = v.t("群名里有看不见的字符，请重新输入")
	}
	if f.ChatID != "" && !chatID.MatchString(f.ChatID) {
		faults["chat_id"] = v.t("群的 chat_id 是一串字母和数字，不含空格和汉字；没有就留空")
	}
	key, ok := robotKey(f.key)
	switch {
	case f.key != "" && !ok:
		faults["robot_key"] = v.t("这不像群机器人的 key。在群里打开机器人的资料，复制 Webhook 地址，整个粘贴到这里")
	case f.key == "" && now.KeyEnd == "" && f.ChatID == "":
		faults["robot_key"] = v.t("填群机器人的 Webhook 地址或 key；只用智能机器人的群，填 chat_id 也行")
	case f.key != "":
		f.key = key
	}
	faults["owners"], err = s.checkOwners(v, f)
	for field, text := range faults {
		if text == "" {
			delete(faults, field)
		}
	}
	return faults, err
}

// invisible are characters that could make a title look like another one; the
// joiner of composed pictures is none of them.
func invisible(r rune) bool { return !unicode.IsGraphic(r) && r != '\u200d' }

func (s *Server) checkOwners(v *visit, f *groupForm) (fault string, err error) {
	seen := map[string]bool{}
	for _, id := range between.Split(f.Owners, -1) {
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		if f.owners = append(f.owners, id); len(f.owners) > mostOwners {
			return v.t("负责人最多 %d 位", mostOwners), nil
		}
		if _, err := s.opt.Store.FindMember(v.r.Context(), id); errors.Is(err, store.ErrNotFound) {
			return v.t("没有账号是「%s」的同事；填账号（userid），在「用户与角色」里能查到，新同事先同步通讯录", chat.Cut(id, 64)), nil
		} else if err != nil {
			return "", err
		}
	}
	return "", nil
}
