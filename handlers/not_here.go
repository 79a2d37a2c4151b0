package handlers

import (
	"regexp"
	"strings"

	"frontline/handlers/mask"
	"frontline/kb"
)

// What a desk does not say: no view of the market, no promise, no customer's data.

var (
	// Asking whether something will rise, or which to buy. 涨停 and 涨跌幅 are rules.
	adviceAsked = regexp.MustCompile(`(?:还能|能不能|会不会|还会|是不是|要不要|该不该|值不值得|值得|适合|可以|现在|明天|后面|接下来)[^，。？?！!]{0,6}(?:涨|跌|反弹|抄底|加仓|补仓|建仓|割肉|回本|解套|翻倍)(?:[吗么呢不啊吧了咋，。,.？?！! ]|回来|上去|多少|到多少|$)` +
		`|(?:推荐|荐)[^，。？?]{0,6}(?:股票|个股|股|票|基金|标的)(?:[吗么呢吧，。,.？?！! ]|$)|(?:买|选)(?:哪|什么)(?:只|支|个)?(?:股票|票|基金)|后市怎么[看样]|行情怎么看|目标价`)
	// Words of a view or advice, which no answer may have.
	advising = regexp.MustCompile(`建议(?:您|客户)?(?:买入|卖出|加仓|减仓|持有|抄底|建仓|清仓)|(?:会|将|还能|必|肯定|一定)(?:上?涨|下?跌)|目标价|看[多空好](?:后市|该股|大盘)`)
	// Asking for what a system knows of one customer.
	lookedUp = regexp.MustCompile(`(?:查|看|告诉|报|发|调)[^，。？?]{0,24}(?:持仓|余额|资产|密码|流水|交易记录|委托记录|联系方式|手机号|证件号|身份证号|地址|银行卡号)|(?:持仓|余额|资产|密码|流水|联系方式|手机号|证件号|地址)[^，。？?]{0,4}(?:发|给|告诉)我`)
	howTo    = regexp.MustCompile(`怎么|如何|咋|哪里|在哪|怎样|为什么|多久|哪个`)
)

const (
	noAdvice = "不能给客户行情判断。可以这样对客户说：\n「投资建议请以您的投资顾问意见为准，我可以帮您查规则和操作。」"
	noLookUp = "聊天里不查客户的资料，你发的号码也已遮住。请在业务系统里按权限查；系统打不开就回「报障」。"
)

// notHere is what is said of what a desk does not do; "" for everything else,
// and for what the base has an answer to.
func notHere(text string, a asked) string {
	_, finds := mask.Replace(text)
	switch {
	case len(finds) > 0 && lookedUp.MatchString(a.text) && !howTo.MatchString(a.text):
		return noLookUp
	case a.found.Band != kb.Answer && adviceAsked.MatchString(strings.TrimSpace(a.text)):
		return noAdvice
	}
	return ""
}
