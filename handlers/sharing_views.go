package handlers

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/kb"
)

// Who watched a session, as the live platform exports it: csv or xlsx with a row
// for each person, or for each time a person was there. Only the figures are
// kept, not who it was.

// viewColumns are the columns by the names under which they are known.
var viewColumns = map[string][]string{
	"who":  {"账号", "成员账号", "userid", "user_id", "工号", "姓名", "成员", "成员姓名", "观众", "用户", "昵称", "name"},
	"time": {"观看时长", "时长", "观看时间", "在线时长", "累计观看时长", "观看时长(分钟)", "观看时长（分钟）", "时长(分钟)", "观看分钟", "分钟", "minutes", "duration"},
}

func viewColumn(name string) string {
	name = strings.ToLower(strings.Trim(name, " \t\r\n*:：\ufeff"))
	for key, names := range viewColumns {
		if slices.Contains(names, name) {
			return key
		}
	}
	return ""
}

// Viewing is what a list of viewers comes to.
type Viewing struct {
	People  int64
	Minutes int64 // each, on average
	Faults  []string
}

const (
	viewRowsMost = 100_000
	viewFaults   = 5
)

// ReadViewers reads a list of viewers. The error, in Chinese, is about the file
// as a whole; a list with a wrong row is refused too, because its figures would
// be wrong.
func ReadViewers(name string, r io.Reader) (v Viewing, err error) {
	who, span, headed, rows := -1, -1, false, 0
	watched := map[string]float64{}
	known := func(name string) bool { return viewColumn(name) != "" }
	err = kb.ReadRows(name, r, known, func(line int, cells []string) error {
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			return nil
		}
		if !headed {
			for i, c := range cells {
				switch viewColumn(c) {
				case "who":
					if who < 0 {
						who = i
					}
				case "time":
					if span < 0 {
						span = i
					}
				}
			}
			if headed = who >= 0; !headed && line > 10 {
				return errors.New("没有找到「姓名」或「账号」列")
			}
			return nil
		}
		if rows++; rows > viewRowsMost {
			return fmt.Errorf("最多 %d 行", viewRowsMost)
		}
		person := cellAt(cells, who)
		if person == "" {
			return nil
		}
		minutes := 0.0
		if text := cellAt(cells, span); text != "" {
			var ok bool
			if minutes, ok = minutesOf(text); !ok {
				v.Faults = append(v.Faults, fmt.Sprintf("第 %d 行：时长「%s」看不懂", line, chat.Cut(text, 20)))
				return nil
			}
		}
		watched[person] += minutes
		return nil
	})
	switch {
	case err != nil:
		return v, err
	case !headed:
		return v, errors.New("没有找到「姓名」或「账号」列")
	case len(v.Faults) > 0:
		more := ""
		if n := len(v.Faults); n > viewFaults {
			more, v.Faults = fmt.Sprintf("；还有 %d 行", n-viewFaults), v.Faults[:viewFaults]
		}
		return v, errors.New(strings.Join(v.Faults, "；") + more)
	case len(watched) == 0:
		return v, errors.New("文件里没有人")
	}
	sum := 0.0
	for _, m := range watched {
		sum += m
	}
	v.People, v.Minutes = int64(len(watched)), int64(math.Round(sum/float64(len(watched))))
	return v, nil
}

func cellAt(cells []string, i int) string {
	if i < 0 || i >= len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[i])
}

var (
	spokenSpan = regexp.MustCompile(`^(?:([0-9]+)\s*(?:小时|时|h))?\s*(?:([0-9]+(?:\.[0-9]+)?)\s*(?:分钟|分|min|m))?\s*(?:([0-9]+)\s*(?:秒钟?|s))?$`)
	clockSpan  = regexp.MustCompile(`^(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{2})$`)
)

// minutesOf reads how long: 23, 23.5, 23分10秒, 1小时2分, 00:23:10.
func minutesOf(text string) (float64, bool) {
	text = strings.ToLower(narrow(text))
	if m, err := strconv.ParseFloat(text, 64); err == nil {
		return m, m >= 0 && m < 24*60
	}
	m := clockSpan.FindStringSubmatch(text)
	if m == nil {
		m = spokenSpan.FindStringSubmatch(text)
	}
	if m == nil || m[1]+m[2]+m[3] == "" {
		return 0, false
	}
	part := func(s string) float64 { f, _ := strconv.ParseFloat(s, 64); return f }
	total := part(m[1])*60 + part(m[2]) + part(m[3])/60
	return total, total < 24*60
}
