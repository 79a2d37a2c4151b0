package handlers

import (
	"context"
	"fmt"
	"strings"

	"frontline/bot/chat"
)

// help is made from the list of commands, filtered by rights.
func (d *Desk) help(_ context.Context, r Request) (Result, error) {
	return say(d.helpText(r.Actor)), nil
}

func (d *Desk) helpText(u chat.User) string {
	lines := []string{fmt.Sprintf("我是%s，直接说问题就行，不用记命令。", d.Name), "可以这样说："}
	for _, c := range d.Commands {
		if !c.Hidden && Allowed(c, u) {
			lines = append(lines, c.Usage+"　"+c.Summary)
		}
	}
	return strings.Join(append(lines, "随时发「取消」退出当前步骤。"), "\n")
}

func (d *Desk) cancel(_ context.Context, r Request) (Result, error) {
	switch r.Open {
	case "/":
		return say("没有进行中的事，直接说问题就行。"), nil
	case "report/" + stepAfter:
		return say("好。工单已经建了，要撤回请回「撤」加单号，或发「我的单」。"), nil
	}
	return say("已取消。"), nil
}
