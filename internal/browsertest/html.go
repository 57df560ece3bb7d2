package browsertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// collected are the pages to be judged, each once, as the server sent them.
var collected struct {
	sync.Mutex
	seen  map[[32]byte]bool
	pages []sent
}

type sent struct {
	address string
	html    []byte
}

// collect keeps the document's octets for judgeHTML.
func (p *Page) collect() {
	p.t.Helper()
	p.wire.mu.Lock()
	id, at := p.wire.doc, p.wire.at
	p.wire.mu.Unlock()
	body, err := chromedp.Call(p.ctx, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
	p.must("reading the page's octets", err)
	collected.Lock()
	defer collected.Unlock()
	sum := sha256.Sum256(body.Body)
	if collected.seen == nil {
		collected.seen = map[[32]byte]bool{}
	}
	if !collected.seen[sum] {
		collected.seen[sum] = true
		collected.pages = append(collected.pages, sent{fmt.Sprintf("%s (%s, %s)", at, p.lang, p.t.Name()), body.Body})
	}
}

// judgeHTML has vnu, the W3C's checker, read all collected pages in one run.
func judgeHTML(judges string) (faults []string) {
	collected.Lock()
	defer collected.Unlock()
	if len(collected.pages) == 0 {
		return nil
	}
	java, err := exec.LookPath("java")
	if err != nil {
		fmt.Println("NOT TESTED: there is no java on this machine: the HTML was not judged")
		return nil
	}
	dir, err := os.MkdirTemp("", "warifu-html-")
	if err != nil {
		return []string{err.Error()}
	}
	defer os.RemoveAll(dir)
	for i, page := range collected.pages {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".html"), page.html, 0o600); err != nil {
			return []string{err.Error()}
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	defer stop()
	var out, complaint bytes.Buffer
	command := exec.CommandContext(ctx, java, "-Xss8m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", filepath.Join(judges, "node_modules/vnu-jar/build/dist/vnu.jar"), "--format", "json", "--stdout", "--exit-zero-always", "--errors-only", dir)
	command.Stdout, command.Stderr = &out, &complaint
	if err := command.Run(); err != nil {
		return []string{"vnu: " + err.Error() + " " + complaint.String()}
	}
	return readJudgement(out.Bytes())
}

// readJudgement tells vnu's messages by the pages' addresses, each message once.
func readJudgement(answer []byte) (faults []string) {
	var said struct {
		Messages []struct {
			Type, URL, Message, Extract string
			LastLine                    int
		}
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return []string{"vnu: " + err.Error()}
	}
	once := map[string]bool{}
	for _, m := range said.Messages {
		what := m.Message + "\n\t" + m.Extract
		if once[what] {
			continue
		}
		once[what] = true
		name := path.Base(m.URL)
		if i, err := strconv.Atoi(name[:len(name)-len(path.Ext(name))]); err == nil && i < len(collected.pages) {
			name = collected.pages[i].address
		}
		faults = append(faults, fmt.Sprintf("%s line %d: %s", name, m.LastLine, what))
	}
	return faults
}
