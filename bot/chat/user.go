package chat

import (
	"fmt"
	"sort"
	"strings"
)

// Role is one thing a person may be. Roles are a set, not a ladder.
type Role string

const (
	Reporter  Role = "reporter"  // everybody in the company; made on the first message
	Responder Role = "responder" // works on tickets and alerts
	Curator   Role = "curator"   // keeps the knowledge base
	Tester    Role = "tester"    // runs data construction
	Leader    Role = "leader"    // figures, audit log, unmasked look-ups
	Admin     Role = "admin"     // settings, people and rights
)

// Roles lists all roles in the order in which they are shown.
var Roles = []Role{Reporter, Responder, Curator, Tester, Leader, Admin}

// Title is the role's Chinese name.
func (r Role) Title() string {
	return map[Role]string{Reporter: "报障人", Responder: "支持", Curator: "知识管理员", Tester: "造数", Leader: "管理者", Admin: "管理员"}[r]
}

// RoleSet is a set of roles; its text form is a comma-separated list.
type RoleSet []Role

// Has tells whether any of want is in the set; no want means everybody.
func (s RoleSet) Has(want ...Role) bool {
	if len(want) == 0 {
		return true
	}
	for _, r := range s {
		for _, w := range want {
			if r == w {
				return true
			}
		}
	}
	return false
}

func (s RoleSet) String() string {
	out := make([]string, len(s))
	for i, r := range s {
		out[i] = string(r)
	}
	return strings.Join(out, ",")
}

// ParseRoles reads a comma-separated list, without repeats, in the order of Roles.
func ParseRoles(text string) (RoleSet, error) {
	rank := map[Role]int{}
	for i, r := range Roles {
		rank[r] = i
	}
	var set RoleSet
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '，' }) {
		r := Role(strings.ToLower(f))
		if _, ok := rank[r]; !ok {
			return nil, fmt.Errorf("unknown role %q; roles are reporter, responder, curator, tester, leader, admin", f)
		}
		if !set.Has(r) {
			set = append(set, r)
		}
	}
	sort.Slice(set, func(i, j int) bool { return rank[set[i]] < rank[set[j]] })
	return set, nil
}

// User is a member of the company as Frontline knows them.
type User struct {
	ID         string
	Name       string
	Department string
	Roles      RoleSet
	Disabled   bool // left the company, or was switched off
}

// Show is the name people read: the name, else the userid.
func (u User) Show() string {
	if u.Name != "" {
		return u.Name
	}
	return u.ID
}
