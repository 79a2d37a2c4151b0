package web

// englishKnowledge are the pages of knowledge.
var englishKnowledge = map[string]string{
	"%d 种问法": "%d wordings", "%s 于 %s 改": "changed by %s, %s", "%s 条已发布": "%s published", "30 天用到": "Used, 30 days", "K%d 已发布，马上就用来回答": "K%d is published and answers from now on",
	"K%d 已存，还没有发布": "K%d is kept, not published yet", "K%d 已恢复成第 %d 版的样子": "K%d is as it was in version %d", "K%d 已提交复核，知识管理员会收到": "K%d waits for review; the curators are told",
	"K%d 的修改已放弃，照旧回答": "The change of K%d is dropped; it answers as before", "K%d 的版本": "Versions of K%d", "K%d：%s": "K%d: %s", "一模一样": "the very same",
	"会直接回答 K%d（%s，达到 %s）": "answers with K%d (%s, from %s on)", "会给出前 %d 条让对方选（最高 %s，不到 %s）": "offers the first %d to choose from (%s at best, less than %s)",
	"会说没有可靠的答案，并记下这个问题": "says that it has no reliable answer, and notes the question", "修改待复核": "Change in review", "共 %s 条": "%s entries",
	"几条的问题一模一样，会让对方选": "several have the very same question: asks which", "匹配": "Try", "发布第 %d 版": "Publish version %d", "同类的知识": "Knowledge of the same kind", "和线上的一样": "the same as live",
	"复核": "Review", "存下并发布": "Save and publish", "存下并提交复核": "Save and send to review", "存草稿": "Save draft", "它没有": "it lacks", "它还没有改过": "It was never changed", "对上": "matched",
	"已发布": "Published", "已存 K%d（%s）": "K%d is kept (%s)", "待完成": "Unfinished", "恢复成这一版": "Bring this version back", "找知识": "Find knowledge", "新": "New", "新建知识": "New entry",
	"是闲聊，不找知识": "small talk, not looked up", "更多内容": "More", "最像它的标准问题": "nearest to its question", "最像相似问「%s」": "nearest to the wording “%s”", "最近 %d 天": "Last %d days",
	"最近的知识": "Newest knowledge", "有未发布修改": "Unpublished change", "有用": "Useful", "没有人": "Nobody", "没有可以找的字": "nothing to look for", "没有符合条件的知识": "No entry fits", "没解决": "Did not help",
	"流转": "Next step", "照同事的原话问一句": "Ask as a colleague would", "现在": "Now", "用到": "Used", "用到 %d 次": "used %d times", "用左边还没发布的内容": "with what stands in the form", "直接回答": "Answered for sure",
	"看各版": "All versions", "知识库": "Knowledge", "第 %d 版": "Version %d", "第一版": "The first version", "线上现在：%s": "Live now: %s", "编号、问题，或照同事的原话问一句": "Number, question, or as a colleague asks",
	"草稿或修改复核通过，用来回答": "a draft, or a change, answers from now on", "被反例排除，会说没有可靠的答案": "ruled out by a negative example: says that it has no reliable answer", "试一试": "Try it", "读作": "read as",
	"谁最后改的，谁不能发布": "Who wrote it last cannot publish it", "还没发布的修改": "The change that waits", "还没有": "None yet",
	"还没有知识。在企业微信里说「教 问:… 答:…」，或新建一条。":                  "There is no knowledge yet. Teach it in WeChat Work, or make an entry here.",
	"这条刚被别人改过，没有保存。你填的还在下面，不同之处标出了现在的内容；再保存一次，就以你的为准。": "Somebody else changed this entry meanwhile; nothing was saved. What you typed is below, with what is stored now where it differs. Save again and yours counts.",
	"退回时说一句": "A word when sending it back", "退回的话：%s": "Sent back: %s", "问题": "Question", "新建": "New", "返回列表": "Back to the list", "草稿": "Draft", "待复核": "In review", "已停用": "Retired",
	"提交复核": "Send to review", "发布": "Publish", "退回修改": "Send back", "停用": "Retire", "恢复为草稿": "Make it a draft again", "放弃修改": "Drop the change", "标准问题": "Question as the base has it",
	"相似问": "Other wordings", "一行一条，每条都参与匹配": "one a line; each is matched", "答案": "Answer", "企业微信内以 Markdown 发送": "sent as Markdown", "反例": "Not meant",
	"一行一条，问这些时不用这条": "one a line; these never find it", "短标题": "Short title", "最多 17 个字，卡片选项用": "at most 17 characters, for choices on cards", "纯文本答案": "Plain answer",
	"卡片里用，160 字以内最好": "for cards, best within 160 characters", "内部步骤": "Steps for staff", "同事自己做的，不给客户": "not for customers", "例外": "Exceptions", "标签": "Tags", "复核日期": "Review on",
	"有效期": "Valid until", "没有这样的知识": "No such entry", "版本": "Versions", "看全部": "See all",
}
