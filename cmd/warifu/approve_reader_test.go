//go:build linux

package main

import (
	"strings"
	"testing"

	"warifu/internal/pcsctest"
)

// K17 with a reader of one's own: a card in a PC/SC reader of this computer answers a login, and a
// phone there does not pass for one.
func TestACardInAPCSCReaderAnswersALogin(t *testing.T) {
	w := runWorld(t)
	phoneReady(t, w)
	stack := pcsctest.Start(t, inReader(t, w, "hanako"), inReader(t, w, "phone-1"))
	t.Setenv("PCSCLITE_CSOCK_NAME", stack.Socket())
	here, err := newShop(w.Places.Server)
	if err != nil {
		t.Fatal(err)
	}
	defer here.site.Close()
	person, err := newBrowser()
	if err != nil {
		t.Fatal(err)
	}
	if err := person.open(here.site.URL + "/login?scope=name"); err != nil {
		t.Fatal(err)
	}
	link := strings.Replace(person.address, "/login/", "/l/", 1)
	number := numberShown.FindStringSubmatch(person.page)[1]
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "--card, --reader", nil},
		{exitUsage, "--card, --reader", []string{"--card", "taro", "--reader", "PCD 00 00"}},
		{exitRefused, "no card reader of that name", []string{"--reader", "Acme", "--pin", "1103", "--only", "none"}},
		{exitRefused, "phone", []string{"--reader", "PCD 00 01", "--pin", "1103", "--only", "none"}},
		{exitDone, "is approved", []string{"--reader", "PCD 00 00", "--pin", "1103", "--card-password", "hanako85"}},
	} {
		args := append([]string{"card", "approve", link, "--number", number}, c.args...)
		if code, said := at(t, w, args...); code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%q: %d %s", args, code, said)
		}
	}
	if err := person.moved(); err != nil || !strings.Contains(person.page, "class=card activation=pin told=name name=割符　花子 ") {
		t.Errorf("%v %s", err, person.page)
	}
}
