package web

// englishMachines are the words about alerts, data construction and people on
// the page of figures, and of the lists behind them.
var englishMachines = map[string]string{
	"点数字看清单；上期 %d 件":         "click a figure for its list; before: %d",
	"这段时间开始的告警；同一规则合成的一组算一件": "Alerts that began in this period; a group of one rule is one",
	"件": "Groups", "里面单条告警响起的次数": "How often single alerts in them rang", "响起": "Rang",
	"现在有人认领，或结束时有人认领": "Somebody has it, or had it when it ended", "有人认领": "Claimed", "建了工单": "Ticketed",
	"没有人认领，没有建单，也没有记为误报": "Nobody claimed it, made a ticket or called it a false alarm", "没人管": "Untouched", "恢复了": "Over", "还在告警": "Firing",
	"挂着告警的工单里，最早的告警在报单之前就响了": "Of tickets with alerts, those whose earliest alert rang before the report", "告警在先": "Alert first",
	"挂着告警的工单里，人报了之后告警才响；目标是 0": "Of tickets with alerts, those reported before any alert rang; the aim is none", "人先报": "Person first",
	"人先报 → 0": "Person first → 0", "近 12 周，挂了告警的工单": "last 12 weeks, tickets with alerts",
	"W%02d：告警在先 %d 张，人先报 %d 张": "W%02d: alert first %d, person first %d", "挂了告警的工单，按周：告警在先和人先报": "Tickets with alerts by week: alert first and person first",
	"最吵的规则": "Noisiest rules", "前 10": "top 10", "监控效果": "Effect of the monitors", "左边是各监控项业务数据之和，右边是全部告警": "left: business data of all monitors added up; right: all alerts",
	"异常状态当天最多的笔数，各监控项相加": "The day's highest count of the abnormal status, over all monitors", "异常数 ÷ 最后一次检查的总数": "Abnormal ÷ total of the last check", "当天最多的减去最后还剩的": "The day's highest count less what was left at last",
	"处理数 ÷ 最后一次检查的总数": "Handled ÷ total of the last check", "处理数 ÷ 异常数": "Handled ÷ abnormal", "监控项的告警从开始到恢复，平均分钟数": "Mean minutes from begin to end of the monitors' alerts",
	"恢复了，或记为误报": "Over, or called a false alarm", "处理了": "Handled", "上期 %d 次": "before: %d",
	"这段时间下的单；没批准的不算": "Ordered in this period; those nobody said yes to are not counted", "次数": "Runs", "要的都做成了，后来清理掉的也算": "Made everything that was wanted, taken back since or not", "全部做成的": "Made everything",
	"做成": "Made", "没做成": "Not made", "做成 ÷（做成 + 没做成）": "Made ÷ (made + not made)", "成功率": "Success", "配方里写的手工分钟数 × 做成的个数": "Minutes by hand as the recipe states them × pieces made", "省下": "Saved",
	"%d 分钟": "%d min", "挂了告警的工单": "Tickets with alerts",
	"%.1f 小时": "%.1f h", "常用配方": "Recipes used", "谁在用": "Who uses it", "按部门": "by department", "部门": "Department",
	"只有组长看得到；按姓名排，不排名": "only leaders see this; by name, never a ranking", "认领告警": "Alerts claimed",
	"%s 认领的": "claimed by %s", "挂了告警": "with alerts",
	"造数记录": "Runs", "我的造数记录": "My runs", "全部配方": "All recipes", "这段时间没有这样的记录": "No such run in this period",
}
