package cli

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// A tester fills the form in with a generated number, watches the run, sees the
// result in clear, and takes it back; each page is looked over on the way, wide,
// narrow and dark.
func testConstruct(t *testing.T, b *tab) {
	check, err := os.ReadFile("testdata/audit.js")
	if err != nil {
		t.Fatal(err)
	}
	b.signIn("sunqian")
	b.open("/construct")
	b.do(chromedp.Click(`a[href="/construct/open-account"]`))
	b.until(`!!document.querySelector("#p-id_no")`)
	b.do(chromedp.Click(`#f-id_no button`))
	b.until(`/^99\d{15}[\dX]$/.test(document.querySelector("#p-id_no").value)`)
	id := look[string](b, `document.querySelector("#p-id_no").value`)
	look[bool](b, `(document.querySelector("#p-branch").value = "3002", true)`)
	b.do(chromedp.Click(`form.pad > .btn-p`))
	b.until(`location.pathname.startsWith("/construct/runs/")`)
	b.until(`!!document.querySelector("#live .st.done") && !document.querySelector("#live[hx-get]")`)
	run := look[string](b, `location.pathname`)
	if look[bool](b, `document.body.innerText.includes("`+id+`")`) {
		t.Error("the page shows an identity number in full")
	}
	for _, path := range []string{"/construct", "/construct/open-full", run} {
		for _, theme := range []string{"light", "dark"} {
			b.do(scheme(theme))
			for _, width := range []int64{1440, 390} {
				b.do(chromedp.EmulateViewport(width, 844))
				b.inspect(path, theme, width, string(check))
			}
		}
	}
	b.do(scheme("light"), chromedp.EmulateViewport(1440, 844))
	b.open(run)
	b.do(chromedp.Click(`form[action$="/reveal"] button`))
	b.until(`document.body.innerText.includes("` + id + `")`)
	b.open(run)
	b.do(chromedp.Click(`button[value="undo"]`))
	b.until(`document.querySelector("#live h2").innerText.includes("已清理")`)
}
