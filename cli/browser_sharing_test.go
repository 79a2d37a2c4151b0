package cli

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A session is planned and announced on its form, asked on the phone page, and
// settled on its own.
func testSharing(t *testing.T, b *tab) {
	b.signIn("zhaoqing")
	b.open("/sessions")
	b.do(chromedp.Click(`.phead a[href="/sessions/new"]`))
	b.until(`location.pathname === "/sessions/new"`)
	at := time.Now().In(time.FixedZone("CST", 8*3600)).AddDate(0, 0, 1).Format("2006-01-02T15:04")
	b.do(chromedp.SetValue("#title", "两融合同补签与常见问题"), chromedp.SetValue("#speaker", "顾远"), chromedp.SetValue("#from", at), chromedp.SetValue("#link", "https://live.example.com/1024"),
		chromedp.SetValue("#words", "两融"), chromedp.Click(`button[value="announce"]`))
	b.until(`/^\/sessions\/\d+$/.test(location.pathname) && document.body.innerText.includes("已预告")`)
	b.open("/m/s/1")
	b.do(chromedp.SetValue(`#ask textarea`, "补签以后多久生效，客户要不要重新登录"), chromedp.Click(`#ask button`))
	b.until(`document.body.innerText.includes("第 1 问")`)
	b.open("/sessions/1")
	b.do(chromedp.SetValue(`#materials input[name="title"]`, "讲义"), chromedp.SetValue(`#materials input[name="link"]`, "https://disk.example.com/a"), chromedp.Click(`#materials form.acts button`))
	b.until(`document.querySelector("#materials").innerText.includes("讲义")`)
	b.do(chromedp.SetValue(`#questions textarea`, "次一交易日 8:30 生效"), chromedp.Click(`#questions button[value="answered"]`))
	b.until(`document.querySelector("#questions").innerText.includes("已答")`)
}
