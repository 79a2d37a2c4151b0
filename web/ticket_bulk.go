package web

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"frontline/bot/chat"
	"frontline/store"
)

// bulkMost is how many tickets one action changes at most.
const bulkMost = 500

type bulkPage struct {
	What   string
	Done   []int64
	Failed []bulkFault
	Back   string
}

type bulkFault struct {
	Number int64
	Why    string
}

// bulk does one thing to many tickets, each in a transaction of its own: one
// that cannot be changed does not hold up the rest, and is reported.
func (s *Server) bulk(v *visit) error {
	ctx := v.r.Context()
	if err := v.r.ParseForm(); err != nil {
		return badForm(v.t("表单不完整"))
	}
	q, err := url.ParseQuery(v.r.PostFormValue("query"))
	if err != nil {
		return badForm(v.t("表单不完整"))
	}
	f := readFilter(q)
	numbers, err := s.chosen(v, f)
	if err != nil {
		return err
	}
	do, err := s.bulkAction(v)
	if err != nil {
		return err
	}
	p := bulkPage{What: do.title, Back: f.address(1)}
	for _, n := range numbers {
		err := s.opt.Store.InTx(ctx, func(tx *store.Tx) error { return do.run(tx, n) })
		var no chat.Refusal
		switch {
		case err == nil:
			p.Done = append(p.Done, n)
		case errors.As(err, &no):
			p.Failed = append(p.Failed, bulkFault{n, no.Text})
		case errors.Is(err, store.ErrStale):
			p.Failed = append(p.Failed, bulkFault{n, v.t("刚被别人改过，请刷新后再试")})
		case errors.Is(err, store.ErrNotFound):
			p.Failed = append(p.Failed, bulkFault{n, v.t("没有这张工单")})
		default:
			s.opt.Log.Error("bulk action failed", "err", err, "ticket_id", n)
			p.Failed = append(p.Failed, bulkFault{n, v.t("内部错误，请稍后再试")})
		}
	}
	if err := s.auditBulk(ctx, v.user.ID, do.name, p); err != nil {
		return err
	}
	if len(p.Failed) == 0 {
		v.notice(v.t("%s：%d 件", p.What, len(p.Done)))
		return v.redirect(p.Back)
	}
	return v.show("bulk", p)
}

// auditBulk is one line for the whole action, with every number.
func (s *Server) auditBulk(ctx context.Context, actor, name string, p bulkPage) error {
	failed := make([]int64, len(p.Failed))
	for i, f := range p.Failed {
		failed[i] = f.Number
	}
	return s.opt.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Audit(actor, "ticket.bulk", name, map[string]any{"done": p.Done, "failed": failed})
	})
}

// chosen are the ticked numbers, or all that the filter chooses.
func (s *Server) chosen(v *visit, f ticketFilter) (numbers []int64, err error) {
	if v.r.PostFormValue("all") == "1" {
		err = s.opt.Store.EachTicket(v.r.Context(), f.query(v.user.ID, s.opt.Now()), bulkMost+1, func(t store.Ticket) error {
			numbers = append(numbers, t.Number)
			return nil
		})
	}
	if v.r.PostFormValue("all") != "1" {
		for _, t := range v.r.PostForm["t"] {
			if n, err := strconv.ParseInt(t, 10, 64); err == nil && n > 0 {
				numbers = append(numbers, n)
			}
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(numbers) == 0:
		return nil, badForm(v.t("先勾选工单"))
	case len(numbers) > bulkMost:
		return nil, badForm(v.t("一次最多 %d 件，请缩小筛选范围", bulkMost))
	}
	return numbers, nil
}

type bulkAction struct {
	name, title string
	run         func(tx *store.Tx, number int64) error
}

// bulkAction reads what is to be done; the rules are the desk's.
func (s *Server) bulkAction(v *visit) (a bulkAction, err error) {
	desk, form := s.opt.Desk, v.r.PostFormValue
	on := func(change func(tx *store.Tx, t *store.Ticket) error) func(tx *store.Tx, number int64) error {
		return func(tx *store.Tx, number int64) error {
			t, err := tx.FindTicket(number)
			if err != nil {
				return err
			}
			return change(tx, &t)
		}
	}
	switch a.name = form("do"); a.name {
	case "claim":
		a.title = v.t("已受理")
		a.run = on(func(tx *store.Tx, t *store.Ticket) error { return desk.Claim(tx, v.user, t) })
	case "assign":
		to, err := s.opt.Store.FindMember(v.r.Context(), form("to"))
		if errors.Is(err, store.ErrNotFound) {
			return a, badForm(v.t("选一位转给谁"))
		}
		if err != nil {
			return a, err
		}
		a.title = v.t("已转给 %s", to.Show())
		a.run = on(func(tx *store.Tx, t *store.Ticket) error { return desk.Assign(tx, v.user, t, to, form("why")) })
	case "class":
		class, sub := splitClass(form("class"))
		if class == "" {
			return a, badForm(v.t("选一个分类"))
		}
		a.title = v.t("已改分类")
		a.run = on(func(tx *store.Tx, t *store.Ticket) error { return desk.SetClass(tx, v.user, t, class, sub) })
	case "merge":
		into, ok := ticketNumber(form("into"))
		if !ok {
			return a, badForm(v.t("并到哪张？写主单的编号"))
		}
		a.title = v.t("已并到 T%d", into)
		a.run = func(tx *store.Tx, n int64) error {
			if n == into {
				return nil // the master is ticked too
			}
			master, err := tx.FindTicket(into)
			if err != nil {
				return chat.Refusal{Text: v.t("没有 T%d", into)}
			}
			return on(func(tx *store.Tx, t *store.Ticket) error { return desk.Merge(tx, v.user, t, &master) })(tx, n)
		}
	default:
		return a, badForm(v.t("没有这个操作"))
	}
	return a, nil
}

// splitClass reads data or data/资金流水.
func splitClass(text string) (class, sub string) {
	for i := range text {
		if text[i] == '/' {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}
