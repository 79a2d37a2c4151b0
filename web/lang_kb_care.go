package web

// englishCare are the words of the pages that keep the knowledge base in good order.
var englishCare = map[string]string{
	"知识体检": "Health",
	"该看一眼的知识；用到和没解决按最近 %d 天算":  "Entries that want a look; use and feedback of the last %d days",
	"没有要看的：都在复核期内，没有重复，也都有人用。": "Nothing to look at: reviews are in time, nothing is there twice, everything is used.",
	"该复核或已过期":  "Review is due, or out of date",
	"问法几乎一样":   "Nearly the same question",
	"都有问法「%s」": "both have the wording “%s”",
	"相像 %s":    "alike by %s",
	"常常没解决":    "Often did not help",
	"至少 %d 次，且占表态的 %d %% 以上": "at least %d times, and %d %% or more of those who said something",
	"没解决 %d · 有用 %d · 用到 %d": "no help %d · useful %d · used %d",
	"%d 天没人用到":               "Not used in %d days",
	"还有 %d 条":                "%d more",
	"现在找不到它":                 "not found now", "现在让对方选": "offered now", "现在直接回答": "answered now", "这条": "this one", "答不上": "no answer", "答 %s": "answers %s", "让选 %s": "offers %s",
	"「%s」应该找到 K%d": "“%s” must find K%d", "%d 个必中的问法会变差": "%d questions that must find would get worse", "%d 个必中的问法都不会变差": "none of %d questions that must find gets worse",
	"这次发布会改变 %d 个已有问题的答案": "Publishing changes the answer of %d questions that were asked", "这次发布不会改变已有问题的答案": "Publishing changes no answer of a question that was asked",
	"重放了最近问过的 %d 种问法": "%d different questions of late were asked again", "%d 种仍由它回答，用新内容": "%d are still answered by it, in the new words",
	"还没有发布：%d 个必中的问法会变差": "Not published: %d questions that must find would get worse", "仍要发布": "Publish all the same", "重放最近的问题": "Ask the latest questions again",
	"必中的问法": "Must find", "发布任何知识前都会拿来问一遍": "asked before anything is published", "移除「%s」": "Remove “%s”", "再加一个": "One more", "必须找到这条": "It must find this entry",
	"有人说过有用": "somebody said it helped", "确认「%s」必须找到这条": "Confirm that “%s” must find this entry", "确认": "Confirm",
}
