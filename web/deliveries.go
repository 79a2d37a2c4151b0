package web

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// The inbox and the outbox as pages: every message in and out, its state, what
// was decided about it and why something was not sent. They are the debugger of
// the desk. Texts are masked here; nothing on these pages unmasks them.

type deliveriesPage struct {
	Side   string // in, out
	State  string
	Person string
	In     []store.Received
	Out    []store.Delivered
	Next   int64
	States []stateName
	Fresh  fresh
	Inbox  store.Depth
	Outbox store.Depth
}

type stateName struct{ Key, Title string }

var (
	inStates  = []stateName{{"new", "等待"}, {"running", "处理中"}, {"done", "完成"}, {"dead", "失败"}}
	outStates = []stateName{{"due", "等待"}, {"sending", "发送中"}, {"sent", "已发"}, {"dead", "失败"}, {"held", "免打扰"}, {"summed", "合并发出"}}
)

const ledgerPage = 50

func (s *Server) deliveries(v *visit) error {
	q := v.r.URL.Query()
	p := deliveriesPage{Side: q.Get("side"), State: q.Get("state"), Person: chat.Cut(strings.TrimSpace(q.Get("person")), 64), States: inStates}
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	query := store.LedgerQuery{State: p.State, Person: p.Person, Before: before, N: ledgerPage}
	ctx := v.r.Context()
	var err error
	if p.Inbox, err = s.opt.Store.InboxDepth(ctx); err != nil {
		return err
	}
	if p.Outbox, err = s.opt.Store.OutboxDepth(ctx); err != nil {
		return err
	}
	if p.Side == "out" {
		p.States = outStates
		if p.Out, err = s.opt.Store.ListDelivered(ctx, query); err != nil {
			return err
		}
		if before == 0 {
			p.Fresh = freshAfter("/deliveries", q, newest(p.Out, func(d store.Delivered) int64 { return d.ID }))
		}
		if len(p.Out) == ledgerPage {
			p.Next = p.Out[ledgerPage-1].ID
		}
		return v.show("deliveries", p)
	}
	p.Side = "in"
	if p.In, err = s.opt.Store.ListReceived(ctx, query); err != nil {
		return err
	}
	if before == 0 {
		p.Fresh = freshAfter("/deliveries", q, newest(p.In, func(r store.Received) int64 { return r.ID }))
	}
	if len(p.In) == ledgerPage {
		p.Next = p.In[ledgerPage-1].ID
	}
	return v.show("deliveries", p)
}

// freshDeliveries tells how many rows came since a list was shown.
func (s *Server) freshDeliveries(v *visit) error {
	q := v.r.URL.Query()
	after := number(q.Get("after"))
	query := store.LedgerQuery{State: q.Get("state"), Person: chat.Cut(strings.TrimSpace(q.Get("person")), 64), N: freshMost}
	f, n := freshAfter("/deliveries", q, after), 0
	if q.Get("side") == "out" {
		rows, err := s.opt.Store.ListDelivered(v.r.Context(), query)
		if err != nil {
			return err
		}
		for _, r := range rows {
			n += above(r.ID, after)
		}
	} else {
		rows, err := s.opt.Store.ListReceived(v.r.Context(), query)
		if err != nil {
			return err
		}
		for _, r := range rows {
			n += above(r.ID, after)
		}
	}
	f.N = n
	return v.part("deliveries", "fresh", f)
}

type receivedPage struct {
	store.Received
	Text    string
	Answers []store.Delivered
}

func (s *Server) received(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return errNotFound
	}
	ctx := v.r.Context()
	r, err := s.opt.Store.FindReceived(ctx, id)
	if err != nil {
		return err
	}
	p := receivedPage{Received: r, Text: mask.Text(r.Message.Text)}
	if p.Answers, err = s.opt.Store.ListDelivered(ctx, store.LedgerQuery{Message: r.Message.ID, N: 50}); err != nil {
		return err
	}
	return v.show("received", p)
}

type deliveredPage struct {
	store.Delivered
	Text  string
	Parts []string // as sent, masked, indented
	Why   string   // why it was not sent, in words
}

func (s *Server) delivered(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return errNotFound
	}
	d, err := s.opt.Store.FindDelivered(v.r.Context(), id)
	if err != nil {
		return err
	}
	p := deliveredPage{Delivered: d, Text: mask.Text(saidText(d.Said.Body)), Why: v.why(d)}
	for _, part := range d.Parts {
		p.Parts = append(p.Parts, part.API+"\n"+mask.Text(indent(part.Body)))
	}
	return v.show("delivered", p)
}

// why tells in one line why words have not arrived.
func (v *visit) why(d store.Delivered) string {
	switch {
	case d.State == "sent":
		return ""
	case d.State == "dead":
		return d.Reason
	case d.State == "held":
		return v.t("对方免打扰，%s 后一起发", v.when(d.Due))
	case d.State == "summed":
		return v.t("免打扰结束时并在一条里发了")
	case d.Unsure:
		return v.t("上一次发送没有收到回应，可能已送达；稍后按去重规则再试")
	case d.Due.After(v.s.opt.Now()):
		why := v.t("等到 %s 再发", v.when(d.Due))
		if d.Reason != "" {
			why += v.t("：") + d.Reason
		}
		return why
	}
	return v.t("排队中")
}

func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// saidText is what was said, in words.
func saidText(b chat.Body) string {
	switch {
	case b.Text != "":
		return b.Text
	case b.Markdown != "":
		return b.Markdown
	case b.Card != nil:
		return strings.TrimSpace(b.Card.Title + "\n" + b.Card.Desc + "\n" + b.Card.Twin)
	case b.Update != nil:
		return "更新卡片：" + b.Update.Done + b.Update.Text
	case b.Mail != nil:
		return b.Mail.Subject + "\n" + b.Mail.Text
	case b.Event != nil:
		return b.Event.Type + "\n" + string(b.Event.Data)
	case b.File != nil:
		return "文件：" + b.File.Name
	}
	return ""
}

// saidLine is one line of a list.
func (s *Server) saidLine(b chat.Body) string {
	return mask.Text(chat.Cut(strings.Join(strings.Fields(saidText(b)), " "), 60))
}

func (s *Server) retryDelivered(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return errNotFound
	}
	if err := s.opt.Store.RetryDelivery(v.r.Context(), v.user.ID, id); err != nil {
		return err
	}
	v.notice(v.t("已重新放入发送队列"))
	return v.redirect("/deliveries/out/" + v.r.PathValue("id"))
}

func (s *Server) retryReceived(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return errNotFound
	}
	if err := s.opt.Store.RetryReceived(v.r.Context(), v.user.ID, id); err != nil {
		return err
	}
	v.notice(v.t("已重新放入处理队列"))
	return v.redirect("/deliveries/in/" + v.r.PathValue("id"))
}
