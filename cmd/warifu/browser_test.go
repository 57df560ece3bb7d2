package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// browser is a person's, without script: what a page says is what they see.
type browser struct {
	*http.Client
	address  string
	page     string
	location string // where the last answer sends it, if it does not follow
}

func newBrowser() (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{Client: &http.Client{Jar: jar}}, err
}

// open goes to an address and wherever it leads.
func (b *browser) open(address string) error {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return b.send(r)
}

// press sends the page's form whose action ends so, with the fields.
func (b *browser) press(action string, fields url.Values) error {
	m := regexp.MustCompile(`action="([^"]*` + regexp.QuoteMeta(action) + `[^"]*)"`).FindStringSubmatch(b.page)
	if m == nil {
		return fmt.Errorf("no form leads to %s on %s", action, b.address)
	}
	base, err := url.Parse(b.address)
	if err != nil {
		return err
	}
	to, err := base.Parse(html.UnescapeString(m[1]))
	if err != nil {
		return err
	}
	all := url.Values{}
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(b.page, -1) {
		all.Set(hidden[1], html.UnescapeString(hidden[2]))
	}
	for name, values := range fields {
		all[name] = values
	}
	r, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(all.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", base.Scheme+"://"+base.Host)
	return b.send(r)
}

func (b *browser) send(r *http.Request) error {
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "en")
	answer, err := b.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	b.address, b.page, b.location = answer.Request.URL.String(), string(page), answer.Header.Get("Location")
	return err
}

// listen opens the stream on which the page's script waits for a word.
func (b *browser) listen() (io.ReadCloser, error) {
	m := regexp.MustCompile(`data-login-events="([^"]*)"`).FindStringSubmatch(b.page)
	if m == nil {
		return nil, fmt.Errorf("%s waits for nothing", b.address)
	}
	base, err := url.Parse(b.address)
	if err != nil {
		return nil, err
	}
	events, err := base.Parse(m[1])
	if err != nil {
		return nil, err
	}
	r, err := b.Get(events.String())
	if err != nil {
		return nil, err
	}
	return r.Body, nil
}

// follow goes where the word on the stream says.
func (b *browser) follow(stream io.Reader) error {
	base, err := url.Parse(b.address)
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(stream); lines.Scan(); {
		if to, is := strings.CutPrefix(lines.Text(), "data: "); is {
			onward, err := base.Parse(to)
			if err != nil {
				return err
			}
			return b.open(onward.String())
		}
	}
	return fmt.Errorf("the stream of %s ended without a word", b.address)
}

// moved waits until the page goes on by itself.
func (b *browser) moved() error {
	stream, err := b.listen()
	if err != nil {
		return err
	}
	defer stream.Close()
	return b.follow(stream)
}

// numberShown is the number that the page shows for another device.
var numberShown = regexp.MustCompile(`class="bignumber"[^>]*>([0-9]{2})<`)
