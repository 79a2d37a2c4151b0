package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/sheet"
	"frontline/store"
)

const (
	exportMost = 50_000           // rows of one file
	exportTime = 10 * time.Minute // to send it
)

// exportTickets sends the tickets of a filter, or the ticked ones, as a file:
// row by row, masked as on the page. That they left is on record.
func (s *Server) exportTickets(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(v.t("表单不完整"))
	}
	q := v.r.Form
	f := readFilter(q)
	query := f.query(v.user.ID, s.opt.Now())
	query.Numbers = nil
	for _, t := range q["t"] {
		if n, err := strconv.ParseInt(t, 10, 64); err == nil && len(query.Numbers) < bulkMost {
			query.Numbers = append(query.Numbers, n)
		}
	}
	if len(query.Numbers) > 0 {
		query = store.TicketQuery{Numbers: query.Numbers}
	}
	format := "xlsx"
	if q.Get("format") == "csv" {
		format = "csv"
	}
	n, err := s.opt.Store.CountTickets(v.r.Context(), query)
	if err != nil {
		return err
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return tx.Audit(v.user.ID, "ticket.export", format, map[string]any{"filter": maskedFilter(f), "ticked": len(query.Numbers), "tickets": n})
	})
	if err != nil {
		return err
	}
	// A long file takes longer than a page may.
	http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(exportTime))
	h := v.w.Header()
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(v.t("工单")+"-"+s.opt.Now().Format("20060102-1504")+"."+format))
	h.Set("Content-Type", map[string]string{"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}[format])
	var w sheet.Writer
	if format == "csv" {
		w, err = sheet.CSV(v.w)
	} else {
		w, err = sheet.XLSX(v.w, v.t("工单"))
	}
	if err == nil {
		err = s.writeTickets(v.r.Context(), v, w, query)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		s.opt.Log.Warn("export broke off", "err", err)
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	return nil
}

// maskedFilter is the filter as the audit log may hold it.
func maskedFilter(f ticketFilter) string {
	if f.Text != "" {
		f.Text = "…"
	}
	return f.values().Encode()
}

var exportColumns = []string{"编号", "标题", "状态", "优先级", "分类", "子类", "报障人", "部门", "处理人", "服务组", "客户", "应用", "版本", "建单", "首次响应", "解决", "关闭", "原因", "办法", "催办", "重开", "评分", "评价"}

func (s *Server) writeTickets(ctx context.Context, v *visit, w sheet.Writer, q store.TicketQuery) error {
	head := make([]string, len(exportColumns))
	for i, c := range exportColumns {
		head[i] = v.t(c)
	}
	if err := w.Row(head...); err != nil {
		return err
	}
	names := map[string]chat.User{}
	who := func(id string) chat.User {
		if u, ok := names[id]; ok || id == "" {
			return u
		}
		u, err := s.opt.Store.FindMember(ctx, id)
		if err != nil {
			u = chat.User{ID: id}
		}
		names[id] = u
		return u
	}
	show := func(id string) string {
		if id == "" {
			return ""
		}
		return who(id).Show()
	}
	rules := s.opt.Desk.Rules
	rows := 0
	err := s.opt.Store.EachTicket(ctx, q, exportMost, func(t store.Ticket) error {
		rows++
		return w.Row("T"+strconv.FormatInt(t.Number, 10), t.Title, v.t(t.State.Title()), t.Priority, rules.ClassTitle(t.Class), t.Subclass, show(t.Reporter), who(t.Reporter).Department, show(t.Assignee), t.Group,
			customerMask(t), t.System, t.AppVersion, v.minute(t.Created), v.minute(t.Responded), v.minute(t.Resolved), v.minute(t.Closed), t.Reason, t.Method, strconv.Itoa(t.Nudges), strconv.Itoa(t.Cycle), stars(t.Rating), t.Why)
	})
	if err == nil && rows == exportMost {
		return w.Row(v.t("只导出了最近 %d 件，请缩小筛选范围再导出其余的", exportMost))
	}
	return err
}

func stars(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func customerMask(t store.Ticket) string {
	for _, p := range []store.Personal{t.Customer, t.Identity, t.Phone} {
		if p.Mask != "" {
			return p.Mask
		}
	}
	return ""
}

// minute is a time as tables have it.
func (v *visit) minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(v.s.opt.Now().Location()).Format("2006-01-02 15:04")
}
