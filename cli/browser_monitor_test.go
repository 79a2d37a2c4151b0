package cli

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A monitor is checked by hand, tried with another limit, paused and resumed on
// its page.
func testMonitors(t *testing.T, b *tab) {
	b.signIn("guyuan")
	b.open("/monitors")
	b.do(chromedp.Click(`a[href="/monitors/sh-a-trade-status"]`))
	b.until(`!!document.querySelector('form[action$="/run"]')`)
	b.do(chromedp.Click(`form[action$="/run"] button`))
	// In trading hours a result is there before: the page that comes says that it was done.
	b.until(`document.body.innerText.includes("查完了") && document.querySelector("td.num") && document.body.innerText.includes("9346") && !!document.querySelector("svg.spark")`)
	look[bool](b, `(document.querySelector("textarea.code").value = document.querySelector("textarea.code").value.replace("> 0.5", "> 0.1").replace("for: 2", "for: 1"), true)`)
	b.do(chromedp.Click(`form[action*="/try"] .btn-p`))
	b.until(`document.querySelector("#try .ok").innerText.includes("按下面写的告警 1 次")`)
	b.open("/monitors/sh-a-trade-status")
	look[bool](b, `(document.querySelector(".acts details.menu").open = true)`)
	b.do(chromedp.SendKeys(`.pop input[name="why"]`, "系统升级"), chromedp.Click(`form[action$="/pause"] button`))
	b.until(`document.querySelector(".strip") && document.body.innerText.includes("系统升级") && !!document.querySelector('form[action$="/resume"]')`)
	b.do(chromedp.Click(`form[action$="/resume"] button`))
	b.until(`!!document.querySelector('form[action$="/run"]')`)
}
