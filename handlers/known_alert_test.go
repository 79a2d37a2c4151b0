package handlers

import "testing"

// Reports and alerts are put differently; what they are about decides.
func TestAlertCoveredByReport(t *testing.T) {
	for _, c := range []struct {
		alert, report string
		same          bool
	}{
		{"委托失败率 6.3%（门槛 5%）", "客户委托失败，提示网关超时", true},
		{"委托失败率 6.3%（门槛 5%）", "客户委托被拒绝", true},
		{"委托失败率 6.3%（门槛 5%）", "持仓页白屏", false},
		{"委托失败率 6.3%（门槛 5%）", "登录失败", false},
		{"银证转账失败笔数升高", "银证转账一直转圈", true},
		{"银证转账失败笔数升高", "银证签约怎么办", false},
		{"短信验证码到达率低于 90%", "客户收不到短信验证码", true},
		{"行情网关 3 号不可达", "行情网关不可达", true},
		{"行情网关 3 号不可达", "登录闪退", false},
		{"6.3%", "6.3%", false},
	} {
		var r rareness
		a := alertGist(c.alert)
		r.add(a)
		if got := r.coveredBy(a, gist(c.report)); (got >= alertSaid) != c.same {
			t.Errorf("%s / %s: %.2f", c.alert, c.report, got)
		}
	}
}
