package construct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// quiet is how long a run works before it speaks of its progress, and between.
const quiet = 15 * time.Second

// progress says where a run is, where it takes long. What follows replaces it
// where the place can show only one thing.
func (x *exec) progress(ctx context.Context) {
	now := x.e.Store.Now()
	if x.run.Started.IsZero() || now.Sub(x.run.Started) < quiet || x.run.Place.Kind == "" {
		return
	}
	n := int(now.Sub(x.run.Started) / (20 * time.Second))
	err := x.e.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("run/%d/progress/%d", x.run.ID, n), To: x.run.Place, ReplyTo: x.run.ReplyTo, Asked: true, Progress: true, AtMostOnce: true, Body: chat.Body{Text: progressText(x.run, *x.item, x.rec.StepCount())}})
	})
	if err != nil && ctx.Err() == nil {
		x.e.Log.Warn("tell of a run's progress", "err", err)
	}
}

func progressText(r store.Run, i store.Item, steps int) string {
	full := 5 * i.StepsDone / max(1, steps)
	return fmt.Sprintf("R%d 进行中 %s%s 第 %d/%d 步 %s（第 %d/%d 个）", r.Number, strings.Repeat("▓", full), strings.Repeat("░", 5-full), i.StepsDone, steps, chat.Plain(i.StepTitle), i.Pos, r.Wanted)
}

// shownItems is how many pieces a message lists; the rest is in the file.
const shownItems = 5

// tellEnd says how a run ended, to who asked and on the ticket.
func (e *Engine) tellEnd(tx *store.Tx, r store.Run, items []store.Item) error {
	env := strings.ToUpper(r.Env)
	if v := e.Envs[r.Env]; v != nil {
		env = v.Title
	}
	text, buttons := e.endWords(r, items, env, tx.Now())
	if r.Place.Kind != "" {
		card := chat.Card{TaskID: fmt.Sprintf("run-%d-%d", r.ID, r.Epoch), Source: "数据构造", Title: fmt.Sprintf("R%d %s", r.Number, StateTitle(r.State)), Desc: chat.Plain(r.Title) + " · " + env, Buttons: buttons}
		rows := resultRows(items)
		card.Rows = rows[:min(6, len(rows))]
		card.Text = chat.Plain(firstFault(items))
		var words []string
		for _, b := range buttons {
			words = append(words, "「"+b.Key+"」")
		}
		card.Twin = strings.TrimSpace(text + "\n" + strings.Join(words, " "))
		out := chat.Outgoing{Key: fmt.Sprintf("run/%d/end/%d", r.ID, r.Epoch), To: r.Place, ReplyTo: r.ReplyTo, Asked: true, Body: chat.Body{Text: card.Twin}}
		if len(buttons) > 0 {
			out.Body = chat.Body{Card: &card}
		}
		if err := tx.Enqueue(out); err != nil {
			return err
		}
	}
	if r.Ticket == 0 {
		return nil
	}
	t, err := tx.FindTicket(r.Ticket)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Text: text})
}

func resultRows(items []store.Item) (rows []chat.Row) {
	for _, i := range items {
		card := Card(i)
		if len(items) == 1 {
			for _, s := range card {
				rows = append(rows, chat.Row{Key: s[0], Value: chat.Plain(s[1])})
			}
			break
		}
		var parts []string
		for _, s := range card {
			parts = append(parts, s[1])
		}
		if len(parts) > 0 {
			rows = append(rows, chat.Row{Key: fmt.Sprint(i.Pos), Value: chat.Plain(strings.Join(parts, " "))})
		}
	}
	return rows
}

// Card is an item's result, masked: label and text.
func Card(i store.Item) (out [][2]string) {
	var lines []shown
	json.Unmarshal([]byte(i.Card), &lines) // written by us; what is not there shows nothing
	for _, l := range lines {
		out = append(out, [2]string{l.Label, l.Text})
	}
	return out
}

// firstFault is why the first piece that failed did.
func firstFault(items []store.Item) string {
	for _, i := range items {
		if i.Fault != "" {
			return fmt.Sprintf("第 %d 个停在「%s」：%s", i.Pos, i.StepTitle, i.Fault)
		}
	}
	return ""
}

func (e *Engine) endWords(r store.Run, items []store.Item, env string, now time.Time) (string, []chat.Button) {
	var b strings.Builder
	took := now.Sub(r.Started).Round(100 * time.Millisecond)
	button := func(text, verb string) chat.Button {
		return chat.Button{Text: text, Key: fmt.Sprintf("%s R%d", verb, r.Number)}
	}
	var buttons []chat.Button
	switch r.State {
	case store.RunUndone:
		if r.Why != "" {
			fmt.Fprintf(&b, "R%d %s，已清理干净。", r.Number, r.Why)
		} else {
			fmt.Fprintf(&b, "R%d 已清理干净。", r.Number)
		}
		return b.String(), nil
	case store.RunResidue:
		fmt.Fprintf(&b, "R%d 有残留，没有全部收回：", r.Number)
		for _, i := range items {
			if i.State == store.ItemResidue {
				fmt.Fprintf(&b, "\n第 %d 个：%s", i.Pos, i.Fault)
			}
		}
		return b.String(), []chat.Button{button("再清理", "清理")}
	case store.RunAttention:
		fmt.Fprintf(&b, "R%d 需要人看：", r.Number)
	default:
		fmt.Fprintf(&b, "R%d %s，%s，%d/%d 成功（种子 %d，%s）", r.Number, StateTitle(r.State), took, r.Good, r.Wanted, r.Seed, env)
	}
	if r.Why != "" {
		b.WriteString("\n" + r.Why)
	}
	n := 0
	for _, i := range items {
		if i.State == store.ItemDone {
			if n++; n > shownItems {
				continue
			}
			var parts []string
			for _, s := range Card(i) {
				parts = append(parts, s[0]+" "+s[1])
			}
			fmt.Fprintf(&b, "\n%d  %s", i.Pos, chat.Plain(strings.Join(parts, " · ")))
		}
	}
	if n > shownItems {
		fmt.Fprintf(&b, "\n共 %d 个，全部在文件里（导出）。", n)
	}
	bad := 0
	for _, i := range items {
		if i.State == store.ItemDone || i.State == store.ItemPending {
			continue
		}
		if bad++; bad > shownItems {
			continue
		}
		what := map[string]string{store.ItemUndone: "已做的都收回了", store.ItemFailed: "已做的还在", store.ItemAttention: "不知道对方做了没有", store.ItemResidue: "没有全部收回"}[i.State]
		fmt.Fprintf(&b, "\n第 %d 个停在第 %d 步「%s」：%s（%s）", i.Pos, i.StepsDone+1, chat.Plain(i.StepTitle), chat.Plain(i.Fault), what)
	}
	if r.Good > 0 {
		buttons = append(buttons, button("再来", "再来"), button("导出", "导出"))
	}
	if r.State == store.RunAttention {
		buttons = append(buttons, button("当作没做，继续", "重试"))
	} else if bad > 0 {
		failed := false
		for _, i := range items {
			failed = failed || i.State == store.ItemFailed
		}
		if failed {
			buttons = append(buttons, button("从断的那步重试", "重试"))
		}
	}
	return b.String(), append(buttons, button("清理", "清理"))
}
