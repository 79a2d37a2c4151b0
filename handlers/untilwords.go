package handlers

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	spanWords  = regexp.MustCompile(`^([0-9]{1,4}|半|一|两|三)\s*个?\s*(分钟?|小时|天|min|h|d)半?$`)
	dayWords   = regexp.MustCompile(`^(今天|今晚|今|明天|明早|明|后天|大后天|(?:下?周|下?星期|礼拜)[一二三四五六日天]|(?:[0-9]{4}[-/.年])?[0-9]{1,2}[-/.月][0-9]{1,2}[日号]?)?\s*(.*)$`)
	clockWords = regexp.MustCompile(`^(上午|早上|早|中午|下午|晚上|晚)?\s*([0-9]{1,2})\s*(?:[点时:：]\s*(半|[0-9]{1,2})?分?)?$`)
	chinaDays  = map[string]time.Weekday{"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 0, "天": 0}
)

// spanOf reads a length of time: 30分, 2小时, 半小时, 1天.
func spanOf(s string) (time.Duration, bool) {
	s = strings.TrimSpace(narrow(s))
	f := spanWords.FindStringSubmatch(s)
	if f == nil {
		return 0, false
	}
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[f[2][0]]
	switch {
	case strings.HasPrefix(f[2], "分"):
		unit = time.Minute
	case f[2] == "小时":
		unit = time.Hour
	case f[2] == "天":
		unit = 24 * time.Hour
	}
	if f[1] == "半" {
		return unit / 2, true
	}
	n, err := strconv.Atoi(f[1])
	if err != nil {
		n = map[string]int{"一": 1, "两": 2, "三": 3}[f[1]]
	}
	d := time.Duration(n) * unit
	if strings.HasSuffix(s, "半") && len(s) > len("半") {
		d += unit / 2
	}
	return d, d > 0
}

// untilOf reads a time in the future as people type it: 明天9点, 下午3点半,
// 周五 10:30, 11-30 9点, 2小时, 18:00. A time of day that is over today means
// tomorrow; a day without a time means nine o'clock.
func untilOf(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimSpace(narrow(s))
	s = strings.TrimSpace(strings.TrimPrefix(s, "到"))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "之后"), "后")
	if d, ok := spanOf(s); ok {
		return now.Add(d), true
	}
	f := dayWords.FindStringSubmatch(s)
	if f == nil || s == "" {
		return time.Time{}, false
	}
	day, rest := f[1], strings.TrimSpace(f[2])
	date := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch {
	case day == "" || strings.HasPrefix(day, "今"):
	case strings.HasPrefix(day, "明"):
		date = date.AddDate(0, 0, 1)
	case day == "后天":
		date = date.AddDate(0, 0, 2)
	case day == "大后天":
		date = date.AddDate(0, 0, 3)
	case strings.ContainsAny(day, "周星礼"):
		want, ok := chinaDays[string([]rune(day)[len([]rune(day))-1])]
		if !ok {
			return time.Time{}, false
		}
		ahead := (int(want) - int(date.Weekday()) + 7) % 7
		if ahead == 0 || strings.HasPrefix(day, "下") && ahead < 7-int((date.Weekday()+6)%7) {
			ahead += 7
		}
		date = date.AddDate(0, 0, ahead)
	default:
		d, ok := dateOf(day, date)
		if !ok {
			return time.Time{}, false
		}
		date = d
	}
	if rest == "" {
		if day == "" {
			return time.Time{}, false
		}
		if day == "今晚" {
			return later(date.Add(20*time.Hour), now)
		}
		return later(date.Add(9*time.Hour), now)
	}
	if day == "今晚" {
		rest = "晚" + rest
	} else if day == "明早" {
		rest = "早" + rest
	}
	t, plain, ok := clockOf(rest)
	if !ok || day == "" && plain {
		return time.Time{}, false
	}
	at := date.Add(t)
	if day == "" && !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return later(at, now)
}

func later(at, now time.Time) (time.Time, bool) { return at, at.After(now) }

// clockOf reads a time of day; plain tells that it was a bare number.
func clockOf(s string) (d time.Duration, plain, ok bool) {
	f := clockWords.FindStringSubmatch(s)
	if f == nil {
		return 0, false, false
	}
	hour, _ := strconv.Atoi(f[2])
	minute := 0
	if f[3] == "半" {
		minute = 30
	} else if f[3] != "" {
		minute, _ = strconv.Atoi(f[3])
	}
	if hour < 12 && (f[1] == "下午" || f[1] == "晚上" || f[1] == "晚" || f[1] == "中午" && hour < 3) {
		hour += 12
	}
	if hour > 23 || minute > 59 {
		return 0, false, false
	}
	plain = f[1] == "" && strings.Trim(s, "0123456789 ") == ""
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute, plain, true
}

var dateParts = regexp.MustCompile(`[0-9]+`)

func dateOf(s string, today time.Time) (time.Time, bool) {
	p := dateParts.FindAllString(s, -1)
	n := make([]int, len(p))
	for i := range p {
		n[i], _ = strconv.Atoi(p[i])
	}
	year := today.Year()
	if len(n) == 3 {
		year, n = n[0], n[1:]
	}
	if len(n) != 2 {
		return time.Time{}, false
	}
	at := time.Date(year, time.Month(n[0]), n[1], 0, 0, 0, 0, today.Location())
	if at.Month() != time.Month(n[0]) || at.Day() != n[1] {
		return time.Time{}, false
	}
	if len(p) == 2 && at.Before(today) {
		at = at.AddDate(1, 0, 0)
	}
	return at, true
}
