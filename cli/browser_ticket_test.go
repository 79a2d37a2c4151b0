package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// picture keeps what the tab shows when FRONTLINE_TEST_SHOTS names a folder, to
// be compared by eye with the drafts.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("FRONTLINE_TEST_SHOTS")
	if dir == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		b.do(scheme(theme))
		for _, width := range []int64{1440, 390} {
			b.do(chromedp.EmulateViewport(width, 1000))
			b.shot(filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, theme, width)))
		}
	}
	b.do(scheme("light"), chromedp.EmulateViewport(1440, 900))
}

// emptied clears the field that has the focus.
func (b *tab) emptied() {
	b.t.Helper()
	look[bool](b, `((e => { e.value = ""; e.dispatchEvent(new Event("input", { bubbles: true })); })(document.activeElement), true)`)
}

// The queue by keyboard: down, tick, open; the bar counts; a view is kept.
func testQueue(t *testing.T, b *tab) {
	reporter := b.other()
	reporter.signIn("hejun")
	first, second := roundTrip(reporter), roundTrip(reporter)
	reporter.clean()
	b.signIn("guyuan")
	b.do(chromedp.Click(`.side a[href="/tickets"]`))
	b.until(`document.querySelectorAll(".queue tbody a.ell").length >= 2`)
	b.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("x"), chromedp.KeyEvent("j"), chromedp.KeyEvent("x"))
	b.until(`/ 2$/.test(document.querySelector("[data-count]").innerText) && getComputedStyle(document.querySelector(".bulk")).display === "flex"`)
	b.picture("queue")
	b.do(chromedp.Click(`.bulk button[value=claim]`))
	b.until(`document.querySelector(".toasts").innerText.includes("已受理") || document.querySelector("main").innerText.includes("没有成功")`)
	b.open("/tickets?who=me")
	b.until(fmt.Sprintf(`document.querySelector(".queue").innerText.includes("T%s") && document.querySelector(".queue").innerText.includes("T%s")`, first, second))
	b.do(chromedp.Click(`.keep summary`), chromedp.SendKeys(`.keep input[name=title]`, "我手上的"), chromedp.Click(`.keep .btn-p`))
	b.until(`document.querySelector(".views").innerText.includes("我手上的")`)
	b.do(chromedp.KeyEvent("?"))
	b.until(`document.querySelector("#keys").open`)
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter))
	b.until(`/^\/tickets\/\d+$/.test(location.pathname)`)
}

// A ticket's page: a snippet by /, a draft that survives, a note by its key, a
// reply by Ctrl Enter, who else looks, and a conflict that loses nothing.
func testTicket(t *testing.T, b *tab) {
	reporter := b.other()
	reporter.signIn("linxiaowen")
	n := roundTrip(reporter)
	b.signIn("guyuan")
	path := "/tickets/" + n
	b.open(path)
	b.do(chromedp.KeyEvent("a"))
	b.until(`document.querySelector(".meta").innerText.includes("处理中") && document.querySelector(".toasts").innerText.includes("归你处理")`)
	b.do(chromedp.KeyEvent("n"))
	b.until(`document.activeElement.id === "say-note"`)
	b.emptied() // the driver sends the letter of a key apart from the key
	b.do(chromedp.SendKeys("#say-note", "同批还有 40 户"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl)))
	b.until(`[...document.querySelectorAll(".msg.nt .bub")].some(x => x.innerText.includes("同批还有 40 户"))`)
	b.do(chromedp.KeyEvent("r"))
	b.until(`document.activeElement.id === "say-reply"`)
	b.emptied()
	b.do(chromedp.SendKeys("#say-reply", "正在补登，"))
	b.open(path)
	b.until(`document.querySelector("#say-reply").value === "正在补登，" && document.querySelector("#say-bytes").innerText === "15 / 2048 B"`)

	other := b.other()
	other.signIn("fangyichen")
	other.open(path)
	other.until(`document.querySelector("#others").innerText.includes("顾远 正在")`)
	other.do(chromedp.SendKeys("#say-reply", "我先回一句"), chromedp.Click("#say [data-send]"))
	other.until(`[...document.querySelectorAll(".msg.me .bub")].some(x => x.innerText.includes("我先回一句"))`)
	other.clean()

	b.do(chromedp.SendKeys("#say-reply", "预计 11 点恢复"), chromedp.Click("#say [data-send]"))
	b.until(`!!document.querySelector(".strip.bad") && document.querySelector("#say-reply").value === "正在补登，预计 11 点恢复" && !!document.querySelector(".msg.fresh-e")`)
	b.faults = nil // the browser reports the 409 itself
	b.picture("ticket")
	b.do(chromedp.Click("#say [data-send]"))
	b.until(`[...document.querySelectorAll(".msg.me .bub")].some(x => x.innerText.includes("正在补登，预计 11 点恢复")) && document.querySelector("#say-reply").value === ""`)
	reporter.until(`document.querySelector("#log").innerText.includes("预计 11 点恢复") && !document.querySelector("#log").innerText.includes("同批还有 40 户")`)
	reporter.clean()

	b.do(chromedp.KeyEvent("e"))
	b.until(`document.querySelector("#end").open`)
	b.do(chromedp.SendKeys(`#end input[name=method]`, "已补登并重推"), chromedp.Click(`#end button[value=resolve]`))
	b.until(`document.querySelector(".meta").innerText.includes("已解决")`)
}
