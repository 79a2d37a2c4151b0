package gen

import (
	"fmt"
	"strings"
)

// A province of GB/T 2260 with a city and districts for addresses.
type province struct {
	code, name, city string
	districts        []string
}

// mainland is how many of provinces are those of the mainland, whose codes
// generators may use. 81, 82 and 83 begin the numbers of residence permits and
// are never made.
const mainland = 31

var provinces = []province{
	{"11", "北京市", "北京市", []string{"东城区", "西城区", "朝阳区", "海淀区"}}, {"12", "天津市", "天津市", []string{"和平区", "河西区", "南开区"}},
	{"13", "河北省", "石家庄市", []string{"长安区", "桥西区", "裕华区"}}, {"14", "山西省", "太原市", []string{"小店区", "迎泽区", "万柏林区"}},
	{"15", "内蒙古自治区", "呼和浩特市", []string{"新城区", "回民区", "赛罕区"}}, {"21", "辽宁省", "沈阳市", []string{"和平区", "沈河区", "皇姑区"}},
	{"22", "吉林省", "长春市", []string{"南关区", "宽城区", "朝阳区"}}, {"23", "黑龙江省", "哈尔滨市", []string{"道里区", "南岗区", "香坊区"}},
	{"31", "上海市", "上海市", []string{"黄浦区", "徐汇区", "静安区", "浦东新区"}}, {"32", "江苏省", "南京市", []string{"玄武区", "秦淮区", "鼓楼区"}},
	{"33", "浙江省", "杭州市", []string{"上城区", "拱墅区", "西湖区", "滨江区"}}, {"34", "安徽省", "合肥市", []string{"瑶海区", "庐阳区", "蜀山区"}},
	{"35", "福建省", "福州市", []string{"鼓楼区", "台江区", "仓山区"}}, {"36", "江西省", "南昌市", []string{"东湖区", "西湖区", "青山湖区"}},
	{"37", "山东省", "济南市", []string{"历下区", "市中区", "槐荫区"}}, {"41", "河南省", "郑州市", []string{"中原区", "二七区", "金水区"}},
	{"42", "湖北省", "武汉市", []string{"江岸区", "江汉区", "武昌区"}}, {"43", "湖南省", "长沙市", []string{"芙蓉区", "天心区", "岳麓区"}},
	{"44", "广东省", "深圳市", []string{"罗湖区", "福田区", "南山区", "宝安区"}}, {"45", "广西壮族自治区", "南宁市", []string{"兴宁区", "青秀区", "江南区"}},
	{"46", "海南省", "海口市", []string{"秀英区", "龙华区", "美兰区"}}, {"50", "重庆市", "重庆市", []string{"渝中区", "江北区", "沙坪坝区"}},
	{"51", "四川省", "成都市", []string{"锦江区", "青羊区", "武侯区"}}, {"52", "贵州省", "贵阳市", []string{"南明区", "云岩区", "观山湖区"}},
	{"53", "云南省", "昆明市", []string{"五华区", "盘龙区", "官渡区"}}, {"54", "西藏自治区", "拉萨市", []string{"城关区", "堆龙德庆区"}},
	{"61", "陕西省", "西安市", []string{"新城区", "碑林区", "雁塔区"}}, {"62", "甘肃省", "兰州市", []string{"城关区", "七里河区", "安宁区"}},
	{"63", "青海省", "西宁市", []string{"城东区", "城中区", "城西区"}}, {"64", "宁夏回族自治区", "银川市", []string{"兴庆区", "西夏区", "金凤区"}},
	{"65", "新疆维吾尔自治区", "乌鲁木齐市", []string{"天山区", "沙依巴克区", "水磨沟区"}},
	{"71", "台湾省", "", nil}, {"81", "香港特别行政区", "", nil}, {"82", "澳门特别行政区", "", nil}, {"83", "台湾居民居住证", "", nil},
}

// provinceOf finds the two digits of a place: 上海, 上海市, 深圳, 31, 310000.
func provinceOf(place string) string {
	for _, p := range provinces[:mainland] {
		if place == p.code || len(place) == 6 && allDigits(place) && strings.HasPrefix(place, p.code) {
			return p.code
		}
		if len([]rune(place)) >= 2 && (strings.HasPrefix(p.name, place) || strings.HasPrefix(p.city, place) || strings.HasPrefix(place, p.name)) {
			return p.code
		}
	}
	return ""
}

// Place tells whether a word names a region that people can be made for.
func Place(word string) bool { return !allDigits(word) && provinceOf(word) != "" }

// KnownRegion tells whether a region code begins with a province of GB/T 2260.
func KnownRegion(code string) bool {
	for _, p := range provinces {
		if strings.HasPrefix(code, p.code) {
			return true
		}
	}
	return false
}

// Province is the name that a region code begins with, also for the fictional
// codes 99ppxx; "" when there is none.
func Province(code string) string {
	code = strings.TrimPrefix(code, "99")
	for _, p := range provinces {
		if strings.HasPrefix(code, p.code) {
			return p.name
		}
	}
	return ""
}

// testRoads exist nowhere, which people see at once.
var testRoads = []string{"测试路", "测试一路", "测试二路", "试验街", "测试大道"}

func (g *Gen) address(o *opts) (string, error) {
	p := provinces[g.r.IntN(mainland)]
	if want := o.text("region"); want != "" {
		code := provinceOf(want)
		if code == "" {
			return "", fmt.Errorf("不认识地区「%s」", want)
		}
		for _, q := range provinces {
			if q.code == code {
				p = q
			}
		}
	}
	head := p.name
	if p.city != p.name {
		head += p.city
	}
	return fmt.Sprintf("%s%s%s%d号%d室", head, p.districts[g.r.IntN(len(p.districts))], testRoads[g.r.IntN(len(testRoads))], 1+g.r.IntN(999), 101+g.r.IntN(20)*100+g.r.IntN(8)), nil
}

func checkAddress(v string) error {
	for _, p := range provinces[:mainland] {
		if strings.HasPrefix(v, p.name) {
			return nil
		}
	}
	return fmt.Errorf("地址应以省、自治区或直辖市开头")
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
