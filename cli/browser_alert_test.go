package cli

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Somebody on duty claims an alert on its page, writes a note, silences it and
// makes a ticket of it; each shows in the timeline, and the ticket leads back.
func testAlerts(r *running) func(t *testing.T, b *tab) {
	return func(t *testing.T, b *tab) {
		r.postAlert(t, []string{"firing", "委托失败率", "委托失败率 6.3%（门槛 5%）"})
		b.signIn("guyuan")
		b.open("/alerts")
		b.do(chromedp.Click(`td a[href^="/alerts/"]`))
		b.until(`location.pathname == "/alerts/1" && !!document.querySelector('button[value="claim"]')`)
		b.do(chromedp.Click(`button[value="claim"]`))
		b.until(`!!document.querySelector('button[value="release"]') && document.querySelector(".th .st").innerText.includes("已认领")`)
		b.do(chromedp.SendKeys(`input[name="text"]`, "已切 2 号网关"), chromedp.Click(`button[value="note"]`))
		b.until(`document.querySelector(".rowlist").innerText.includes("记录 已切 2 号网关")`)
		look[bool](b, `(document.querySelectorAll(".acts details.menu")[0].open = true, document.querySelector('select[name="length"]').value = "120", true)`)
		b.do(chromedp.SendKeys(`.pop input[name="why"]`, "例行切换"), chromedp.Click(`button[value="silence"]`))
		b.until(`!!document.querySelector('button[value="unsilence"]')`)
		look[bool](b, `(document.querySelectorAll(".acts details.menu")[1].open = true)`)
		b.do(chromedp.Click(`button[value="ticket"]`))
		b.until(`!!document.querySelector('dd a[href^="/tickets/"]')`)
		b.do(chromedp.Click(`dd a[href^="/tickets/"]`))
		b.until(`!!document.querySelector('.rel a[href="/alerts/1"]')`)
		b.open("/search?q=A1")
		b.until(`!!document.querySelector('main a[href="/alerts/1"]')`)
	}
}
