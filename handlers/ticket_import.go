package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// Tickets of an other system come as a csv or xlsx file. What the console
// exports can be read back.

// importColumns are the columns by the names under which they are known.
var importColumns = map[string][]string{
	"number": {"编号", "单号", "工单", "工单号", "number", "id"}, "title": {"标题", "现象", "title"}, "text": {"描述", "内容", "text"}, "state": {"状态", "state"}, "priority": {"优先级", "priority"},
	"class": {"分类", "类别", "class"}, "subclass": {"子类", "小类", "subclass"}, "reporter": {"报障人", "reporter"}, "assignee": {"处理人", "assignee"}, "group": {"服务组", "group"}, "customer": {"客户", "客户号", "customer"},
	"phone": {"手机", "手机号", "phone"}, "identity": {"证件号", "身份证", "identity"}, "system": {"应用", "系统", "system"}, "app_version": {"版本", "应用版本", "app_version"}, "created": {"建单时间", "建单", "报障时间", "created"},
	"resolved": {"解决时间", "解决", "resolved"}, "closed": {"关闭时间", "关闭", "closed"}, "reason": {"原因", "reason"}, "method": {"办法", "解决办法", "method"}, "rating": {"评分", "rating"},
}

func importColumn(name string) (string, bool) {
	name = strings.ToLower(strings.Trim(name, " \t\r\n*:：\ufeff"))
	for key, names := range importColumns {
		if slices.Contains(names, name) {
			return key, true
		}
	}
	return "", false
}

// ImportRow is a row of a file: a ticket, or what is wrong with it.
type ImportRow struct {
	Line   int
	Ticket store.Ticket
	Text   string // as written
	Old    string // its number in the other system
	Faults []string
}

const importMost = 100_000

// ReadTickets reads a file of tickets. The error, in Chinese, is about the file
// as a whole; warnings name columns that are not known.
func (d *Desk) ReadTickets(name string, r io.Reader) (rows []ImportRow, warnings []string, err error) {
	var head []string
	people, err := d.Store.ListMembers(context.Background())
	if err != nil {
		return nil, nil, err
	}
	known := func(name string) bool { _, ok := importColumn(name); return ok }
	err = kb.ReadRows(name, r, known, func(line int, cells []string) error {
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			return nil
		}
		if head == nil {
			for _, c := range cells {
				key, ok := importColumn(c)
				if !ok && strings.TrimSpace(c) != "" {
					warnings = append(warnings, fmt.Sprintf("不认识的列「%s」，未读", chat.Cut(strings.TrimSpace(c), 40)))
				}
				if ok && slices.Contains(head, key) {
					return fmt.Errorf("有两列都是「%s」", importColumns[key][0])
				}
				head = append(head, key)
			}
			if !slices.Contains(head, "title") {
				return errors.New("第一行要有列名，没有找到「标题」（title）列")
			}
			return nil
		}
		if len(rows) >= importMost {
			return fmt.Errorf("超过 %d 行，请拆开再导入", importMost)
		}
		v := map[string]string{}
		for i, c := range cells {
			if i < len(head) && head[i] != "" {
				v[head[i]] = strings.TrimSpace(c)
			}
		}
		rows = append(rows, d.importRow(line, v, people))
		return nil
	})
	if err == nil && head == nil {
		err = errors.New("文件是空的")
	}
	return rows, warnings, err
}

func (d *Desk) importRow(line int, v map[string]string, people []chat.User) ImportRow {
	row := ImportRow{Line: line, Old: chat.Cut(v["number"], 64)}
	fault := func(format string, args ...any) { row.Faults = append(row.Faults, fmt.Sprintf(format, args...)) }
	t := &row.Ticket
	row.Text, _ = mask.Scrub(v["text"])
	if row.Text == "" {
		row.Text = v["title"]
	}
	t.Title = TitleOf(v["title"])
	if len([]rune(t.Title)) < 2 {
		fault("「标题」太短")
	}
	t.State = importState(v["state"])
	if t.State == "" {
		fault("不认识的状态「%s」", chat.Cut(v["state"], 20))
	}
	t.Priority = strings.ToUpper(v["priority"])
	for p, title := range priorityTitle {
		if v["priority"] == title || strings.HasPrefix(t.Priority, p) {
			t.Priority = p
		}
	}
	if t.Priority == "" {
		t.Priority = "P3"
	}
	if priorityTitle[t.Priority] == "" {
		fault("不认识的优先级「%s」", chat.Cut(v["priority"], 20))
	}
	t.Class = "other"
	if v["class"] != "" {
		i := slices.IndexFunc(d.Rules.Classes, func(c Class) bool { return v["class"] == c.Name || v["class"] == c.Title })
		if i < 0 {
			fault("不认识的分类「%s」", chat.Cut(v["class"], 20))
		} else {
			t.Class = d.Rules.Classes[i].Name
		}
	}
	t.Subclass, t.AppVersion, t.System, t.Group = chat.Cut(v["subclass"], 32), chat.Cut(v["app_version"], 32), chat.Cut(v["system"], 32), chat.Cut(v["group"], 64)
	t.Reporter, t.Assignee = memberOf(v["reporter"], people), memberOf(v["assignee"], people)
	if t.Reporter == "" {
		fault("没有「报障人」")
	}
	zone := d.Rules.Calendar.Location()
	for key, to := range map[string]*time.Time{"created": &t.Created, "resolved": &t.Resolved, "closed": &t.Closed} {
		at, ok := importTime(v[key], zone)
		if !ok {
			fault("「%s」应写成 2026-06-30 09:30，现为「%s」", importColumns[key][0], chat.Cut(v[key], 20))
		}
		*to = at
	}
	t.Reason, t.Method = mask.Text(v["reason"]), mask.Text(v["method"])
	if v["rating"] != "" {
		n, err := strconv.Atoi(v["rating"])
		if err != nil || n < 1 || n > 5 {
			fault("「评分」是 1 到 5")
		}
		t.Rating = n
	}
	row.customer(v)
	d.importTimes(t, fault)
	return row
}

// importTimes sees to it that state and times agree.
func (d *Desk) importTimes(t *store.Ticket, fault func(string, ...any)) {
	now := d.Store.Now()
	if t.Created.IsZero() {
		t.Created = now
	}
	done := t.State == store.TicketResolved || t.State == store.TicketClosed
	if done && t.Resolved.IsZero() {
		if t.Resolved = t.Closed; t.Resolved.IsZero() {
			t.Resolved = t.Created
		}
	}
	if t.State == store.TicketClosed && t.Closed.IsZero() {
		t.Closed = t.Resolved
	}
	switch {
	case t.Created.After(now.Add(time.Minute)):
		fault("「建单时间」还没到")
	case done && t.Resolved.Before(t.Created), !t.Closed.IsZero() && t.Closed.Before(t.Created):
		fault("解决或关闭早于建单")
	}
	if done {
		t.Handler, t.Responded = t.Assignee, t.Resolved
		if t.Handler == "" {
			t.Handler = t.Reporter
		}
		t.RespondDue, t.ResolveDue = d.Rules.after(t.Priority, t.Created, d.Rules.Clocks[t.Priority].Respond), d.Rules.after(t.Priority, t.Created, d.Rules.Clocks[t.Priority].Resolve)
		if t.State == store.TicketResolved {
			t.Look = d.Rules.Calendar.Add(t.Resolved, d.Rules.Silence)
		}
		return
	}
	t.Resolved, t.Closed = time.Time{}, time.Time{}
	if t.State.Open() { // it is worked on here from now on
		d.Rules.startClocks(t, now)
		d.Rules.look(t, now)
	}
}

// customer keeps what identifies a customer, when it is whole; a mask that an
// export wrote tells nothing and is left out.
func (row *ImportRow) customer(v map[string]string) {
	for _, f := range []struct {
		key  string
		kind mask.Kind
		to   *store.Personal
	}{{"customer", mask.Customer, &row.Ticket.Customer}, {"phone", mask.Phone, &row.Ticket.Phone}, {"identity", mask.Identity, &row.Ticket.Identity}} {
		if strings.Contains(v[f.key], "*") {
			continue
		}
		var ok bool
		if *f.to, ok = PersonalOf(f.kind, v[f.key]); !ok {
			row.Faults = append(row.Faults, "「"+importColumns[f.key][0]+"」不对") // never the value
		}
	}
}

func importState(text string) store.TicketState {
	if text == "" {
		return store.TicketClosed
	}
	for _, s := range append(store.OpenTicketStates(), store.TicketResolved, store.TicketClosed, store.TicketVoid) {
		if text == string(s) || text == s.Title() {
			if s == store.TicketAssigned || s == store.TicketInProgress || s == store.TicketWaiting || s == store.TicketReopened {
				return store.TicketNew // its handler takes it up here
			}
			return s
		}
	}
	if text == "已挂起" {
		return store.TicketNew
	}
	return ""
}

func memberOf(text string, people []chat.User) string {
	for _, u := range people {
		if u.ID == text || u.Name == text && text != "" {
			return u.ID
		}
	}
	return chat.Cut(text, 64)
}

// importTime reads an instant as tables have it, also the serial number of a
// date cell: days since 1899-12-30 (ECMA-376 part 1, 18.17.4.1).
func importTime(text string, zone *time.Location) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	if serial, err := strconv.ParseFloat(text, 64); err == nil && serial > 20000 && serial < 80000 {
		// By the clock on the wall: zones had other offsets in 1899.
		w := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(serial * 24 * float64(time.Hour))).Round(time.Second)
		return time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, zone), true
	}
	text = strings.NewReplacer("/", "-", "年", "-", "月", "-", "日", "").Replace(text)
	for _, form := range []string{"2006-1-2 15:04:05", "2006-1-2 15:04", time.RFC3339, "2006-1-2"} {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Imported is what an import did, or would do.
type Imported struct{ New, Same int }

// errDryRun takes a transaction back.
var errDryRun = errors.New("dry run")

const importBatch = 200

// ImportTickets stores the rows; the same row again makes no second ticket. A dry
// run stores nothing and tells what it would.
func (d *Desk) ImportTickets(ctx context.Context, by string, rows []ImportRow, dry bool) (done Imported, err error) {
	for len(rows) > 0 {
		batch := rows[:min(importBatch, len(rows))]
		rows = rows[len(batch):]
		got := Imported{}
		err := d.Store.InTx(ctx, func(tx *store.Tx) error {
			got = Imported{}
			for _, row := range batch {
				fresh, err := d.importOne(tx, by, row)
				if err != nil {
					return fmt.Errorf("第 %d 行: %w", row.Line, err)
				}
				if fresh {
					got.New++
				} else {
					got.Same++
				}
			}
			if dry {
				return errDryRun
			}
			return tx.Audit(by, "ticket.import", fmt.Sprint(got.New), map[string]string{"same": fmt.Sprint(got.Same)})
		})
		if err != nil && !errors.Is(err, errDryRun) {
			return done, err
		}
		done.New, done.Same = done.New+got.New, done.Same+got.Same
	}
	return done, nil
}

func (d *Desk) importOne(tx *store.Tx, by string, row ImportRow) (fresh bool, err error) {
	t := row.Ticket
	key := "old " + row.Old
	if row.Old == "" {
		key = strings.Join([]string{"row", t.Title, t.Reporter, t.Created.Format(time.RFC3339)}, "|")
	}
	t.Source = store.FormSource("import", key)
	if _, err := tx.TicketOfSource(t.Source); err == nil {
		return false, nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	t.Place = chat.Address{Kind: chat.Person, ID: t.Reporter, Via: chat.API}
	if err := tx.ImportTicket(&t); err != nil {
		return false, err
	}
	event := "从其他系统导入"
	if row.Old != "" {
		event += "，原编号 " + row.Old
	}
	return true, errors.Join(tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: t.Reporter, Text: mask.Text(row.Text), Original: row.Text}),
		tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Author: by, Text: event}))
}
