package construct

import (
	"strings"
	"testing"
)

func TestExamplesLoad(t *testing.T) {
	lib, faults := LoadFS(Examples, "recipes")
	for _, f := range faults {
		t.Error(f)
	}
	if len(lib.Recipes) != 3 {
		t.Fatalf("%d recipes", len(lib.Recipes))
	}
}

// broken is a recipe with one thing wrong: what is replaced, by what, and the
// place and words of the one fault.
var broken = []struct{ name, old, new, want string }{
	{"unknown field", "timeout: 3m", "timeuot: 3m", "19:1: 配方没有「timeuot」这一项，是不是「timeout」"},
	{"unknown step", "custNo: ${ steps.open.cust_no }", "custNo: ${ steps.opened.cust_no }", "没有「opened」这个步骤"},
	{"later step", "idNo: ${ params.id_no }", "idNo: ${ steps.open.cust_no }", "步骤「open」在后面"},
	{"unknown result", "custNo: ${ steps.open.cust_no }", "custNo: ${ steps.open.nothing }", "没有「nothing」这个值"},
	{"unknown parameter", "${ params.branch }", "${ params.brunch }", "没有「brunch」这个值"},
	{"address", "reason: 测试数据回收", "reason: http://10.1.2.3/x", "配方里不能写地址"},
	{"bare address", "reason: 测试数据回收", "reason: 10.1.2.3", "配方里不能写地址"},
	{"data source name", "reason: 测试数据回收", "reason: root@tcp(db)/x", "配方里不能写地址"},
	{"six", "reason: 测试数据回收", "reason: '::ffff:10.1.2.3'", "配方里不能写地址"},
	{"type", "run.count > 20", "run.count", "表达式不对"},
	{"expression", "resp.code == \"0\"", "resp.code = \"0\"", "表达式不对"},
	{"flow comma", "save: { exists: \"len(resp.rows) > 0\" }", "save: { exists: ${ f(a, b) } }", "要加引号"},
	{"two actions", "title: 等待账户生效", "sleep: { for: 1s }", "一个步骤只做一件事"},
	{"no action", "    soap:\n      target: account.ws\n      op: queryCustomerByIdNo\n      body:\n        idType: \"01\"\n        idNo: ${ params.id_no }\n", "", "没有写做什么"},
	{"unknown action", "    poll:\n", "    pol:\n", "步骤没有「pol」这一项"},
	{"undo of a kind", "      soap:\n        target: account.ws\n        op: closeCustomer\n        body:\n          custNo: ${ steps.open.cust_no }\n          reason: 测试数据回收\n", "      sleep: { for: 1s }\n", "undo 里只能是"},
	{"sql write as read", "query: select cust_name, id_no, branch_no from customer where cust_no = :cust", "query: delete from customer where cust_no = :cust", "只能是 select"},
	{"sql joined", "where cust_no = :cust", "where cust_no = '${ steps.open.cust_no }'", "SQL 里不能拼接"},
	{"two statements", "where cust_no = :cust", "where cust_no = :cust; drop table customer", "一次只能一条 SQL"},
	{"generator", "generator: person.mobile", "generator: person.phone", "没有「person.phone」这种生成器"},
	{"generator option", "with: { n: 6, no_repeat: true }", "with: { digits: 6 }", "没有参数「digits」"},
	{"parameter type", "type: mobile", "type: phone", "没有「phone」这种参数"},
	{"default", "default: 稳健型", "default: 激进型", "默认值不对"},
	{"duration", "ttl: 168h", "ttl: 一周", "应是时长"},
	{"role", "run: [tester, responder]", "run: [tester, boss]", "没有「boss」这个角色"},
	{"retry class", "on: [timeout, connect, http_5xx]", "on: [timeout, always]", "没有「always」这类重试"},
	{"lookup", "lookup: dup", "lookup: dupe", "lookup 要写前面的一个查询步骤"},
	{"on failure", "on_failure: undo", "on_failure: panic", "on_failure 是"},
	{"unclosed", "riskLevel: ${ dict.risk[params.risk] }", "riskLevel: ${ dict.risk[params.risk]", "没有写完"},
	{"twice", "owner: 业务一线", "title: 又一个", "YAML 写法不对"},
	{"locked parameter", "lock: { branch: \"3001\" }", "lock: { brunch: \"3001\" }", "没有「brunch」这个参数"},
	{"name", "name: open-account", "name: Open Account", "名字用小写字母"},
	{"no environments", "environments: [uat, sit]\n", "", "缺 environments"},
	{"self", "  expires: 30m", "  self: true", "不能是发起人自己"},
	{"class of show", "show: true", "show: maybe", "show 是"},
	{"target expression", "target: account.db", "target: ${ params.branch }", "目标是固定的名字"},
}

func TestBrokenRecipes(t *testing.T) {
	good, err := Examples.ReadFile("recipes/open-account.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			if !strings.Contains(string(good), b.old) {
				t.Fatalf("the recipe has no %q", b.old)
			}
			_, faults := Load(map[string][]byte{"x.yaml": []byte(strings.Replace(string(good), b.old, b.new, 1))})
			if len(faults) != 1 || !strings.Contains(faults[0].Error(), b.want) || faults[0].Line < 1 || faults[0].Col < 1 {
				t.Errorf("wanted one fault with %q, have %v", b.want, faults)
			}
		})
	}
	two := map[string][]byte{"a.yaml": good, "b.yaml": []byte(strings.Replace(string(good), "name: open-account", "name: open-again", 1))}
	if _, faults := Load(two); len(faults) == 0 || !strings.Contains(faults[0].Error(), "已经是配方") {
		t.Errorf("two recipes with one word: %v", faults)
	}
	loop := "kind: recipe\nname: %s\nenvironments: [uat]\nsteps:\n  - id: a\n    recipe: { name: %s }\n"
	r := func(a, b string) []byte {
		return []byte(strings.Replace(strings.Replace(loop, "%s", a, 1), "%s", b, 1))
	}
	if _, faults := Load(map[string][]byte{"a.yaml": r("one-x", "two-x"), "b.yaml": r("two-x", "one-x")}); len(faults) == 0 || !strings.Contains(faults[0].Text, "绕了一圈") {
		t.Errorf("a cycle: %v", faults)
	}
	cycle := "kind: recipe\nname: one-x\nenvironments: [uat]\nvars: { a: \"${ vars.b }\", b: \"${ vars.a }\" }\nsteps:\n  - id: a\n    sleep: { for: 1s }\n"
	if _, faults := Load(map[string][]byte{"a.yaml": []byte(cycle)}); len(faults) != 1 || !strings.Contains(faults[0].Text, "互相引用") {
		t.Errorf("a cycle of variables: %v", faults)
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		in    string
		parts []string
	}{
		{`${ f({"a": b}) }`, []string{` f({"a": b}) `}},
		{`a${x}b${y}`, []string{"a", "x", "b", "y"}},
		{`$${ x }`, []string{"${ x }"}},
		{`${ "}" + '}' }`, []string{` "}" + '}' `}},
	} {
		got, _, err := split(c.in)
		if err != nil || strings.Join(got, "|") != strings.Join(c.parts, "|") {
			t.Errorf("%s: %q %v", c.in, got, err)
		}
	}
}
