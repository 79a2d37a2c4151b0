package web

// englishAlerts are the words of the pages of alerts.
var englishAlerts = map[string]string{
	"没看懂的 %d": "%d not understood", "没看懂的来信": "What was not understood", "发送方发来、格式不认识或处理不了的；改好来源的 kind 或 mapping 后重读": "What senders sent in a form that is unknown or could not be applied; read it again once kind or mapping of the source is mended", "原文（个人信息已遮盖）": "The text (personal data masked)", "重读": "Read again", "没有。发来的都看懂了。": "None: everything was understood.", "已经重读过了": "It was read again already", "已重新排队；还是看不懂的话会回到这里": "It waits for its turn; if it is still not understood it comes back here",
	"告警": "Alerts", "大屏": "Wall", "告警大屏": "Alert wall", "没结束的": "Open", "已结束": "Ended", "级别": "Severity", "全部级别": "All severities", "我认领的": "Claimed by me", "标题里的字": "Words of the title", "在告警": "Firing", "开始": "Began", "历时": "Lasted", "没有符合条件的告警": "No alert matches", "现在没有在告警的": "Nothing fires now",
	"还没有告警。发送方把告警发到 /hooks/来源名 就会出现在这里。": "No alerts yet. What senders post to /hooks/SOURCE shows up here.",
	"正在静默": "Silences", "条件": "Matchers", "到": "Until", "结束": "End", "静默已结束": "The silence is over",
	"在告警 %d 件 · %s 更新": "%d fire · as of %s", "%d 条在告警": "%d firing", "%s 开始，历时 %s": "began %s, %s so far",
	"认领": "Claim", "放回": "Give back", "静默": "Silence", "解除静默": "End the silence", "建单": "Make a ticket", "误报": "False alarm", "升级": "Escalate", "多久": "How long", "30 分钟": "30 minutes", "2 小时": "2 hours", "4 小时": "4 hours", "到收盘": "Until the market closes", "到下面的时间": "Until the time below",
	"我确认（超过 4 小时要勾）": "I am sure (needed over 4 hours)", "补充一句（可不填）": "A word on it (optional)", "更多：误报、升级": "More: false alarm, escalate", "为什么是误报": "Why it is a false alarm", "为什么升级": "Why it is escalated",
	"刚有变化，你的没有提交。看过下面现在的情况再提交一次。": "Something changed in the meantime; yours was not done. Look at what is below and send it again.",
	"在告警 %d 条": "%d firing", "共 %d 条，恢复 %d 条": "%d in all, %d resolved", "都恢复了": "All resolved", "已恢复的 %d 条": "%d resolved", "时间线": "Timeline", "记一句进展": "How it goes", "记入": "Note", "没人认领": "Nobody claimed it", "路由": "Route", "发到": "Told to", "没有群": "no group", "不通知": "Not told", "怎么好的": "What helped", "通知了谁": "Who was told", "还没有通知": "Nobody yet", "以前同样的": "The same before",
	"A%d 归你处理": "A%d is yours", "A%d 已放回待认领": "A%d waits for somebody again", "A%d 已静默": "A%d is silenced", "A%d 已解除静默": "A%d is not silenced any more", "A%d 记为误报": "A%d is a false alarm", "A%d 已通知组长": "The leaders were told of A%d", "已记入时间线": "Noted", "A%d 的工单是 T%d": "The ticket of A%d is T%d", "没有这个操作": "There is no such action",
	"静默超过 4 小时，勾上「我确认」再提交。": "Longer than 4 hours: tick that you are sure.", "今天已经收盘，请选别的时间。": "The market has closed today; choose another time.", "静默到什么时候？选一个时长，或填一个时间。": "Until when? Choose a length or fill in a time.",
	"已恢复": "Resolved", "已认领": "Claimed", "已静默": "Silenced", "告警中": "Firing",
	"紧急": "Critical", "重要": "Major", "警告": "Warning", "提示": "Info", "无": "None",
	"恢复": "resolved", "级别变化": "severity", "工单": "Tickets", "记录": "note", "又告警": "again", "已通知": "told", "并入汇总": "folded", "没有通知": "not told", "抖动": "flapping",
	"维护窗口内，不通知": "in maintenance", "已静默，不通知": "silenced", "被更严重的告警抑制，不通知": "inhibited by a graver one",
}
