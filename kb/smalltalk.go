package kb

import "strings"

// smallTalk are things people say to a desk that are no questions to it. Only
// a text that is nothing else counts, so that "你好，怎么开户" is a question.
const smallTalk = `
你是谁 你叫什么 你叫什么名字 你是机器人吗 你是人工吗 你是真人吗 你多大 你几岁 你会什么 你能做什么 你有男朋友吗 你有女朋友吗 你喜欢什么
早 早上好 上午好 中午好 下午好 晚上好 晚安 再见 拜拜 回见 明天见 好的 好 行 可以 收到 知道了 明白 明白了 了解 懂了 嗯嗯 哦哦 是的 对 不是 不对 没事 没事了
谢谢 谢谢你 谢谢您 非常感谢 辛苦 辛苦了 不客气 哈哈 哈哈哈 呵呵 嘿嘿 嘻嘻 真棒 厉害 太好了 不错 加油 无聊 好无聊 我好累 我饿了
今天天气 今天天气怎么样 天气怎么样 明天会下雨吗 讲个笑话 说个笑话 唱首歌 陪我聊天 聊聊天 我爱你 我喜欢你 你真可爱 你真聪明
笨蛋 傻瓜 傻逼 傻子 白痴 垃圾 废物 滚 滚蛋 去死 闭嘴 你真笨 你好笨 你太笨了 你有病 你有病吧 什么破机器人 什么玩意 没用的东西 测试 test hello hi ok nihao zaima zaibuzai xiexie`

var chatter = func() map[string]bool {
	m := map[string]bool{}
	for _, line := range strings.Fields(smallTalk) {
		m[bare(normalize(line))] = true
	}
	return m
}()

// chats says whether a text is small talk: by itself, or once the words of
// politeness are taken off; a text of nothing but these is, too.
func (s *speller) chats(q *asked) bool {
	if chatter[q.bare] {
		return true
	}
	rest := s.withoutFillers(q.reading.plain)
	return rest == "" || chatter[rest]
}

// withoutFillers is the bare text with fillers left out and nothing replaced.
func (s *speller) withoutFillers(text []rune) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if r := s.match(text, i); r != nil {
			if len(r.to) > 0 {
				b.WriteString(string(r.from))
			}
			i += len(r.from)
			continue
		}
		b.WriteString(bare(text[i : i+1]))
		i++
	}
	return b.String()
}
