package browsertest

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

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"warifu/internal/nodetest"
)

// patience bounds one wait; a page that takes longer has failed.
const patience = 20 * time.Second

// Browser is one chromium.
type Browser struct {
	ctx    context.Context
	agent  string // its User-Agent, without the word for being headless
	axe    string // source of axe-core
	judges string // folder of the judges' packages
}

// one is the browser of this test binary, started at the first wish for it.
var one struct {
	sync.Mutex
	browser *Browser
	stop    func()
}

// Open returns the test binary's browser. Without chromium the test says so and is skipped.
func Open(t testing.TB) *Browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("NOT TESTED: there is no chromium on this machine (make prepare installs it)")
	}
	judges := nodetest.Modules(t, filepath.Join(root(t), "internal/browsertest/testdata/judges"))
	one.Lock()
	defer one.Unlock()
	if one.browser != nil {
		return one.browser
	}
	axe, err := os.ReadFile(filepath.Join(judges, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		// Whatever is not on loopback meets a proxy that is not there.
		chromedp.ProxyServer("http://127.0.0.1:9"),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en"),
	)
	allocator, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	b := &Browser{ctx: ctx, axe: string(axe), judges: judges}
	version, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		stop()
		stopAll()
		t.Fatalf("chromium does not start: %v", err)
	}
	b.agent = strings.ReplaceAll(version.UserAgent, "HeadlessChrome", "Chrome")
	one.browser, one.stop = b, func() { stop(); stopAll() }
	return b
}

// root is the repository's folder, from whichever package the test is of.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("not inside the repository")
		}
	}
}

// Main runs a package's tests, ends the browser and has the HTML of every page that Whole saw
// judged. after are the package's own endings. TestMain of every package that drives
// pages is this call.
func Main(m *testing.M, after ...func()) {
	code := m.Run()
	for _, f := range after {
		f()
	}
	if one.browser != nil {
		if faults := judgeHTML(one.browser.judges); len(faults) > 0 {
			fmt.Printf("--- FAIL: HTML (%d faults)\n    %s\n", len(faults), strings.Join(faults, "\n    "))
			code = max(code, 1)
		}
		one.stop()
	}
	os.Exit(code)
}
