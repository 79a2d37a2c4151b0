package web

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// upload posts a file to the page of imports, and returns status, address and page.
func (b *browser) upload(name string, content []byte) (int, string, string) {
	b.c.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	m.WriteField("csrf", b.csrf)
	w, err := m.CreateFormFile("file", name)
	if err != nil {
		b.c.t.Fatal(err)
	}
	w.Write(content)
	m.Close()
	resp, err := b.client.Post(b.c.URL+"/kb/import", m.FormDataContentType(), &body)
	if err != nil {
		b.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), string(page)
}

func TestImportPage(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	b.get("/kb/import")
	code, where, page := b.upload(`C:\temp\..\..\知识`+"\u202e"+`.csv`, []byte("标准问题,答案,相似问\n新股中签怎么缴款,T+2 日留足资金。,打新中了怎么缴钱\n夜市委托几点开始,20:00 起，有事打 13800138000\n,没有问题\n"))
	if code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, page)
	}
	_, page = b.get(where)
	for _, want := range []string{"<h1>知识.csv</h1>", "<dt>新增</dt><dd>1</dd>", "<dt>修改</dt><dd>1</dd>", `<dd class="bad">1</dd>`, "第 4 行「标准问题」不能为空", "<ins>T&#43;2</ins>", "夜市委托几点开始"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the preview", want)
		}
	}
	if _, page := b.get(where + "&mode=skip"); !strings.Contains(page, "<dt>跳过</dt><dd>1</dd>") {
		t.Error("the preview does not follow the mode")
	}
	id := url.Values{"id": {strings.TrimPrefix(where, "/kb/import?id=")}, "do": {"apply"}, "mode": {"merge"}}
	if code, page := b.post("/kb/import/act", id); code != http.StatusConflict || !strings.Contains(page, "1 行有错，什么都没有导入") {
		t.Errorf("with a faulty row: %d", code)
	}
	if code, file := b.get(strings.Replace(where, "import?", "import/faults?", 1)); code != http.StatusOK || !strings.Contains(file, "没有问题,,「标准问题」不能为空") {
		t.Errorf("the file with its faults: %d %q", code, file)
	}
	if code, _ := c.as(chat.Leader).post("/kb/import/act", url.Values{"id": id["id"], "do": {"apply"}, "mode": {"merge"}, "faulty": {"1"}}); code != http.StatusConflict {
		t.Errorf("somebody else's file: %d", code)
	}
	id.Set("faulty", "1")
	if code, _ := b.post("/kb/import/act", id); code != http.StatusSeeOther {
		t.Fatalf("import: %d", code)
	}
	if e := c.entry(2); e.Question != "夜市委托几点开始" || strings.Contains(e.Answer, "13800138000") || e.Owner != "" {
		t.Errorf("%+v", e)
	}
	if _, page := b.get(where); !strings.Contains(page, "撤销这次导入") {
		t.Error("it cannot be taken back")
	}
	if code, _ := b.post("/kb/import/act", id); code != http.StatusConflict {
		t.Errorf("twice: %d", code)
	}
	id.Set("do", "undo")
	if code, _ := b.post("/kb/import/act", id); code != http.StatusSeeOther || c.entry(2).State != kb.Retired || c.entry(1).Answer != "中签当日 16:00 前留足资金。" {
		t.Errorf("undo: %d, %+v, %+v", code, c.entry(2), c.entry(1))
	}
	if _, page := b.get("/kb/import"); !strings.Contains(page, "已撤销") || !strings.Contains(page, "知识.csv") {
		t.Error("the list does not know it")
	}
	if code, file := b.get("/kb/export?format=jsonl"); code != http.StatusOK || strings.Count(file, "\n") != 2 {
		t.Errorf("export: %d %q", code, file)
	}
	if code, _ := b.get("/kb/export?format=exe"); code != http.StatusUnprocessableEntity {
		t.Errorf("export of a kind that there is not: %d", code)
	}
	if code, _ := c.as(chat.Responder).get("/kb/import"); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
}

// Files that nobody should have sent are refused as a whole, with a reason, and
// leave nothing behind: B82, B84 to B88; kb/file_hostile_test.go has more of them.
func TestImportRefusesBadFiles(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	b.get("/kb/import")
	archive := func(parts map[string]string) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for name, text := range parts {
			w, _ := z.Create(name)
			io.WriteString(w, text)
		}
		z.Close()
		return out.Bytes()
	}
	many := map[string]string{"xl/workbook.xml": "<workbook/>"}
	for i := range 70_000 {
		many[fmt.Sprintf("xl/x%d.xml", i)] = ""
	}
	head := "标准问题,答案\n"
	for name, file := range map[string]struct {
		name string
		data []byte
		why  string
	}{
		"a program":            {"知识.exe", []byte("MZ"), "只认 .xlsx"},
		"a program as xlsx":    {"知识.xlsx", []byte("MZ\x90\x00"), "不是 xlsx 文件"},
		"with macros":          {"知识.xlsm", []byte("PK"), "带宏"},
		"a bomb":               {"a.xlsx", archive(map[string]string{"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": strings.Repeat("0", 17<<20)}), "16 MiB"},
		"many parts":           {"a.xlsx", archive(many), "个部分"},
		"zip slip":             {"a.xlsx", archive(map[string]string{"../../etc/x": "x", "xl/workbook.xml": "<workbook/>"}), "不合规的路径"},
		"a link to elsewhere":  {"a.xlsx", archive(map[string]string{"xl/externalLinks/externalLink1.xml": "x", "xl/workbook.xml": "<workbook/>"}), "链接"},
		"encrypted":            {"a.xlsx", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"), "密码"},
		"entities":             {"a.xlsx", archive(map[string]string{"xl/workbook.xml": "<workbook/>", "xl/sharedStrings.xml": `<!DOCTYPE x [<!ENTITY a "b">]><sst/>`}), "DOCTYPE"},
		"one line of 50 MB":    {"a.csv", []byte(head + strings.Repeat("长", 17<<20)), "超过 1 MiB"},
		"quotes that are open": {"a.csv", []byte(head + "\"甲,乙\n丙,丁\n"), "引号不配对"},
		"nothing":              {"a.csv", nil, "空的"},
		"only a heading":       {"a.csv", []byte(head), "没有知识"},
		"no columns":           {"a.csv", []byte("姓名,电话\n张三,1\n"), "没有找到「标准问题」"},
	} {
		code, _, page := b.upload(file.name, file.data)
		if code != http.StatusUnprocessableEntity || !strings.Contains(page, file.why) {
			t.Errorf("%s: %d, no %q", name, code, file.why)
		}
	}
	list, err := c.store.ListImports(context.Background(), 10)
	if n, _ := c.store.CountEntries(context.Background(), store.EntryQuery{}); err != nil || len(list) != 0 || n != 1 {
		t.Errorf("%d imports and %d entries are left, %v", len(list), n, err)
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte("标准问题,答案\n港股通几点开始交易,9:30\n"))
	if err != nil {
		t.Fatal(err)
	}
	if code, where, _ := b.upload(strings.Repeat("长", 300)+".csv", gbk); code != http.StatusSeeOther {
		t.Errorf("GBK, a long name: %d", code)
	} else if _, page := b.get(where); !strings.Contains(page, "港股通几点开始交易") {
		t.Error("GBK was not read")
	}
}

// A file of another product goes the same way: preview, import, and what is
// wrong in it.
func TestImportOfAnotherProduct(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	b.get("/kb/import")
	code, where, page := b.upload("faq_export.json", []byte(`[{"standard_question":"怎么重置交易密码","similar_questions":["交易密码忘了"],"negative_questions":["资金密码怎么改"],"answers":["点「忘记密码」。","找营业部。"],"tag_name":"账户","is_enabled":true},{"standard_question":"没有答案"}]`))
	if code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, page)
	}
	_, page = b.get(where)
	for _, want := range []string{"认出是 WeKnora 导出的文件", "第 1 行有 2 个随机回答", "<dt>新增</dt><dd>1</dd>", "第 2 行「答案」不能为空"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the preview", want)
		}
	}
	form := url.Values{"id": {strings.TrimPrefix(where, "/kb/import?id=")}, "do": {"apply"}, "mode": {"merge"}, "faulty": {"1"}}
	if code, page := b.post("/kb/import/act", form); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, page)
	}
	if e := c.entry(2); e.Question != "怎么重置交易密码" || len(e.Similar) != 1 || len(e.Negative) != 1 || e.Category != "账户" || e.State != kb.Published {
		t.Errorf("%+v", e)
	}
}
