package gen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"frontline/handlers/calendar"
)

// market is a range of security codes with its lot: the first holding is at
// least least and grows by step.
type market struct {
	name        string
	prefixes    string
	least, step int
}

var markets = []market{
	{"沪市主板", "600 601 603 605", 100, 100}, {"科创板", "688 689", 200, 1}, {"沪市B股", "900", 100, 100},
	{"沪市基金", "510 511 512 513 514 515 516 517 518 560 561 562 563 588", 100, 100}, {"沪市可转债", "110 113 118", 10, 10}, {"沪市回购", "204", 1000, 1000},
	{"深市主板", "000 001 002 003", 100, 100}, {"创业板", "300 301 302", 100, 100}, {"深市B股", "200", 100, 100},
	{"深市基金", "159 160 161 162 163 164 165 166 167 168 169", 100, 100}, {"深市可转债", "123 127 128", 10, 10}, {"深市回购", "131", 10, 10},
	{"北交所", "920 430 830 831 832 833 834 835 836 837 838 839 870 871 872 873 880 881 882 883 884 885 886 887 888 889", 100, 1},
}

func marketOf(code string) (market, bool) {
	if len(code) == 6 && allDigits(code) {
		for _, m := range markets {
			if strings.Contains(" "+m.prefixes+" ", " "+code[:3]+" ") {
				return m, true
			}
		}
	}
	return market{}, false
}

// Lot is the step and the least quantity of a security; an unknown code is an
// error.
func Lot(code string) (step, least int, err error) {
	m, ok := marketOf(code)
	if !ok {
		return 0, 0, fmt.Errorf("「%s」不是认识的证券代码", code)
	}
	return m.step, m.least, nil
}

func (g *Gen) stock(o *opts) (string, error) {
	m := markets[0]
	if want := o.text("market"); want != "" {
		found := false
		for _, c := range markets {
			if c.name == want || strings.Contains(c.name, want) {
				m, found = c, true
				break
			}
		}
		if !found {
			return "", fmt.Errorf("没有市场「%s」；例：沪市主板、科创板、创业板、北交所", want)
		}
	}
	p := strings.Fields(m.prefixes)
	return p[g.r.IntN(len(p))] + g.someDigits(3), nil
}

func (g *Gen) quantity(o *opts) (string, error) {
	code := o.text("code")
	if code == "" {
		code = "600000"
	}
	step, least, err := Lot(code)
	if err != nil {
		return "", err
	}
	n := least + step*g.r.IntN(50)
	if o.flag("odd_lot") {
		n += 1 + g.r.IntN(max(1, step-1)) // as bonus shares leave it
	}
	return strconv.Itoa(n), nil
}

func checkStock(v string) error {
	if _, ok := marketOf(v); !ok {
		return fmt.Errorf("「%s」不是认识的证券代码", v)
	}
	return nil
}

var days = calendar.Default()

// day is the trading day `offset` days after (before, when negative) `from`;
// 0 is from itself or the next trading day.
func (g *Gen) day(o *opts) (string, error) {
	at := g.now().In(days.Location())
	if f := o.text("from"); f != "" {
		t, err := time.ParseInLocation("2006-01-02", f, days.Location())
		if err != nil {
			return "", fmt.Errorf("日期「%s」应写成 2026-01-31", f)
		}
		at = t
	}
	n := o.number("offset", 0)
	if n > 1000 || n < -1000 {
		return "", errors.New("offset 应在 -1000 到 1000 之间")
	}
	if n == 0 && !days.Trading(at) {
		at = days.Next(at)
	}
	for ; n > 0; n-- {
		at = days.Next(at)
	}
	for ; n < 0; n++ {
		at = days.Prev(at)
	}
	return at.Format("2006-01-02"), nil
}

func checkDay(v string) error {
	t, err := time.ParseInLocation("2006-01-02", v, days.Location())
	if err != nil {
		return errors.New("日期应写成 2026-01-31")
	}
	if !days.Known(t.Year()) {
		return fmt.Errorf("没有 %d 年的交易日历", t.Year())
	}
	if !days.Trading(t) {
		return fmt.Errorf("%s 不是交易日", v)
	}
	return nil
}
