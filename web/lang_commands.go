package web

// englishCommands are the summaries of the chat commands; what is typed stays
// Chinese, as the chat is.
var englishCommands = map[string]string{
	"例：可转债权限多久生效":       "ask a question, such as: how soon is the right to trade convertibles in force",
	"例：报障 行情不刷新（可连发截图）": "report a problem, pictures may follow",
	"你在办的工单":            "your open tickets",
	"看一张单的进度":           "how a ticket stands",
	"提醒处理人":             "remind the handler",
	"撤回你报的单":            "withdraw a ticket of yours",
	"转给值班同事，对话一起带上":     "hand over to who is on duty, with the talk so far",
	"解决后 7 天内重开":        "reopen within 7 days after it was resolved",
	"等人接手的单，最急在前":       "tickets that wait, most urgent first",
	"接手；「接1 接3」接几张":     "claim one, or several",
	"换人处理":              "give a ticket to somebody else",
	"时限暂停，到点恢复":         "stop the clock, until a time",
	"问报障人，回复转给你":        "ask the reporter; the answer comes to you",
	"告诉报障人":             "tell the reporter",
	"记进时间线，可引用消息":       "note into the timeline, may quote a message",
	"临时办法，告诉同样受影响的人":    "a workaround, told to all it concerns",
	"同一个问题并成一张":         "make one ticket of two",
	"结果告诉报障人":           "resolve; the reporter hears how",
	"现在谁在班；组长可以排班":      "who is on duty; leaders add shifts",
	"另一个问题拆成一张新单":       "make another problem a ticket of its own",
	"接手刚说到的那张单或那条告警":    "take the ticket or alert that was just told",
	"教我一条知识，先预览再存":      "teach an entry; shown before it is saved",
	"大家问了、我没答上的":        "what people ask and the base does not answer",
	"引用一段话收进知识草稿":       "a quoted message becomes a draft entry",
	"看这张表":              "this list",
	"例：造数 开户 女 30岁 2个":  "make test data, such as: open an account, a woman of 30, two of them",
	"造一份同样条件的测试数据":      "make test data under the same conditions as a ticket's",
	"收回造出来的数据":          "take back what a run made",
}
