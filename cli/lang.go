package cli

import "fmt"

// tongue is the language of what an operator reads: zh or en.
type tongue string

// t says a text of ours, with arguments as fmt has them. The Chinese is the
// key; a test finds texts without English.
func (l tongue) t(key string, args ...any) string {
	if l == "en" {
		if e, ok := englishDoctor[key]; ok {
			key = e
		}
	}
	if len(args) == 0 {
		return key
	}
	return fmt.Sprintf(key, args...)
}

var englishDoctor = map[string]string{
	"：":    ": ",
	"正常":   "ok",
	"注意":   "note",
	"不行":   "fail",
	"未设":   "unset",
	"设置":   "Settings",
	"没有问题": "nothing wrong",
	"补全 wecom 部分；想先试用请运行 frontline demo": "Complete the wecom part; to try it first, run frontline demo",
	"数据库": "Database",
	"数据库由更新版本的程序升级过":          "A newer version has upgraded this database",
	"安装新版本，或恢复备份":             "Install the newer version, or restore a backup",
	"检查 database.url、网络和账号权限": "Check database.url, the network and the account's rights",
	"数据库文件已损坏：":               "The database file is damaged: ",
	"停止服务，连同 -wal 文件另存一份，用 frontline backup 做的备份替换后再启动；没有备份时可用 sqlite3 的 .recover 抢救": "Stop the service, keep a copy of the file and its -wal, put a backup made by frontline backup in its place and start again; without one, sqlite3's .recover may save the data",
	"群": "Groups",
	"配置文件和控制台里的群不能同名，改掉其中一个；否则 frontline serve 不会启动": "A group of the file and one of the console must not share a name; rename one, else frontline serve does not start",
	"有 %d 条消息在等，最早的等了 %s":                            "%d messages wait, the first for %s",
	"frontline serve 在运行吗？":                          "Is frontline serve running?",
	"，表结构是最新的":                                       ", the schema is current",
	"没有设置，单个进程不需要":                                   "not set; one process needs none",
	"连不上":                                            "not reached",
	"没有 Redis 也能运行，但多个进程之间唤醒会慢一点；检查 redis.url": "It runs without Redis, but processes wake one another later; check redis.url",
	"有应答":      "answers",
	"磁盘":       "Disk",
	"看不到 ":     "cannot see the space left in ",
	" 的剩余空间":   "",
	"只剩 %d MB": "only %d MB left",
	"清理磁盘；写不下时消息不会被确认，企业微信会重发": "Free some space; when nothing can be written, messages are not acknowledged and WeChat Work sends them again",
	"剩余 %d GB": "%d GB left",
	"企业微信应用":   "WeChat Work app",
	"没有设置自建应用": "no self-built app is set",
	"取到了":      "received",
	"出口 IP":    "Outgoing IP",
	"可信；企业微信的回调来自 %d 个地址":         "trusted; callbacks come from %d addresses",
	"检查到企业微信的网络，或 wecom.api_base": "Check the network to WeChat Work, or wecom.api_base",
	"时钟":   "Clock",
	"无法比较": "cannot be compared",
	"企业微信没有应答，无法比较":           "WeChat Work does not answer, so it cannot be compared",
	"企业微信的应答没有时间，无法比较":        "WeChat Work's answer names no time, so it cannot be compared",
	"与企业微信差 %s":               "%s away from WeChat Work's",
	"打开服务器的时间同步；差到五分钟时回调会被拒绝": "Switch on time synchronisation; callbacks are refused from five minutes on",
	"与企业微信一致":                 "the same as WeChat Work's",
	"大模型":                     "Language model",
	"没有设置，不影响使用":              "not set; everything works without it",
	"llm.base_url 不是地址":       "llm.base_url is not an address",
	"连不上 ":                    "cannot reach ",
	"没有它照常回答，只是少了它的帮忙；检查网络":   "It answers without it, only without its help; check the network",
	" 可达":                  " is reachable",
	"回调地址":                 "Callback address",
	"没有设置 public_url，无法自测": "public_url is not set, so it cannot be tested",
	"设置 public_url，并在企业微信后台填 public_url/wecom/app 与 /wecom/bot": "Set public_url, and enter public_url/wecom/app and /wecom/bot in the admin console of WeChat Work",
	"public_url 不能用": "public_url cannot be used",
	"访问不到 ":          "cannot reach ",
	"frontline serve 在运行吗？代理和域名解析对吗？":           "Is frontline serve running? Are proxy and DNS right?",
	"应答 %d，本应是 401":                             "answers %d, should be 401",
	"请求可能没有到达 Frontline：检查代理的转发规则":              "The request may not have reached Frontline: check the proxy's rules",
	"能访问，未签名的请求被拒绝":                             "reachable; unsigned requests are refused",
	"应用的 Secret 不对，请核对 wecom.app.secret":        "The app's Secret is wrong; check wecom.app.secret",
	"企业 ID 不对，请核对 wecom.corp_id":                "The corp id is wrong; check wecom.corp_id",
	"应用的 AgentId 与 Secret 不是同一个应用":              "AgentId and Secret are of two different apps",
	"应用没有设置接收消息的回调地址，带按钮的卡片发不出去":                "The app has no callback address, so cards with buttons cannot go out",
	"应用没有这个接口的权限":                               "The app may not call this API",
	"应用已被停用":                                    "The app is switched off",
	"服务器出口 IP 不在应用的可信 IP 里，请在管理后台添加（错误信息里有 IP）": "The server's outgoing IP is not among the app's trusted ones; add it in the admin console (the error names it)",
	"群机器人已被移除或 key 不对，请在群里重新添加并更新 robot_key":    "The group's robot was removed or its key is wrong; add it again and update robot_key",
	"群机器人已被停用":                                  "The group's robot is switched off",
	"调用太频繁，一分钟后自动继续":                            "Too many calls; it goes on by itself in a minute",
	"通讯录里没有这个成员":                                "No such member in the address list",
	"接收人都不在应用的可见范围内":                            "No receiver is in the app's visible range",
	"对外心跳": "Own heartbeat",
	"没有设置 heartbeat.url，程序停了没有人会知道": "heartbeat.url is not set; when the program stops, nobody is told",
	"还没有发过":  "never sent",
	"没有发出去：": "could not be sent: ",
	"检查 heartbeat.url 和出网；对方收不到就会以为程序停了": "Check heartbeat.url and the way out; whoever waits for it believes the program has stopped",
	"上次是 %s": "last at %s",
	"邮件":     "Mail",
	"没有设置 mail.server，告警只到群里":                       "mail.server is not set; alerts go to the groups only",
	"检查 mail.server、mail.tls、账号和密码；要发的邮件都留着，修好后会补发": "Check mail.server, mail.tls, the account and its password; mails are kept and go out afterwards",
	" 能登录": " lets us in",
	"长连接":  "Long connection",
	"检查到 wecom.bot.ws_url 的出站网络和代理（要放行 WebSocket）": "Check the outgoing network and the proxy to wecom.bot.ws_url (WebSocket must pass)",
	"地址能连上；BotID 和 Secret 由运行中的程序验证，见控制台的体检":       "the address answers; the running program proves bot id and secret, see Health check in the console",
	"已连上 %s":    "connected for %s",
	"由另一个进程持有":  "held by another process",
	"被别处的连接顶掉了": "another connection took over",
	"另一个程序在用同一个智能机器人：停掉它，或给它另建一个机器人": "Another program uses the same smart bot: stop it, or make a bot of its own for it",
	"正在连接": "connecting",
	"智能机器人的 BotID 或长连接 Secret 不对，请核对 wecom.bot.id 与 wecom.bot.secret": "The smart bot's id or its secret for the long connection is wrong; check wecom.bot.id and wecom.bot.secret",
	"没有权限；若是智能机器人，请先在那个会话里对它说一句话":                                     "No right; for the smart bot: say something to it in that chat first",
	"群不对；若是智能机器人，请先把它加进群并在群里 @ 它一次":                                   "Not such a group; for the smart bot: add it to the group and mention it there once",
}
