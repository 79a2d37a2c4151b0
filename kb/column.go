package kb

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// column is one column of a knowledge file: its key and its Chinese title,
// either of which may head it.
type column struct {
	key, title string
	get        func(e *Entry) []string
	set        func(e *Entry, values []string) error
	list       bool // one value a line inside a cell
	long       bool // may hold several lines
}

// columns are in the order in which files are written.
var columns = []column{
	{key: "number", title: "编号", get: getNumber, set: setNumber},
	textColumn("question", "标准问题", false, func(e *Entry) *string { return &e.Question }),
	textColumn("answer", "答案", true, func(e *Entry) *string { return &e.Answer }),
	listColumn("similar", "相似问", func(e *Entry) *[]string { return &e.Similar }),
	listColumn("negative", "反例", func(e *Entry) *[]string { return &e.Negative }),
	textColumn("short_title", "短标题", false, func(e *Entry) *string { return &e.ShortTitle }),
	textColumn("answer_text", "纯文本答案", true, func(e *Entry) *string { return &e.AnswerText }),
	textColumn("steps", "内部步骤", true, func(e *Entry) *string { return &e.Steps }),
	textColumn("exceptions", "例外", true, func(e *Entry) *string { return &e.Exceptions }),
	{key: "state", title: "状态", get: func(e *Entry) []string { return one(e.State) }, set: setState},
	textColumn("group", "服务组", false, func(e *Entry) *string { return &e.Group }),
	dateColumn("valid_until", "有效期", func(e *Entry) *string { return &e.ValidUntil }),
	textColumn("category", "分类", false, func(e *Entry) *string { return &e.Category }),
	listColumn("tags", "标签", func(e *Entry) *[]string { return &e.Tags }),
	textColumn("owner", "负责人", false, func(e *Entry) *string { return &e.Owner }),
	dateColumn("review_at", "复核日期", func(e *Entry) *string { return &e.ReviewAt }),
}

func textColumn(key, title string, long bool, at func(*Entry) *string) column {
	return column{key: key, title: title, long: long,
		get: func(e *Entry) []string { return one(*at(e)) },
		set: func(e *Entry, values []string) error { *at(e) = strings.Join(values, "\n"); return nil },
	}
}

func listColumn(key, title string, at func(*Entry) *[]string) column {
	return column{key: key, title: title, list: true,
		get: func(e *Entry) []string { return *at(e) },
		set: func(e *Entry, values []string) error {
			for _, v := range values {
				*at(e) = append(*at(e), strings.Split(v, "\n")...)
			}
			return nil
		},
	}
}

func dateColumn(key, title string, at func(*Entry) *string) column {
	return column{key: key, title: title,
		get: func(e *Entry) []string { return one(*at(e)) },
		set: func(e *Entry, values []string) error {
			day, err := readDate(strings.TrimSpace(strings.Join(values, " ")))
			*at(e) = day
			return err
		},
	}
}

func one(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

func getNumber(e *Entry) []string {
	if e.Number == 0 {
		return nil
	}
	return []string{strconv.FormatInt(e.Number, 10)}
}

func setNumber(e *Entry, values []string) error {
	text := strings.TrimSpace(strings.Join(values, " "))
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(text), "K"), 10, 64)
	if err != nil || n <= 0 {
		return fmt.Errorf("编号应是正整数，如 12 或 K12，现为「%s」", clipped(text))
	}
	e.Number = n
	return nil
}

// stateNames are the spellings of states that people use.
var stateNames = map[string]string{
	"": "", Draft: Draft, Review: Review, Published: Published, Retired: Retired,
	"草稿": Draft, "待复核": Review, "待审核": Review, "已发布": Published, "发布": Published, "已停用": Retired, "停用": Retired, "已下线": Retired, "下线": Retired,
}

func setState(e *Entry, values []string) error {
	text := strings.TrimSpace(strings.Join(values, " "))
	state, ok := stateNames[strings.ToLower(text)]
	if !ok {
		return fmt.Errorf("状态只能是 draft（草稿）、review（待复核）、published（已发布）或 retired（已停用），现为「%s」", clipped(text))
	}
	e.State = state
	return nil
}

var dateForm = regexp.MustCompile(`^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]00?:00(?::00(?:\.0+)?)?)?$`)

// readDate accepts the spellings of a day that spreadsheets produce, and the
// serial number of a date cell: days since 1899-12-30 (ECMA-376 part 1,
// 18.17.4.1, the 1900 system).
func readDate(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	fault := fmt.Errorf("日期应写成 2026-06-30，现为「%s」", clipped(text))
	if m := dateForm.FindStringSubmatch(text); m != nil {
		y, _ := strconv.Atoi(m[1])
		mon, _ := strconv.Atoi(m[2])
		d, _ := strconv.Atoi(m[3])
		day := time.Date(y, time.Month(mon), d, 0, 0, 0, 0, time.UTC)
		if day.Month() != time.Month(mon) || day.Day() != d {
			return text, fault
		}
		return day.Format(time.DateOnly), nil
	}
	if serial, err := strconv.ParseFloat(text, 64); err == nil && serial > 20000 && serial < 80000 {
		return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(serial)).Format(time.DateOnly), nil
	}
	return text, fault
}

// clipped keeps a message short whatever stands in the file.
func clipped(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}

// columnByName finds a column by its key or title, whatever the case and the
// marks that people put to a heading.
func columnByName(name string) (int, bool) {
	name = strings.ToLower(strings.Trim(string(normalize(name)), " \t\r\n*:"))
	for i, c := range columns {
		if name == c.key || name == c.title {
			return i, true
		}
	}
	return 0, false
}

func isColumn(name string) bool { _, ok := columnByName(name); return ok }
