package alert

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// mails are those queued so far, the oldest first.
func (st *stage) mails() (list []chat.Outgoing) {
	st.t.Helper()
	all, err := st.s.ListDelivered(context.Background(), store.LedgerQuery{N: 200})
	if err != nil {
		st.t.Fatal(err)
	}
	for _, o := range all {
		if o.Said.To.Kind == chat.Mailbox {
			list = append([]chat.Outgoing{o.Said}, list...)
		}
	}
	return list
}

// An alert is mailed as it is told in the group: a table, a link, no personal
// data, one conversation from the beginning to the end.
func TestAlertMail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		st := newStage(t, open)
		st.d.Rules.URL = "https://desk.example.com"
		route := DefaultRoute("desk", MailTo("desk@example.com"), MailTo("lead@example.com"))
		st.d.Rules.Routes = []Route{route}
		fire := func(state State, n int) {
			t.Helper()
			s := Signal{ID: "status/abnormal", Name: "沪A交易状态监控", Title: fmt.Sprintf("沪A交易状态监控 状态异常 %d（0.35%%）<b>", n), State: state, Severity: Critical, Text: "状态异常 33 0.35%\n已指定 9300 99.51%\n首日指定 0 0.0%\n13812345678 <script> 13 0.14%"}
			if _, err := st.d.Take(context.Background(), Source{Name: "monitor", Kind: Kind{Name: "monitor"}}, Delivery{Signals: []Signal{s}}, []byte("{}"), nil); err != nil {
				t.Fatal(err)
			}
			st.later(0)
		}
		fire(Firing, 33)
		list := st.mails()
		if len(list) != 2 || list[0].To.ID == list[1].To.ID || len(list[0].Mention) != 0 || !list[0].Urgent {
			t.Fatalf("%+v", list)
		}
		m := list[0].Body.Mail
		if m.Subject != "[紧急] 沪A交易状态监控 状态异常 33（0.35%）<b>" {
			t.Errorf("%q", m.Subject)
		}
		for _, want := range []string{"状态异常  33  0.35%", "首日指定  0  0.0%", "https://desk.example.com/alerts/1", "起，已"} {
			if !strings.Contains(m.Text, want) {
				t.Errorf("no %q in %s", want, m.Text)
			}
		}
		for _, want := range []string{"<th", "占比</th>", ">9300</td>", `href="https://desk.example.com/alerts/1"`, "&lt;b&gt;", "&lt;script&gt;"} {
			if !strings.Contains(m.HTML, want) {
				t.Errorf("no %q in %s", want, m.HTML)
			}
		}
		if both := m.Text + m.HTML + m.Subject; strings.Contains(both, "13812345678") || strings.Contains(both, "认领 A") || strings.Contains(m.HTML, "<script>") {
			t.Errorf("%s", both)
		}
		// Who has it is talked about in the group, not by mail.
		st.act(func(tx *store.Tx) error { _, err := st.d.Claim(tx, guyuan, 1, chat.Address{}); return err })
		if n := len(st.mails()); n != 2 {
			t.Errorf("%d mails after a claim", n)
		}
		fire(Resolved, 33)
		st.later(3 * time.Minute)
		list = st.mails()
		if len(list) != 4 {
			t.Fatalf("%d mails", len(list))
		}
		end := list[3].Body.Mail
		if !strings.HasPrefix(end.Subject, "[恢复] ") || end.Thread != m.Thread || m.Thread == "" || !strings.Contains(end.Text, "历时") || list[3].Key == list[0].Key {
			t.Errorf("%+v", end)
		}
		if said := st.said(); !strings.Contains(said, "/robot/desk: ") {
			t.Errorf("the group was not told: %s", said)
		}
	})
}

// Too much at once comes as digests by mail too, and nothing of it is left out.
func TestMailDigest(t *testing.T) {
	st := newStage(t, func(o store.Options) *store.Store { return storetest.Open(t, storetest.SQLite(t), o) })
	st.d.Rules.Routes = []Route{DefaultRoute(MailTo("desk@example.com"))}
	const n = 30
	for i := range n {
		st.alert(Firing, fmt.Sprintf("柜台 %02d", i), Major)
	}
	st.later(DefaultWait)
	st.later(time.Minute)
	named := map[string]bool{}
	digests := 0
	for _, o := range st.mails() {
		m := o.Body.Mail
		if strings.HasPrefix(m.Subject, "[汇总]") {
			digests++
			if !strings.Contains(m.HTML, "<b>过去") || strings.Contains(m.Text, "**") {
				t.Errorf("%s\n%s", m.Text, m.HTML)
			}
			continue
		}
		named[m.Subject] = true
	}
	if digests == 0 || len(named) > ordinaryAlone {
		t.Errorf("%d digests, %d alone", digests, len(named))
	}
}
