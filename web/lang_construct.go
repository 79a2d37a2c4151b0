package web

// englishConstruct are the pages of data construction. Titles of recipes and
// steps are the recipes' own.
var englishConstruct = map[string]string{
	"数据构造": "Test data", "只在测试环境造，随时可以收回；号码都不会碰到真人": "Made in test environments only, taken back at any time; no number can hit a real person",
	"没有可用的环境": "no environment takes it", "三个月 %v 次": "%v runs in three months", "成功 %v%%": "%v%% came out well", "还没有人用过": "not used yet", "约 %s": "about %s", "去造": "Make",
	"没有你能用的配方": "There is no recipe that you may use", "所有人的记录": "Everybody's runs", "我的记录": "My runs", "配方": "Recipe", "数量": "Count", "到期": "Expires",
	"还没有记录。选一个配方，或在企业微信里说「造数」。": "No runs yet. Choose a recipe, or ask in WeChat Work.", "三个月的使用": "Use in three months", "次数": "Runs", "成功": "Well", "人数": "People", "省下（分钟）": "Saved (minutes)",
	"留空用默认的；例：600000x1000@10.00,000001x500": "empty takes the default; such as 600000x1000@10.00,000001x500", "自动生成%s": "Generate %s", "留空也会自动生成": "empty is generated as well",
	"不影响生产": "production is not touched", "参数": "Parameters", "更多参数": "More parameters", "数量（最多 %v）": "How many (at most %v)", "开始构造": "Start", "会做什么": "What it does",
	"环境": "Environment", "种子": "Seed", "问题单": "Ticket", "审批人": "Approved by", "批准": "Approve", "驳回": "Reject", "接着跑": "Go on", "清理": "Take back", "再造一批": "Make more",
	"看明文（会留痕）": "Show in clear (recorded)", "第 %v 个": "Piece %v", "%v 步的请求与回答": "Requests and answers of %v steps", "步骤": "Step", "接口": "Interface", "用时": "Took", "请求与回答": "Request and answer", "%v 次": "%v times",
	"等审批": "Waits for approval", "排队": "Queued", "进行中": "Running", "部分完成": "Partly done", "需要人看": "Needs a look", "清理中": "Being taken back", "已清理": "Taken back", "有残留": "Something is left", "未批准": "Not approved",
	"已发出": "Sent", "造数复现": "Reproduce with test data", "跳过": "Skipped", "没收回": "Not taken back",
}
