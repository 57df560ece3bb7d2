package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"warifu/oidc"
	"warifu/sandbox/desk"
)

const (
	loginsWaiting  = 1000
	loginsApproved = 200
	waitingPort    = 24500
)

// waiting measures logins that wait for their phones: how much memory a thousand pages with
// an open stream take in a whole demo, and how long it is from the phone's approval to the
// browser's arrival at the relying party's door.
func waiting(ctx context.Context, b *bench) ([]Row, error) {
	p, err := start(filepath.Join(b.bin, "warifu"), "demo", "--dir", filepath.Join(b.dir, "waiting"), "--port", strconv.Itoa(waitingPort), "--scheme", "badge", "--headless")
	if err != nil {
		return nil, err
	}
	defer func() { _ = p.stop() }()
	server, err := awaitPlaces(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, p.said())
	}
	phone, err := personaPhone(ctx, server.Desk)
	if err != nil {
		return nil, err
	}
	t := &waitingTown{server: server.Server, phones: server.Phones, phone: phone}
	if err := t.register(ctx); err != nil {
		return nil, err
	}
	pages := make([]*waitingPage, loginsWaiting)
	for i := range pages {
		if pages[i], err = t.open(ctx); err != nil {
			return nil, err
		}
		defer pages[i].close()
	}
	resident, err := p.memory()
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for _, page := range pages[:loginsApproved] {
		one, err := t.approve(ctx, page)
		if err != nil {
			return nil, err
		}
		took = append(took, one)
	}
	ms := func(p float64) float64 { return float64(percentile(took, p).Microseconds()) / 1000 }
	return []Row{
		plain("logins: 1,000 waiting with an open page, the whole demo resident", resident, "MiB").below(200),
		plain("logins: phone approval → redirect, p50", ms(50), "ms"),
		plain("logins: phone approval → redirect, p99", ms(99), "ms").below(150),
	}, nil
}

// awaitPlaces waits for the demo's desk and asks where everything stands.
func awaitPlaces(ctx context.Context) (places desk.Places, err error) {
	at := fmt.Sprintf("http://127.0.0.1:%d", waitingPort+1)
	if err := await(ctx, http.DefaultClient, at+"/"); err != nil {
		return places, err
	}
	return places, call(ctx, http.MethodGet, at+"/api/places", nil, &places)
}

// call is one call of a JSON door.
func call(ctx context.Context, method, address string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, address, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, address, answer.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

const personaPIN = "2580"

// personaPhone has somebody move in with certificates on a phone.
func personaPhone(ctx context.Context, desk string) (string, error) {
	var made struct{ Phone string }
	err := call(ctx, http.MethodPost, desk+"/api/personas", map[string]string{"name": "bench+phone"}, &made)
	if err == nil && made.Phone == "" {
		err = errors.New("the persona has no phone")
	}
	return made.Phone, err
}

// waitingTown is a demo in a process of its own, with a registered relying party.
type waitingTown struct {
	server, phones, phone, id string
}

func (t *waitingTown) register(ctx context.Context) error {
	keys, _, err := benchKeySet()
	if err != nil {
		return err
	}
	var registered struct{ ID string }
	err = call(ctx, http.MethodPost, t.server+"/api/v1/clients", benchEntry(keys), &registered)
	t.id = registered.ID
	return err
}

// waitingPage is a browser's page that waits: its stream is open.
type waitingPage struct {
	client  *http.Client
	login   string // {server}/login/{login}
	cookies []*http.Cookie
	stream  *http.Response
	moved   chan string // where it goes on
}

func (w *waitingPage) close() { _ = w.stream.Body.Close() }

// open begins a login and opens the stream of its page.
func (t *waitingTown) open(ctx context.Context) (*waitingPage, error) {
	w := &waitingPage{moved: make(chan string, 1), client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	answer, err := w.get(ctx, t.server+oidc.AuthorizePath()+"?"+prepareRequest(t.id).query.Encode())
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	if w.login = answer.Header.Get("Location"); !strings.Contains(w.login, "/login/l") {
		return nil, fmt.Errorf("authorization answered %s", answer.Status)
	}
	w.cookies = answer.Cookies()
	if w.stream, err = w.get(ctx, w.login+"/events"); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(w.stream.Body); lines.Scan(); {
			if to, is := strings.CutPrefix(lines.Text(), "data: "); is {
				w.moved <- to
				return
			}
		}
		close(w.moved)
	}()
	return w, nil
}

func (w *waitingPage) get(ctx context.Context, address string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	for _, c := range w.cookies {
		r.AddCookie(c)
	}
	return w.client.Do(r)
}

// approve has the phone approve, as from another device, and measures from the answer to the
// phone until the browser is sent to the relying party.
func (t *waitingTown) approve(ctx context.Context, w *waitingPage) (time.Duration, error) {
	page, err := w.get(ctx, w.login)
	if err != nil {
		return 0, err
	}
	number, err := bigNumber(page)
	if err != nil {
		return 0, err
	}
	name := w.login[strings.LastIndex(w.login, "/")+1:]
	wish := map[string]any{"link": t.server + "/l/" + name, "number": number, "pin": personaPIN}
	if err := call(ctx, http.MethodPost, t.phones+"/api/phones/"+url.PathEscape(t.phone)+"/approve", wish, nil); err != nil {
		return 0, err
	}
	approved := time.Now()
	to, told := <-w.moved
	if !told {
		return 0, errors.New("the stream ended without a word")
	}
	done, err := w.get(ctx, t.server+to)
	if err != nil {
		return 0, err
	}
	done.Body.Close()
	took := time.Since(approved)
	if !strings.HasPrefix(done.Header.Get("Location"), benchRedirect+"?code=") {
		return 0, fmt.Errorf("the browser goes to %q", done.Header.Get("Location"))
	}
	return took, nil
}

// bigNumber is the number that a page shows to be picked on the phone.
func bigNumber(page *http.Response) (string, error) {
	defer page.Body.Close()
	for lines := bufio.NewScanner(page.Body); lines.Scan(); {
		if _, after, found := strings.Cut(lines.Text(), `class="bignumber"`); found {
			_, after, _ = strings.Cut(after, ">")
			number, _, _ := strings.Cut(after, "<")
			return strings.TrimSpace(number), nil
		}
	}
	return "", errors.New("the page shows no number")
}
