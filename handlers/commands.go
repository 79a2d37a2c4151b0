package handlers

// NewCommands is the one list of what people can say. Its order is the order
// of help.
func NewCommands(d *Desk) []*Command {
	d.Commands = []*Command{
		{Name: "ask", Usage: "直接提问", Summary: "例：可转债权限多久生效", Run: d.ask},
		{Name: "report", Words: []string{"报障", "上报", "report"}, Takes: TakesLoose, Usage: "报障 …", Summary: "例：报障 行情不刷新（可连发截图）", Run: d.report},
		{Name: "mine", Words: []string{"我的单", "我的工单", "我的"}, Usage: "我的单", Summary: "你在办的工单", Run: d.mine},
		{Name: "show", Takes: TakesNumber, Words: []string{"查", "查单"}, Usage: "查 1042", Summary: "看一张单的进度", Run: d.show},
		{Name: "nudge", Takes: TakesNumber, Words: []string{"催", "催一下", "催单"}, Usage: "催 1042", Summary: "提醒处理人", Run: d.nudge},
		{Name: "withdraw", Takes: TakesNumber, Words: []string{"撤", "撤回", "撤单"}, Usage: "撤 1042", Summary: "撤回你报的单", Run: d.withdraw},
		{Name: "person", Takes: TakesText, Words: []string{"转人工", "人工", zeroItem}, Usage: "转人工 …", Summary: "转给值班同事，对话一起带上", Run: d.person},
		{Name: "unsolved", Words: []string{"没解决", "还是不行", "没用"}, Hidden: true, Run: d.unsolved},
		{Name: "useful", Words: []string{"有用", "解决了"}, Hidden: true, Run: d.useful},
		{Name: "entry", Takes: TakesNumber, Words: []string{"看"}, Hidden: true, Run: d.entry},
		{Name: "cancel", Words: []string{"取消", "退出", "cancel"}, Hidden: true, Run: d.cancel},
		{Name: "help", Words: []string{"帮助", "help", "?", "？", "菜单"}, Usage: "帮助", Summary: "看这张表", Run: d.help},
	}
	return d.Commands
}
