package kb

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

var foreign = map[string]struct {
	product string
	entries []Entry
	faults  int
	warns   string // beside the product
}{
	"weknora.csv": {"WeKnora", []Entry{
		{Category: "账户", Question: "怎么重置交易密码", Similar: []string{"交易密码忘了", "密码锁了怎么办"}, Negative: []string{"资金密码怎么改"}, Answer: "在登录页点「忘记密码」。"},
		{Category: "账户", Question: "怎么改手机号", Answer: "先验原号码，\n再填新号码。\n\n机构户去柜台。"},
		{Question: "旧活动怎么报名", Answer: "活动已结束。", State: Retired}}, 0, "第 2 行有 2 个随机回答"},
	"weknora.json": {"WeKnora", []Entry{
		{Category: "账户", Question: "怎么重置交易密码", Similar: []string{"交易密码忘了"}, Negative: []string{"资金密码怎么改"}, Answer: "在登录页点「忘记密码」。\n\n找营业部重置。"},
		{Question: "旧活动怎么报名", Answer: "活动已结束。", State: Retired}}, 0, ""},
	"fastgpt.csv":            {"FastGPT", []Entry{{Question: "银证转账几点截止", Similar: []string{"转账到几点"}, Answer: "16:00 截止。"}, {Question: "一段没有问题的资料，只有内容"}}, 1, ""},
	"fastgpt_collection.csv": {"FastGPT", []Entry{{Question: "银证转账几点截止", Answer: "16:00 截止。"}}, 0, ""},
	"dify.csv":               {"Dify", []Entry{{Question: "两融合同在哪里补签", Answer: "业务办理里补签。"}}, 0, ""},
	"dify.jsonl":             {"Dify", []Entry{{Question: "两融合同在哪里补签", Answer: "业务办理里补签。"}}, 0, ""},
	"dify_segments.json":     {"Dify", []Entry{{Question: "两融合同在哪里补签", Answer: "业务办理里补签。"}, {Question: "旧活动怎么报名", Answer: "活动已结束。", State: Retired}}, 0, ""},
}

// The exports of other products are read as they come, and what is wrong in
// them comes back in a file that can come in again.
func TestForeignFiles(t *testing.T) {
	for name, want := range foreign {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "foreign", name))
			if err != nil {
				t.Fatal(err)
			}
			checkForeign(t, name, data, want.product, want.entries, want.faults, want.warns)
			rows, _, _ := ReadFile(name, bytes.NewReader(data))
			var back bytes.Buffer
			if err := WriteFaults(name, data, rows, &back); err != nil {
				t.Fatal(err)
			}
			if want.faults > 0 && !strings.Contains(back.String(), "「答案」不能为空") {
				t.Errorf("the faults are not in the file:\n%s", back.String())
			}
			checkForeign(t, name, back.Bytes(), want.product, want.entries, want.faults, want.warns)
		})
	}
}

func checkForeign(t *testing.T, name string, data []byte, product string, want []Entry, faults int, warns string) {
	t.Helper()
	rows, warnings, err := ReadFile(name, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(warnings, "\n")
	if len(warnings) == 0 || !strings.Contains(warnings[0], product) || !strings.Contains(all, warns) || strings.Contains(all, "不认识的") {
		t.Errorf("warnings: %v", warnings)
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	for i, r := range rows {
		if r.Err != nil {
			faults--
		}
		if w := Clean(want[i]); !reflect.DeepEqual(r.Entry, w) {
			t.Errorf("row %d:\n got %+v\nwant %+v", i, r.Entry, w)
		}
	}
	if faults != 0 {
		t.Errorf("%d faults more than there are", faults)
	}
}

// MaxKB writes a sheet for each document.
func TestMaxKB(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	sheet := func(name string, rows ...[]any) {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			cell, _ := excelize.CoordinatesToCellName(1, i+1)
			if err := f.SetSheetRow(name, cell, &r); err != nil {
				t.Fatal(err)
			}
		}
	}
	head := []any{"分段标题（选填）", "分段内容（必填，问题答案，最长不超过4096个字符）", "问题（选填，单元格内一行一个）"}
	sheet("账户类", head, []any{"密码", "在登录页点「忘记密码」。", "怎么重置交易密码\n交易密码忘了"}, []any{"怎么改手机号", "验证后修改。"})
	sheet("交易类", head, []any{"", "16:00 截止。", "银证转账几点截止"}, []any{"", "没有问题的一段"})
	sheet("说明", []any{"这里是别的"}, []any{"x"})
	if err := f.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	if err := f.Write(&data); err != nil {
		t.Fatal(err)
	}
	checkForeign(t, "data.xlsx", data.Bytes(), "MaxKB", []Entry{
		{Category: "账户类", ShortTitle: "密码", Question: "怎么重置交易密码", Similar: []string{"交易密码忘了"}, Answer: "在登录页点「忘记密码」。"},
		{Category: "账户类", Question: "怎么改手机号", Answer: "验证后修改。"},
		{Category: "交易类", Question: "银证转账几点截止", Answer: "16:00 截止。"},
		{Category: "交易类", Answer: "没有问题的一段"},
	}, 1, "「说明」没有认识的列名")
	rows, _, _ := ReadFile("data.xlsx", bytes.NewReader(data.Bytes()))
	if rows[2].Line != 5 || rows[3].Err == nil || !strings.Contains(rows[3].Err.Error(), "第 6 行") {
		t.Errorf("lines are counted on: %d, %v", rows[2].Line, rows[3].Err)
	}
}

// A file of our own is nobody else's, and a list of our own objects is read as
// their lines are.
func TestOwnFilesStayOurs(t *testing.T) {
	for name, text := range map[string]string{"a.csv": "question,answer,问题\n问,答,x\n", "b.json": `[{"question":"问","answer":"答","tags":["x"]}]`} {
		rows, warnings, err := ReadFile(name, strings.NewReader(text))
		if err != nil || len(rows) != 1 || rows[0].Err != nil || rows[0].Entry.Question != "问" || strings.Contains(strings.Join(warnings, ""), "认出") {
			t.Errorf("%s: %+v, %v, %v", name, rows, warnings, err)
		}
	}
	for _, text := range []string{"{", `{"data":[]}`, "3"} {
		if _, _, err := ReadFile("c.json", strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
