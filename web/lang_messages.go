package web

// englishMessages are the words of the page of messages.
var englishMessages = map[string]string{
	"消息样式": "Messages", "每种消息用真实的代码演一遍再撤销，各处看到的样子和用掉的长度如下": "Each kind is played by the real code and taken back; what every place shows, and how much of its limits it uses",
	"试一条": "Try one", "只在这里显示，不发送": "only shown here, not sent", "消息内容": "Message", "看样子": "Show",
	"**试一条**：群里新单 <font color=\"warning\">T1042</font>\n> 行情页一直转圈": "**Try one**: a new ticket <font color=\"warning\">T1042</font>\n> the quotes page keeps loading",
	"给%s": "to the %s", "分成 %d 条": "in %d messages", "应用消息": "App message", "应用群聊": "App group chat", "群机器人": "Group robot", "智能机器人": "Smart bot",
	"提问": "Questions", "欢迎与帮助": "Welcome and help", "有把握，直接答": "Sure: the answer", "拿不准，列出几个": "Not sure: candidates", "没有答案": "No answer", "在群里，答案长": "In a group, a long answer", "大模型组织的措辞": "In a model's words",
	"建单，派给值班": "A ticket is made", "群里通报新单": "The group hears of it", "接手": "Claimed", "问报障人": "A question to the reporter", "报障人补充": "The reporter adds something", "回复报障人": "A reply", "时限到了": "A clock ran out", "解决": "Resolved", "请报障人评价": "A rating is asked for", "又出现了，重开": "It came back",
	"提问的人": "asker", "报障人": "reporter", "处理人": "handler", "组长或值班": "leader or who is on duty",
}
