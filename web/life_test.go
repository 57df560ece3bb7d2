package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/sandbox/handset"
)

// answer posts body as JSON (or gets, without one) and reads the answer into out.
func answer(t testing.TB, site http.Handler, target string, body, out any) {
	t.Helper()
	method, sent := "GET", ""
	if body != nil {
		b, err := json.Marshal(body)
		must(t, err)
		method, sent = "POST", string(b)
	}
	r := ask(site, method, target, sent)
	got := text(t, r)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, target, r.StatusCode, got)
	}
	must(t, json.Unmarshal([]byte(got), out))
}

type standingsAnswer struct {
	Credentials []struct {
		Kind, State, NotAfter string
		Holds                 []string
		Ticket                []byte
	}
}

func (s standingsAnswer) String() string {
	var out []string
	for _, c := range s.Credentials {
		out = append(out, fmt.Sprintf("%s %s %v", c.Kind, c.State, c.Holds))
	}
	return strings.Join(out, ", ")
}

// order has the phone's chip sign an order, the signing password given, and posts it.
func order(t testing.TB, h *housetest.House, p *housetest.Phone, door, purpose, subject string, out any) {
	t.Helper()
	ctx := context.Background()
	base := "/api/v1/elements/" + p.Record.Element.String()
	var c struct{ Challenge []byte }
	answer(t, h.Site, base+"/challenges", struct{}{}, &c)
	channel := p.Element.Internal(handset.AppCertificate)
	token, err := jpki.Select(ctx, channel)
	must(t, err)
	must(t, token.VerifyPhone(ctx, warifu.Signature, warifu.NewActivationSecret([]byte(housetest.Secrets.Signature))))
	request, err := token.Element().DeviceRequest(ctx, purpose, subject, c.Challenge)
	must(t, err)
	answer(t, h.Site, base+door, map[string]any{"request": request}, out)
}

// The whole leaving of a phone over HTTP: code, suspension, card, revocation, tickets,
// receipts, proof.
func TestALifeOverHTTP(t *testing.T) {
	h, site := site(t)
	p := h.Phone(t)
	a := p.Own(t, "taro")
	base := "/api/v1/elements/" + p.Record.Element.String()
	var code struct{ SuspensionCode string }
	order(t, h, p, "/suspension-code", "reissue-code", "code", &code)
	var held struct{ Held bool }
	answer(t, site, "/api/v1/suspensions", map[string]any{"code": code.SuspensionCode}, &held)
	var life struct {
		standingsAnswer
		ReplacedBy *time.Time
	}
	answer(t, site, "/api/v1/applications/"+a.ID+"/credentials", nil, &life)
	if got := life.String(); !held.Held || got != "signature held [lost], authentication held [lost]" || life.ReplacedBy != nil {
		t.Errorf("with the code: %s", got)
	}

	var c struct{ Challenge []byte }
	answer(t, site, "/api/v1/orders/challenges", struct{}{}, &c)
	content, err := attest.CardOrder{Challenge: c.Challenge, Verb: warifu.VerbResume, Kinds: warifu.Kinds[:], Reason: "lost"}.Marshal()
	must(t, err)
	var standing standingsAnswer
	answer(t, site, "/api/v1/orders", map[string]any{"document": h.SignAs(t, "taro", attest.OIDCardOrder, content)}, &standing)
	if got := standing.String(); got != "signature active [], authentication active []" {
		t.Errorf("with the card: %s", got)
	}
	var leaving struct {
		Live    []string
		Choices []struct {
			Choice, Advice string
			Sentence       struct{ TextJa, TextEn string }
		}
		Checklist []struct{ Item string }
	}
	answer(t, site, base+"/leaving?event=sale", nil, &leaving)
	if !slices.Equal(leaving.Live, []string{"signature", "authentication"}) || len(leaving.Choices) != 3 || leaving.Choices[0].Advice != "recommended" || len(leaving.Checklist) != 6 {
		t.Errorf("leaving: %+v", leaving)
	}

	standing = standingsAnswer{}
	order(t, h, p, "/orders", "revoke", "signature,authentication", &standing)
	if got := standing.String(); got != "signature revoked [], authentication revoked []" || standing.Credentials[0].Ticket == nil {
		t.Errorf("on the phone: %s", got)
	}
	h.Clock.Forward(time.Minute)
	element, err := jpki.SelectElement(t.Context(), p.Element.Contactless())
	must(t, err)
	var left struct{ Tickets [][]byte }
	answer(t, site, base+"/tickets", nil, &left)
	for i := range 2 {
		if len(left.Tickets) != 2-i {
			t.Fatalf("%d tickets left", len(left.Tickets))
		}
		gone, err := element.Kill(t.Context(), left.Tickets[0])
		must(t, err)
		answer(t, site, base+"/kill-receipts", map[string]any{"receipt": gone}, &left)
	}
	answer(t, site, base+"/leaving?event=sale", nil, &leaving)
	if len(leaving.Live) != 0 || len(leaving.Choices) != 0 {
		t.Errorf("afterwards leaving: %+v", leaving)
	}
	proves(t, h, site, p)
	h.Check(t)
}

// proves asks one proof alone and among forged ones.
func proves(t *testing.T, h *housetest.House, site http.Handler, p *housetest.Phone) {
	t.Helper()
	element, err := jpki.SelectElement(t.Context(), p.Element.Internal(handset.AppCertificate))
	must(t, err)
	var identifiers []string
	for _, made := range h.Maker.Phones() {
		if made.Element == p.Record.Element {
			identifiers = append(identifiers, "imei:"+made.IMEI)
		}
	}
	nonce := []byte("sixteen octets !")
	proof, err := element.CleanProof(t.Context(), "shop", nonce, identifiers, h.Clock.Now())
	must(t, err)
	chain, err := element.Chain(t.Context())
	must(t, err)
	question := func(marketplace string) map[string]any {
		return map[string]any{"proof": proof, "chain": chain, "question": map[string]any{"marketplace": marketplace, "nonce": nonce, "identifiers": identifiers}}
	}
	var one struct {
		Answer  string
		Reasons []struct{ Type string }
		Counter int
	}
	answer(t, site, "/api/v1/clean-proofs", question("shop"), &one)
	if one.Answer != "clean" || len(one.Reasons) != 0 || one.Counter != 1 {
		t.Errorf("one proof: %+v", one)
	}
	var many struct {
		Answers []struct {
			Answer  string
			Reasons []struct{ Type string }
		}
	}
	answer(t, site, "/api/v1/clean-proofs/bulk", map[string]any{"proofs": []any{question("shop"), question("another shop"), question("shop")}}, &many)
	if len(many.Answers) != 3 || many.Answers[0].Answer != "clean" || many.Answers[1].Answer != "unknown" || many.Answers[2].Answer != "clean" ||
		many.Answers[1].Reasons[0].Type != "urn:warifu:problem:clean-proof-other" {
		t.Errorf("many proofs: %+v", many)
	}
	b, err := json.Marshal(question("another shop"))
	must(t, err)
	problem(t, ask(site, "POST", "/api/v1/clean-proofs", string(b)), 403, "clean-proof-other")
}

func TestCodesAreCountedByWhereTheyComeFrom(t *testing.T) {
	_, site := site(t)
	try := func(address string) int {
		r := httptest.NewRequest("POST", "http://warifu.test/api/v1/suspensions", strings.NewReader(`{"code":"00000 00000 00000 00000 98"}`))
		r.RemoteAddr = address
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w.Code
	}
	for n := range 11 {
		want := http.StatusNotFound
		if n == 10 {
			want = http.StatusTooManyRequests
		}
		if got := try("192.0.2.7:4000"); got != want {
			t.Errorf("try %d: %d, want %d", n, got, want)
		}
	}
	if got := try("192.0.2.8:4000"); got != http.StatusNotFound {
		t.Errorf("another source: %d", got)
	}
	for range 20 { // a proxy of the operator's stands for many
		if got := try("127.0.0.1:4000"); got != http.StatusNotFound {
			t.Errorf("over loopback: %d", got)
		}
	}
}

func TestLifeDoorsRefuseInWords(t *testing.T) {
	_, site := site(t)
	base := "/api/v1/elements/" + element
	for _, c := range []struct {
		method, path, body, slug string
		status                   int
	}{
		{"POST", "/api/v1/suspensions", `{"code":"12"}`, "suspension-code-format", 422},
		{"POST", "/api/v1/suspensions", `{"code":"0000000000000000000000"}`, "suspension-code-mistyped", 422},
		{"POST", "/api/v1/suspensions", `{}`, "request-malformed", 422},
		{"POST", "/api/v1/suspensions", `{"code":"` + strings.Repeat("1", 300) + `"}`, "request-malformed", 422},
		{"POST", base + "/orders", `{"request":"AAAA"}`, "element-unknown", 404},
		{"POST", base + "/suspension-code", `{"request":"AAAA"}`, "element-unknown", 404},
		{"POST", base + "/kill-receipts", `{"receipt":"AAAA"}`, "element-unknown", 404},
		{"POST", base + "/checks", `{"request":"AAAA"}`, "element-unknown", 404},
		{"POST", "/api/v1/elements/" + strings.Repeat("0", 32) + "/challenges", `{}`, "element-id-malformed", 422},
		{"POST", "/api/v1/elements/short/orders", `{"request":"AAAA"}`, "request-malformed", 422},
		{"POST", "/api/v1/orders", `{"document":"AAAA"}`, "signature-malformed", 422},
		{"GET", base + "/leaving", "", "request-malformed", 422},
		{"GET", base + "/leaving?event=holiday", "", "request-malformed", 422},
		{"POST", "/api/v1/clean-proofs", `{"proof":"AAAA","chain":["AAAA"],"question":{"marketplace":"m","nonce":"AAAA","identifiers":[]}}`, "attestation-chain-invalid", 403},
		{"POST", "/api/v1/clean-proofs/bulk", `{"proofs":[]}`, "request-malformed", 422},
		{"GET", "/api/v1/applications/a" + strings.Repeat("z", 26) + "/credentials", "", "application-unknown", 404},
	} {
		problem(t, ask(site, c.method, c.path, c.body), c.status, c.slug)
	}
}

// R73: nobody can act for the holder. Every door that changes something is listed with
// the proof it takes; a new one stands here or the test fails, and each refuses whoever
// brings no proof, whatever they say they are.
func TestNoDoorTakesAnybodysWordForTheHolder(t *testing.T) {
	h, site := site(t)
	p := h.Phone(t)
	a := p.Own(t, "taro")
	proofs := map[string]string{
		"/api/v1/challenges":                            "none: it only makes a challenge",
		"/api/v1/elements/{element}/challenges":         "none: it only makes a challenge",
		"/api/v1/orders/challenges":                     "none: it only makes a challenge",
		"/api/v1/clean-proofs":                          "none: it only answers",
		"/api/v1/clean-proofs/bulk":                     "none: it only answers",
		"/api/v1/devices/submissions":                   "none: it only asks for a verification",
		"/api/v1/applications":                          "the card's signature and the chip's attestation",
		"/api/v1/applications/{id}/withdrawal":          "the chip's request",
		"/api/v1/applications/{id}/sessions":            "the chip's secure channel",
		"/api/v1/sessions/{session}":                    "the chip's secure channel",
		"/api/v1/elements/{element}/orders":             "the chip's request, the holder's secret in it",
		"/api/v1/elements/{element}/suspension-code":    "the chip's request, the holder's secret in it",
		"/api/v1/elements/{element}/contact":            "the chip's request, the holder's secret in it",
		"/api/v1/orders/contact":                        "the card's signature",
		"/api/v1/orders/consents":                       "the card's signature",
		"/api/v1/orders/consent":                        "the card's signature",
		"/api/v1/elements/{element}/kill-receipts":      "the chip's receipt",
		"/api/v1/elements/{element}/checks":             "the chip's request",
		"/api/v1/orders":                                "the card's signature",
		"/api/v1/suspensions":                           "the suspension code",
		"/api/v1/card-events":                           "the card bureau's signature",
		"/api/v1/elements/{element}/consents":           "the chip's request, the holder's secret in it",
		"/api/v1/elements/{element}/listings":           "a relying party's key",
		"/api/v1/elements/{element}/listings/{id}":      "the chip's request",
		"/api/v1/verifications":                         "a relying party's key",
		"/api/v1/verifications/{id}/attribute-requests": "a relying party's key",
		"/api/v1/webhooks":                              "a relying party's key",
		"/api/v1/webhooks/{id}/end":                     "a relying party's key",
		"/api/v1/clients":                               "none: a service that registers is nobody's holder",
		"/api/v1/clients/{id}":                          "the registration's token",
		"/api/v1/clients/{id}/rotate":                   "the registration's token",
	}
	nothing := map[string]string{ // what a clerk could send who has seen the phone and its papers
		"request": `"AAAA"`, "receipt": `"AAAA"`, "document": `"AAAA"`, "attestation": `"AAAA"`, "secretsSet": `"AAAA"`, "chain": `["AAAA"]`,
		"contact": `{"reading":"ハナコ","telephone":"09011112222"}`,
		"code":    `"0000 0000 0000 0000 0000 98"`, "responses": `["kAA="]`, "events": `["AAAA"]`, "envelopes": `["AAAA"]`,
	}
	all := description(t, site, "")
	for path, item := range all["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method == "get" || method == "parameters" {
				continue
			}
			proof, listed := proofs[path]
			if !listed {
				if strings.HasPrefix(path, "/api/v1/hotline") || strings.HasPrefix(path, "/api/v1/operators") {
					continue // operators of the authority, by roles of their own (K15)
				}
				t.Errorf("%s %s: what proof does it take?", method, path)
				continue
			}
			if strings.HasPrefix(proof, "none") {
				continue
			}
			fields := []string{}
			for _, name := range bodyFields(t, all, op.(map[string]any)) {
				if v, known := nothing[name]; known {
					fields = append(fields, fmt.Sprintf("%q:%s", name, v))
				}
			}
			target := strings.NewReplacer("{id}", a.ID, "{element}", p.Record.Element.String(), "{session}", "s"+strings.Repeat("q", 26)).Replace(path)
			r := ask(site, strings.ToUpper(method), target, "{"+strings.Join(fields, ",")+"}",
				"Authorization", "Bearer shop-staff", "X-Operator", "carrier", "X-Forwarded-User", "admin", "Cookie", "role=operator")
			opened := strings.HasSuffix(path, "/sessions") // a personalized phone may repeat its last command, which only its chip can answer
			if r.StatusCode < 400 && !opened {
				t.Errorf("%s %s: %d for a clerk without a proof", method, path, r.StatusCode)
			}
		}
	}
	h.Check(t)
	var life standingsAnswer
	answer(t, site, "/api/v1/applications/"+a.ID+"/credentials", nil, &life)
	if got := life.String(); got != "signature active [], authentication active []" {
		t.Errorf("after all that: %s", got)
	}
}
