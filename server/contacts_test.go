package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"warifu"
	"warifu/server"
	"warifu/store"
)

func TestContactsAreToldThroughTheGatewayAndAgainUntilItTakesThem(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	var answer atomic.Int32
	var got []map[string]string
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		var in map[string]string
		if err != nil || json.Unmarshal(b, &in) != nil || r.Header.Get("Authorization") != "Bearer between us" || r.Header.Get("Idempotency-Key") != in["id"] {
			t.Errorf("%s %v (%v)", b, r.Header, err)
		}
		got = append(got, in)
		w.WriteHeader(int(answer.Load()))
	}))
	defer gateway.Close()
	p.write(t, "secret", []byte("between us\n"))
	p.config.Contacts = server.ContactsConfig{Webhook: gateway.URL + "/send", SecretFile: p.path("secret"), AllowPrivate: true}
	must(t, p.config.Check())
	s := p.open(t, server.Options{})
	person := warifu.DigestOf([]byte("hanako"))
	must(t, s.Registration().Store.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.PutContact(person, store.Contact{Reading: "ハナコ", BirthDate: "19850403", Telephone: "09011112222"}, p.clock.Now()); err != nil {
			return err
		}
		for _, occasion := range []string{"new-phone", "contact-changed"} {
			if _, err := tx.PutContactNotice(store.ContactNotice{Person: person, Application: "a", Occasion: occasion, At: p.clock.Now()}); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, round := range []struct{ answer, arrive int }{
		{503, 1}, // it is away: the other waits
		{404, 2}, // it refuses: the other is tried
		{302, 2},
		{204, 2},
		{204, 0},
	} {
		got = nil
		answer.Store(int32(round.answer))
		s.Sweep(t.Context())
		if len(got) != round.arrive {
			t.Errorf("answering %d: %d arrived, want %d", round.answer, len(got), round.arrive)
		}
		for _, in := range got {
			if in["telephone"] != "09011112222" || !strings.Contains(in["textJa"], "電話") || !strings.Contains(in["textEn"], "hotline") || len(in) != 6 {
				t.Errorf("sent %v", in)
			}
		}
	}
}

func TestAGatewayThatWouldLeakIsRefused(t *testing.T) {
	p := newPremises(t)
	for fault, c := range map[string]server.ContactsConfig{
		"must be https":        {Webhook: "http://messages.example.jp/send"},
		"must be https:":       {Webhook: "http://127.0.0.1:9000/send"}, // loopback only where private is allowed
		"is no address":        {Webhook: "messages"},
		"a secret_file and no": {SecretFile: "secret"},
	} {
		with := p.config
		with.Contacts = c
		faultOf(t, with.Check(), fault)
	}
}

func faultOf(t *testing.T, err error, says string) {
	t.Helper()
	e := warifu.ProblemOf(err)
	if e == nil || !strings.Contains(e.Params["faults"], says) {
		t.Errorf("%v does not say %q", err, says)
	}
}
