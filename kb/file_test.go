package kb

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

var endings = []string{"csv", "jsonl", "md", "xlsx"}

// texts are pieces of what goes wrong in files.
var texts = rapid.SampledFrom([]string{"问", "答案", "a", "Z", "9.2.1", "600519", "=", "+", "-", "@", "\t", "＝", "＋", "－", "＠", "'", "''", `"`, `""`, ",", "，", ";", "\\", "\\\\", "#", "## ", "### 内部步骤",
	"### 例外", "- 相似问: 甲", "- 标签：乙", "* ", "|", "<b>", "&amp;", "&", "😀", "👨‍👩‍👧", "Ａ１", "　", " ", "  ", "\u00a0", "\u200b", "_x0041_", "x005F", "true", "null", "0012", "1e5", "2026-01-01", "{", "}", "[", "]", ":", "：", "é", "𠮷", "\u2028"})

func lineOf(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(texts, 0, 6).Draw(t, label), "")
}

func linesOf(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(texts, rapid.Just("\n"), rapid.Just("\n\n")), 0, 14).Draw(t, label), "")
}

func listOf(t *rapid.T, label string) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return lineOf(t, "value") }), 0, 4).Draw(t, label)
}

func entryOf(t *rapid.T, n int) Entry {
	states := []string{"", Draft, Published, Retired}
	days := []string{"", "2026-02-28", "2030-12-01"}
	e := Entry{
		Number: rapid.Int64Range(0, 1).Draw(t, "numbered") * int64(n+1), Question: lineOf(t, "question") + "问" + string(rune('a'+n)), Answer: linesOf(t, "answer"),
		Similar: listOf(t, "similar"), Negative: listOf(t, "negative"), Tags: listOf(t, "tags"), ShortTitle: lineOf(t, "short"), AnswerText: linesOf(t, "text"), Steps: linesOf(t, "steps"),
		Exceptions: linesOf(t, "exceptions"), State: rapid.SampledFrom(states).Draw(t, "state"), Group: lineOf(t, "group"), Category: lineOf(t, "category"), Owner: lineOf(t, "owner"),
		ValidUntil: rapid.SampledFrom(days).Draw(t, "until"), ReviewAt: rapid.SampledFrom(days).Draw(t, "review"),
	}
	if strings.TrimSpace(e.Answer) == "" {
		e.Answer = "答"
	}
	if r := []rune(e.ShortTitle); len(r) > maxShortTitle {
		e.ShortTitle = string(r[:maxShortTitle])
	}
	return Clean(e)
}

func TestRoundTrip(t *testing.T) {
	for _, ending := range endings {
		t.Run(ending, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var want []Entry
				for i := range rapid.IntRange(1, 3).Draw(t, "entries") {
					want = append(want, entryOf(t, i))
				}
				var buf bytes.Buffer
				if err := WriteFile("x."+ending, &buf, want); err != nil {
					if ending == "xlsx" && strings.Contains(err.Error(), "_x") {
						return
					}
					t.Fatal(err)
				}
				rows, warnings, err := ReadFile("x."+ending, bytes.NewReader(buf.Bytes()))
				if err != nil || len(warnings) > 0 || len(rows) != len(want) {
					t.Fatalf("%d rows, %v, %v\n%s", len(rows), warnings, err, buf.String())
				}
				for i := range want {
					if rows[i].Err != nil || !reflect.DeepEqual(rows[i].Entry, want[i]) {
						t.Fatalf("%v\n got %+v\nwant %+v\n%s", rows[i].Err, rows[i].Entry, want[i], buf.String())
					}
				}
				var again bytes.Buffer
				if err := WriteFile("x."+ending, &again, want); err != nil || ending != "xlsx" && again.String() != buf.String() {
					t.Fatal("not the same bytes again")
				}
			})
		})
	}
}

func read(t *testing.T, name, text string) ([]Row, []string) {
	t.Helper()
	rows, warnings, err := ReadFile(name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return rows, warnings
}

func TestReadCSV(t *testing.T) {
	for name, text := range map[string]string{
		"comma":   "编号,标准问题,答案,相似问,复核日期,备注\nK12,怎么开户,带证件,\"开户\n在哪开户\",2026/3/5,x\n",
		"tab":     "编号\t标准问题\t答案\t相似问\t复核日期\t备注\nK12\t怎么开户\t带证件\t\"开户\n在哪开户\"\t2026年3月5日\tx\n",
		"english": "\n number ; Question ;ANSWER; similar ;review_at;备注\n12;怎么开户;带证件;\"开户\r\n在哪开户\r\n\";2026.3.5;x\r\n\r\n",
	} {
		rows, warnings := read(t, "a.csv", text)
		want := Entry{Number: 12, Question: "怎么开户", Answer: "带证件", Similar: []string{"开户", "在哪开户"}, ReviewAt: "2026-03-05"}
		if len(rows) != 1 || rows[0].Err != nil || !reflect.DeepEqual(rows[0].Entry, want) {
			t.Errorf("%s: %+v", name, rows)
		}
		if len(warnings) != 1 || !strings.Contains(warnings[0], "备注") {
			t.Errorf("%s: %v", name, warnings)
		}
	}
}

func TestEncodings(t *testing.T) {
	const text = "标准问题,答案\n怎么开户,带身份证件到营业部\n"
	gbk, _ := simplifiedchinese.GBK.NewEncoder().String(text)
	little, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	big, _ := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	bare, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(text)
	for name, data := range map[string]string{"utf-8": text, "bom": "\ufeff" + text, "gbk": gbk, "utf-16le": little, "utf-16be": big, "utf-16 bare": bare} {
		rows, _, err := ReadFile("a.csv", strings.NewReader(data))
		if err != nil || len(rows) != 1 || rows[0].Entry.Answer != "带身份证件到营业部" {
			t.Errorf("%s: %v %+v", name, err, rows)
		}
	}
	if _, _, err := ReadFile("a.csv", strings.NewReader("标准问题,答案\n\xff\xff\xfe\xf0\x81\n")); err == nil {
		t.Error("rubbish was read")
	}
}

func TestRowErrorsNameLineAndColumn(t *testing.T) {
	rows, _ := read(t, "a.csv", "标准问题,答案,状态,有效期,编号,短标题\n"+
		"甲,,,,,\n"+
		"乙,答,上架,2026-02-30,abc,\n"+
		"\n"+
		"丙,答,,,7,一二三四五六七八九十一二三四五六七八\n"+
		"丁,答,,,8,\n"+
		"戊,答,,,8,\n"+
		"丁！,答,,,,\n")
	want := []string{"第 2 行「答案」不能为空", "第 3 行「状态」", "第 5 行「短标题」有 18 个字", "", "第 7 行「编号」与第 6 行相同", "第 8 行「标准问题」与第 6 行相同"}
	if len(rows) != len(want) {
		t.Fatalf("%+v", rows)
	}
	for i, w := range want {
		if w == "" && rows[i].Err != nil || w != "" && (rows[i].Err == nil || !strings.HasPrefix(rows[i].Err.Error(), w)) {
			t.Errorf("%d: %v, want %s", i, rows[i].Err, w)
		}
	}
	for _, part := range []string{"「有效期」日期", "「编号」编号应是"} {
		if !strings.Contains(rows[1].Err.Error(), part) {
			t.Errorf("%v lacks %s", rows[1].Err, part)
		}
	}
}

func TestWholeFileErrors(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"empty":       {"a.csv", "", "空"},
		"no answer":   {"a.csv", "标准问题,备注\nx,y\n", "答案"},
		"twice":       {"a.csv", "标准问题,question,答案\nx,y,z\n", "两列"},
		"quote":       {"a.csv", "标准问题,答案\n\"甲,乙\n丙,丁\n", "第"},
		"long line":   {"a.csv", "标准问题,答案\n甲," + strings.Repeat("x", maxLine+1) + "\n", "1 MiB"},
		"long jsonl":  {"a.jsonl", strings.Repeat("x", maxLine+2), "1 MiB"},
		"ending":      {"a.docx", "x", "只认"},
		"macro":       {"a.xlsm", "x", "带宏"},
		"old":         {"a.xls", "x", "旧版"},
		"not a zip":   {"a.xlsx", "x", "不是 xlsx"},
		"too long":    {"a.csv", strings.Repeat("x\n", maxFile/2+1), "64 MiB"},
		"many rows":   {"a.csv", "question,answer\n" + strings.Repeat("a,b\n", maxRows+1), "100000 行"},
		"bad utf-8":   {"a.md", "\ufeff## \xff", "UTF-8"},
		"encrypted":   {"a.xlsx", string(oldOffice) + "EncryptedPackage", "密码"},
		"traversal":   {"../../etc/a.txt", "x", "a.txt"},
		"many fields": {"a.csv", "question,answer\n" + strings.Repeat(strings.Repeat(",", 2000)+"\n", 1001), "单元格"},
	} {
		_, _, err := ReadFile(c.file, strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadJSONL(t *testing.T) {
	rows, warnings := read(t, "a.jsonl", `{"标准问题":"怎么开户","答案":"带证件","相似问":["开户"],"tags":"甲、乙","number":12,"id":"x"}`+"\n\n"+
		`{"question":"怎么销户","answer":"到柜台","similar":"销户\n注销"}`+"\n"+
		`["x"]`+"\n"+
		`{"question":{"a":1},"answer":"b"}`+"\n")
	if len(rows) != 4 || rows[0].Err != nil || rows[1].Err != nil || rows[2].Err == nil || rows[3].Err == nil {
		t.Fatalf("%+v", rows)
	}
	if !reflect.DeepEqual(rows[0].Entry, Entry{Number: 12, Question: "怎么开户", Answer: "带证件", Similar: []string{"开户"}, Tags: []string{"甲", "乙"}}) {
		t.Errorf("%+v", rows[0].Entry)
	}
	if !reflect.DeepEqual(rows[1].Entry.Similar, []string{"销户", "注销"}) {
		t.Errorf("%+v", rows[1].Entry)
	}
	if !strings.HasPrefix(rows[2].Err.Error(), "第 4 行") || len(warnings) != 1 {
		t.Errorf("%v %v", rows[2].Err, warnings)
	}
}

func TestReadMD(t *testing.T) {
	rows, warnings := read(t, "a.md", "# 我的知识\n\n说明\n\n## 怎么开户\n- 相似问: 开户\n- 相似问：在哪开户\n\n- 标签: 甲、乙\n\n1. 带证件\n- 到柜台\n\n### 小标题\n\n完。\n\n### 内部步骤\n核对\n\n### 例外\n机构户\n## 怎么销户\n到柜台\n")
	want := Entry{Question: "怎么开户", Similar: []string{"开户", "在哪开户"}, Tags: []string{"甲", "乙"}, Answer: "1. 带证件\n- 到柜台\n\n### 小标题\n\n完。", Steps: "核对", Exceptions: "机构户"}
	if len(rows) != 2 || rows[0].Line != 5 || !reflect.DeepEqual(rows[0].Entry, want) || rows[1].Entry.Answer != "到柜台" {
		t.Errorf("%+v", rows)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "第 3 行") {
		t.Errorf("%v", warnings)
	}
}

func TestFormulaGuard(t *testing.T) {
	for _, cell := range []string{"=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋", "－", "＠", "'", "''", "'=1", "''=1", "'x", "x", ""} {
		g := guard(cell)
		if computed(g) || unguard(g) != cell {
			t.Errorf("%q: %q: %q", cell, g, unguard(g))
		}
	}
	var buf bytes.Buffer
	if err := WriteFile("x.csv", &buf, []Entry{{Question: "=cmd|' /C calc'!A0", Answer: "@SUM(1)"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(buf.String(), "'=cmd") || !strings.Contains(buf.String(), "'@SUM") {
		t.Error(buf.String())
	}
}

func TestWriteRefusesWhatWouldNotComeBack(t *testing.T) {
	for _, e := range []Entry{{Question: "a\nb", Answer: "x"}, {Question: "a", Answer: "x\x00"}, {Question: "a", Answer: "x", Similar: []string{"p\nq"}}} {
		if err := WriteFile("x.csv", &bytes.Buffer{}, []Entry{e}); err == nil {
			t.Errorf("%+v was written", e)
		}
	}
}

func TestValidate(t *testing.T) {
	good := Entry{Question: "怎么开户", Answer: "带证件", State: Draft, ShortTitle: "开户", ValidUntil: "2026-12-31", Tags: []string{"开户"}}
	if err := Validate(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Entry){
		"「标准问题」不能为空":  func(e *Entry) { e.Question = " " },
		"「标准问题」有 201": func(e *Entry) { e.Question = strings.Repeat("问", 201) },
		"「答案」有 20001": func(e *Entry) { e.Answer = strings.Repeat("a", 20001) },
		"「答案」含有控制字符":  func(e *Entry) { e.Answer = "a\x00" },
		"「相似问」有空的一条":  func(e *Entry) { e.Similar = []string{"a", ""} },
		"「相似问」有 501":  func(e *Entry) { e.Similar = make([]string, 501) },
		"「短标题」有 18":   func(e *Entry) { e.ShortTitle = strings.Repeat("短", 18) },
		"「状态」只能是":     func(e *Entry) { e.State = "已发布" },
		"「有效期」日期应":    func(e *Entry) { e.ValidUntil = "2026-2-1" },
		"「标签」标签里不能有":  func(e *Entry) { e.Tags = []string{"a,b"} },
		"「编号」不能是负数":   func(e *Entry) { e.Number = -1 },
		"「服务组」不能换行":   func(e *Entry) { e.Group = "a\nb" },
	} {
		e := good
		change(&e)
		if err := Validate(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("标准问题,答案\n甲,乙\n"))
	f.Add([]byte("question,answer,similar\n\"a\"\"b\",'=c,\"d\ne\"\n"))
	f.Add([]byte("\xff\xfeq\x00"))
	fuzzRead(f, "x.csv")
}

func FuzzReadJSONL(f *testing.F) {
	f.Add([]byte(`{"question":"a","answer":"b","similar":["c"]}`))
	f.Add([]byte(`{"question":null,"answer":1e9}` + "\n{"))
	fuzzRead(f, "x.jsonl")
}

func FuzzReadMD(f *testing.F) {
	f.Add([]byte("## a\n- 相似问: b\n\nc\n### 例外\nd\n"))
	f.Add([]byte("\\## x\n## \n###  内部步骤\n- 编号：K1\n"))
	fuzzRead(f, "x.md")
}

// fuzzRead checks that nothing breaks a reader, and that what it took as right
// can be written and read back unchanged.
func fuzzRead(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, _, err := ReadFile(name, bytes.NewReader(data))
		if err != nil {
			return
		}
		var good []Entry
		for _, r := range rows {
			if r.Err == nil {
				good = append(good, r.Entry)
			}
		}
		var buf bytes.Buffer
		if err := WriteFile(name, &buf, good); err != nil {
			t.Fatalf("%v\n%+v", err, good)
		}
		again, _, err := ReadFile(name, &buf)
		if err != nil || len(again) != len(good) {
			t.Fatalf("%v: %d of %d", err, len(again), len(good))
		}
		for i := range good {
			if again[i].Err != nil || !reflect.DeepEqual(again[i].Entry, good[i]) {
				t.Fatalf("%v\n got %+v\nwant %+v", again[i].Err, again[i].Entry, good[i])
			}
		}
	})
}
