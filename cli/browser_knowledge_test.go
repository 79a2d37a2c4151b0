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
	testMustFind(t, b, path, string(check))
	testSynonyms(b)
	testBulkEdit(b)
}

// Ticked entries get a tag: looked at, confirmed, taken back.
func testBulkEdit(b *tab) {
	b.t.Helper()
	b.open("/kb?state=published")
	b.do(chromedp.Click(`.picks tbody tr:nth-child(1) input[name=t]`), chromedp.Click(`.picks tbody tr:nth-child(2) input[name=t]`))
	b.until(`document.querySelector("[data-count]").innerText === "已选 2" && getComputedStyle(document.querySelector(".bulk")).display === "flex"`)
	b.do(chromedp.Click(`.bulk details:has([name=to_tag]) summary`), chromedp.SendKeys(`[name=to_tag]`, "季度复核"), chromedp.Click(`button[value="tag"]`))
	b.until(`location.pathname === "/kb/bulk" && document.querySelectorAll(".dif ins").length === 2 && document.querySelector("h1").innerText.includes("加标签")`)
	b.do(chromedp.Click(`form[action="/kb/bulk/apply"] button`))
	b.until(`location.pathname === "/kb/import" && document.querySelector("h1").innerText.includes("批量加标签 季度复核")`)
	b.do(chromedp.Click(`button[value="undo"]`))
	b.until(`document.body.innerText.includes("已撤销")`)
	b.open("/kb?state=published")
	b.do(chromedp.EmulateViewport(390, 844))
	b.until(`getComputedStyle(document.querySelector(".picks .tkc")).display === "none" && getComputedStyle(document.querySelector(".picks tbody td:nth-child(3)")).display === "block"`)
	b.do(chromedp.EmulateViewport(1440, 844))
}

// What must be found is confirmed, asked again with the latest questions, and
// asked for before it is spoilt.
func testMustFind(t *testing.T, b *tab, path, check string) {
	t.Helper()
	b.do(chromedp.SendKeys("#must", "晚上可以提前挂单吗"), chromedp.Click(`#musts form.pad button`))
	b.until(`document.querySelector("#musts .rowlist").innerText.includes("现在直接回答")`)
	b.do(chromedp.Click(`form[action$="/replay"] button`))
	b.until(`document.querySelector("#replayed").innerText.includes("必中的问法都不会变差")`)
	b.do(chromedp.Clear("#f-similar"), chromedp.Click(`#entry button[value="publish"]`))
	b.until(`!!document.querySelector('button[value="publish_anyway"]') && document.body.innerText.includes("还没有发布：1 个必中的问法会变差")`)
	b.do(chromedp.Click(`button[value="publish_anyway"]`))
	b.until(`location.pathname === "` + path + `" && !document.querySelector('button[value="publish_anyway"]') && document.querySelector("#musts .rowlist").innerText.includes("晚上可以提前挂单吗")`)
	for _, width := range []int64{1440, 390} {
		b.do(chromedp.EmulateViewport(width, 844))
		b.inspect(path, "light", width, check)
	}
	b.do(chromedp.EmulateViewport(1440, 844))
}

// A group of words is looked at before it is kept.
func testSynonyms(b *tab) {
	b.t.Helper()
	b.open("/kb/synonyms")
	b.do(chromedp.SendKeys("#words", "夜市委托 晚间挂单"), chromedp.Click(`button[formaction$="/try"]`))
	b.until(`document.querySelector("#reread").innerText.includes("条问法会换个读法")`)
	b.do(chromedp.Click(`button[value="add"]`))
	b.until(`[...document.querySelectorAll("#groups input[name=words]")].some(x => x.value === "夜市委托 晚间挂单")`)
}
