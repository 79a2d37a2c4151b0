package construct

import (
	"encoding/json"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

func TestCSV(t *testing.T) {
	outs, err := json.Marshal(map[string]any{"cust_no": "9900000001", "name": "=HYPERLINK(1)", "id_no": "990000199001010017", "mobile": "14212345678"})
	if err != nil {
		t.Fatal(err)
	}
	lib, _ := LoadFS(Examples, "recipes")
	got, err := CSV(lib.Find("open-account"), []store.Item{{Pos: 1, State: store.ItemDone, Outputs: outs}, {Pos: 2, State: store.ItemUndone, FaultAt: "open", Fault: "开户失败"}})
	want := "\ufeff序号,状态,客户号,姓名,身份证号,手机,停在,原因\r\n" + `1,完成,9900000001,'=HYPERLINK(1),"=""990000199001010017""",14212345678,,` + "\r\n2,已清理,,,,,open,开户失败\r\n"
	if err != nil || string(got) != want {
		t.Errorf("%v\n%q\n%q", err, got, want)
	}
}

func TestSentences(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	for _, c := range []struct{ text, recipe, want string }{
		{"开户 女 30岁 上海 绑滨海银行卡 开创业板 2个", "open-full", `2 {"age":"30","bank":"滨海银行","gem":true,"place":"上海","sex":"女"} []`},
		{"开户 营业部=3001 数量=3", "open-account", `3 {"branch":"3001"} []`},
		{"开户 湖心营业部 三户", "open-account", `3 {"branch":"3002"} []`},
		{"普通开户 3001 稳健型", "open-account", `0 {"branch":"3001","risk":"稳健型"} []`},
		{"全套开户 资金50万 不开创业板 600000x1000@10.00", "open-full", `0 {"cash":"500000","gem":false,"holdings":"600000x1000@10.00"} []`},
		{"open-account 3001 14212345678", "open-account", `0 {"branch":"3001","mobile":"14212345678"} []`},
		{"开户 3001 一只猫", "open-account", `0 {"branch":"3001"} ["一只猫"]`},
		{"余额不符 户名不一致", "bank-balance-mismatch", `0 {"kind":"户名不一致"} []`},
	} {
		s := e.Read(c.text, tester)
		if s.Recipe == nil {
			t.Errorf("%s: no recipe", c.text)
			continue
		}
		p, _ := json.Marshal(s.Params)
		unknown, _ := json.Marshal(append([]string{}, s.Unknown...))
		if have := strings.TrimSpace(string(rune('0'+s.Count)) + " " + string(p) + " " + string(unknown)); s.Recipe.Name != c.recipe || have != c.want {
			t.Errorf("%s: %s %s", c.text, s.Recipe.Name, have)
		}
	}
	if s := e.Read("开户", chat.User{ID: "x", Roles: chat.RoleSet{chat.Reporter}}); s.Recipe != nil {
		t.Error("a reporter may run a recipe")
	}
	if r := e.Suits("客户说银行余额与账户信息不符，转账失败", tester); r == nil || r.Name != "bank-balance-mismatch" {
		t.Errorf("%+v", r)
	}
	facts := e.Facts(e.Library().Find("bank-balance-mismatch"), "湖心营业部的客户，转出 2500.50 元", "11010519491231002X")
	b, _ := json.Marshal(facts)
	if strings.Contains(string(b), "11010519491231002") || strings.Contains(string(b), "1949") || facts["branch"] != "3002" || facts["amount"] != "2500.50" {
		t.Errorf("%s", b)
	}
	if shape := facts["id_shape"].(map[string]any); shape["sex"] != "女" || shape["ends_x"] != true || shape["age_band"] != "75-79" {
		t.Errorf("%v", shape)
	}
}
