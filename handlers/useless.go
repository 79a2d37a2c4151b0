package handlers

import (
	"context"
	"fmt"
	"strings"

	"frontline/store"
)

// uselessReasons are why an answer was no use, as people may say it; the entry's
// page counts them.
var uselessReasons = []struct{ key, title string }{
	{store.ReasonOff, "答非所问"}, {store.ReasonIncomplete, "不完整"}, {store.ReasonOutdated, "过期了"}, {store.ReasonUnclear, "看不懂"},
}

// useless is 没用: it counts at once, and one reason is asked for; a person is
// offered beside.
func (d *Desk) useless(_ context.Context, r Request) (Result, error) {
	about, said := aboutMessage(r.Args, r.Topic)
	if about == "" {
		return Result{}, refuse("刚才没有给过答案。直接说问题，或回「转人工」。")
	}
	for _, x := range uselessReasons {
		if said == x.title {
			res := say(fmt.Sprintf("记下了：%s，知识负责人会看到。还要处理就回「转人工」，想看别的回「换个答案」。", x.title))
			res.Write = func(tx *store.Tx, _ *Result) error {
				if err := judge(tx, about, r.Actor.ID, "useless", shownFor(r.Topic, about)); err != nil {
					return err
				}
				return tx.SayWhyUseless(about, r.Actor.ID, x.key)
			}
			return res, nil
		}
	}
	lines := []string{"抱歉没帮上。哪里不好？回数字就行："}
	var list []string
	for i, x := range uselessReasons {
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, x.title))
		list = append(list, "没用 @"+about+" "+x.title)
	}
	lines = append(lines, fmt.Sprintf("%d  转人工", len(uselessReasons)+1))
	res := say(strings.Join(lines, "\n"))
	res.List = append(list, "转人工 @"+about)
	res.Write = func(tx *store.Tx, _ *Result) error {
		return judge(tx, about, r.Actor.ID, "useless", shownFor(r.Topic, about))
	}
	return res, nil
}

// UselessTitle is a reason in words.
func UselessTitle(key string) string {
	for _, x := range uselessReasons {
		if x.key == key {
			return x.title
		}
	}
	return key
}
