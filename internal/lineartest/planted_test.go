package lineartest_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"warifu"
)

// stale is a cache in front of a responder that answers one question with what it heard
// earlier, once, although it was told otherwise since.
type stale struct {
	through http.RoundTripper
	mu      sync.Mutex
	heard   map[string]*first // by address
	told    bool              // the stale answer has been given
}

// first is the first answer to a question, and whether it was asked again since.
type first struct {
	body  []byte
	again bool
}

// RoundTrip implements http.RoundTripper.
func (s *stale) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard[r.URL.Path]
	if heard != nil && heard.again && !s.told {
		s.told = true
		return answerOf(r, heard.body), nil
	}
	response, err := s.through.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := drain(response)
	if err != nil {
		return nil, err
	}
	if heard == nil {
		s.heard[r.URL.Path] = &first{body: body}
	} else {
		heard.again = true // asked again only after the status had changed
	}
	return answerOf(r, body), nil
}

// A responder's cache that answers one question with what was true before is found out:
// a history is refused for one stale answer among many true ones.
func TestOneStaleAnswerIsFoundOut(t *testing.T) {
	tn := onSQLite(t)
	for _, lies := range []bool{false, true} {
		h := newHistory(tn.ticks)
		r, err := tn.resident(h, 0)
		must(t, err)
		transport := http.RoundTripper(&http.Transport{})
		liar := &stale{through: transport, heard: map[string]*first{}}
		if lies {
			transport = liar
		}
		must(t, r.shortLife(t.Context(), &http.Client{Transport: transport}))
		all, _ := h.taken()
		spoils := fits(t, all)
		if found := spoils != nil; found != lies || liar.told != lies {
			t.Errorf("a stale answer was given: %v; found: %v (%d calls)", liar.told, found, len(all))
		}
	}
}

// shortLife is one phone's, one call after the other: good, held, held, and asked again.
func (r *resident) shortLife(ctx context.Context, outside *http.Client) error {
	c, err := r.client(0, 0)
	if err != nil {
		return err
	}
	m, err := c.mobile(0)
	if err != nil {
		return err
	}
	if err := m.apply(ctx); err != nil {
		return err
	}
	m.personalize(ctx)
	ask := r.asker(1, nil, outside)
	look := func() error { return ask.look(ctx, r.all()[0], "GET") }
	if err := look(); err != nil {
		return err
	}
	what := call{verb: byCard, kinds: warifu.Kinds[:], order: warifu.VerbSuspend, reason: lost}
	document, err := c.cardOrder(ctx, what)
	if err != nil {
		return err
	}
	c.try(what, func() error {
		_, err := c.server.CardOrder(ctx, document)
		return err
	})
	for range 3 {
		if err := look(); err != nil {
			return err
		}
	}
	return nil
}

// The specification refuses what must not be: each history is one person's, told in the
// order in which it was, and only the last answer of it is wrong.
func TestTheSpecificationRefuses(t *testing.T) {
	both, good := warifu.Kinds[:], answer{status: warifu.Status{Cert: warifu.StatusGood}}
	held := answer{status: warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold}}
	gone := answer{status: warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCessationOfOperation}}
	type told struct {
		call   call
		answer answer
	}
	look := func(application int) call {
		return call{verb: read, application: application, kind: warifu.Signature, how: "GET"}
	}
	order := func(v verb, order warifu.Verb, reason holdSet) told {
		return told{call: call{verb: v, order: order, reason: reason, kinds: both}}
	}
	owned := []told{{call: call{verb: apply}}, {call: call{verb: personalize}}, {look(0), good}}
	second := []told{{call: call{verb: apply, application: 1, phone: 1}}}
	for name, c := range map[string]struct {
		then []told
		last told
		fits bool
	}{
		"good once suspended":                    {[]told{order(byDevice, warifu.VerbSuspend, ownWish)}, told{look(0), good}, false},
		"held once suspended":                    {[]told{order(byDevice, warifu.VerbSuspend, ownWish)}, told{look(0), held}, true},
		"good although a hold is left":           {[]told{order(byCard, warifu.VerbSuspend, lost), order(byDevice, warifu.VerbSuspend, repair), order(byDevice, warifu.VerbResume, repair)}, told{look(0), good}, false},
		"good again after its last hold":         {[]told{order(byCard, warifu.VerbSuspend, lost), order(byCard, warifu.VerbResume, lost)}, told{look(0), good}, true},
		"resumed once revoked":                   {[]told{order(byDevice, warifu.VerbRevoke, 0)}, order(byCard, warifu.VerbResume, lost), false},
		"good once revoked":                      {[]told{order(byDevice, warifu.VerbRevoke, 0)}, told{look(0), good}, false},
		"revoked for no reason":                  {nil, told{look(0), gone}, false},
		"a loss lifted by the phone":             {[]told{order(byCode, warifu.VerbSuspend, lost)}, order(byDevice, warifu.VerbResume, lost), false},
		"two phones":                             {append(second, told{call: call{verb: personalize, application: 1}}), told{look(0), good}, false},
		"the older of two phones":                {append(second, told{call: call{verb: personalize, application: 1}}), told{look(0), answer{status: warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded}}}, true},
		"personalized although held":             {append(second, order(cardEvent, warifu.VerbSuspend, 0)), told{call: call{verb: personalize, application: 1}}, false},
		"personalized although withdrawn":        {append(second, told{call: call{verb: apply, application: 2}}), told{call: call{verb: personalize, application: 1}}, false},
		"good though lost, when it was not done": {[]told{{order(byCard, warifu.VerbSuspend, lost).call, answer{lost: true}}}, told{look(0), good}, true},
		"held though lost, when it was done":     {[]told{{order(byCard, warifu.VerbSuspend, lost).call, answer{lost: true}}}, told{look(0), held}, true},
		"the card's end undone":                  {[]told{order(cardEvent, endCard, 0)}, order(byCard, warifu.VerbResume, lost), false},
	} {
		var history []porcupine.Operation
		for i, one := range append(append(owned[:len(owned):len(owned)], c.then...), c.last) {
			history = append(history, porcupine.Operation{Input: one.call, Output: one.answer, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		if got := linearizable(t, history); got != c.fits {
			t.Errorf("%s: fits %v, want %v", name, got, c.fits)
		}
	}
}
