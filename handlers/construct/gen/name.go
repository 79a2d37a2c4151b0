package gen

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Shares of surnames, by the press's figures of the ministry of public
// security: the five most frequent have 30.8 % together (2020), the first
// hundred 85.9 %. The five stand exactly; the shares within the rest are
// rounded and scaled to the total.
type surname struct {
	text  string
	share float64
}

var surnames = makeSurnames()

const (
	firstFive  = "王7.25 李7.19 张6.83 刘5.13 陈4.40"
	firstShare = 30.80
	nextShare  = 55.10
	next95     = "杨3.08 赵2.29 黄2.23 周2.12 吴2.05 徐1.67 孙1.54 胡1.31 马1.29 朱1.26 林1.18 何1.17 郭1.15 高1.00 郑0.93 罗0.86 梁0.84 宋0.81 许0.73 谢0.72 韩0.68 唐0.65 冯0.62 邓0.62 曹0.60 彭0.58 曾0.55 蔡0.53 肖0.52 董0.51 " +
		"袁0.50 潘0.49 魏0.49 于0.48 蒋0.48 杜0.48 叶0.48 苏0.47 田0.46 程0.46 余0.45 吕0.45 丁0.44 任0.42 卢0.42 沈0.41 姚0.41 姜0.40 崔0.39 钟0.38 汪0.38 谭0.37 陆0.37 范0.36 金0.36 石0.34 廖0.34 贾0.34 夏0.32 韦0.32 付0.32 方0.31 白0.31 邹0.31 孟0.29 熊0.28 秦0.28 " +
		"邱0.27 江0.26 尹0.26 薛0.26 闫0.25 段0.25 雷0.25 侯0.25 龙0.24 史0.24 陶0.24 黎0.23 贺0.23 顾0.23 毛0.22 郝0.22 龚0.22 邵0.22 万0.21 钱0.21 严0.21 覃0.20 武0.20 戴0.20 莫0.19 孔0.19 向0.18 汤0.18"
	others    = "常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁房蒲滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
	compounds = "欧阳 上官 司马 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 夏侯"
	womens    = "芳娜敏静丽艳娟霞燕玲婷雪琳慧莹洁梅倩颖蕾薇佳怡欣悦萍红云兰凤"
	mens      = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆宁东林峰志"
	plain     = "文晓安宁一子思嘉泽雨辰新建国永清"
	// rares are outside the basic plane: four bytes in UTF-8.
	rares = "𠮷𠀾𡈽𡶶𢙐𣇉𤋮𥔎𦍌𨨏"
)

func makeSurnames() []surname {
	var out []surname
	add := func(list string, total float64) {
		start, sum := len(out), 0.0
		for _, w := range strings.Fields(list) {
			_, n := utf8.DecodeRuneInString(w)
			var share float64
			fmt.Sscanf(w[n:], "%f", &share)
			out = append(out, surname{w[:n], share})
			sum += share
		}
		for i := start; i < len(out); i++ {
			out[i].share *= total / sum
		}
	}
	add(firstFive, firstShare)
	add(next95, nextShare)
	rest := []rune(others)
	for _, r := range rest {
		out = append(out, surname{string(r), (100 - firstShare - nextShare) / float64(len(rest))})
	}
	for i := 1; i < len(out); i++ {
		out[i].share += out[i-1].share // running sums, for choosing
	}
	return out
}

func (g *Gen) surname() string {
	x := g.r.Float64() * surnames[len(surnames)-1].share
	lo, hi := 0, len(surnames)-1
	for lo < hi {
		if mid := (lo + hi) / 2; surnames[mid].share < x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return surnames[lo].text
}

// maxName is the longest name that systems are expected to take.
const maxName = 20

func (g *Gen) name(o *opts) (string, error) {
	length := o.number("length", 0)
	if length != 0 && (length < 2 || length > maxName) {
		return "", fmt.Errorf("姓名长度应在 2 到 %d 个字之间", maxName)
	}
	if o.flag("inner_dot") {
		return g.dotted(length)
	}
	last := o.text("surname")
	if last == "" {
		last = g.surname()
		if o.flag("compound_surname") {
			all := strings.Fields(compounds)
			last = all[g.r.IntN(len(all))]
		}
	}
	given := 2
	if length == 0 && g.r.IntN(100) < 15 {
		given = 1
	}
	if length > 0 {
		if given = length - utf8.RuneCountInString(last); given < 1 {
			return "", errors.New("姓名长度不够放下姓")
		}
	}
	first := []rune(g.given(given, o.sex(), !o.flag("plain")))
	if o.flag("rare_char") {
		list := []rune(rares)
		first[len(first)-1] = list[g.r.IntN(len(list))]
		if len(first) == 1 && !o.flag("plain") && length == 0 {
			first = append([]rune{'测'}, first...)
		}
	}
	name := last + string(first)
	switch {
	case o.flag("inner_space"):
		name = last + " " + string(first)
	case o.flag("fullwidth"):
		name = last + "\u3000" + string(first)
	}
	if o.flag("leading_space") {
		name = " " + name
	}
	return name, nil
}

// given makes a given name; marked ones have 测 or 试, so that people see at
// once that nobody is called so.
func (g *Gen) given(n, sex int, marked bool) string {
	if sex < 0 {
		sex = g.r.IntN(2)
	}
	pool := []rune([]string{womens, mens}[sex] + plain)
	out := make([]rune, n)
	for i := range out {
		out[i] = pool[g.r.IntN(len(pool))]
	}
	if marked {
		out[g.r.IntN(n)] = []rune("测试")[g.r.IntN(2)]
	}
	return string(out)
}

// dotted makes a long name with an inner dot.
func (g *Gen) dotted(length int) (string, error) {
	if length == 0 {
		length = 8 + g.r.IntN(8)
	}
	if length < 5 {
		return "", errors.New("带间隔号的姓名至少 5 个字")
	}
	pool := []rune("阿买提江古丽热合曼努尔卡德依木买提艾力")
	out := make([]rune, length)
	for i := range out {
		out[i] = pool[g.r.IntN(len(pool))]
	}
	out[0], out[1], out[length/2] = '测', '试', '·'
	return string(out), nil
}

func checkName(v string) error {
	n := utf8.RuneCountInString(v)
	if n < 2 || n > maxName+2 {
		return fmt.Errorf("姓名应有 2 到 %d 个字", maxName)
	}
	for _, r := range v {
		if !unicode.Is(unicode.Han, r) && r != '·' && r != ' ' && r != '\u3000' {
			return fmt.Errorf("姓名里有不该有的字符「%c」", r)
		}
	}
	return nil
}
