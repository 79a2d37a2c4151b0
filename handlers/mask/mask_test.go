package mask

import "testing"

// The identity numbers use the region 999999-like unassigned codes or the
// standard's own sample (11010519491231002X, GB 11643-1999, appendix A).
func TestText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"证件 11010519491231002X 登录不了", "证件 1101**********002X 登录不了"},
		{"证件11010519491231002x登录不了", "证件1101**********002X登录不了"},
		{"证件１１０１０５１９４９１２３１００２Ｘ", "证件1101**********002X"},
		{"110105 19491231 002X", "1101**********002X"},
		{"手机13800138000收不到", "手机138****8000收不到"},
		{"手机 138-0013-8000", "手机 138****8000"},
		{"+86 13800138000", "+138****8000"},
		{"两个号 13800138000 13900139000", "两个号 138****8000 139****9000"},
		{"卡号 6222020000000000001", "卡号 ****0001"},
		{"证件 110105194912310021 登录不了", "证件 1101**********0021 登录不了"},
		{"110105194912310021 登录不了", "1101**********0021 登录不了"},
		{"身份证号：1101051949123100 少了两位", "身份证号：1101********3100 少了两位"},
		{"手机1380013800收不到", "手机****3800收不到"},
		{"电话 138001380001", "电话 ****0001"},
		{"流水 6222020000000000001", "流水 6222020000000000001"},
		{"错误码 1380013800", "错误码 1380013800"},
		{"卡号 6228480402564890018", "卡号 ****0018"},
		{"客户号 12345678 买不了", "客户号 ****5678 买不了"},
		{"客户号：12345678", "客户号：****5678"},
		{"资金账号12345678", "资金账号****5678"},
		{"单号 20240315103055123", "单号 20240315103055123"},
		{"股票 600519 跌了", "股票 600519 跌了"},
		{"时间戳 1700000000000", "时间戳 1700000000000"},
		{"安卓 9.2.1", "安卓 9.2.1"},
		{"密码：abc123 登录不了", "密码：〔已删除〕 登录不了"},
		{"密码是 Aa!2345", "密码是 〔已删除〕"},
		{"密码 123456，登不上", "密码 〔已删除〕，登不上"},
		{"验证码收不到", "验证码收不到"},
		{"密码忘了怎么重置", "密码忘了怎么重置"},
		{"密码错误 5 次", "密码错误 5 次"},
		{`{"phone":"13800138000"}`, `{"phone":"138****8000"}`},
		{"http://x/?m=13800138000&a=1", "http://x/?m=138****8000&a=1"},
		{"", ""},
	} {
		if got := Text(c.in); got != c.want {
			t.Errorf("Text(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestScrubKeepsAllButSecrets(t *testing.T) {
	got, found := Scrub("客户 13800138000 密码：abc123")
	if want := "客户 13800138000 密码：〔已删除〕"; got != want || !found {
		t.Errorf("Scrub = %q, %v", got, found)
	}
	if _, found := Scrub("手机 13800138000"); found {
		t.Error("a phone number is no secret")
	}
}

func TestMaskHidesEnough(t *testing.T) {
	for k, v := range map[Kind]string{Phone: "13800138000", Identity: "11010519491231002X", Card: "6228480402564890018", Customer: "123", Secret: "abc"} {
		if m := Of(k, v); m == v || len(m) == 0 {
			t.Errorf("Of(%s) = %q", k, m)
		}
	}
}

// A number that was typed wrong is hidden, and used for nothing.
func TestSlip(t *testing.T) {
	for text, slip := range map[string]bool{"证件 110105194912310021": true, "证件 11010519491231002X": false, "手机 1380013800": true, "手机 13800138000": false} {
		finds := All(text)
		if len(finds) != 1 || finds[0].Slip != slip {
			t.Fatalf("%s: %+v", text, finds)
		}
		if _, ok := First(finds, finds[0].Kind); ok == slip {
			t.Errorf("%s can be used: %v", text, ok)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("手机 138-0013-8000 证件 11010519491231002X 密码：abc123")
	f.Add("１３８００１３８０００　x")
	f.Add("paſſword=abcd PWD 123456 动态码：9999 口令 是 abcde PassWD:abcd")
	f.Fuzz(func(t *testing.T, text string) {
		if secretWord.MatchString(text) && !namesSecret(text) {
			t.Errorf("not looked at: %q", text)
		}
		once := Text(text)
		if twice := Text(once); twice != once {
			// A mask may stand next to other digits; it must not keep growing.
			if third := Text(twice); third != twice {
				t.Errorf("masking does not settle: %q %q %q", once, twice, third)
			}
		}
	})
}
