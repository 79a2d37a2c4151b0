package kb

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// dialect is how another product writes its questions and answers in a table.
// Told by the products' own sources: WeKnora internal/application/service
// (buildFAQCSV), MaxKB document export, FastGPT core/dataset/exportAll and
// collection/export, Dify app/annotation/header-opts.
type dialect struct {
	name  string
	heads map[string]string // heading without its hint → field
	needs []string          // fields without which it is not this one
	rest  string            // the field of cells without a heading, "" for none
	every bool              // all sheets of a workbook are read: each is a document
	entry func(r foreignRow) (Entry, []string)
}

// foreignRow are the cells of a row by field, and the sheet they stand on.
type foreignRow struct {
	cells map[string][]string
	sheet string
}

// text is the first cell of a field.
func (r foreignRow) text(field string) string {
	if len(r.cells[field]) == 0 {
		return ""
	}
	return strings.TrimSpace(r.cells[field][0])
}

var dialects = []dialect{
	{name: "WeKnora", entry: weknoraRow, needs: []string{"question", "answers"}, heads: map[string]string{
		"分类": "category", "标签": "category", "tag_name": "category", "问题": "question", "standard_question": "question", "相似问题": "similar", "similar_questions": "similar",
		"反例问题": "negative", "negative_questions": "negative", "机器人回答": "answers", "answers": "answers", "是否全部回复": "all", "reply_all": "all", "是否停用": "off", "is_disabled": "off",
		"是否禁止被推荐": "-", "exclude_from_recommendations": "-"}},
	{name: "MaxKB", entry: maxkbRow, needs: []string{"answer", "questions"}, every: true, heads: map[string]string{
		"分段标题": "title", "分段内容": "answer", "问题": "questions", "section title": "title", "section content": "answer", "question": "questions"}},
	{name: "FastGPT", entry: fastgptRow, needs: []string{"q", "a"}, rest: "indexes", heads: map[string]string{"q": "q", "a": "a", "indexes": "indexes"}},
	{name: "FastGPT", entry: fastgptRow, needs: []string{"q", "a"}, heads: map[string]string{"index": "q", "content": "a"}},
	{name: "Dify", entry: difyRow, needs: []string{"question", "answer"}, heads: map[string]string{"问题": "question", "答案": "answer"}},
}

// headOf is a heading without the hint behind it: 相似问题(选填-多个用##分隔).
func headOf(cell string) string {
	head, _, _ := strings.Cut(string(normalize(cell)), "(")
	return strings.Trim(head, " \t\r\n*:")
}

// dialectOf finds the product that writes such a heading, with the field of
// each cell; nil for none. A heading of our own is nobody else's.
func dialectOf(cells []string) (*dialect, []string) {
	own := map[string]bool{}
	for _, c := range cells {
		if n, ok := columnByName(c); ok {
			own[columns[n].key] = true
		}
	}
	if own["question"] && own["answer"] {
		return nil, nil
	}
	for i := range dialects {
		d := &dialects[i]
		fields := make([]string, len(cells))
		for k, c := range cells {
			fields[k] = d.heads[headOf(c)]
			if fields[k] == "" && strings.TrimSpace(c) == "" {
				fields[k] = d.rest
			}
		}
		if !slices.ContainsFunc(d.needs, func(f string) bool { return !slices.Contains(fields, f) }) {
			return d, fields
		}
	}
	return nil, nil
}

// isHeading tells the names of columns, ours and of others.
func isHeading(name string) bool {
	if isColumn(name) {
		return true
	}
	head := headOf(name)
	return slices.ContainsFunc(dialects, func(d dialect) bool { return d.heads[head] != "" })
}

// weknoraRow: of several answers one was given at random, unless all were to be.
func weknoraRow(r foreignRow) (Entry, []string) {
	var warns []string
	answers := split(r.text("answers"), "##")
	e := Entry{Category: r.text("category"), Question: r.text("question"), Similar: split(r.text("similar"), "##"), Negative: split(r.text("negative"), "##")}
	e.Answer, warns = oneAnswer(answers, isTrue(r.text("all")))
	if isTrue(r.text("off")) {
		e.State = Retired
	}
	return e, warns
}

func oneAnswer(answers []string, all bool) (string, []string) {
	switch {
	case len(answers) == 0:
		return "", nil
	case all:
		return strings.Join(answers, "\n\n"), nil
	case len(answers) > 1:
		return answers[0], []string{fmt.Sprintf("有 %d 个随机回答，只取第一个", len(answers))}
	}
	return answers[0], nil
}

// split gives the values of a cell that holds several.
func split(cell, mark string) []string {
	return slices.DeleteFunc(strings.Split(cell, mark), func(p string) bool { return strings.TrimSpace(p) == "" })
}

func isTrue(text string) bool {
	return slices.Contains([]string{"true", "1", "是", "yes"}, strings.ToLower(text))
}

// maxkbRow: a paragraph with the questions that lead to it. Without any, its
// title is the question. The sheet is the document.
func maxkbRow(r foreignRow) (Entry, []string) {
	e := Entry{Answer: r.text("answer"), Category: cutName(r.sheet)}
	title := r.text("title")
	questions := split(r.text("questions"), "\n")
	if len(questions) == 0 {
		e.Question = title
		return e, nil
	}
	e.Question, e.Similar = questions[0], questions[1:]
	if utf8.RuneCountInString(title) <= maxShortTitle {
		e.ShortTitle = title
	}
	return e, nil
}

// cutName is a name of ours made of any text; a spreadsheet's own name for a
// sheet says nothing.
func cutName(text string) string {
	if strings.HasPrefix(strings.ToLower(text), "sheet") {
		return ""
	}
	if r := []rune(text); len(r) > maxName {
		return string(r[:maxName])
	}
	return text
}

// fastgptRow: the indexes beside the question are other wordings of it, but for
// those that the product made of question and answer by itself.
func fastgptRow(r foreignRow) (Entry, []string) {
	e := Entry{Question: r.text("q"), Answer: r.text("a")}
	if e.Answer == "" {
		return e, nil
	}
	for _, text := range r.cells["indexes"] {
		text = strings.TrimSpace(text)
		if text != "" && text != e.Question && !strings.Contains(text, "\n") && !strings.Contains(text, e.Answer) && utf8.RuneCountInString(text) <= maxQuestion {
			e.Similar = append(e.Similar, text)
		}
	}
	return e, nil
}

func difyRow(r foreignRow) (Entry, []string) {
	return Entry{Question: r.text("question"), Answer: r.text("answer")}, nil
}
