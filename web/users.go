package web

import (
	"errors"
	"net/http"
	"sort"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

type usersPage struct {
	Users []chat.User
	Roles []chat.Role
	Text  string
	Role  string
	Total int
	Clash *clash // a change that met somebody else's
}

// clash keeps what was chosen beside what is there now.
type clash struct {
	User   chat.User
	Wanted chat.RoleSet
}

// Ticked are the roles that a person's form shows: what is there, or what was
// chosen and not saved.
func (p usersPage) Ticked(u chat.User) chat.RoleSet {
	if p.Clash != nil && p.Clash.User.ID == u.ID {
		return p.Clash.Wanted
	}
	return u.Roles
}

// users lists everybody known, with the roles an administrator may change.
func (s *Server) users(v *visit) error {
	p, err := s.usersPage(v)
	if err != nil {
		return err
	}
	return v.show("users", p)
}

func (s *Server) usersPage(v *visit) (usersPage, error) {
	all, err := s.opt.Store.ListMembers(v.r.Context())
	if err != nil {
		return usersPage{}, err
	}
	q := v.r.URL.Query()
	p := usersPage{Roles: chat.Roles, Text: chat.Cut(strings.TrimSpace(q.Get("q")), 64), Role: q.Get("role"), Total: len(all)}
	for _, u := range all {
		if p.Text != "" && !strings.Contains(u.ID+" "+u.Name+" "+u.Department, p.Text) {
			continue
		}
		if p.Role != "" && !u.Roles.Has(chat.Role(p.Role)) {
			continue
		}
		p.Users = append(p.Users, u)
	}
	sort.SliceStable(p.Users, func(i, j int) bool { return len(p.Users[i].Roles) > len(p.Users[j].Roles) })
	if len(p.Users) > 200 {
		p.Users = p.Users[:200]
	}
	return p, nil
}

// setRoles replaces a member's roles; it takes effect at their next click.
func (s *Server) setRoles(v *visit) error {
	id := v.r.PathValue("id")
	if err := v.r.ParseForm(); err != nil {
		return badForm(v.t("表单不完整"))
	}
	roles, err := chat.ParseRoles(strings.Join(append(v.r.PostForm["role"], string(chat.Reporter)), ","))
	if err != nil {
		return badForm(v.t("没有这个角色"))
	}
	if id == v.user.ID && !roles.Has(chat.Admin) {
		return conflict(v.t("不能去掉自己的管理员角色，请让另一位管理员来改"))
	}
	var old chat.User
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		if old, err = tx.FindMember(id); err != nil {
			return err
		}
		if old.Roles.String() != v.r.PostFormValue("before") {
			return store.ErrStale
		}
		return tx.SetRoles(v.user.ID, id, roles)
	})
	if errors.Is(err, store.ErrStale) {
		p, err := s.usersPage(v)
		if err != nil {
			return err
		}
		p.Clash = &clash{old, roles}
		return v.render(http.StatusConflict, "users", p)
	}
	if err != nil {
		return err
	}
	v.notice(v.t("已更新 %s 的角色", id))
	return v.redirect("/users")
}

// setDisabled switches a member off or on; their sessions end at once.
func (s *Server) setDisabled(v *visit) error {
	id := v.r.PathValue("id")
	if id == v.user.ID {
		return conflict(v.t("不能停用自己"))
	}
	off := v.r.PostFormValue("disabled") == "1"
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		if _, err := tx.FindMember(id); err != nil {
			return err
		}
		return tx.SetDisabled(v.user.ID, id, off)
	})
	if err != nil {
		return err
	}
	if off {
		v.notice(v.t("已停用 %s", id))
	} else {
		v.notice(v.t("已启用 %s", id))
	}
	return v.redirect("/users")
}

// rightRow is one page or command with who may.
type rightRow struct {
	What, Detail string
	May          []bool // by chat.Roles
}

type rightsPage struct {
	Roles  []chat.Role
	Tables []rightTable
}

type rightTable struct {
	Title string
	Rows  []rightRow
}

// rights shows the table that is really checked: it is made from the list of
// commands and the list of routes.
func (s *Server) rights(v *visit) error {
	var commands, pages []rightRow
	may := func(roles chat.RoleSet) []bool {
		out := make([]bool, len(chat.Roles))
		for i, r := range chat.Roles {
			out[i] = chat.RoleSet{r}.Has(roles...)
		}
		return out
	}
	for _, c := range s.opt.Desk.Commands {
		if !c.Hidden {
			commands = append(commands, rightRow{c.Usage, v.t(c.Summary), may(c.Roles)})
		}
	}
	for _, r := range s.routes {
		if !r.public {
			pages = append(pages, rightRow{r.method + " " + strings.TrimSuffix(r.path, "{$}"), "", may(r.roles)})
		}
	}
	return v.show("rights", rightsPage{chat.Roles, []rightTable{{"聊天指令", commands}, {"页面与操作", pages}}})
}
