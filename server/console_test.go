package server_test

import (
	"context"
	"regexp"
	"testing"

	"warifu/server"
)

var bootstrapLink = regexp.MustCompile(`^http://[a-z0-9.:]+/console/enrol/[A-Za-z0-9_-]{43}$`)

func TestAServerWithoutConsoleOperatorsTellsTheFirstLink(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	var links []string
	tell := func(link string) { links = append(links, link) }
	for range 2 { // at each start, until somebody enrolled
		must(t, p.open(t, server.Options{OnBootstrap: tell}).Close())
	}
	must(t, server.ConsoleBootstrap(context.Background(), p.config, server.Options{}, tell))
	if len(links) != 3 || links[0] == links[1] || links[1] == links[2] {
		t.Fatalf("%d links", len(links))
	}
	for _, l := range links {
		if !bootstrapLink.MatchString(l) {
			t.Errorf("%q is no link", l)
		}
	}
	p.config.Console.Off = true
	must(t, p.open(t, server.Options{OnBootstrap: tell}).Close())
	if len(links) != 3 {
		t.Error("a link to a console that there is not")
	}
}

func TestASandboxesConsoleIsOnLoopbackOnly(t *testing.T) {
	p := newPremises(t)
	p.config.Console.Sandbox = true
	fault(t, p.config.Check(), "configuration-invalid", "[console] sandbox") // its origin is a name
	p.config.Origin, p.config.Listen = "http://127.0.0.1:8400", "0.0.0.0:8400"
	fault(t, p.config.Check(), "configuration-invalid", "[console] sandbox")
	p.config.Listen = "127.0.0.1:8400"
	must(t, p.config.Check())
}
