package browsertest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// wire is what a tab's events told: whether a page is loading, what was asked of whom, what
// the console said.
type wire struct {
	mu      sync.Mutex
	changed chan struct{} // closed and made anew at each change of loading
	frame   cdp.FrameID
	loading bool
	at      string // the document's address
	method  string // by which it was asked for
	doc     network.RequestID
	status  int64
	octets  float64         // transferred since the page was asked for
	foreign []string        // what was asked of another machine
	console []string        // errors
	borne   []string        // what of them is no fault here (Bear)
	asked   map[string]bool // addresses of documents and fetches

	tapAt, tapSeen float64 // of the click that is measured (Answered); 0: not yet

	media      map[string]string // what the person's machine is said to prefer
	scriptless bool              // timers of pages never end

	twin *Page  // the same in the other language, once it was wished for
	stop func() // closes the tab; the twin ends with its page's cookies
}

func (w *wire) main(frame cdp.FrameID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frame, w.asked = frame, map[string]bool{}
}

func (w *wire) set(loading bool) {
	if w.loading != loading {
		w.loading = loading
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// begin says that a page is about to load.
func (w *wire) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(true)
}

// loaded waits until nothing loads.
func (w *wire) loaded() error {
	late := time.After(patience)
	for {
		w.mu.Lock()
		loading, changed := w.loading, w.changed
		w.mu.Unlock()
		if !loading {
			return nil
		}
		select {
		case <-changed:
		case <-late:
			return fmt.Errorf("the page did not load within %s", patience)
		}
	}
}

func (w *wire) address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// hear is told every event of the tab, in order.
func (w *wire) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *page.EventFrameRequestedNavigation:
		if e.FrameID == w.frame && e.Disposition == "currentTab" {
			w.set(true)
		}
	case *page.EventFrameStartedNavigating:
		if e.FrameID == w.frame && !strings.Contains(strings.ToLower(string(e.NavigationType)), "samedocument") {
			w.set(true)
		}
	case *page.EventFrameStoppedLoading:
		if e.FrameID == w.frame {
			w.set(false)
		}
	case *page.EventNavigatedWithinDocument:
		if e.FrameID == w.frame {
			w.set(false)
		}
	case *network.EventRequestWillBeSent:
		w.requested(e)
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument && e.FrameID == w.frame {
			w.doc, w.status = e.RequestID, e.Response.Status
		}
	case *network.EventLoadingFinished:
		w.octets += e.EncodedDataLength
	case *runtime.EventExceptionThrown:
		said := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			said += " " + e.ExceptionDetails.Exception.Description
		}
		w.console = append(w.console, said)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" {
			said := "console." + string(e.Type)
			for _, a := range e.Args {
				said += " " + string(a.Value) + a.Description
			}
			w.console = append(w.console, said)
		}
	case *log.EventEntryAdded:
		w.logged(e.Entry)
	case *runtime.EventBindingCalled:
		w.heardTap(e.Payload)
	}
}

func (w *wire) requested(e *network.EventRequestWillBeSent) {
	if !atHome(e.Request.URL) {
		w.foreign = append(w.foreign, e.Request.URL)
	}
	if e.Type == network.ResourceTypeDocument && e.FrameID == w.frame {
		if e.RedirectResponse == nil {
			w.octets = 0
		}
		w.at, w.method, w.doc = e.Request.URL, e.Request.Method, e.RequestID
	}
	if e.Type == network.ResourceTypeDocument || e.Type == network.ResourceTypeFetch || e.Type == network.ResourceTypeXHR {
		w.asked[e.Request.URL] = true
	}
}

// logged keeps what the browser itself complained of. That a page or an answer to a fetch
// refused (status 4xx, and 503 where the server behind it could not be reached) it complains of
// too, which is no fault: refusals are pages.
func (w *wire) logged(e *log.Entry) {
	if e.Level != log.EntryLevelError {
		return
	}
	if w.asked[e.URL] && e.Source == log.EntrySourceNetwork && (strings.Contains(e.Text, "status of 4") || strings.Contains(e.Text, "status of 503")) {
		return
	}
	said := e.Text + " " + e.URL
	if slices.ContainsFunc(w.borne, func(words string) bool { return strings.Contains(said, words) }) {
		return
	}
	w.console = append(w.console, said)
}

// atHome reports whether an address is of this machine, or of none.
func atHome(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "data", "blob", "about", "chrome-error":
		return true
	}
	switch u.Hostname() {
	case "127.0.0.1", "localhost", "::1":
		return true
	}
	return false
}

// forgetTap forgets the click that was measured before.
func (w *wire) forgetTap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tapAt, w.tapSeen = 0, 0
}

// heardTap takes what the page tells of the click that is measured; w.mu is held.
func (w *wire) heardTap(said string) {
	var what string
	var at float64
	if _, err := fmt.Sscanf(said, "%s %g", &what, &at); err != nil {
		return
	}
	if what == "at" {
		w.tapAt = at
	} else if w.tapSeen == 0 {
		w.tapSeen = at
	}
}

// tap tells when the click was and when something was seen of it.
func (w *wire) tap() (at, seen float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tapAt, w.tapSeen
}
