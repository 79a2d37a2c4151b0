package handlers

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"frontline/store"
)

const oldTickets = `单号,标题,描述,状态,优先级,分类,报障人,处理人,建单时间,解决时间,原因,办法,评分,客户号,手机,说不清
INC-1,银证转账失败,点了没反应 13800138000,已关闭,高,程序,林晓雯,顾远,2025/3/4 9:30,2025-03-04 10:10:00,网关,重启,5,10023371,13800138000,x
INC-2,持仓不对,,处理中,P3,数据,hejun,gu,2025年3月5日,,,,,****3371,,
INC-3,咨询佣金,,,,咨询,hejun,,45721.5,,,,,,,
`

// Old tickets come in with their times, once, on a dry run not at all; what is
// open goes on here with clocks of its own.
func TestImportTickets(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.in(func(tx *store.Tx) error {
			return errors.Join(tx.MeetMember("lin", "林晓雯", ""), tx.MeetMember("gu", "顾远", ""))
		})
		gbk, err := simplifiedchinese.GB18030.NewEncoder().String(oldTickets)
		if err != nil {
			t.Fatal(err)
		}
		rows, warnings, err := d.ReadTickets("old.csv", strings.NewReader(gbk))
		if err != nil || len(rows) != 3 || len(warnings) != 1 || !strings.Contains(warnings[0], "说不清") {
			t.Fatalf("%d rows, %v, %v", len(rows), warnings, err)
		}
		for _, r := range rows {
			if len(r.Faults) > 0 {
				t.Errorf("line %d: %v", r.Line, r.Faults)
			}
		}
		for i, want := range []Imported{{3, 0}, {3, 0}, {0, 3}} {
			if got, err := d.ImportTickets(ctx, "chen", rows, i == 0); err != nil || got != want {
				t.Errorf("run %d: %+v, want %+v, %v", i, got, want, err)
			}
			n, err := d.Store.CountTickets(ctx, store.TicketQuery{})
			if err != nil || i == 0 && n != 0 || i > 0 && n != 3 {
				t.Errorf("after run %d there are %d, %v", i, n, err)
			}
		}
		day := func(m time.Month, dd int) time.Time { return time.Date(2025, m, dd, 0, 0, 0, 0, d.now.Location()) }
		march4, err := d.Store.ListTickets(ctx, store.TicketQuery{From: day(3, 4), To: day(3, 5), N: 10})
		if err != nil || len(march4) != 1 {
			t.Fatalf("of the fourth of March: %+v, %v", march4, err)
		}
		tk := march4[0]
		if tk.State != store.TicketClosed || tk.Priority != "P2" || tk.Reporter != "lin" || tk.Handler != "gu" || tk.Rating != 5 || tk.Customer.Mask != "****3371" || tk.Resolved.Sub(tk.Created) != 40*time.Minute || !tk.Look.IsZero() {
			t.Errorf("%+v", tk)
		}
		entries, _ := d.Store.ListTicketEntries(ctx, tk.ID, 10)
		if len(entries) != 2 || strings.Contains(entries[0].Text, "13800138000") || !strings.Contains(entries[1].Text, "INC-1") {
			t.Errorf("%+v", entries)
		}
		open, _ := d.Store.ListTickets(ctx, store.TicketQuery{States: store.OpenTicketStates(), N: 10})
		if len(open) != 1 || open[0].State != store.TicketNew || open[0].Assignee != "gu" || !open[0].ResolveDue.After(d.now) || open[0].Customer.Mask != "" {
			t.Errorf("%+v", open)
		}
		d.wait(time.Minute)
		d.on(open[0].Number, func(tx *store.Tx, tk *store.Ticket) error { return d.Claim(tx, gu, tk) })
	})
}

// Every fault of a row is told with its column, values that identify somebody
// are not; a file that is none stores nothing.
func TestImportFaults(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		text := "title,state,priority,class,reporter,created,resolved,rating,identity\n白,完了,P9,天气,,2025-13-40,x,9,110101199003070021\n白屏了,resolved,P1,program,lin,2099-01-01,,,\n白屏了,closed,,,lin,2025-03-05,2025-03-04,,\n"
		rows, _, err := d.ReadTickets("a.csv", strings.NewReader(text))
		if err != nil || len(rows) != 3 {
			t.Fatal(rows, err)
		}
		all := strings.Join(rows[0].Faults, "|")
		for _, want := range []string{"标题", "状态", "优先级", "分类", "报障人", "建单时间", "解决时间", "评分", "证件号"} {
			if !strings.Contains(all, want) {
				t.Errorf("no fault about %s in %s", want, all)
			}
		}
		if strings.Contains(all, "110101199003070021") {
			t.Error("a fault shows an identity number")
		}
		if len(rows[1].Faults) != 1 || len(rows[2].Faults) != 1 {
			t.Errorf("%v %v", rows[1].Faults, rows[2].Faults)
		}
		for name, text := range map[string]string{"a.csv": "", "b.csv": "a,b\n1,2\n", "c.csv": "标题,title\nx,y\n", "d.txt": "标题\nx\n", "e.xlsx": "no zip"} {
			if rows, _, err := d.ReadTickets(name, strings.NewReader(text)); err == nil || len(rows) > 0 {
				t.Errorf("%s: %v, %v", name, rows, err)
			}
		}
		f := excelize.NewFile()
		f.SetSheetRow("Sheet1", "A1", &[]any{"标题", "报障人", "建单时间"})
		f.SetSheetRow("Sheet1", "A2", &[]any{"行情不刷新", "lin", time.Date(2025, 3, 4, 9, 30, 0, 0, time.UTC)})
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		rows, _, err = d.ReadTickets("x.xlsx", &b)
		if err != nil || len(rows) != 1 || len(rows[0].Faults) > 0 || rows[0].Ticket.Created.Format("2006-01-02 15:04") != "2025-03-04 09:30" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}
