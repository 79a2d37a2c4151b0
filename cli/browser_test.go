package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"frontline/store/storetest"
)

// TestBrowser drives the console of a whole demo in a real browser. One browser
// process and one demo serve all parts; every part has a browser context, and
// so cookies, of its own.
func TestBrowser(t *testing.T) {
	path := browserPath()
	if path == "" {
		storetest.Skip(t, "no Chromium on the PATH")
	}
	r := startTestDemo(t, t.TempDir())
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "zh-CN"))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	// The first call starts the browser; its context is the browser's life.
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	for _, part := range []struct {
		name string
		run  func(t *testing.T, b *tab)
	}{
		{"SignIn", testSignIn},
		{"RoundTrip", testRoundTrip},
		{"Simulator", testSimulator},
		{"Search", testSearchJump},
		{"Roles", testRolesAtOnce},
		{"Keyboard", testKeyboard},
		{"Queue", testQueue},
		{"Ticket", testTicket},
		{"Report", testReport},
		{"Construct", testConstruct},
		{"Knowledge", testKnowledge},
		{"Alerts", testAlerts(r)},
		{"Monitors", testMonitors},
		{"Sharing", testSharing},
		{"Pages", testPages},
	} {
		t.Run(part.name, func(t *testing.T) {
			b := newTab(t, browser, "http://"+r.listener.Addr().String())
			part.run(t, b)
			b.clean()
		})
	}
}

func browserPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func testSignIn(t *testing.T, b *tab) {
	b.open("/audit")
	b.until("location.pathname === '/login'")
	b.do(chromedp.Click(`form:has(input[value="chenshuo"]) button`))
	b.until("location.pathname === '/audit' && document.body.innerText.includes('审计日志')")
	b.do(chromedp.Click("details.menu summary"), chromedp.Click(`form[action="/logout"] button`))
	b.until("location.pathname === '/login'")
	b.open("/")
	b.until("location.pathname === '/login'")
}

// ticketInChat finds the number of the newest ticket that the chat names.
var ticketInChat = regexp.MustCompile(`(?:单号|已建单) T(\d+)`)

// roundTrip asks, turns to a person, and returns the ticket's number.
func roundTrip(b *tab) string {
	b.t.Helper()
	b.open("/simulator")
	const numbers = `(document.querySelector("#log").innerText.match(/(单号|已建单) T\d+/g) || []).length`
	before, made := look[int](b, `document.querySelectorAll("#log .wc").length`), look[int](b, numbers)
	b.say("客户换了手机号收不到验证码咋办")
	// The card of an earlier answer is not this one, and the log is drawn anew
	// while we watch.
	button := fmt.Sprintf(`[...document.querySelectorAll("#log .wc")].slice(%d).flatMap(c => [...c.querySelectorAll("button")]).find(x => x.innerText.includes("转人工"))`, before)
	b.until("!!" + button)
	b.until("(x => !!x && (x.click(), true))(" + button + ")")
	b.until(fmt.Sprintf("%s > %d", numbers, made))
	all := ticketInChat.FindAllStringSubmatch(look[string](b, `document.querySelector("#log").innerText`), -1)
	return all[len(all)-1][1]
}

// say types words into the simulator and sends them with Enter.
func (b *tab) say(text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys("#say textarea", text), chromedp.KeyEvent(kb.Enter))
	b.until(fmt.Sprintf(`document.querySelector("#say textarea").value === "" && document.querySelector("#log").innerText.includes(%q)`, text))
}

func testRoundTrip(t *testing.T, b *tab) {
	b.signIn("linxiaowen")
	n := roundTrip(b)
	b.until(`!![...document.querySelectorAll("#log .wc")].find(c => c.querySelector(".off") && !c.querySelector("button"))`)
	b.say("查 " + n)
	b.until(fmt.Sprintf(`document.querySelector("#log").innerText.includes("T%s 待受理")`, n))
	if steps := look[int](b, `document.querySelectorAll("#trace .ev").length`); steps < 4 {
		t.Errorf("the inspector shows %d steps of the round trip", steps)
	}
}

// The sample plays by itself; a message is quoted; the plugin's view hides
// Markdown; the inspector has its views; the script can be saved.
func testSimulator(t *testing.T, b *tab) {
	b.signIn("zhoumin")
	b.open("/simulator")
	b.do(chromedp.Click(`form[action="/simulator/replay"] button`))
	b.until(`/T\d+ 待受理/.test(document.querySelector("#log").innerText)`)
	b.until(`/待受理/.test(document.querySelector("#chats").innerText)`)
	look[bool](b, `(document.querySelector("[data-quote]").click(), true)`)
	b.until(`document.querySelector("#say [name=quote]").value !== "" && !document.querySelector(".qb").hidden && document.activeElement.name === "text"`)
	look[bool](b, `(document.querySelector("[data-unquote]").click(), true)`)
	b.until(`document.querySelector("#say [name=quote]").value === "" && document.querySelector(".qb").hidden`)
	script := look[string](b, `(() => { const x = new XMLHttpRequest(); x.open("GET", document.querySelector("a[download]").href, false); x.send(); return x.getResponseHeader("Content-Type") + "\n" + x.responseText; })()`)
	for _, want := range []string{"text/plain", "as zhoumin\n", "> 客户换了手机号收不到验证码咋办\n", "press 3\n", "< 已转人工，单号 T", "> 查 T"} {
		if !strings.Contains(script, want) {
			t.Errorf("no %q in the script:\n%s", want, script)
		}
	}
	for view, want := range map[string]string{"payload": "EventKey", "check": "/ 2048 B", "time": " ms"} {
		b.do(chromedp.Click(fmt.Sprintf(`#simtabs a[href*="view=%s"]`, view)))
		b.until(fmt.Sprintf(`location.search.includes("view=%s") && document.querySelector("#trace").innerText.includes(%q)`, view, want))
	}
	b.do(chromedp.Click(`.hd a[href*="plugin=1"]`))
	b.until(`document.querySelector("#log").innerText.includes("请在企业微信中查看") && !document.querySelector("#log").innerText.includes("换号后收不到验证码")`)
}

func testSearchJump(t *testing.T, b *tab) {
	reporter := b.other()
	reporter.signIn("hejun")
	n := roundTrip(reporter)
	b.signIn("guyuan")
	b.do(chromedp.SendKeys("#q", n), chromedp.KeyEvent(kb.Enter))
	b.until(fmt.Sprintf(`document.querySelector("main").innerText.includes("T%s")`, n))
	reporter.clean()
}

// A change of roles holds at the next click of the person it is about.
func testRolesAtOnce(t *testing.T, b *tab) {
	sun := b.other()
	sun.signIn("sunqian")
	if look[bool](sun, `!!document.querySelector('.side a[href="/audit"]')`) {
		t.Fatal("a tester sees the audit log")
	}
	b.signIn("zhoulan")
	b.open("/users")
	b.do(chromedp.Click(`form[action="/users/sunqian/roles"] input[value=leader]`), chromedp.Click(`form[action="/users/sunqian/roles"] button`))
	b.until(`document.querySelector(".toasts").innerText.includes("sunqian")`)
	sun.do(chromedp.Click(`.side a[href="/"]`))
	sun.until(`!!document.querySelector('.side a[href="/audit"]')`)
	sun.do(chromedp.Click(`.side a[href="/audit"]`))
	sun.until(`location.pathname === "/audit" && !!document.querySelector("table")`)
	b.open("/users")
	b.do(chromedp.Click(`form[action="/users/sunqian/roles"] input[value=leader]`), chromedp.Click(`form[action="/users/sunqian/roles"] button`))
	b.until(`document.querySelector(".toasts").innerText.includes("sunqian")`)
	sun.do(chromedp.Click(`.side a[href="/audit"]`))
	sun.until(`document.body.innerText.includes("没有权限")`)
	// The browser reports the refused page itself as an error; that is the point here.
	sun.faults = nil
}

func testKeyboard(t *testing.T, b *tab) {
	b.open("/login")
	for range 30 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if look[bool](b, `document.activeElement.tagName === "BUTTON" && document.activeElement.form.querySelector("[name=user]").value === "guyuan"`) {
			break
		}
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("location.pathname === '/' && !!document.querySelector('#q')")
	b.do(chromedp.KeyEvent("k", chromedp.KeyModifiers(kb.ModifierCtrl)))
	if !look[bool](b, "document.activeElement.id === 'q'") {
		t.Fatal("Ctrl+K does not go to the search field")
	}
	b.do(chromedp.KeyEvent("验证码"), chromedp.KeyEvent(kb.Enter))
	b.until(`location.pathname === "/search" && document.querySelector("main").innerText.includes("K")`)
	b.do(chromedp.KeyEvent(kb.Tab))
	if !look[bool](b, `document.activeElement.className === "skip"`) {
		t.Error("the first stop is not the link to the content")
	}
}

// partList are addresses that answer with a part of a page, or with a file.
var partList = []string{"/simulator/{part}", "/deliveries/fresh", "/settings/doctor", "/tickets/fresh", "/alerts/fresh", "/tickets/export", "/files/{number}/{entry}/{i}", "/m/report/photo/{id}", "/kb/export", "/kb/import/faults", "/construct/report/export", "/analysis/export", "/analysis/picture", "/monitors/daily/export", "/sessions/{number}/export", "/m/s/{number}/material/{id}", "/m/s/{number}/calendar.ics", "/ical/{file}"}

// pageList reads the pages from the table of rights, which is made from the
// list of routes; for a page about one thing it takes the first thing listed.
func (b *tab) pageList() []string {
	b.t.Helper()
	b.open("/rights")
	pages := []string{}
	for _, what := range look[[]string](b, `[...document.querySelectorAll("td .mono")].map(x => x.innerText).filter(x => x.startsWith("GET ")).map(x => x.slice(4))`) {
		switch {
		case slices.Contains(partList, what):
		case !strings.Contains(what, "{"):
			pages = append(pages, what)
		case strings.HasPrefix(what, "/deliveries/"):
			side := strings.Split(what, "/")[2]
			b.open("/deliveries?side=" + side)
			pages = append(pages, look[string](b, fmt.Sprintf(`new URL(document.querySelector('td a[href^="/deliveries/%s/"]').href).pathname`, side)))
		case what == "/tickets/{number}":
			b.open("/tickets?state=all")
			pages = append(pages, look[string](b, `new URL(document.querySelector('.queue a.ell').href).pathname`))
		case what == "/m/t/{number}":
			pages = append(pages, b.ownTicket())
		case what == "/groups/{name}/edit":
			pages = append(pages, b.addGroup())
		case what == "/kb/{number}":
			pages = append(pages, "/kb/1")
		case what == "/m/help/{number}":
			pages = append(pages, "/m/help/1")
		case what == "/kb/{number}/versions":
			pages = append(pages, "/kb/1/versions")
		case what == "/alerts/{number}":
			pages = append(pages, "/alerts/1") // the test before made it
		case strings.HasPrefix(what, "/sessions/{number}"), what == "/m/s/{number}": // the test before made it
			pages = append(pages, strings.Replace(what, "{number}", "1", 1))
		case what == "/monitors/{monitor}":
			pages = append(pages, "/monitors/sh-a-trade-status", "/monitors/nightly-settlement")
		case strings.HasPrefix(what, "/monitors/{monitor}/"):
			pages = append(pages, strings.Replace(what, "{monitor}", "sh-a-trade-status", 1))
		case what == "/construct/{recipe}":
			pages = append(pages, "/construct/open-account")
		case strings.HasPrefix(what, "/construct/recipes/{recipe}/"):
			pages = append(pages, strings.Replace(what, "{recipe}", "open-account", 1))
		case what == "/construct/runs/{number}": // one was made by the test before
			b.open("/construct")
			pages = append(pages, look[string](b, `new URL(document.querySelector('a[href^="/construct/runs/"]').href).pathname`))
		default:
			b.t.Errorf("no sample for %s", what)
		}
	}
	return pages
}

// testPages looks at every page in three widths and both themes.
func testPages(t *testing.T, b *tab) {
	check, err := os.ReadFile("testdata/audit.js")
	if err != nil {
		t.Fatal(err)
	}
	b.signIn("zhoulan")
	pages := append(b.pageList(), "/search?q="+url.QueryEscape("验证码"), "/kb?q="+url.QueryEscape("验证码"), "/deliveries?side=out", "/users?q=nobody", "/simulator?as=linxiaowen")
	if len(pages) < 10 {
		t.Fatalf("only %v were found", pages)
	}
	for _, theme := range []string{"light", "dark"} {
		b.do(scheme(theme))
		for _, width := range []int64{1440, 1280, 390} {
			b.do(chromedp.EmulateViewport(width, 844))
			for _, path := range pages {
				b.inspect(path, theme, width, string(check))
			}
		}
	}
	b.do(chromedp.EmulateViewport(390, 844), scheme("light"), english(b.base))
	for _, path := range pages {
		b.inspect(path, "English", 390, string(check))
	}
	stranger := b.other()
	for _, theme := range []string{"light", "dark"} {
		stranger.do(scheme(theme))
		stranger.inspect("/login", theme, 1440, string(check))
		stranger.do(chromedp.EmulateViewport(390, 844))
		stranger.inspect("/login", theme, 390, string(check))
	}
}

// inspect opens a page and reports every fault that the script finds in it.
func (b *tab) inspect(path, theme string, width int64, check string) {
	b.t.Helper()
	b.open(path)
	b.until(`document.readyState === "complete"`)
	for _, fault := range look[[]string](b, fmt.Sprintf("(%s)(%d)", strings.TrimSpace(check), width)) {
		b.t.Errorf("%s, %s, %d px: %s", path, theme, width, fault)
	}
	b.clean()
}
