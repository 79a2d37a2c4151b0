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
}
