package kb

import (
	"slices"
	"testing"
)

// A dozen wordings of one thing are one group, whatever else is asked: what all
// of them share is no common word.
func TestClusterOfADozen(t *testing.T) {
	same := []string{"两融合同补签页面在哪里", "老的两融合同补签页面在哪", "两融合同补签的页面怎么找", "两融合同在哪个页面补签", "客户两融合同补签页面找不到", "两融合同补签入口页面在哪", "两融合同补签页面是哪个",
		"请问两融合同补签页面在哪里", "补签两融合同的页面在哪里", "手机上两融合同补签页面在哪", "两融合同补签页面打开路径在哪", "怎么进两融合同补签页面"}
	others := []string{"两融开户条件是什么", "两融怎么开通", "创业板权限页面在哪", "基金定投怎么改扣款日"}
	for _, rest := range [][]string{nil, others} {
		groups := Cluster(append(append([]string{}, same...), rest...), nil)
		if len(groups) != 1+len(rest) || len(groups[0]) != len(same) {
			t.Errorf("%d others: %v", len(rest), groups)
		}
	}
}

func TestAlike(t *testing.T) {
	texts := []string{"请问银证转账转不了怎么办", "打新要多少市值", "银证转账失败", "怎么开户"}
	if got := Alike("银证转账转不了", texts, nil); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("%v", got)
	}
	if got := Alike("", texts, nil); len(got) != 0 {
		t.Errorf("nothing is alike nothing: %v", got)
	}
}
