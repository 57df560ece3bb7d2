package crashtest_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"warifu/phone"
)

func TestServerStopsUnderLoadAndLosesNothing(t *testing.T) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopped(t, settle(t, place))
		})
	}
}

// stopped tells a server to stop while phones apply, fetch and listen for notices, and
// goes on with its successor.
func stopped(t *testing.T, tn *town) {
	p := tn.start(t)
	f := newFleet(t, tn, seed(t)+3)
	f.begin(t.Context(), holders)
	for range 3 {
		f.awaitAcceptance(t, 8)
		listening, hungUp := f.listen(t)
		<-listening
		took := p.stop(t)
		tn.gate.shut()
		p.complain(t)
		<-hungUp
		t.Logf("stopped under load in %v", took.Round(time.Millisecond))
		p = tn.start(t)
	}
	f.finish(t, time.Minute)
	f.examine(t)
	p.stop(t)
	tn.audit(t, f)
	f.report(t)
}

// listen has a phone listen for notices, which is a request that never ends by itself.
func (f *fleet) listen(t *testing.T) (began, ended <-chan struct{}) {
	t.Helper()
	started, hungUp := make(chan struct{}), make(chan struct{})
	app := *f.list()[0].app
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var err error
	app.Server, err = phone.NewServer(f.town.origin, nil) // past the line, which waits for an answer's end
	must(t, err)
	go func() {
		defer close(hungUp)
		defer cancel()
		_ = app.Notices(ctx, func() { close(started) }, func(string) {})
	}()
	return started, hungUp
}

func TestServerStopsInSpiteOfAClientThatDoesNotFinish(t *testing.T) {
	t.Parallel()
	tn := settle(t, places["sqlite"])
	p := tn.start(t)
	address := strings.TrimPrefix(tn.origin, "http://")
	for _, half := range []string{
		"POST /api/v1/applications HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"document\": \"",
		"GET /healthz HTTP/1.1\r\nHost: ",
	} {
		c, err := net.Dial("tcp", address)
		must(t, err)
		defer c.Close()
		_, err = c.Write([]byte(half))
		must(t, err)
	}
	wait(t.Context(), 200*time.Millisecond) // for the server to begin with them
	t.Logf("stopped in %v", p.stop(t).Round(time.Millisecond))
}
