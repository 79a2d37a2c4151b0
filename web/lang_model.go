package web

// englishModel are the words of the page of the language model.
var englishModel = map[string]string{
	"大模型": "Language model", "让大模型起草": "Let the model draft it", "大模型按 T%d 起草了 K%d，逐字核对后再发布": "Drafted by the model from T%d as K%d: check it word by word before it is published",
	"只发打过码的文字；慢了、停了、超预算时照常用词面检索回答": "Only masked text is sent; when it is slow, down or over budget, words alone answer as ever",
	"现在":         "Now",
	"熔断只说这一个进程的": "The breaker is this process's",
	"连续失败，歇到 %s": "Failed again and again, left alone until %s",
	"拿不准时挑条目，并组织回答的措辞": "Picks an entry where the base is not sure, and words the answer",
	"拿不准时挑条目，答案用原文":    "Picks an entry where the base is not sure; the answer is the entry's own text",
	"不参与回答，只提取字段和判断意图": "No part in answers, only fields and intent of reports",
	"向量 %d / %d":   "vectors %d / %d",
	"%d 维":         "%d dimensions",
	"按 %d 个自家问法校准": "fitted on %d questions of the base",
	"没有设置 llm.embedding_model，只用词面检索": "llm.embedding_model is not set: words alone search",
	"每天":            "A day",
	"最多 %d 次":       "at most %d calls",
	"最多 %d token":   "at most %d tokens",
	"每人最多 %d token": "each person at most %d tokens",
	"最多花 %s":        "at most %s of money",
	"费用不限":          "no bound on money",
	"没有接大模型，一切照常。要接：在配置里写 llm.base_url 和 llm.model。": "There is no language model, and everything works. To have one, set llm.base_url and llm.model.",
	"成功 %d": "%d well", "没调用 %d": "%d left out", "费用": "Cost", "今天": "Today",
	"本月用在哪里": "What for, this month", "用途": "For", "提示词版本": "Prompt version", "模型": "Model", "没调用": "Left out", "输入 token": "Tokens in", "输出 token": "Tokens out", "平均毫秒": "Mean ms", "毫秒": "ms",
	"本月还没有调用": "No calls this month", "最近的调用": "Newest calls", "不存内容，人只存密钥摘要": "No text is kept; of the person only a keyed hash",
	"判断意图": "intent", "提取字段": "fields", "挑选条目": "choosing an entry", "组织回答": "wording an answer", "补全追问": "completing a follow-up", "起草知识": "drafting", "向量": "embedding",
	"进行中": "running", "超预算，没调用": "over budget, not made", "歇着，没调用": "breaker, not made", "超时": "too slow", "没等": "not waited for", "连不上": "not reached", "答得不能用": "unusable answer", "应答 %s": "status %s",
}
