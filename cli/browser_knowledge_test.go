package cli

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// A curator writes an entry, tries it before it is live, publishes it, changes
// it, compares the versions and takes the change back.
func testKnowledge(t *testing.T, b *tab) {
	check, err := os.ReadFile("testdata/audit.js")
	if err != nil {
		t.Fatal(err)
	}
	b.signIn("zhaoqing")
	b.open("/kb")
	b.do(chromedp.Click(`.acts a[href="/kb/new"]`))
	b.until(`location.pathname === "/kb/new"`)
	b.do(chromedp.SendKeys("#f-question", "夜市委托几点开始"), chromedp.SendKeys("#f-similar", "晚上可以提前挂单吗"), chromedp.SendKeys("#f-answer", "20:00 起可以委托，次日开市生效。"))
	b.do(chromedp.SendKeys("#try", "晚上提前挂单行不行"), chromedp.Click(".try button"))
	b.until(`document.querySelector("#tried").innerText.includes("夜市委托几点开始")`)
	b.do(chromedp.Click(`#entry button[value="publish"]`))
	b.until(`/^\/kb\/\d+$/.test(location.pathname) && document.querySelector(".toasts").innerText.includes("已存")`)
	path := look[string](b, `location.pathname`)
	b.do(chromedp.SendKeys("#f-answer", "周五也行。"), chromedp.Click(`#entry button[value="save"]`))
	b.until(`!!document.querySelector(".dif ins") && document.querySelector(".dif ins").innerText.includes("周五也行")`)
	for _, at := range []string{path, "/kb?state=waiting"} {
		for _, theme := range []string{"light", "dark"} {
			b.do(scheme(theme))
			for _, width := range []int64{1440, 390} {
				b.do(chromedp.EmulateViewport(width, 844))
				b.inspect(at, theme, width, string(check))
			}
		}
	}
	b.do(scheme("light"), chromedp.EmulateViewport(1440, 844))
	b.open(path)
	b.do(chromedp.Click(`form[action$="/move"] button[value="publish"]`))
	b.until(`document.querySelector(".eh .sm").innerText.includes("第 3 版")`)
	b.open(path + "/versions")
	b.do(chromedp.Click(`form:has(input[name=to][value="2"]) button`))
	b.until(`location.pathname === "` + path + `" && !document.querySelector("#f-answer").value.includes("周五也行")`)
}
