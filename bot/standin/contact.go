package standin

import (
	"slices"
	"strconv"
)

// The address list: https://developer.work.weixin.qq.com/document/path/90196 and following.

// reachable: a member that exists, is active, in the app's visible range and follows it.
func (s *Server) reachable(a *app, userid string) bool {
	p := s.people[userid]
	return p != nil && !p.Disabled && a.sees(userid) && !a.unfollowed[userid]
}

// sees tells whether a member is in the visible range; no list means everybody.
func (a *app) sees(userid string) bool {
	return a == nil || len(a.visible) == 0 || a.visible[userid]
}

func (s *Server) visibleUsers(a *app) []string {
	var out []string
	for _, u := range s.order {
		if s.reachable(a, u) {
			out = append(out, u)
		}
	}
	return out
}

func (p *Person) departments() []int {
	if len(p.Departments) == 0 {
		return []int{1}
	}
	return p.Departments
}

func (s *Server) department(id int) *Department {
	for i := range s.depts {
		if s.depts[i].ID == id {
			return &s.depts[i]
		}
	}
	return nil
}

// below are a department and, when deep, all departments under it.
func (s *Server) below(id int, deep bool) []int {
	out := []int{id}
	for i := 0; deep && i < len(out); i++ {
		for _, d := range s.depts {
			if d.ParentID == out[i] && d.ID != 1 && !slices.Contains(out, d.ID) {
				out = append(out, d.ID)
			}
		}
	}
	return out
}

func (s *Server) departmentUsers(id int, deep bool) []string {
	set := s.below(id, deep)
	var out []string
	for _, u := range s.order {
		if slices.ContainsFunc(s.people[u].departments(), func(d int) bool { return slices.Contains(set, d) }) {
			out = append(out, u)
		}
	}
	return out
}

func (s *Server) tag(id int) *Tag {
	for i := range s.tags {
		if s.tags[i].ID == id {
			return &s.tags[i]
		}
	}
	return nil
}

func (s *Server) tagUsers(id int) []string {
	t := s.tag(id)
	if t == nil {
		return nil
	}
	out := slices.Clone(t.UserIDs)
	for _, d := range t.Departments {
		out = append(out, s.departmentUsers(d, true)...)
	}
	return out
}

func (s *Server) byMobile(mobile string) *Person {
	for _, u := range s.order {
		if p := s.people[u]; mobile != "" && p.Mobile == mobile {
			return p
		}
	}
	return nil
}

// userGet leaves out mobile, email, avatar and the like, as for every app
// created since 2022-06-20 (doc 90196).
func (s *Server) userGet(c *call) (answer, *apiError) {
	p := s.people[c.query.Get("userid")]
	if p == nil || !c.app.sees(p.UserID) {
		return nil, refuse(codeNoSuchUser, "userid not found")
	}
	depts := p.departments()
	leads := make([]int, len(depts))
	if p.Leader {
		leads[0] = 1
	}
	status := 1
	if p.Disabled {
		status = 2
	}
	leaders := p.Leaders
	if leaders == nil {
		leaders = []string{}
	}
	return answer{"userid": p.UserID, "name": p.Name, "department": depts, "order": make([]int, len(depts)),
		"position": p.Position, "alias": p.Alias, "is_leader_in_dept": leads, "direct_leader": leaders,
		"main_department": depts[0], "status": status, "isleader": leads[0], "enable": 2 - status,
		"extattr": map[string]any{"attrs": []any{}}}, nil
}

func (s *Server) userSimpleList(c *call) (answer, *apiError) {
	id, err := strconv.Atoi(c.query.Get("department_id"))
	if err != nil || s.department(id) == nil {
		return nil, refuse(codeNoSuchDepartment, "department not found")
	}
	list := []map[string]any{}
	for _, u := range s.departmentUsers(id, c.query.Get("fetch_child") == "1") {
		if p := s.people[u]; c.app.sees(u) {
			list = append(list, map[string]any{"userid": u, "name": p.Name, "department": p.departments(), "open_userid": ""})
		}
	}
	return answer{"userlist": list}, nil
}

// userListID pages with a cursor, at most 10 000 a page: https://developer.work.weixin.qq.com/document/path/96067.
func (s *Server) userListID(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	limit := r.number("limit")
	start := 0
	if cur := r.text("cursor"); cur != "" {
		start = atoi(cur)
	}
	if r.failed() != nil || start < 0 || limit < 0 || limit > 10000 {
		return nil, refuse(codeBadParameter, "limit or cursor. invalid Request Parameter")
	}
	if limit == 0 {
		limit = 10000
	}
	type pair struct {
		UserID     string `json:"userid"`
		Department int    `json:"department"`
	}
	all := []pair{}
	for _, u := range s.order {
		for _, d := range s.people[u].departments() {
			all = append(all, pair{u, d})
		}
	}
	start = min(start, len(all))
	end, next := min(start+limit, len(all)), ""
	if end < len(all) {
		next = itoa(end)
	}
	return answer{"dept_user": all[start:end], "next_cursor": next}, nil
}

func (s *Server) userByMobile(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	mobile := r.needText("mobile")
	if r.failed() != nil {
		return nil, r.failed()
	}
	if p := s.byMobile(mobile); p != nil {
		return answer{"userid": p.UserID}, nil
	}
	return nil, refuse(46004, "user not exist")
}

func (s *Server) userByEmail(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	email := r.needText("email")
	r.number("email_type")
	if r.failed() != nil {
		return nil, r.failed()
	}
	for _, u := range s.order {
		if p := s.people[u]; p.Email == email {
			return answer{"userid": u}, nil
		}
	}
	return nil, refuse(46004, "user not exist")
}

// askedDepartments are all departments, or one with those below it.
func (s *Server) askedDepartments(c *call) ([]Department, *apiError) {
	text := c.query.Get("id")
	if text == "" || text == "0" {
		return s.depts, nil
	}
	id, err := strconv.Atoi(text)
	if err != nil || s.department(id) == nil {
		return nil, refuse(codeNoSuchDepartment, "department not found")
	}
	var out []Department
	for _, d := range s.below(id, true) {
		out = append(out, *s.department(d))
	}
	return out, nil
}

func (s *Server) departmentList(c *call) (answer, *apiError) {
	depts, bad := s.askedDepartments(c)
	if bad != nil {
		return nil, bad
	}
	list := []map[string]any{}
	for _, d := range depts {
		leaders := d.Leaders
		if leaders == nil {
			leaders = []string{}
		}
		list = append(list, map[string]any{"id": d.ID, "name": d.Name, "name_en": "", "department_leader": leaders, "parentid": d.ParentID, "order": d.Order})
	}
	return answer{"department": list}, nil
}

func (s *Server) departmentSimpleList(c *call) (answer, *apiError) {
	depts, bad := s.askedDepartments(c)
	if bad != nil {
		return nil, bad
	}
	list := []map[string]any{}
	for _, d := range depts {
		list = append(list, map[string]any{"id": d.ID, "parentid": d.ParentID, "order": d.Order})
	}
	return answer{"department_id": list}, nil
}
