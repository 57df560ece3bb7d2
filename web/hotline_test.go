package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
)

// hotlineSite is a site with three operators, and somebody who registered a contact over HTTP.
func hotlineSite(t *testing.T) (*housetest.House, http.Handler, string) {
	t.Helper()
	h, site := site(t)
	var list []registration.Operator
	for name, role := range map[string]registration.OperatorRole{"rin": registration.RoleRegistrar, "sei": registration.RoleRegistrar, "mio": registration.RoleAuditor} {
		list = append(list, registration.Operator{Name: name, Role: role, Token: warifu.DigestOf([]byte("token-" + name))})
	}
	var err error
	h.Registrar.Operators, err = registration.NewOperators(list)
	must(t, err)
	p := h.Phone(t)
	d := p.Draft(t, "hanako")
	b, err := json.Marshal(d.Submission())
	must(t, err)
	var sent map[string]any
	must(t, json.Unmarshal(b, &sent))
	sent["contact"] = map[string]string{"reading": "花子", "birthDate": "1985-11-03", "telephone": "09011112222"}
	post := func() *http.Response {
		b, err := json.Marshal(sent)
		must(t, err)
		return ask(site, "POST", "/api/v1/applications", string(b))
	}
	if got := problem(t, post(), 422, "contact-malformed"); got.Params["field"] != "reading" {
		t.Errorf("the field is %q", got.Params["field"])
	}
	sent["contact"] = map[string]string{"reading": "ﾊﾅｺ", "birthDate": "1985-11-03", "telephone": "０９０-1111-2222"}
	if r := post(); r.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", r.StatusCode, text(t, r))
	}
	a, err := p.Submit(t, d)
	must(t, err)
	h.Drain(t)
	must(t, p.Personalize())
	return h, site, a.ID
}

// operate posts as an operator and returns the body, which must not show a person.
func operate(t *testing.T, site http.Handler, who, path, body string, want int) map[string]any {
	t.Helper()
	r := ask(site, "POST", "/api/v1/hotline/"+path, body, "Authorization", "Bearer token-"+who)
	got := text(t, r)
	if r.StatusCode != want {
		t.Fatalf("%s: %d %s", path, r.StatusCode, got)
	}
	for _, canary := range []string{"ハナコ", "花子", "1985", "0901111"} {
		if strings.Contains(got, canary) {
			t.Errorf("%s answers %s", path, got)
		}
	}
	var out map[string]any
	must(t, json.Unmarshal([]byte(got), &out))
	return out
}

const hanakosContact = `{"reading":"はなこ","birthDate":"1985-11-3","telephone":"+81 90 1111 2222"}`

func TestAHotlineCallOverHTTP(t *testing.T) {
	h, site, id := hotlineSite(t)
	state := func() (out string) {
		var life standingsAnswer
		answer(t, site, "/api/v1/applications/"+id+"/credentials", nil, &life)
		return life.String()
	}
	for name, authorization := range map[string]string{"none": "", "wrong": "Bearer nobody", "no bearer": "Basic token-rin"} {
		t.Run(name, func(t *testing.T) {
			problem(t, ask(site, "POST", "/api/v1/hotline/searches", hanakosContact, "Authorization", authorization), 401, "operator-unknown")
		})
	}
	problem(t, ask(site, "POST", "/api/v1/hotline/searches", hanakosContact, "Authorization", "Bearer token-mio"), 403, "operator-may-not")

	found := operate(t, site, "rin", "searches", hanakosContact, 200)
	for key := range found {
		if !strings.Contains("receipt matched match expiresAt $schema", key) {
			t.Errorf("a search answers %s", key)
		}
	}
	match := found["match"].(string)
	suspend := `{"match":"` + match + `","callBackNumberGiven":true,"caller":"holder","phone":"stolen","card":"stolen"}`
	done := operate(t, site, "rin", "suspensions", suspend, 200)
	if done["receipt"] != found["receipt"] || done["cardBureau"] != "told" || done["cardToldAt"] == nil {
		t.Errorf("suspended: %v", done)
	}
	if got := state(); got != "signature held [lost], authentication held [lost]" {
		t.Errorf("after the call: %s", got)
	}
	problem(t, ask(site, "POST", "/api/v1/hotline/suspensions", strings.Replace(suspend, "holder", "花子", 1), "Authorization", "Bearer token-rin"), 422, "request-malformed")

	record := "calls/" + found["receipt"].(string)
	problem(t, ask(site, "POST", "/api/v1/hotline/resumptions", `{"match":"`+match+`","cause":"found"}`, "Authorization", "Bearer token-rin"), 409, "call-back-missing")
	if got := operate(t, site, "sei", record+"/call-backs", `{"outcome":"answered"}`, 200); got["callBack"] != "answered" || got["cardBureau"] != "told" {
		t.Errorf("called back: %v", got)
	}
	problem(t, ask(site, "POST", "/api/v1/hotline/"+record+"/call-backs", `{"outcome":"花子"}`, "Authorization", "Bearer token-rin"), 422, "request-malformed")
	problem(t, ask(site, "GET", "/api/v1/hotline/calls/0000-0000-0000", "", "Authorization", "Bearer token-rin"), 404, "receipt-unknown")
	problem(t, ask(site, "GET", "/api/v1/hotline/"+record, ""), 401, "operator-unknown")
	for _, c := range []struct{ path, cause, want string }{
		{"resumptions", "found", "signature active [], authentication active []"},
		{"revocations", "holder-request", "signature revoked [], authentication revoked []"},
	} {
		twoOperators(t, site, c.path, match, c.cause)
		if got := state(); got != c.want {
			t.Errorf("%s: %s", c.path, got)
		}
	}
	r := ask(site, "GET", "/api/v1/hotline/calls?from="+h.Clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339), "", "Authorization", "Bearer token-mio")
	if got := text(t, r); r.StatusCode != 200 || !strings.Contains(got, `"what":"call-back"`) || !strings.Contains(got, `"phone":"stolen"`) || strings.Contains(got, "0901111") {
		t.Errorf("calls: %d %s", r.StatusCode, got)
	}
}

func twoOperators(t *testing.T, site http.Handler, path, match, cause string) {
	t.Helper()
	p := operate(t, site, "rin", path, `{"match":"`+match+`","cause":"`+cause+`"}`, 202)
	confirmation := "/api/v1/hotline/" + path + "/" + p["proposal"].(string) + "/confirmation"
	problem(t, ask(site, "POST", confirmation, "", "Authorization", "Bearer token-rin"), 403, "four-eyes")
	operate(t, site, "sei", path+"/"+p["proposal"].(string)+"/confirmation", "", 200)
}
