package kb

import (
	"sort"
	"strings"
)

// fillers are words of politeness and habit: they carry no topic.
const fillers = `
你好 您好 哈喽 哈啰 嗨 在吗 在不在 请问一下 请问下 请问 想请问 想问一下 想问下 想问问 我想问 想问 问一下 问下 问问 咨询一下 咨询下
想咨询 请教一下 请教下 请教 麻烦问下 麻烦您 麻烦 劳驾 打扰了 打扰 不好意思 帮我看看 帮我看下 帮我查下 帮忙看下 帮看下 帮我 帮忙 告诉我
我想知道 想知道 想了解一下 想了解 我想要 我想 我要 我的 客户问 客户说 有客户问 有个客户 这边 那个 这个 就是 老师 各位 亲 大家 一下 谢谢 多谢
感谢 谢了 拜托 急急急 在线等 呢 啊 呀 哦 噢 喔 嘛 吧 啦 哈 呃 嗯 哎 唉`

// synonyms are groups of words that mean or ask the same in the front line's
// talk, each read as its group's first. They only add a second spelling to
// what is compared: the words as typed always count too. Written for this
// project, from the vocabulary of a securities house, its customers' banks and
// their phones.
const synonyms = `
怎么 如何 怎样 怎么样 咋样 咋 要怎么 该怎么 应该怎么 怎么办理 怎么操作 怎么弄 怎么搞 方法 方式 办法 步骤 流程 途径
怎么办 咋办 咋整 怎么处理 如何处理 怎么解决 如何解决
为什么 为何 为啥 怎么会 怎么回事 咋回事 什么原因 啥原因 原因
何时 什么时候 啥时候 多久 多长时间 几时 几点 几号 哪天 多少天 几天 时间
可以 能不能 可不可以 能否 可否 是否可以 是不是可以 行不行 可不可 能
是否 是不是 有没有 会不会 要不要 需不需要
哪里 在哪 哪儿 何处 在哪里 什么地方 去哪 到哪 从哪 入口 位置
多少 几多 好多
什么 啥 什么是 是什么 啥是 是啥 什么意思 啥意思 含义 介绍
无法 不能 不了 没办法 没法 办不了 不成功 失败 不行 不上
没有 没 木有
修改 更改 变更 更换 调整 更新 改成 改 换
取消 关闭 停用 终止 解约 退订 关掉 解除
注销 销户 消户 关户 销掉
申请 办理 申办 开通 开办 激活 启用 开启 打开 办
查询 查看 查找 查到 查 看到 找到 找 哪里看
遗失 丢失 丢了 不见了 弄丢 掉了 不见
忘记 忘了 忘掉 记不得 不记得 想不起来 记不住
重置 找回 重设 重新设置
收不到 没收到 没有收到 未收到 接收不到 收不了
手续费 费用 收费 佣金 费率 多少钱 服务费
条件 要求 门槛 资格 标准
限额 上限 额度 最高 最多
手机号 手机号码 电话号码 联系电话 电话 号码 预留手机
账户 账号 户头 户口
密码 口令
验证码 短信码 校验码 动态码 短信验证 短信
银证转账 银转证 证转银 银证互转 银证
转账 转钱 划转 划款 打款 转款 出入金
转入 入金 转进 转进来 存钱 充钱 充值
转出 出金 提现 取现 取钱 提款 转出来 取出 提取
三方存管 第三方存管 存管银行 存管
银行卡 储蓄卡 借记卡 卡片
融资融券 两融 信用账户 双融
可转债 转债 可转换债券
新股申购 打新 申购新股 新股 打新股
国债逆回购 逆回购 国债回购 国债回购逆回购
创业板 创业版
科创板 科创版
北交所 北京证券交易所 北证
港股通 沪港通 深港通 港股
风险测评 风险评测 风险评估 风测 风险承受能力测评 测评
对账单 交割单 账单 流水单 资金流水 流水
委托 下单 挂单 报单
撤单 撤销委托 撤委托
卖出 抛出 卖掉
买入 买进 购买 买
登录 登陆 登入 登 进入
软件 app 客户端 手机端 应用 程序
到账 入账 到帐 进账
设备 手机 机子
证件 身份证 身份证件 证件号
过期 到期了 失效 超期
分红 红利 派息 股息 派红 除权除息
基金 公募基金
适当性 适当性匹配 风险匹配
交易时间 开市时间 交易时段
非交易时间 收盘后 休市 闭市 盘后 下班后
权限 资格权限 交易权限
预约 预定
股东账户 股东卡 股东代码 证券账户 证券账号 股东号
资金账户 资金账号 客户号
余额 可用余额 可用资金 可用
冻结 锁定 被锁 锁住 锁了
营业部 网点 分支机构 柜台
停牌 暂停交易
机构户 机构客户 法人户 企业户
未成年 未满18岁 小孩 孩子
闪退 崩溃 自动退出
网上银行 网银 网络银行 电子银行 网上营业厅
手机银行 行动银行 掌上银行
自动取款机 提款机 取款机 柜员机 atm机 atm
还款 缴款 还钱 还账 偿还 归还 还清 结清 缴清
付款 支付 付钱 结账 给钱
缴费 交费 缴纳 缴交 交钱
扣款 扣钱 扣费 划扣 代扣
退款 退钱 退费 退还 返还
利息 利率 年利率 年化 年化收益
贷款 借款 借钱 借贷
房贷 房屋贷款 按揭 住房贷款 购房贷款 买房贷款
车贷 汽车贷款 买车贷款
信贷 信用贷款
逾期 迟还 晚还 延迟还款 拖欠 迟缴 没按时
积分 点数 红利积分 红利点数
兑换 换取 换购 抵扣 折抵
外币 外汇
美元 美金
港币 港元
日元 日币 日圆
换汇 购汇 结汇 换外币 兑汇 汇兑
汇款 汇钱 电汇
汇率 牌价 兑换率
境外 海外 国外 外国 出国
止损 停损
止盈 停利
定投 定期定额
定期存款 定存 存定期
活期存款 活存 活期
保险 保单 投保
理财 理财产品 投资理财
分行 支行
人工 人工客服 客服 客服电话 服务热线 热线
优惠 折扣 减免 打折 促销
返现 回馈 返利
礼品 礼物 赠品 奖品
提醒 通知 推送 推播
短信 简讯
邮箱 电子邮箱 邮件地址 email 电邮 电子邮件 邮件
地址 住址 通讯地址
自己 本人 亲自
他人 别人 其他人 朋友 家人
工资 薪水 薪资
证明 凭证
复印件 影印件
印章 印鉴 图章
签名 签字 签章
补办 补发 重办 补领 重新办理 补卡
领取 拿到 取得
邮寄 寄送 寄出 快递
审核 审批 批核 核准 核卡
被拒 拒绝 驳回 没通过 不通过
进度 到哪一步 进展
材料 资料 文件
绑定 关联 捆绑 连结
解绑 取消绑定 解除绑定
退出 登出
下载 安装
二维码 扫码 扫一扫
人脸识别 刷脸 人脸 人脸验证
刷卡 消费 购物
盗用 盗刷 被盗 冒用
错误 出错 报错 异常 不对 有误 不正确 有问题 故障
金额 钱数 数额 款项
最低 最少 至少
每天 每日 单日
每月 一个月 每个月
立即 马上 立刻 即时 实时
现在 目前 当前
之前 以前
区别 差别 不同 差异 不一样
哪些 种类 类型 类别 哪几种
记录 明细 纪录 详情
白屏 空白 转圈 卡住 没反应 打不开 进不去 点不开
掉线 断线 断网
输入 填写 录入
支持 允许 接受
限制 禁止 不允许 不让
联系 联络
投诉 举报
年龄 岁数 几岁 周岁 多大
外籍 外国人 境外人士 老外
提前 提早
提高 提升 增加 调高 提额 增大 加大 调大 上调 升高
降低 减少 调低 下调 调小 降额
恢复 还原 复原 解冻
延期 推迟 延后 延迟 宽限
影响 后果
征信 信用记录 信用报告
全部 所有 全额
自动 主动
显示 提示 弹出 跳出
免费 不要钱 不花钱 不收费 免收
开户 开账户 开个户 开立账户
持仓 仓位 持股
盈利 盈亏 赚钱
亏损 亏钱 赔钱
行情 走势 大盘
市价 市价单 市价委托
限价 限价单 限价委托
成交 成交了 交易成功
废单 委托失败 下单失败
集合竞价 竞价
涨停 涨停板 封涨停
跌停 跌停板
开盘 开市 开盘时间
收盘 收市
周末 星期六 星期天 周六 周日 双休日 星期日
节假日 假期 放假 过节
今天 今日 当天 当日
明天 次日 第二天 隔天 隔日
本月 这个月 当月
下个月 下月 次月
合同 协议 合约 契约
规定 规则 制度
添加 新增 增添 加入
删除 删掉 移除
页面 界面 网页
价格 价钱 价位`

// rule replaces a word by another. An empty word ends a run.
type rule struct{ from, to []rune }

// speller makes the normalised copy of a text. It holds its rules by first
// character, longest first, so that a longer word always wins.
type speller struct{ rules map[rune][]rule }

var builtin = newSpeller(nil)

// newSpeller puts a curator's own groups before the built-in ones.
func newSpeller(own [][]string) *speller {
	s := &speller{rules: map[rune][]rule{}}
	seen := map[string]bool{}
	group := func(words []string) {
		for _, w := range words {
			s.add(seen, w, words[0])
		}
	}
	for _, words := range own {
		if len(words) > 1 {
			group(words)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(synonyms), "\n") {
		group(strings.Fields(line))
	}
	for _, w := range strings.Fields(fillers) {
		s.add(seen, w, "")
	}
	for _, list := range s.rules {
		sort.SliceStable(list, func(a, b int) bool { return len(list[a].from) > len(list[b].from) })
	}
	return s
}

// add takes a word once: the first group that has it keeps it. A group's first
// word is a rule of its own, so that no part of it is read as something else.
func (s *speller) add(seen map[string]bool, from, to string) {
	r := rule{from: normalize(from), to: normalize(to)}
	if len(r.from) == 0 || seen[string(r.from)] {
		return
	}
	seen[string(r.from)] = true
	s.rules[r.from[0]] = append(s.rules[r.from[0]], r)
}

// copyOf returns the normalised copy of a normalised text; used, when not nil,
// is told every word that was read as another. A text of nothing but filler is
// its own copy.
func (s *speller) copyOf(text []rune, used func(from, to []rune)) []rune {
	out := make([]rune, 0, len(text)+8)
	content := false
	for i := 0; i < len(text); {
		r := s.match(text, i)
		if r == nil {
			content = content || kindOf(text[i]) != other
			out = append(out, text[i])
			i++
			continue
		}
		if len(r.to) == 0 {
			out = append(out, ' ') // what stood around it is not next to each other
		} else {
			out = append(out, r.to...)
			content = true
		}
		if used != nil && string(r.from) != string(r.to) {
			used(r.from, r.to)
		}
		i += len(r.from)
	}
	if !content {
		return text
	}
	return out
}

func (s *speller) match(text []rune, i int) *rule {
	list := s.rules[text[i]]
	for k := range list {
		if startsWith(text[i:], list[k].from) && wholeWord(text, i, len(list[k].from)) {
			return &list[k]
		}
	}
	return nil
}

func startsWith(text, with []rune) bool {
	if len(text) < len(with) {
		return false
	}
	for i, r := range with {
		if text[i] != r {
			return false
		}
	}
	return true
}

// wholeWord keeps a Latin word from matching inside a longer one.
func wholeWord(text []rune, i, n int) bool {
	if kindOf(text[i]) != word {
		return true
	}
	before := i == 0 || kindOf(text[i-1]) != word
	return before && (i+n == len(text) || kindOf(text[i+n]) != word)
}
