package web

// englishHooks are the words of the page of subscribers to events.
var englishHooks = map[string]string{
	"事件订阅": "Web hooks",
	"别的程序用 Webhook 收这里发生的事；订阅方写在配置的 webhooks 里，这里只读": "Programs hear of what happens here by web hooks; they stand in webhooks of the configuration and are read-only here",
	"订阅方":     "Subscribers",
	"要哪些事件":   "Wants",
	"一天内送达":   "Arrived in a day",
	"最近一个":    "Newest",
	"发测试事件":   "Send a test event",
	"失败的全部重发": "Retry all dead ones",
	"还没有订阅方。在配置里写 webhooks（名字、地址、签名密钥），重启后这里就有。": "No subscriber yet. Write webhooks (name, address, signing secret) into the configuration; after a restart it is here.",
	"事件":    "Events",
	"全部订阅方": "All subscribers",
	"对方回答":  "Answer",
	"没有回答":  "no answer",
	"还没有事件。点「发测试事件」试一下地址通不通。": "No event yet. Send a test event to see whether the address works.",
	"测试事件已放入发送队列，下面看它的结果":     "The test event is queued; see below what becomes of it",
	"%d 个事件已重新放入发送队列":         "%d events are queued again",
}
