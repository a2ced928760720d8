package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/shardctl/shardctl/batch"
)

// browser is a tab of a headless Chromium with a page in it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	errors []string // of the console
}

// startBrowser starts a Chromium. Without one the test is skipped, unless SHARD_TEST_BROWSER=1 asks for it.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("SHARD_TEST_BROWSER") == "1" {
			t.Fatal("no Chromium is installed")
		}
		t.Skip("no Chromium is installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root otherwise
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it tells of events that it does not know
	t.Cleanup(cancel)
	// All its processes come to their end before their folder goes.
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// openPage opens the page of a journal in a tab of its own. first is done before.
func openPage(t *testing.T, parent context.Context, v Verdict, first ...chromedp.Action) *browser {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(out, v, HTMLOptions{Reproduce: func(id string) string { return "run-test '" + id + "'" }, Tool: "shardctl test"}); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	b.do(append(append([]chromedp.Action{cdplog.Enable()}, first...), chromedp.Navigate("file://"+file))...)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.errors) > 0 {
			t.Errorf("the browser complains: %q", b.errors)
		}
	})
	return b
}

func (b *browser) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		text = fmt.Sprintf("console.%s", e.Type)
	case *cdplog.EventEntryAdded:
		text = e.Entry.Text
	case *cdppage.EventJavascriptDialogOpening:
		text = "a dialog: " + e.Message
	}
	if text != "" {
		b.mu.Lock()
		b.errors = append(b.errors, text)
		b.mu.Unlock()
	}
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// js returns the value of an expression.
func js[T any](b *browser, expression string) T {
	b.t.Helper()
	var value T
	b.do(chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

// until waits for a condition of the page.
func (b *browser) until(condition string) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Poll(condition, nil, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		b.t.Fatalf("waited in vain for %s: %v", condition, err)
	}
}

func (b *browser) equal(want any, expression string) {
	b.t.Helper()
	if got := js[any](b, expression); fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("%s is %v, want %v", expression, got, want)
	}
}

// shot keeps a picture in the folder SHARD_TEST_SCREENSHOTS, for a person to look at.
func (b *browser) shot(name string, whole bool) {
	b.t.Helper()
	dir := os.Getenv("SHARD_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	var picture []byte
	if whole {
		b.do(chromedp.FullScreenshot(&picture, 100))
	} else {
		b.do(chromedp.CaptureScreenshot(&picture))
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// What the page shows is what the journal says, however it is looked at.
func TestPageInBrowser(t *testing.T) {
	ctx := startBrowser(t)
	j := large(1200, 6)
	v := Judge(j.history(), j.ending)
	t.Run("head", func(t *testing.T) { headInBrowser(openPage(t, ctx, v), v) })
	t.Run("table", func(t *testing.T) { tableInBrowser(openPage(t, ctx, v), v) })
	t.Run("timeline", func(t *testing.T) { timelineInBrowser(openPage(t, ctx, v), v) })
	t.Run("keyboard", func(t *testing.T) { keyboardInBrowser(openPage(t, ctx, v)) })
	t.Run("phone", func(t *testing.T) {
		b := openPage(t, ctx, v, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
		b.equal(true, "document.documentElement.scrollWidth <= 390")
		b.shot("phone", true)
	})
	t.Run("dark", func(t *testing.T) {
		b := openPage(t, ctx, v, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
		b.equal("rgb(13, 17, 23)", "getComputedStyle(document.body).backgroundColor")
		b.readable()
		b.shot("dark", true)
	})
	t.Run("without JavaScript", func(t *testing.T) {
		b := openPage(t, ctx, v, emulation.SetScriptExecutionDisabled(true))
		b.shot("plain", false)
		var text string
		b.do(emulation.SetScriptExecutionDisabled(false), chromedp.Evaluate("document.body.innerText", &text))
		for _, j := range v.Tests {
			if j.Bad() && strings.Count(text, j.ID) < 2 { // its section and the table
				t.Errorf("%s is not shown", j.ID)
			}
		}
		for _, w := range v.History.Workers() {
			if !strings.Contains(text, w.ID) {
				t.Errorf("worker %s is not shown", w.ID)
			}
		}
	})
}

func headInBrowser(b *browser, v Verdict) {
	b.equal("✗ FAILED", "document.querySelector('h1').innerText")
	b.equal(strings.TrimPrefix(v.Sentence(), "FAILED: "), "document.querySelector('.sentence').innerText")
	b.equal(len(v.Failed()), "document.querySelectorAll('#failures details').length")
	b.equal(len(v.Flaky()), "document.querySelectorAll('#flaky details').length")
	b.equal(len(v.History.Workers()), "document.querySelectorAll('#workers tbody tr').length")
	failed := v.Failed()[0]
	text := js[string](b, "document.querySelector('#failures details').innerText")
	for _, says := range []string{failed.ID, failed.decisive().Outcome.Message, "run-test '" + failed.ID + "'", "--- FAIL: " + failed.ID} {
		if !strings.Contains(text, says) {
			b.t.Errorf("the first failure does not say %q: %s", says, text)
		}
	}
	b.equal(0, `[...document.querySelectorAll('button, input, select, canvas, [role=region]')].filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.closest('label')?.textContent.trim())).length`)
	b.do(chromedp.Click("[data-show=failed]", chromedp.ByQuery))
	b.equal(fmt.Sprintf("%d of 1,200 tests", v.Counts[batch.Failed]), "document.getElementById('f-count').innerText")
	b.readable()
	b.shot("light", true)
}

// readable checks that all text stands out from what is behind it: the contrast that WCAG 2 asks for, 4.5 to 1.
func (b *browser) readable() {
	b.t.Helper()
	b.equal("", `(() => {
		const parse = c => c.match(/[\d.]+/g).map(Number);
		const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
		const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
		const poor = new Set();
		for (const e of document.querySelectorAll('body *')) {
			if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length || e.tagName === 'NOSCRIPT') continue;
			const [a, c] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
			const contrast = (Math.max(a, c) + .05) / (Math.min(a, c) + .05);
			if (contrast < 4.5) poor.add(e.tagName + '.' + e.className + ' ' + contrast.toFixed(2));
		}
		return [...poor].join(', ');
	})()`)
}

// filter sets the filters of the table.
func (b *browser) filter(name, look, worker string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(fmt.Sprintf(`for (const [id, value] of [['f-name', %q], ['f-look', %q], ['f-worker', %q]]) {
		const e = document.getElementById(id);
		e.value = value;
		e.dispatchEvent(new Event('change'));
	}`, name, look, worker), nil))
}

func tableInBrowser(b *browser, v Verdict) {
	count := func(fits func(Judged) bool) string {
		n := 0
		for _, j := range v.Tests {
			if fits(j) {
				n++
			}
		}
		return fmt.Sprintf("%s of %s tests", thousands(n), thousands(len(v.Tests)))
	}
	said := "document.getElementById('f-count').innerText"
	b.equal("1,200 tests", said)
	b.equal(true, "document.querySelectorAll('#t tbody [data-test]').length < 100") // only what can be seen
	b.do(chromedp.SendKeys("#f-name", "payment testadds -21", chromedp.ByQuery))
	fits := func(j Judged) bool {
		return strings.Contains(j.ID, "payment") && strings.Contains(j.ID, "TestAdds") && !strings.Contains(j.ID, "21")
	}
	b.until(said + " === '" + count(fits) + "'")
	b.filter("", "skipped", "")
	b.equal(count(func(j Judged) bool { return j.Status == batch.Skipped }), said)
	worker := v.History.Workers()[2].ID
	b.filter("", "", "2")
	b.equal(count(func(j Judged) bool {
		for _, a := range j.Attempts {
			if a.Worker == worker {
				return true
			}
		}
		return false
	}), said)
	b.filter("", "", "")
	b.do(chromedp.Click("#t [data-sort=took]", chromedp.ByQuery))
	slowest := newPage(v, HTMLOptions{}).Slowest[0]
	b.equal(slowest.Group+"::"+slowest.Name, "document.querySelector('#t tbody [data-test]').title")
	b.equal("descending", "document.querySelector('#t .c-took').getAttribute('aria-sort')")
	b.do(chromedp.Click("#t [data-sort=name]", chromedp.ByQuery), chromedp.Evaluate("document.getElementById('t-scroll').scrollTop = 1e7", nil))
	b.until("[...document.querySelectorAll('#t tbody [data-test]')].at(-1).title === " + fmt.Sprintf("%q", v.Tests[len(v.Tests)-1].ID))
	b.do(chromedp.Click("#t tbody tr:nth-last-child(2) [data-test]", chromedp.ByQuery))
	b.equal(true, "document.getElementById('details').open")
	b.equal(len(v.Tests[len(v.Tests)-1].Attempts), "document.querySelectorAll('#d-body li').length")
	b.shot("details", false)
}

func timelineInBrowser(b *browser, v Verdict) {
	line := NewTimeline(v)
	b.do(chromedp.ScrollIntoView("#timeline", chromedp.ByQuery))
	b.equal(len(line.Lanes), "shardReport.state().lanes")
	b.equal(line.End.Milliseconds(), "shardReport.state().whole")
	// Find: as many attempts as the journal has that ran.
	attempts := 0
	for _, l := range line.Lanes {
		for _, s := range l.Spans {
			if strings.Contains(v.Tests[s.Test].ID, "search") {
				attempts++
			}
		}
	}
	b.do(chromedp.SendKeys("#tl-find", "search", chromedp.ByQuery))
	b.until(fmt.Sprintf("shardReport.state().found === %d", attempts))
	b.shot("found", false)
	b.do(chromedp.Click("#tl-next", chromedp.ByQuery))
	b.equal(true, "shardReport.state().selectedTest.includes('search') && shardReport.state().to - shardReport.state().from < shardReport.state().whole / 10")
	b.until("!document.getElementById('tl-tip').hidden")
	b.shot("zoomed", false)
	// A click on it finds it again.
	b.do(chromedp.Evaluate("globalThis.was = shardReport.state().selected", nil))
	place := js[struct{ X, Y float64 }](b, `(() => { const r = document.getElementById('tl').getBoundingClientRect(), at = shardReport.state().at; return {X: r.x + at.x, Y: r.y + at.y}; })()`)
	b.do(chromedp.SendKeys("#tl", kb.Escape, chromedp.ByQuery))
	b.equal(-1, "shardReport.state().selected")
	b.do(chromedp.MouseClickXY(place.X, place.Y))
	b.equal(true, "shardReport.state().selected === was")
	// Wheel, keys and drag.
	b.do(chromedp.Click("#tl-all", chromedp.ByQuery))
	b.until("shardReport.state().to - shardReport.state().from === shardReport.state().whole")
	b.do(chromedp.Focus("#tl", chromedp.ByQuery), input.DispatchMouseEvent(input.MouseWheel, place.X, place.Y).WithDeltaX(0).WithDeltaY(-240))
	b.until("shardReport.state().to - shardReport.state().from < .7 * shardReport.state().whole")
	b.do(chromedp.SendKeys("#tl", "0", chromedp.ByQuery))
	b.until("shardReport.state().to - shardReport.state().from === shardReport.state().whole")
	box := js[struct{ X, Y, W, H float64 }](b, `(() => { const r = document.getElementById('tl').getBoundingClientRect(); return {X: r.x, Y: r.y, W: r.width, H: r.height}; })()`)
	left, right := box.X+168+(box.W-168)/4, box.X+168+(box.W-168)/2
	for _, step := range []struct {
		kind input.MouseType
		x    float64
	}{{input.MousePressed, left}, {input.MouseMoved, (left + right) / 2}, {input.MouseMoved, right}, {input.MouseReleased, right}} {
		b.do(input.DispatchMouseEvent(step.kind, step.x, box.Y+box.H/2).WithButton(input.Left).WithButtons(1).WithClickCount(1))
	}
	b.until("Math.abs(shardReport.state().from / shardReport.state().whole - .25) < .02 && Math.abs(shardReport.state().to / shardReport.state().whole - .5) < .02")
	// Hover over the worker that vanished.
	for i, w := range v.History.Workers() {
		if w.Reaped {
			b.do(chromedp.Click("#tl-all", chromedp.ByQuery), input.DispatchMouseEvent(input.MouseMoved, box.X+box.W-30, box.Y+26+29*float64(i)+14))
			b.until("document.getElementById('tl-tip').innerText.includes('presumed dead')")
		}
	}
}

func keyboardInBrowser(b *browser) {
	b.do(chromedp.Focus("#tl", chromedp.ByQuery), chromedp.KeyEvent("n"))
	b.until("shardReport.state().selected >= 0")
	first := js[int](b, "shardReport.state().selected")
	b.do(chromedp.KeyEvent("n"))
	b.equal(true, fmt.Sprintf("shardReport.state().selected !== %d", first))
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent("+"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.Enter))
	b.until("document.getElementById('details').open")
	b.equal(true, "document.getElementById('tl-say').innerText.length > 0")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.getElementById('details').open")
	b.do(chromedp.Focus("#t tbody [data-test]", chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	b.until("document.getElementById('details').open")
}

// Names and outputs that would be markup, script or commands are shown as text, and nothing of them runs.
func TestHostilePageInBrowser(t *testing.T) {
	ctx := startBrowser(t)
	j := hostileJournal()
	v := Judge(j.history(), j.ending)
	b := openPage(t, ctx, v)
	b.equal("undefined", "typeof globalThis.pwned")
	b.equal(fmt.Sprintf("%d tests", len(v.Tests)), "document.getElementById('f-count').innerText")
	for i, j := range v.Tests {
		b.equal(true, fmt.Sprintf("shardReport.test(%d) === %q", i, name(j.ID)))
	}
	b.equal(0, "document.querySelectorAll('main img, main script, main iframe, main b b').length")
	for _, row := range []int{0, 1, 2} {
		b.do(chromedp.Click(fmt.Sprintf("#t tbody [data-test='%d']", row), chromedp.ByQuery))
		b.equal(true, "document.getElementById('details').open")
		b.do(chromedp.Click("#d-close", chromedp.ByQuery))
	}
	b.shot("hostile", true)
}

// A page of a run in which nothing happened, or of one that every journal of testdata tells, opens without a complaint.
func TestAllPagesInBrowser(t *testing.T) {
	ctx := startBrowser(t)
	for name, j := range journals(t) {
		if name == "large" || name == "hostile" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			v := Judge(j.history(), j.ending)
			b := openPage(t, ctx, v)
			b.until("document.documentElement.dataset.ready")
			word, _, _ := strings.Cut(v.Sentence(), ":")
			b.equal(true, fmt.Sprintf("document.querySelector('h1').innerText.endsWith(%q)", word))
			for _, j := range v.Tests {
				b.equal(true, fmt.Sprintf("document.body.textContent.includes(%q)", OneLine(j.ID, 100)))
			}
		})
	}
}

// How long a run of 100,000 tests takes to open. Nothing is asserted but that it does.
func TestLargePageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a large page")
	}
	ctx := startBrowser(t)
	j := large(100_000, 64)
	v := Judge(j.history(), j.ending)
	b := openPage(t, ctx, v)
	b.until("document.documentElement.dataset.ready")
	b.equal("100,000 tests", "document.getElementById('f-count').innerText")
	t.Logf("ready after %s ms, shown after %.0f ms", js[string](b, "document.documentElement.dataset.ready"),
		js[float64](b, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"))
	t.Logf("filtering takes %.0f ms, sorting %.0f ms, zooming %.0f ms",
		js[float64](b, `(() => { const t = performance.now(), e = document.getElementById('f-look'); e.value = 'failed'; e.dispatchEvent(new Event('change')); e.value = ''; e.dispatchEvent(new Event('change')); return performance.now() - t; })()`),
		js[float64](b, `(() => { const t = performance.now(); document.querySelector('#t [data-sort=took]').click(); return performance.now() - t; })()`),
		js[float64](b, `new Promise(done => { const t = performance.now(); document.getElementById('tl-in').click(); requestAnimationFrame(() => setTimeout(() => done(performance.now() - t))); })`))
	b.shot("large", false)
}
