package handlers

import (
	"errors"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

var (
	zhao = chat.User{ID: "zhao", Name: "赵晴", Roles: chat.RoleSet{chat.Reporter, chat.Curator}}
	qian = chat.User{ID: "qian", Name: "钱主管", Roles: chat.RoleSet{chat.Reporter, chat.Leader}}
)

// A wording that is added while a change waits is in the entry and in the
// change, so that publishing the change does not take it away.
func TestWordingsReachTheChangeThatWaits(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.in(func(tx *store.Tx) error {
			n, err := tx.NewEntry("zhao", kb.Entry{Question: "两融补签入口在哪", Answer: "业务办理里。", State: kb.Published})
			if err != nil {
				return err
			}
			e, err := tx.FindEntry(n)
			if err != nil {
				return err
			}
			e.Answer = "业务办理 > 两融。"
			if _, err := d.EditEntry(tx, zhao, EntryEdit{Entry: e, Version: e.Version}); err != nil {
				return err
			}
			if _, added, err := d.AddWordings(tx, qian, n, []string{"补签在哪", "补签在哪"}, nil, false); err != nil || added != 1 {
				t.Errorf("added %d, %v", added, err)
			}
			if e, err = d.MoveEntry(tx, zhao, n, 0, MovePublish, ""); err != nil {
				return err
			}
			if e.Answer != "业务办理 > 两融。" || len(e.Similar) != 1 {
				t.Errorf("after publishing: %+v", e)
			}
			return nil
		})
	})
}

func TestWordingsWaitForTheSecondPerson(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.SecondPerson = true
		d.in(func(tx *store.Tx) error {
			if err := errors.Join(tx.MeetMember("qian", "钱主管", ""), tx.SetRoles("t", "qian", chat.RoleSet{chat.Reporter, chat.Curator})); err != nil {
				return err
			}
			n, err := tx.NewEntry("zhao", kb.Entry{Question: "两融补签入口在哪", Answer: "业务办理里。", State: kb.Published})
			if err != nil {
				return err
			}
			if _, _, err := d.AddWordings(tx, zhao, n, []string{"补签在哪"}, nil, false); err != nil {
				return err
			}
			if e, _ := tx.FindEntry(n); len(e.Similar) != 0 {
				t.Error("live before anybody looked")
			}
			if _, err := d.MoveEntry(tx, zhao, n, 0, MovePublish, ""); !strings.Contains(refusalText(err), "最后是你改的") {
				t.Errorf("own review: %v", err)
			}
			e, err := d.MoveEntry(tx, qian, n, 0, MovePublish, "")
			if err == nil && len(e.Similar) != 1 {
				t.Errorf("%+v", e)
			}
			return err
		})
		if said := d.heardBy("qian"); !strings.Contains(said, "待复核（赵晴 提交）") {
			t.Errorf("the reviewer heard %q", said)
		}
	})
}

// A change that was overtaken is not published over what came since.
func TestOvertakenChangeIsNotPublished(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.in(func(tx *store.Tx) error {
			n, err := tx.NewEntry("zhao", kb.Entry{Question: "两融补签入口在哪", Answer: "业务办理里。", State: kb.Published})
			if err != nil {
				return err
			}
			e, _ := tx.FindEntry(n)
			e.Answer = "业务办理 > 两融。"
			if _, err := d.EditEntry(tx, zhao, EntryEdit{Entry: e, Version: e.Version, Then: MoveSubmit}); err != nil {
				return err
			}
			if _, err := tx.ChangeEntry("cli", "导入", n, 0, func(e *kb.Entry) error { e.Answer = "柜台办。"; return nil }); err != nil {
				return err
			}
			if _, err := d.MoveEntry(tx, qian, n, 0, MovePublish, ""); !strings.Contains(refusalText(err), "又发布过") {
				t.Errorf("%v", err)
			}
			if e, _ := tx.FindEntry(n); e.Answer != "柜台办。" {
				t.Errorf("%+v", e)
			}
			return nil
		})
	})
}

func refusalText(err error) string {
	var no chat.Refusal
	if errors.As(err, &no) {
		return no.Text
	}
	return ""
}
