package handlers

import "testing"

func TestLeans(t *testing.T) {
	for text, want := range map[string]string{
		"那境外呢": "境外", "人在国外呢？": "人在国外", "那周末呢": "周末", "换成港股呢": "港股", "如果是机构户怎么办": "是机构户", "未成年的话": "未成年", "那么多久到账": "多久到账", "还有手续费呢": "手续费",
		"怎么开户呢": "", "创业板开通条件": "", "逆回购几点截止呢": "", "呢": "", "那呢": "", "那": "", "": "", "那好吧": "", "那算了": "", "那没事了，谢谢": "", "行的呢": "", "那客户换了手机号以后还是收不到短信验证码要怎么处理呢": "",
	} {
		core, ok := leans(text)
		if core != want || ok != (want != "") {
			t.Errorf("%s: %q %v", text, core, ok)
		}
	}
}

// What a desk does not say, and what only sounds like it.
func TestNotHere(t *testing.T) {
	for text, want := range map[string]bool{
		"客户问这只票还能不能涨，咋回": true, "茅台会不会跌？": true, "现在适合抄底吗": true, "推荐一只股票吧": true, "买哪只基金": true, "后市怎么看": true, "还能涨吗": true, "该不该割肉": true,
		"涨跌幅限制是多少": false, "会不会涨停": false, "涨停还能不能买": false, "可以买创业板吗": false, "现在能开户吗": false, "推荐人奖励怎么领": false, "基金推荐码在哪填": false, "可以补仓单吗": false, "打新可以中几个": false,
	} {
		if got := adviceAsked.MatchString(text); got != want {
			t.Errorf("advice, %s: %v", text, got)
		}
	}
	for text, want := range map[string]bool{
		"帮我查下客户 138****5521 的持仓": true, "查 ****3371 余额": true, "把客户 3101**********0027 的联系方式发我": true,
		"怎么查 ****3371 的持仓": false, "客户 ****3371 登录不了": false,
	} {
		if got := lookedUp.MatchString(text) && !howTo.MatchString(text); got != want {
			t.Errorf("look-up, %s: %v", text, got)
		}
	}
	for text, want := range map[string]bool{"建议您买入该股": true, "肯定会涨": true, "看好后市": true, "T+1 日到账": false, "涨跌幅限制为 10%": false, "建议客户到柜台办理": false} {
		if got := advising.MatchString(text); got != want {
			t.Errorf("advising, %s: %v", text, got)
		}
	}
}
