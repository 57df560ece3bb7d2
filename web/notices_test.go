package web_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/registration"
	"warifu/sandbox/handset"
	"warifu/web"
)

// reached counts the subscriptions that get as far as the notifier.
type reached struct{ times int }

func (n *reached) Handler(string, func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.times++
		w.WriteHeader(http.StatusNoContent)
	})
}

// A phone's push subscription is replaced by its own chip's word alone: not by whoever knows the
// element's identifier, nor by a word that was given for another subscription.
func TestAPushSubscriptionTakesTheChipsWord(t *testing.T) {
	there := &reached{}
	h, site := site(t, func(c *web.Config) { c.Notices = there })
	p, other := h.Phone(t), h.Phone(t)
	p.Own(t, "taro")
	other.Own(t, "hanako")
	subscription := `{"endpoint":"https://push.example/x"}`
	asked := func(of *housetest.Phone, purpose, body string) []string {
		t.Helper()
		c, err := h.Registrar.OrderChallenge(context.Background(), p.Record.Element)
		must(t, err)
		element, err := jpki.SelectElement(context.Background(), of.Element.Internal(handset.AppCertificate))
		must(t, err)
		envelope, err := element.DeviceRequest(context.Background(), purpose, warifu.DigestOf([]byte(body)).String(), c.Octets)
		must(t, err)
		return []string{"Authorization", "Device " + base64.StdEncoding.EncodeToString(envelope)}
	}
	path := "/api/v1/notices/" + p.Record.Element.String() + "/push"
	right := asked(p, registration.PurposePush, subscription)
	if r := ask(site, "POST", path, subscription, right...); r.StatusCode != http.StatusNoContent || there.times != 1 {
		t.Fatalf("the chip's own: %d", r.StatusCode)
	}
	for what, c := range map[string]struct {
		body    string
		headers []string
		status  int
		slug    string
	}{
		"nobody's word":         {subscription, nil, 401, "device-request-absent"},
		"another subscription":  {`{"endpoint":"https://push.example/y"}`, right, 403, "device-request-other"},
		"another purpose":       {subscription, asked(p, registration.PurposeCheck, subscription), 403, "device-request-other"},
		"another chip's word":   {subscription, asked(other, registration.PurposePush, subscription), 403, "paper-signature-invalid"},
		"more than one can say": {strings.Repeat("x", 3000), right, 413, "subscription-too-large"},
	} {
		t.Run(what, func(t *testing.T) { problem(t, ask(site, "POST", path, c.body, c.headers...), c.status, c.slug) })
	}
	h.Clock.Forward(time.Hour)
	problem(t, ask(site, "POST", path, subscription, right...), 403, "challenge-expired")
	if there.times != 1 {
		t.Errorf("%d subscriptions got through", there.times)
	}
}
