package handlers

import (
	"context"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Sample is one kind of message that the desk says, as it says it.
type Sample struct {
	About string // 工单, 告警, 提问
	When  string // when it is said
	To    string // whom
	Body  chat.Body
}

// Samples plays an invented report, an alert and three questions with the code
// that serves real ones, and takes everything back: what is returned is what
// people hear, word for word.
func (d *Desk) Samples(ctx context.Context) ([]Sample, error) {
	reporter := chat.User{ID: "sample-reporter", Name: "示例报障人", Department: "示例营业部", Roles: chat.RoleSet{chat.Reporter}}
	handler := chat.User{ID: "sample-handler", Name: "示例支持", Roles: chat.RoleSet{chat.Responder}}
	t := store.Ticket{Priority: "P1", Class: "program", Title: "行情页一直转圈，切换网络后仍不刷新", Reporter: reporter.ID, System: "安卓", AppVersion: "9.2.1", Urgency: "urgent", Assignee: handler.ID}
	fires, claimed, over := d.Alerts.Sample(handler)
	on := func(do func(tx *store.Tx, t *store.Ticket) error) func(tx *store.Tx) error {
		return func(tx *store.Tx) error { return do(tx, &t) }
	}
	steps := []struct {
		about, when string
		do          func(tx *store.Tx) error
	}{
		{"工单", "建单，派给值班", on(func(tx *store.Tx, t *store.Ticket) error { return d.Open(tx, reporter, t) })},
		{"工单", "群里通报新单", on(func(tx *store.Tx, t *store.Ticket) error {
			return tx.Enqueue(chat.Outgoing{Key: "sample/new", To: chat.Address{Kind: chat.Robot, ID: "sample"}, Body: chat.Body{Markdown: newTicketLine(*t, reporter)}})
		})},
		{"工单", "接手", on(func(tx *store.Tx, t *store.Ticket) error { return d.Claim(tx, handler, t) })},
		{"工单", "问报障人", on(func(tx *store.Tx, t *store.Ticket) error {
			return d.Ask(tx, handler, t, "转圈时右上角有没有提示？")
		})},
		{"工单", "报障人补充", on(func(tx *store.Tx, t *store.Ticket) error {
			return d.Said(tx, reporter, t, "提示连接超时", "提示连接超时", nil, "sample")
		})},
		{"工单", "回复报障人", on(func(tx *store.Tx, t *store.Ticket) error {
			return d.Reply(tx, handler, t, "已在查，10 分钟内给结果。", nil)
		})},
		{"工单", "时限到了", on(func(tx *store.Tx, t *store.Ticket) error {
			t.ResolveDue = tx.Now().Add(-time.Minute)
			return d.warn(tx, t)
		})},
		{"工单", "解决", on(func(tx *store.Tx, t *store.Ticket) error {
			return d.Resolve(tx, handler, t, Resolution{Reason: "行情网关 2 号超时", Method: "已切换到 3 号网关，请重新打开行情页"})
		})},
		{"工单", "请报障人评价", on(func(tx *store.Tx, t *store.Ticket) error {
			card, _ := ratingCard(t, "sample")
			return tx.Enqueue(chat.Outgoing{Key: "sample/rate", To: person(t.Reporter), Body: chat.Body{Card: card}})
		})},
		{"工单", "又出现了，重开", on(func(tx *store.Tx, t *store.Ticket) error { return d.Reopen(tx, reporter, t, "又开始转圈") })},
		{"告警", "告警", fires}, {"告警", "认领", claimed}, {"告警", "恢复", over},
	}
	list := make([]func(tx *store.Tx) error, len(steps))
	for i := range steps {
		list[i] = steps[i].do
	}
	said, at, err := d.Store.Rehearse(ctx, list...)
	if err != nil {
		return nil, err
	}
	out := d.answerSamples()
	for i, s := range steps {
		end := len(said)
		if i+1 < len(at) {
			end = at[i+1]
		}
		for _, w := range said[at[i]:end] {
			if w.Body.Event != nil || w.Body.Mail != nil {
				continue // for programs
			}
			out = append(out, Sample{s.about, s.when, sampleReader(w.To, reporter.ID, handler.ID), w.Body})
		}
	}
	return out, nil
}

// sampleReader says who reads a sample.
func sampleReader(to chat.Address, reporter, handler string) string {
	switch {
	case to.Kind == chat.Robot:
		return "群机器人"
	case to.ID == reporter:
		return "报障人"
	case to.ID == handler:
		return "处理人"
	}
	return "组长或值班"
}

// answerSamples are what somebody hears who asks.
func (d *Desk) answerSamples() []Sample {
	entries := []kb.Entry{
		{Number: 1, Version: 3, Question: "可转债权限开通后多久生效", ShortTitle: "可转债权限多久生效", Answer: "柜面办理 T 日受理，次一交易日 08:30 生效；自助办理即时生效，需重新登录。", Group: "account"},
		{Number: 2, Version: 1, Question: "转债申购提示资金不足", ShortTitle: "转债申购提示资金不足", Answer: "先核对可用资金，再重新登录。"},
	}
	long := entries[1]
	long.Steps, long.Exceptions = "核对「客户资料 > 资金账户」", "机构户走柜台"
	r := Request{Msg: chat.Message{ID: "sample-message-00000000", From: person("sample-reporter")}, Now: d.Store.Now()}
	found := kb.Result{Band: kb.Clarify, Hits: []kb.Hit{{Entry: entries[0], Score: 0.6}, {Entry: entries[1], Score: 0.3}}}
	var out []Sample
	for _, s := range []struct {
		when string
		say  []chat.Outgoing
	}{
		{"欢迎与帮助", []chat.Outgoing{{Body: chat.Body{Text: d.helpText(chat.User{Roles: chat.RoleSet{chat.Reporter}})}}}},
		{"有把握，直接答", answerWords(r.Msg, entries[0], "", wording{})},
		{"在群里，答案长", answerWords(r.Msg, long, "", wording{link: "https://desk.example.com/m/help/2"})},
		{"大模型组织的措辞", answerWords(r.Msg, entries[0], "按「可转债权限开通多久生效」查的", wording{text: "柜面办理的次一交易日 08:30 生效〔K1〕。", from: entries[:1], by: "措辞由大模型按上面的条目组织，原文回「看 K1」。"})},
		{"拿不准，列出几个", d.clarify(r, asked{text: "可转债", found: found}).Say},
		{"没有答案", d.dontKnow(r, asked{text: "可转债怎么打新"}).Say},
	} {
		for _, w := range s.say {
			out = append(out, Sample{"提问", s.when, "提问的人", w.Body})
		}
	}
	return out
}
