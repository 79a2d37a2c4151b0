package handlers

import "frontline/bot/chat"

// NewCommands is the one list of what people can say. Its order is the order
// of help.
func NewCommands(d *Desk) []*Command {
	if d.Rules.Calendar == nil {
		d.Rules = DefaultRules()
	}
	d.Commands = []*Command{
		{Name: "ask", Usage: "直接提问", Summary: "例：可转债权限多久生效", Run: d.ask},
		{Name: "report", Words: []string{"报障", "上报", "report"}, Takes: TakesLoose, Usage: "报障 …", Summary: "例：报障 行情不刷新（可连发截图）", Run: d.report},
		{Name: "mine", Words: []string{"我的单", "我的工单", "我的"}, Usage: "我的单", Summary: "你在办的工单", Run: d.mine},
		{Name: "show", Takes: TakesNumber, Words: []string{"查", "查单"}, Usage: "查 1042", Summary: "看一张单的进度", Run: d.show},
		{Name: "nudge", Takes: TakesNumber, Words: []string{"催", "催一下", "催单"}, Usage: "催 1042", Summary: "提醒处理人", Run: d.nudge},
		{Name: "withdraw", Takes: TakesNumber, Words: []string{"撤", "撤回", "撤单"}, Usage: "撤 1042", Summary: "撤回你报的单", Run: d.withdraw},
		{Name: "person", Takes: TakesText, Words: []string{"转人工", "人工", zeroItem}, Usage: "转人工 …", Summary: "转给值班同事，对话一起带上", Run: d.person},
		{Name: "unsolved", Words: []string{"没解决", "没用"}, Hidden: true, Run: d.unsolved},
		{Name: "again", Takes: TakesText, Words: []string{"又出现了"}, Usage: "又出现了", Summary: "解决后 7 天内重开", Run: d.again},
		{Name: "settled", Takes: TakesNumber, Words: []string{"客户已好", "已好"}, Hidden: true, Run: d.settled},
		{Name: "still", Takes: TakesNumber, Words: []string{"还是不行"}, Hidden: true, Run: d.still},
		{Name: "content", Takes: TakesNumber, Words: []string{"满意"}, Hidden: true, Run: d.rate(5)},
		{Name: "soso", Takes: TakesNumber, Words: []string{"一般"}, Hidden: true, Run: d.rate(3)},
		{Name: "discontent", Takes: TakesNumber, Words: []string{"不满意"}, Hidden: true, Run: d.rate(1)},
		{Name: "more", Takes: TakesTicket, Words: []string{"补充"}, Hidden: true, Run: d.more},
		{Name: "watch", Takes: TakesNumber, Words: []string{"关注"}, Hidden: true, Run: d.watch},
		{Name: "queue", Words: []string{"待接"}, Usage: "待接", Summary: "等人接手的单，最急在前", Roles: workers, Run: d.queue},
		{Name: "claim", Takes: TakesNumbers, Words: []string{"接"}, Usage: "接 1042", Summary: "接手；「接1 接3」接几张", Roles: workers, Run: d.claim},
		{Name: "take", Words: []string{"我来"}, Usage: "我来", Summary: "接手刚说到的那张单或那条告警", Roles: workers, Run: d.takeLast},
		{Name: "transfer", Takes: TakesTicket, Words: []string{"转"}, Usage: "转 1042 李工 原因", Summary: "换人处理", Roles: workers, Run: d.transfer},
		{Name: "hold", Takes: TakesTicket, Words: []string{"挂起"}, Usage: "挂起 1042 等客户 到 明天9点", Summary: "时限暂停，到点恢复", Roles: workers, Run: d.hold},
		{Name: "inquire", Takes: TakesTicket, Words: []string{"问"}, Usage: "问 1042 有没有提示语？ 1 有 2 没有", Summary: "问报障人，回复转给你", Roles: workers, Run: d.inquire},
		{Name: "reply", Takes: TakesTicket, Words: []string{"回"}, Usage: "回 1042 …", Summary: "告诉报障人", Roles: workers, Run: d.answerTo},
		{Name: "note", Takes: TakesText, Words: []string{"记入"}, Usage: "记入 1042 …", Summary: "记进工单或告警的时间线，可引用消息", Roles: workers, Run: d.noteDown},
		{Name: "workaround", Takes: TakesTicket, Words: []string{"办法"}, Usage: "办法 1042 …", Summary: "临时办法，告诉同样受影响的人", Roles: workers, Run: d.workaround},
		{Name: "merge", Takes: TakesText, Words: []string{"并"}, Usage: "并 1043 到 1042", Summary: "同一个问题并成一张", Roles: workers, Run: d.merge},
		{Name: "split", Takes: TakesTicket, Words: []string{"拆"}, Usage: "拆 1042 …", Summary: "另一个问题拆成一张新单", Roles: workers, Run: d.split},
		{Name: "resolve", Takes: TakesTicket, Words: []string{"解决"}, Usage: "解决 1042 原因:… 办法:…", Summary: "结果告诉报障人", Roles: workers, Run: d.resolve},
		{Name: "cultivate", Takes: TakesNumber, Words: []string{"沉淀"}, Hidden: true, Roles: workers, Run: d.cultivate},
		{Name: "needless", Takes: TakesTicket, Words: []string{"不必"}, Hidden: true, Roles: workers, Run: d.needless},
		{Name: "reclass", Takes: TakesTicket, Words: []string{"分类"}, Usage: "分类 1042 数据", Summary: "改分类", Roles: workers, Run: d.reclass},
		{Name: "rank", Takes: TakesTicket, Words: []string{"优先级"}, Usage: "优先级 1042 P1", Summary: "改优先级", Roles: workers, Run: d.rank},
		{Name: "alerts", Takes: TakesTicket, Words: []string{"告警"}, Usage: "告警", Summary: "还在告警的，没人认领的在前", Roles: workers, Run: d.alerts},
		{Name: "claim_alert", Takes: TakesTicket, Words: []string{"认领"}, Usage: "认领 A311", Summary: "接手一条告警", Roles: workers, Run: d.claimAlert},
		{Name: "silence", Takes: TakesTarget, Words: []string{"静默", "静音"}, Usage: "静默 A311 30分 原因", Summary: "这段时间不再提醒", Roles: workers, Run: d.silenceAlert},
		{Name: "unsilence", Takes: TakesTicket, Words: []string{"解除静默"}, Hidden: true, Roles: workers, Run: d.unsilenceAlert},
		{Name: "release_alert", Takes: TakesTicket, Words: []string{"放回"}, Hidden: true, Roles: workers, Run: d.releaseAlert},
		{Name: "ticket_alert", Takes: TakesTarget, Words: []string{"建单"}, Usage: "建单 A311", Summary: "把告警转成工单", Roles: workers, Run: d.ticketAlert},
		{Name: "false_alarm", Takes: TakesTarget, Words: []string{"误报"}, Usage: "误报 A311", Summary: "记为误报，不再提醒", Roles: workers, Run: d.falseAlarm},
		{Name: "escalate", Takes: TakesTarget, Words: []string{"升级"}, Usage: "升级 A311 原因", Summary: "马上通知组长", Roles: workers, Run: d.escalateAlert},
		{Name: "teach", Takes: TakesText, Words: []string{"教", "教你"}, Answers: []string{lessonPublish}, Usage: "教 问:… 答:…", Summary: "教我一条知识，先预览再存", Roles: proposers, Run: d.teach},
		{Name: "gaps", Words: []string{"缺口"}, Usage: "缺口", Summary: "大家问了、我没答上的", Roles: curators, Run: d.gaps},
		{Name: "collect", Takes: TakesNumber, Words: []string{"收录"}, Usage: "收录", Summary: "引用一段话收进知识草稿", Roles: proposers, Run: d.collect},
		{Name: "draft_gap", Words: []string{"草稿"}, Hidden: true, Roles: curators, Run: d.draftGap},
		{Name: "ignore_gap", Words: []string{"忽略"}, Hidden: true, Roles: curators, Run: d.ignoreGap},
		{Name: "file_gap", Words: []string{"归到"}, Hidden: true, Roles: curators, Run: d.fileGap},
		{Name: "publish", Takes: TakesTicket, Words: []string{"发布"}, Usage: "发布 K12", Summary: "草稿或修改复核通过，用来回答；「发布 K12 明天9点」定时，「发布 K12 取消」撤销定时", Roles: curators, Run: d.publish},
		{Name: "send_back", Takes: TakesTicket, Words: []string{"退回"}, Hidden: true, Roles: curators, Run: d.sendBack},
		{Name: "rollback", Takes: TakesNumber, Words: []string{"回滚"}, Hidden: true, Roles: curators, Run: d.rollback},
		{Name: "await", Takes: TakesText, Words: []string{"有答案了告诉我"}, Hidden: true, Run: d.await},
		{Name: "another", Words: []string{"换个答案"}, Hidden: true, Run: d.another},
		{Name: "question", Takes: TakesText, Words: []string{"提问"}, Hidden: true, Run: d.question},
		{Name: "duty", Takes: TakesText, Words: []string{"值班"}, Usage: "值班", Summary: "现在谁在班；组长排班，同事替班", Run: d.duty},
		{Name: "construct", Takes: TakesLoose, Words: []string{"造数", "construct"}, Usage: "造数 …", Summary: "例：造数 开户 女 30岁 2个", Roles: makers, Run: d.makeData},
		{Name: "reproduce", Takes: TakesTicket, Words: []string{"复现"}, Usage: "复现 1042", Summary: "造一份同样条件的测试数据", Roles: makers, Run: d.reproduce},
		{Name: "clean", Takes: TakesTicket, Words: []string{"清理", "回收"}, Usage: "清理 R88", Summary: "收回造出来的数据", Roles: makers, Run: d.cleanRun},
		{Name: "moredata", Takes: TakesTicket, Words: []string{"再来"}, Hidden: true, Roles: makers, Run: d.moreData},
		{Name: "retryrun", Takes: TakesTicket, Words: []string{"重试"}, Hidden: true, Roles: makers, Run: d.retryRun},
		{Name: "exportrun", Takes: TakesTicket, Words: []string{"导出"}, Hidden: true, Roles: makers, Run: d.exportRun},
		{Name: "approve", Takes: TakesTicket, Words: []string{"批准"}, Hidden: true, Roles: makers, Run: d.judgeRun(true)},
		{Name: "reject", Takes: TakesTicket, Words: []string{"驳回"}, Hidden: true, Roles: makers, Run: d.judgeRun(false)},
		{Name: "today", Words: []string{"今日", "今天"}, Usage: "今日", Summary: "今天的数字；另有「本周」「本月」", Roles: leaders, Run: d.overview("today")},
		{Name: "week", Words: []string{"本周"}, Hidden: true, Roles: leaders, Run: d.overview("week")},
		{Name: "month", Words: []string{"本月"}, Hidden: true, Roles: leaders, Run: d.overview("month")},
		{Name: "subscribe", Takes: TakesText, Words: []string{"订阅"}, Usage: "订阅 日报", Summary: "日报、周报、月报、缺口周报；在群里说就是给群订", Roles: subscribers, Run: d.subscribe(true)},
		{Name: "unsubscribe", Takes: TakesText, Words: []string{"退订"}, Hidden: true, Roles: subscribers, Run: d.subscribe(false)},
		{Name: "useful", Words: []string{"有用", "解决了"}, Hidden: true, Run: d.useful},
		{Name: "entry", Takes: TakesNumber, Words: []string{"看"}, Hidden: true, Run: d.entry},
		{Name: "cancel", Words: []string{"取消", "退出", "cancel"}, Hidden: true, Run: d.cancel},
		{Name: "help", Words: []string{"帮助", "help", "?", "？", "菜单"}, Usage: "帮助", Summary: "看这张表", Run: d.help},
	}
	return d.Commands
}

// workers are the roles that work on tickets.
var workers = []chat.Role{chat.Responder, chat.Leader, chat.Admin}
