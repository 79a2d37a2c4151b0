package handlers

import (
	"context"
	"regexp"
	"time"
)

// Words with which people describe that something is broken, and words with
// which they ask how something is. They only decide between offering a report
// and offering candidates; a person always confirms the report.
var (
	brokenWords = regexp.MustCompile(`报错|错误提示|打不开|进不去|登不上|登录不了|登不了|闪退|卡死|卡住|转圈|白屏|黑屏|崩溃|没反应|不刷新|刷不出|不显示|显示不对|不对了|失败|异常|超时|收不到|查不到|找不到.*记录|没到账|扣了?款|重复扣|丢了|不见了|用不了|下不了单|撤不了单|提交不了`)
	askingWords = regexp.MustCompile(`怎么|如何|咋|什么是|是什么|多久|几点|什么时候|何时|哪里|在哪|能不能|可不可以|可以.*吗|是否|要不要|需要.*吗|多少|条件|流程|步骤|[?？吗呢]\s*$`)
	caseWords   = regexp.MustCompile(`客户|用户|有人|同事|营业部|我这边|这边|刚才|今天|现在|一直`)
)

// modelTime bounds a model's guess; the rules answer when it is late.
const modelTime = 3 * time.Second

// soundsLikeReport guesses whether somebody reports a fault rather than asks.
func (d *Desk) soundsLikeReport(ctx context.Context, person, masked string) bool {
	byRule := brokenWords.MatchString(masked) && (!askingWords.MatchString(masked) || caseWords.MatchString(masked))
	if d.Model == nil {
		return byRule
	}
	short, cancel := context.WithTimeout(ctx, modelTime)
	defer cancel()
	intent, confidence, err := d.Model.Intent(short, person, masked)
	if err != nil || confidence < 0.7 {
		return byRule
	}
	return intent == "report"
}
