package web

import (
	"context"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Finding is one check of the doctor: what it looked at, how it is, what to do.
type Finding struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, warn, fail, skip
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

// Setting is one option as people may see it.
type Setting struct {
	Path, Variable, Value string
	Default               bool
}

// GroupInfo is a group that the configuration names.
type GroupInfo struct {
	Name, Title string
	HasRobot    bool
	ChatID      string
	Owners      []string
}

type settingsPage struct {
	Findings []Finding
	Later    bool // the findings come by themselves, after the page
	Settings []Setting
	Callback []string
}

// settings shows the doctor's findings and what is set; secrets are write-only.
func (s *Server) settings(v *visit) error {
	p := settingsPage{Settings: s.opt.Settings}
	base := s.opt.PublicURL
	if base == "" {
		base = v.t("https://你的地址")
	}
	p.Callback = []string{base + "/wecom/app", base + "/wecom/bot"}
	// The examination asks the outside world and may take seconds: the page does
	// not wait for it, unless the browser runs no script.
	p.Later = s.opt.Doctor != nil && !v.r.URL.Query().Has("now")
	if !p.Later {
		p.Findings = s.findings(v)
	}
	return v.show("settings", p)
}

// doctor is the list of findings alone.
func (s *Server) doctor(v *visit) error {
	return v.part("settings", "findings", settingsPage{Findings: s.findings(v)})
}

func (s *Server) findings(v *visit) []Finding {
	if s.opt.Doctor == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), 15*time.Second)
	defer cancel()
	return s.opt.Doctor(ctx, v.lang)
}

type auditPage struct {
	Lines                 []store.AuditEntry
	Actor, Action, Object string
	Next                  int64
	Older                 template.URL // the next page
	Families              []stateName
}

const auditLines = 100

// audit shows who did what. Look-ups of unmasked data are a filter of their own.
func (s *Server) audit(v *visit) error {
	q := v.r.URL.Query()
	p := auditPage{Actor: strings.TrimSpace(q.Get("actor")), Action: q.Get("action"), Object: strings.TrimSpace(q.Get("object")),
		Families: []stateName{{"ticket.reveal", "查看明文"}, {"member.", "人员与角色"}, {"session.", "登录"}, {"token.", "接口令牌"}, {"delivery.", "重发"}, {"message.", "重新处理"}, {"group.", "群"}, {"entry.", "知识"}}}
	if p.Action == "ticket.reveal" && !v.user.Roles.Has(chat.Leader) {
		return needs{chat.Leader} // the log of unmasked look-ups is the leaders'
	}
	lines, err := s.opt.Store.ListAudit(v.r.Context(), store.AuditQuery{Actor: p.Actor, Action: p.Action, Object: p.Object, Before: number(q.Get("before")), N: auditLines})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.Action != "ticket.reveal" || v.user.Roles.Has(chat.Leader) {
			p.Lines = append(p.Lines, l)
		}
	}
	if len(lines) == auditLines {
		p.Next = lines[auditLines-1].ID
	}
	p.Older = template.URL("/audit?" + url.Values{"actor": {p.Actor}, "action": {p.Action}, "object": {p.Object}, "before": {strconv.FormatInt(p.Next, 10)}}.Encode())
	return v.show("audit", p)
}

func number(text string) int64 {
	var n int64
	fmt.Sscan(text, &n)
	return max(0, n)
}
