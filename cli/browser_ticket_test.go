package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
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
	roundTrip(reporter)
	roundTrip(reporter)
	reporter.clean()
	b.signIn("guyuan")
	b.do(chromedp.Click(`.side a[href="/tickets"]`))
	b.until(`document.querySelectorAll(".queue tbody a.ell").length >= 2`)
	b.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("x"), chromedp.KeyEvent("j"), chromedp.KeyEvent("x"))
	b.until(`/ 2$/.test(document.querySelector("[data-count]").innerText) && getComputedStyle(document.querySelector(".bulk")).display === "flex"`)
	b.picture("queue")
	ticked := look[[]string](b, `[...document.querySelectorAll("input[name=t]:checked")].map(x => x.value)`)
	b.do(chromedp.Click(`.bulk button[value=claim]`))
	b.until(`document.querySelector(".toasts").innerText.includes("已受理") || document.querySelector("main").innerText.includes("没有成功")`)
	b.open("/tickets?who=me")
	for _, n := range ticked {
		b.until(fmt.Sprintf(`document.querySelector(".queue").innerText.includes("T%s")`, n))
	}
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

// ownTicket makes a ticket of the visitor's and returns its page for a phone.
func (b *tab) ownTicket() string {
	b.t.Helper()
	b.open("/m/report")
	b.do(chromedp.SendKeys("#text", "行情页面停在早上不动"), chromedp.Click("#report .wb"))
	b.until(`/^\/m\/t\/\d+$/.test(location.pathname)`)
	return look[string](b, "location.pathname")
}

// A report on a phone: what may help while typing, a wrong identity number told
// at once, a right one hidden, a photo, a draft that survives, a lost line, and
// then the way to a rating.
func testReport(t *testing.T, b *tab) {
	b.signIn("linxiaowen")
	b.do(chromedp.EmulateViewport(390, 844))
	b.open("/m/report")
	b.do(chromedp.SendKeys("#text", "客户换了手机号收不到验证码怎么办"))
	b.until(`document.querySelector("#near").innerText.includes("条知识可能直接解决") && document.querySelector("#runes").innerText === "16 / 500"`)
	b.do(chromedp.SendKeys("#identity", "110105194912310021"), chromedp.Focus("#phone"))
	b.until(`document.querySelector("#identity").getAttribute("aria-invalid") === "true" && document.querySelector("#identity").parentNode.innerText.includes("证件号不对")`)
	b.do(chromedp.SendKeys("#phone", "13800138000"), chromedp.Focus("#identity"))
	b.emptied()
	b.do(chromedp.SendKeys("#identity", "11010519491231002X"), chromedp.Focus("#customer"))
	b.until(`document.querySelector("#identity").value === "1101**********002X" && document.querySelector("#phone").value === "138****8000"`)
	look[bool](b, `(() => {
		const c = document.createElement("canvas"); c.width = 2000; c.height = 1200;
		c.getContext("2d").fillRect(0, 0, 900, 600);
		c.toBlob(blob => {
			const all = new DataTransfer(); all.items.add(new File([blob], "提示.png", { type: "image/png" }));
			const input = document.querySelector("#photos input[type=file]"); input.files = all.files; input.dispatchEvent(new Event("change", { bubbles: true }));
		});
		return true;
	})()`)
	b.until(`document.querySelectorAll("#photos .pic img").length === 1 && document.querySelector("#photos img").naturalWidth === 1600`)
	b.until(`document.querySelector("#kept").innerText.includes("草稿已存")`)
	b.open("/m/report")
	b.until(`document.querySelector("#text").value.includes("收不到验证码") && document.querySelector("#identity").value === "1101**********002X" && document.querySelectorAll("#photos .pic img").length === 1`)
	if kept := look[string](b, "JSON.stringify(localStorage)"); strings.Contains(kept, "1380013") || strings.Contains(kept, "110105") {
		t.Errorf("the browser keeps %s", kept)
	}
	b.picture("report")
	b.do(chromedp.EmulateViewport(390, 844))
	b.do(line(false))
	b.do(chromedp.Click("#report .wb"))
	b.until(`!document.querySelector("#offline").hidden`)
	b.faults = nil // the browser reports the lost line itself
	b.do(line(true))
	b.until(`/^\/m\/t\/\d+$/.test(location.pathname) && document.querySelector(".done").innerText.includes("已提交")`)
	b.faults = nil
	path := look[string](b, "location.pathname")
	if n := look[int](b, `document.querySelectorAll(".tl img").length`); n != 1 {
		t.Errorf("%d pictures in the ticket", n)
	}
	desk := b.other()
	desk.signIn("guyuan")
	desk.open("/tickets/" + path[len("/m/t/"):])
	desk.until(`document.querySelector("#customer").innerText.includes("1101**********002X")`)
	desk.do(chromedp.Click("#customer summary"), chromedp.SendKeys("#customer input[name=reveal]", "回电核实"), chromedp.Click("#customer .fbar .btn"))
	desk.until(`document.querySelector("#customer").innerText.includes("11010519491231002X")`)
	desk.do(chromedp.Click("#end summary"), chromedp.SendKeys("#end input[name=method]", "已改好"), chromedp.Click("#end button[value=resolve]"))
	desk.until(`document.querySelector(".meta").innerText.includes("已解决")`)
	desk.clean()
	b.open("/m/mine?tab=rate")
	b.until(`document.querySelector(".it").innerText.includes("去评价")`)
	b.picture("mine")
	b.do(chromedp.EmulateViewport(390, 844), chromedp.Click(".it .ac a.p"))
	b.until(`location.pathname === "` + path + `"`)
	b.do(chromedp.Click(`#rate label:has(input[value="4"])`), chromedp.Click(`#rate .cp label`))
	b.picture("rate")
	b.do(chromedp.EmulateViewport(390, 844), chromedp.Click("#rate .wb"))
	b.until(`document.body.innerText.includes("你评了 4 星")`)
}

// line cuts the browser's connection, or gives it back.
func line(up bool) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: !up, DownloadThroughput: -1, UploadThroughput: -1}}}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := cdp.Call(ctx, t, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !up, DownloadThroughput: -1, UploadThroughput: -1})
		return chromedp.Void{}, err
	}
}
