package handlers

import (
	"slices"
	"testing"
)

func TestSplitChoices(t *testing.T) {
	for text, want := range map[string][]string{
		"有没有提示语？ 1 提示发送成功 2 提示次数超限 3 没有提示": {"有没有提示语？", "提示发送成功", "提示次数超限", "没有提示"},
		"有没有提示语？1、有 2、没有":                  {"有没有提示语？", "有", "没有"},
		"哪一端\n1. 手机\n2. 电脑":                {"哪一端", "手机", "电脑"},
		"有没有提示语":                           {"有没有提示语"},
		"错误码是 1 还是 2":                      {"错误码是 1 还是 2"},
		"重启 1 次还是 2 次？":                    {"重启 1 次还是 2 次？"},
		"试过 3 遍吗？ 1 试过 2 没有":               {"试过 3 遍吗？", "试过", "没有"},
		"哪个？ 1 甲 3 乙":                      {"哪个？ 1 甲 3 乙"},
		"1 甲 2 乙":                          {"1 甲 2 乙"},
		"版本是 9.2.1 吗":                      {"版本是 9.2.1 吗"},
		"":                                 {""},
	} {
		question, answers := splitChoices(text)
		if got := append([]string{question}, answers...); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
