package web

import (
	"fmt"
	"strconv"
	"strings"

	"frontline/handlers"
)

// seconds says a time as people do, in the visitor's language.
func (v *visit) seconds(n int64) string {
	if v.lang != "en" {
		return handlers.Seconds(n)
	}
	switch {
	case n < 60:
		return fmt.Sprintf("%d s", n)
	case n < 3600:
		return fmt.Sprintf("%d min %02d s", n/60, n%60)
	case n < 48*3600:
		return fmt.Sprintf("%.1f h", float64(n)/3600)
	}
	return fmt.Sprintf("%.1f d", float64(n)/86400)
}

// change says by how many percent a number differs from the one before.
func (v *visit) change(now, before float64) string {
	if before < handlers.FewTickets {
		return v.t("上期 %s", v.amount(int64(before)))
	}
	by := 100 * (now - before) / before
	return v.t("上期 %s", v.amount(int64(before))) + " · " + sign(by) + "%"
}

// points says a difference of shares.
func (v *visit) points(by float64) string { return v.t("%s 个百分点", sign(by)) }

func sign(by float64) string {
	s := strconv.FormatFloat(by, 'f', 1, 64)
	if s == "-0.0" {
		s = "0.0"
	}
	if by >= 0.05 {
		return "+" + s
	}
	return s
}

// Weekday is a day of the week by its number.
func (s shell) Weekday(n string) string {
	if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(weekdays) {
		return s.v.t(weekdays[i])
	}
	return n
}

// amount writes a large number with its thousands apart, as the pages do.
func (v *visit) amount(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// figureWords are the Chinese words of what has a key in addresses and rows.
var figureWords = map[string]string{
	"period.today": "今日", "period.week": "本周", "period.month": "本月", "period.quarter": "本季",
	"asked.asked": "全部提问", "asked.answered": "直接回答", "asked.offered": "给选项", "asked.refused": "没答上", "asked.useful": "说有用", "asked.useless": "说没用", "asked.handed": "转人工",
	"asked.ticketed": "转成工单", "asked.raw": "表面解决", "asked.solved": "真解决", "asked.undone": "扣回",
	"band.answer": "直接回答", "band.clarify": "给选项", "band.refuse": "没答上", "feedback.useful": "说有用", "feedback.useless": "说没用", "feedback.person": "转人工",
	"alerts.claimed": "有人认领", "alerts.false": "误报", "alerts.ticketed": "建了工单", "alerts.untouched": "没人管", "alerts.over": "恢复了", "alerts.handled": "处理了", "alerts.firing": "还在告警",
	"undone.again": "7 天内又问", "undone.ticket": "半小时内报障",
}

// Word is the word for a key such as band.answer.
func (s shell) Word(parts ...string) string { return s.v.t(figureWords[strings.Join(parts, ".")]) }
