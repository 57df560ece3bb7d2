package housetest

import (
	"context"

	"warifu"
	"warifu/catalogue"
	"warifu/store"
	"warifu/verification"
)

// Restart is a crash of the server and its next start, in process: the store, the queue,
// the registration authority with its sessions, responders, lists and the site are thrown
// away and made anew from what the database holds. Clock, bureau, makers, phones and the
// authorities, which are processes of their own, stay.
func (h *House) Restart(t TB) {
	t.Helper()
	check(t, h.Store.Close())
	var err error
	h.Store, err = store.Open(context.Background(), h.DSN, h.symmetric(t, keySeal), h.Clock)
	check(t, err)
	h.Queue = h.newQueue()
	h.Catalogue, err = catalogue.New(context.Background(), catalogue.InStore(h.Store), h.Clock, h.Scheme.MinimumAppVersion)
	check(t, err)
	for _, kind := range warifu.Kinds {
		h.openStatus(t, kind)
	}
	h.openRegistrar(t)
	h.Desk = verification.New(h.DeskConfig(t, h.Stamps))
	h.openHandler()
}
