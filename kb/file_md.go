package kb

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The Markdown form of a knowledge file:
//
//	# 知识库                       anything before the first ## is passed over
//
//	## 标准问题
//
//	- 编号: 12                     fields, one a line; 相似问, 反例 and 标签 may repeat
//	- 相似问: 另一种问法
//
//	答案, in as many lines as it takes
//
//	### 内部步骤                   also 纯文本答案, 例外 and 答案
//
//	until the next ## or ###
//
// Fields and sections have their Chinese or English names. A line of a text
// that would be read as a heading or a field has a backslash before it.

// mdMark is a line that begins an entry, a section or a field, with any number
// of backslashes before it.
var mdMark = regexp.MustCompile(`^\\*(?:## |###[ ]+(?:` + mdNames(true) + `)[ ]*$|-[ ]+(?:` + mdNames(false) + `|` + faultColumn + `)[ ]*[:：])`)

func mdNames(long bool) string {
	var names []string
	for _, c := range columns {
		if c.long == long {
			names = append(names, c.key, c.title)
		}
	}
	return strings.Join(names, "|")
}

// mdReader reads line by line.
type mdReader struct {
	out    *sheet
	entry  Entry
	faults Faults
	line   int // of the entry's heading, 0 before the first
	fields bool
	part   int // column that lines go to
	text   []string
	early  bool // text before the first heading was told
}

func readMD(data []byte, out *sheet) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	if err := checkLines(text); err != nil {
		return err
	}
	r := &mdReader{out: out}
	for n, line := range strings.Split(strings.TrimSuffix(lineBreaks.Replace(string(text)), "\n"), "\n") {
		if len(out.rows) >= maxRows {
			return fmt.Errorf("超过 %d 条，请拆开再导入", maxRows)
		}
		r.take(n+1, line)
	}
	r.endEntry()
	return nil
}

func (r *mdReader) take(n int, line string) {
	mark := mdMark.MatchString(line)
	switch {
	case mark && strings.HasPrefix(line, "## "):
		r.endEntry()
		*r = mdReader{out: r.out, early: r.early, line: n, fields: true, part: answerColumn}
		r.entry.Question = line[3:]
	case r.line == 0:
		if !r.early && strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "# ") {
			r.early = true
			r.out.warn("第 %d 行在第一个「## 」之前，未读", n)
		}
	case mark && strings.HasPrefix(line, "###"):
		r.endPart()
		r.fields = false
		r.part, _ = columnByName(line[3:])
	case r.fields && faultLine.MatchString(line): // what was wrong when the file came the last time
	case mark && strings.HasPrefix(line, "-") && r.fields:
		r.field(line)
	case r.fields && strings.TrimSpace(line) == "":
	default:
		r.fields = false
		if mark && line[0] == '\\' {
			line = line[1:]
		}
		r.text = append(r.text, line)
	}
}

var answerColumn, _ = columnByName("answer")

func (r *mdReader) field(line string) {
	at := strings.IndexAny(line, ":：")
	n, _ := columnByName(line[1:at])
	_, size := utf8.DecodeRuneInString(line[at:])
	value := line[at+size:]
	c := &columns[n]
	if !c.list && len(c.get(&r.entry)) > 0 {
		r.faults = append(r.faults, Fault{c.key, "写了两次"})
		return
	}
	if err := c.set(&r.entry, []string{value}); err != nil {
		r.faults = append(r.faults, Fault{c.key, err.Error()})
	}
}

// endPart puts the lines read into the column they belong to. A section that
// is there twice goes on where it was.
func (r *mdReader) endPart() {
	c := &columns[r.part]
	text := strings.TrimSpace(strings.Join(r.text, "\n"))
	r.text = nil
	if text != "" {
		c.set(&r.entry, append(c.get(&r.entry), text))
	}
}

func (r *mdReader) endEntry() {
	if r.line == 0 {
		return
	}
	r.endPart()
	r.out.add(r.line, r.entry, r.faults)
}

func writeMD(w io.Writer, entries []Entry) error {
	out := bufio.NewWriter(w)
	out.WriteString("# 知识库\n")
	for i := range entries {
		writeMDEntry(out, &entries[i])
	}
	return out.Flush()
}

func writeMDEntry(out *bufio.Writer, e *Entry) {
	fmt.Fprintf(out, "\n## %s\n\n", e.Question)
	for _, c := range columns {
		if c.long || c.key == "question" {
			continue
		}
		for _, v := range c.get(e) {
			fmt.Fprintf(out, "- %s: %s\n", c.title, v)
		}
	}
	fmt.Fprintf(out, "\n%s\n", escapeMD(e.Answer))
	for _, c := range columns {
		if c.long && c.key != "answer" {
			for _, v := range c.get(e) {
				fmt.Fprintf(out, "\n### %s\n\n%s\n", c.title, escapeMD(v))
			}
		}
	}
}

func escapeMD(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if mdMark.MatchString(line) {
			lines[i] = `\` + line
		}
	}
	return strings.Join(lines, "\n")
}
