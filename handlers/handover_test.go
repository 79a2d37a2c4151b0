package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"frontline/store"
)

func TestNextHandover(t *testing.T) {
	day := func(h, m int) time.Time { return time.Date(2026, 11, 25, h, m, 0, 0, time.UTC) }
	for _, c := range []struct{ now, want time.Time }{{day(3, 0), day(8, 45)}, {day(8, 45), day(17, 30)}, {day(17, 31), day(8, 45).AddDate(0, 0, 1)}} {
		if got := nextHandover(c.now); !got.Equal(c.want) {
			t.Errorf("after %s: %s, want %s", c.now, got, c.want)
		}
	}
}

// The list goes to the group and to whoever is on duty, once, on trading days,
// at its times only.
func TestHandover(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) { // Wednesday
		d.Announce = "support"
		d.Rules.Groups = []ServiceGroup{{Name: "trading", Title: "交易支持组", Duty: []DutyLine{{Trading: true, From: 8 * time.Hour, To: 18 * time.Hour, Members: []string{"gu"}}}}}
		at := func(day, h, m int) {
			d.mu.Lock()
			d.now = time.Date(2026, 11, day, h, m, 0, 0, d.now.Location())
			d.mu.Unlock()
			for range 2 {
				if err := d.Handover(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		at(25, 10, 0) // not its time
		if err := d.LayRoster(context.Background()); err != nil {
			t.Fatal(err)
		}
		d.in(func(tx *store.Tx) error {
			tk := store.Ticket{Title: "银证转账页打不开", Reporter: "lin", Class: "program", Group: "trading", Priority: "P2", Assignee: "fang"}
			err := d.Open(tx, reporter, &tk)
			return err
		})
		d.opened("lin", "对账单收不到")
		at(25, 17, 40) // late by minutes: still good
		group, mine := strings.Join(d.heard("support"), "\n"), strings.Join(d.heard("gu"), "\n")
		for _, want := range []string{"交接清单", "交易支持组：未关闭 1 · 超时 1 · 值班 gu", "未分组：未关闭 1 · 没人接 1", "银证转账页打不开", "对账单收不到"} {
			if strings.Count(group, want) != 1 {
				t.Errorf("the group heard %q %d times:\n%s", want, strings.Count(group, want), group)
			}
		}
		if strings.Count(mine, "交接清单") != 1 || strings.Contains(mine, "对账单") {
			t.Errorf("who is on duty heard:\n%s", mine)
		}
		at(28, 8, 45) // Saturday
		if again := strings.Join(d.heard("support"), "\n"); strings.Count(again, "交接清单") != 1 {
			t.Errorf("on a Saturday:\n%s", again)
		}
	})
}
