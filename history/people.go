package history

import "fmt"

// Person is a reporter of the past.
type Person struct{ ID, Name, Branch string }

// Names are made of common parts and stand for nobody.
var (
	surnames = []string{"王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高", "罗"}
	given    = []string{"一凡", "子涵", "思远", "雨桐", "佳怡", "浩然", "欣妍", "宇轩", "梦洁", "志远", "晓东", "雅琴", "文博", "静怡", "俊杰", "若曦", "天佑", "诗琪", "嘉豪", "丽华"}
	places   = []string{"滨江路", "湖心", "望江台", "柳林街", "东篱路", "南桥", "石榴园", "听雨巷", "白鹭洲", "青枫路", "云台", "紫藤街", "星河湾", "玉兰路", "金沙滩", "竹海路", "松涛街", "杏花村", "鹿鸣路", "海棠湾", "翠微路", "流霞街", "映月湖", "长亭路"}
)

// People are the reporters, the same in every past. The branches are not of one
// size.
func People() (out []Person) {
	for i, place := range places {
		for k := range 2 + (len(places)-i)/5 {
			out = append(out, Person{fmt.Sprintf("his%02d%02d", i+1, k+1), surnames[(i*7+k*3)%len(surnames)] + given[(i*3+k*11)%len(given)], place + "营业部"})
		}
	}
	return out
}

// matter is one kind of thing that people report.
type matter struct {
	class, subclass string
	group           int
	weight          int
	titles          []string
	reason, method  string
}

var matters = []matter{
	{"data", "资产持仓", 0, 9, []string{"客户持仓市值与交易软件对不上", "港股通持仓少了一只", "基金持仓没有显示", "成本价显示不对"}, "日终估值文件晚到", "重跑估值，让客户重新登录查看"},
	{"data", "资金流水", 0, 8, []string{"资金流水查不到昨天的一笔", "流水金额和银行对不上", "利息归本没有显示"}, "流水分页少取一页", "后台补数后已能查到"},
	{"data", "对账单", 0, 5, []string{"对账单下载是空的", "月度对账单日期不对"}, "月初汇总未完成", "汇总完成后重新生成"},
	{"data", "客户资料", 0, 6, []string{"客户职业信息改了没生效", "证件有效期更新后还提示过期"}, "账户系统未同步到终端", "手工触发同步，已生效"},
	{"program", "登录", 1, 9, []string{"换机后登录提示设备未绑定", "验证码收不到", "登录转圈进不去", "人脸识别一直失败"}, "短信当日次数超限", "重置次数后登录成功"},
	{"program", "行情", 1, 8, []string{"自选行情不刷新", "分时图白屏", "行情延时半分钟"}, "新版本行情订阅丢失", "清缓存重登，下个版本修复"},
	{"program", "交易", 1, 8, []string{"委托后提示失败但资金冻结", "条件单没有触发", "撤单没有反应"}, "前置机连接重建", "切换站点后恢复"},
	{"program", "银证转账", 1, 7, []string{"银行转证券失败", "银证转账成功但没到账", "转账提示银行维护"}, "银行侧清算延迟", "与银行核对后已到账"},
	{"program", "业务办理", 0, 5, []string{"创业板权限开通提交失败", "预约打新提示系统错误"}, "影像上传超时", "重新上传后提交成功"},
	{"consult", "规则", 0, 9, []string{"可转债申购规则咨询", "新股中签缴款时间", "退市整理期能不能买"}, "客户咨询", "已按规则答复"},
	{"consult", "费用", 0, 5, []string{"佣金怎么调整", "港股通交易费用有哪些"}, "客户咨询", "已说明费用构成"},
	{"consult", "权限", 0, 7, []string{"两融开户要什么条件", "期权权限怎么开", "北交所权限条件"}, "客户咨询", "已说明条件并预约"},
	{"other", "", 0, 6, []string{"营业部打印机连不上", "想申请加一个查询账号", "培训资料在哪里"}, "不属系统问题", "已转相关部门"},
}

// unknown is what people ask and no entry answers.
var unknown = []string{"基金定投怎么改扣款日", "换绑银行卡要多久", "夜市委托几点开始", "ETF 申赎清单在哪看", "国债逆回购节假日怎么算"}
