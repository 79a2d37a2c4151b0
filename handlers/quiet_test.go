package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

func TestReadQuietHours(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"22:00-7:00": "22:00–7:00", "22-7": "22:00–7:00", "晚上10点到早上7点": "22:00–7:00", "22：30～次日6：30": "22:30–6:30", "12:00至13:30": "12:00–13:30", "每天22点到7点半": "22:00–7:30",
		"22:00": "", "7-7": "", "0:00-23:59": "", "25:00-7:00": "", "今晚": "", "22:00-": "", "22:99-7:00": "",
	} {
		q, err := ReadQuietHours(text)
		if want == "" {
			var no chat.Refusal
			if !errors.As(err, &no) {
				t.Errorf("%s: %v %v", text, q, err)
			}
			continue
		}
		if err != nil || QuietWords(q) != want {
			t.Errorf("%s: %s, %v", text, QuietWords(q), err)
		}
	}
}

// In the night nothing comes that is not urgent; in the morning it comes at once:
// words together, a card as a card.
func TestQuietNight(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.clock(25, 20, 0)
		d.in(func(tx *store.Tx) error {
			q, err := ReadQuietHours("20:00-7:00")
			return errors.Join(err, d.SetQuietHours(tx, gu, person("gu"), q))
		})
		say := func(key, text string) {
			d.in(func(tx *store.Tx) error {
				return tx.Enqueue(chat.Outgoing{Key: key, To: person("gu"), Body: chat.Body{Text: text}})
			})
		}
		say("1", "T1 有新进展")
		say("2", "T2 有新进展")
		d.in(func(tx *store.Tx) error {
			return tx.Enqueue(chat.Outgoing{Key: "3", To: person("gu"), Body: chat.Body{Card: &chat.Card{TaskID: "c", Title: "评价", Twin: "评价一下"}}})
		})
		d.on(d.open("P1"), func(tx *store.Tx, t *store.Ticket) error { return d.tellOne(tx, t, "gu", "x", "P1 来了") })
		sent := func() (out []string) {
			list, err := d.Store.ListDelivered(context.Background(), store.LedgerQuery{State: "due", Person: "gu", N: 50})
			if err != nil {
				t.Fatal(err)
			}
			for i := range list {
				out = append(out, bodyText(list[len(list)-1-i].Said.Body))
			}
			return out
		}
		letGo := func() {
			t.Helper()
			for range 2 {
				if err := d.LetGo(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		letGo()
		if got := strings.Join(sent(), "|"); !strings.Contains(got, "P1 来了") || strings.Contains(got, "新进展") {
			t.Errorf("in the night: %s", got)
		}
		d.clock(26, 7, 0)
		letGo()
		got := sent()
		if last := got[len(got)-1]; !strings.Contains(last, "免打扰期间有 2 条：\n【11-25 20:00】T1 有新进展\n【11-25 20:00】T2 有新进展") || strings.Count(strings.Join(got, "|"), "评价一下") != 1 {
			t.Errorf("in the morning: %q", got)
		}
		// Longer hours while words wait: they wait on.
		d.clock(26, 20, 30)
		say("4", "只有一条")
		d.in(func(tx *store.Tx) error {
			return d.SetQuietHours(tx, gu, person("gu"), store.QuietHours{From: 20 * 60, Until: 8 * 60})
		})
		letGo()
		d.clock(27, 7, 30)
		letGo()
		if got := strings.Join(sent(), "|"); strings.Contains(got, "只有一条") {
			t.Error("said in the longer quiet hours")
		}
		d.clock(27, 8, 0)
		letGo()
		if got := sent(); got[len(got)-1] != "只有一条" {
			t.Errorf("%q", got)
		}
	})
}

func TestQuietRoles(t *testing.T) {
	t.Parallel()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Chats = []GroupChat{{Name: "north", ChatID: "chat-north", Robot: true}}
		night := store.QuietHours{From: 22 * 60, Until: 7 * 60}
		inChat := chat.Address{Kind: chat.Group, ID: "chat-north", Via: chat.Bot}
		for _, x := range []struct {
			by    chat.User
			place chat.Address
		}{{reporter, person("gu")}, {gu, person("lin")}, {reporter, inChat}} {
			var no chat.Refusal
			if err := d.Store.InTx(context.Background(), func(tx *store.Tx) error { return d.SetQuietHours(tx, x.by, x.place, night) }); !errors.As(err, &no) {
				t.Errorf("%s for %s: %v", x.by.ID, x.place, err)
			}
		}
		// Said in the group, it is so for its robot too.
		d.in(func(tx *store.Tx) error { return d.SetQuietHours(tx, gu, inChat, night) })
		if q, err := d.Store.QuietHours(context.Background(), chat.Address{Kind: chat.Robot, ID: "north"}); err != nil || q.From != night.From {
			t.Errorf("%+v, %v", q, err)
		}
	})
}

func TestSumUp(t *testing.T) {
	t.Parallel()
	var list []store.Held
	for i := range 30 {
		list = append(list, store.Held{At: time.Unix(0, 0), Said: chat.Outgoing{Body: chat.Body{Markdown: fmt.Sprintf("**第 %d 条** <font color=\"warning\">很急</font> [看](https://x.example.com)%s\n> 第二行", i, strings.Repeat("长", 80))}}})
	}
	got := sumUp(list, time.Unix(0, 0), true)
	if lines := strings.Split(got, "\n"); len(lines) != 22 || !strings.HasPrefix(lines[0], "**免打扰期间有 30 条") || strings.ContainsAny(lines[1], "<*(") || lines[21] != "还有 10 条。" {
		t.Errorf("%s", got)
	}
	if len(got) > 4096 {
		t.Errorf("%d bytes", len(got))
	}
}
