package browsertest

// KeyboardFaults is Keyboard as a list.
func (p *Page) KeyboardFaults() []string { return p.keyboard() }

// ZoomFaults is Zoomed as a list.
func (p *Page) ZoomFaults() []string { return p.zoomed() }

// JudgeHTML has vnu read one page.
func JudgeHTML(b *Browser, html string) []string {
	collected.Lock()
	pages := collected.pages
	collected.pages = []sent{{"page", []byte(html)}}
	collected.Unlock()
	faults := judgeHTML(b.judges)
	collected.Lock()
	collected.pages = pages
	collected.Unlock()
	return faults
}
