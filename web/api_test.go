package web_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/housetest"
	"warifu/web"
)

// canary is a value nobody may send back. As a base64 field it decodes; as a number it does not.
const canary = "CANARY7x9QZ"

// operations reads the interface's own description.
func description(t *testing.T, site http.Handler, version string) map[string]any {
	t.Helper()
	r := ask(site, "GET", "/api/openapi"+version+".json", "")
	var out map[string]any
	must(t, json.Unmarshal([]byte(text(t, r)), &out))
	return out
}

// noEcho checks that nothing of the answer repeats the canary, in any usual dress.
func noEcho(t *testing.T, what string, r *http.Response) {
	t.Helper()
	all := text(t, r)
	for name, values := range r.Header {
		all += name + strings.Join(values, "")
	}
	for _, dress := range []string{canary, strings.ToLower(canary), hex.EncodeToString([]byte(canary)), base64.StdEncoding.EncodeToString([]byte(canary))[:12]} {
		if strings.Contains(all, dress) {
			t.Errorf("%s: the answer repeats what was sent: %s", what, all)
		}
	}
}

// TestNoAnswerRepeatsWhatWasWrong walks the interface's own description and puts the
// canary into every field of every operation, one after another.
func TestNoAnswerRepeatsWhatWasWrong(t *testing.T) {
	h, site := site(t)
	fields := 0
	for path, item := range description(t, site, "")["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			for _, target := range []string{strings.NewReplacer("{id}", canary, "{session}", canary).Replace(path), path + "?day=" + canary + "&model=" + canary + "&osBuild=" + canary + "&appVersion=" + canary} {
				noEcho(t, method+" "+target, ask(site, strings.ToUpper(method), target, "{}", "Accept-Language", canary, "X-Canary", canary))
			}
			for _, name := range bodyFields(t, description(t, site, ""), op.(map[string]any)) {
				for _, value := range []string{`"` + canary + `"`, `["` + canary + `"]`, `{"` + canary + `":"` + canary + `"}`, `"` + base64.StdEncoding.EncodeToString([]byte(canary)) + `"`} {
					fields++
					target := strings.NewReplacer("{id}", "a"+strings.Repeat("q", 26), "{session}", "s"+strings.Repeat("q", 26)).Replace(path)
					body := fmt.Sprintf(`{%q:%s,%q:%q,"%s.x":1}`, name, value, canary, canary, canary)
					noEcho(t, method+" "+path+" "+name, ask(site, strings.ToUpper(method), target, body))
				}
			}
		}
	}
	if fields < 40 {
		t.Errorf("only %d fields were tried", fields)
	}
	noEcho(t, "a page", ask(site, "GET", "/devices?day="+canary, ""))
	noEcho(t, "an unknown page", ask(site, "GET", "/"+canary, "", "Accept", "text/html"))
	if strings.Contains(h.Log.String(), canary) {
		t.Error("the log holds what was sent")
	}
}

// bodyFields lists the names in an operation's body.
func bodyFields(t *testing.T, all, op map[string]any) []string {
	t.Helper()
	body, ok := op["requestBody"].(map[string]any)
	if !ok {
		return nil
	}
	schema := body["content"].(map[string]any)["application/json"].(map[string]any)["schema"].(map[string]any)
	if ref, ok := schema["$ref"].(string); ok {
		schema = resolve(t, all, ref)
	}
	var names []string
	for name := range schema["properties"].(map[string]any) {
		names = append(names, name)
	}
	return names
}

func resolve(t *testing.T, all map[string]any, ref string) map[string]any {
	t.Helper()
	at := any(all)
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		next, ok := at.(map[string]any)[part]
		if !ok {
			t.Fatalf("%s leads nowhere", ref)
		}
		at = next
	}
	return at.(map[string]any)
}

func TestBodiesAreBoundedAndUnderstood(t *testing.T) {
	_, site := site(t)
	big := strings.Repeat("A", 200<<10)
	for name, c := range map[string]struct {
		body, contentType, slug string
		status                  int
	}{
		"nothing":            {"", json_, "request-malformed", 400},
		"no JSON":            {"<xml/>", json_, "request-malformed", 400},
		"cut short":          {`{"document":"QUJD`, json_, "request-malformed", 400},
		"another type":       {`a=b`, "application/x-www-form-urlencoded", "request-malformed", 415},
		"missing fields":     {`{}`, json_, "request-malformed", 422},
		"no chain":           {`{"document":"","attestation":"","chain":[],"secretsSet":""}`, json_, "request-malformed", 422},
		"too many in chain":  {`{"document":"","attestation":"","chain":["","","","",""],"secretsSet":""}`, json_, "request-malformed", 422},
		"a number for text":  {`{"document":7,"attestation":"","chain":[""],"secretsSet":""}`, json_, "request-malformed", 422},
		"an unknown field":   {`{"document":"","attestation":"","chain":[""],"secretsSet":"","colour":"red"}`, json_, "request-malformed", 422},
		"too large":          {`{"document":"` + big + `"}`, json_, "request-too-large", 413},
		"an empty document":  {`{"document":"","attestation":"","chain":[""],"secretsSet":""}`, json_, "signature-malformed", 422},
		"a document too big": {`{"document":"` + strings.Repeat("AAAA", 12<<10) + `","attestation":"","chain":[""],"secretsSet":""}`, json_, "application-too-large", 413},
	} {
		t.Run(name, func(t *testing.T) {
			problem(t, ask(site, "POST", "/api/v1/applications", c.body, "Content-Type", c.contentType), c.status, c.slug)
		})
	}
}

// A refusal of the registration authority comes through whole: class, slug, parameters.
func TestRefusalsComeThrough(t *testing.T) {
	h, site := site(t)
	a := h.Phone(t).Apply(t, "taro")
	p := problem(t, ask(site, "POST", "/api/v1/applications/"+a.ID+"/sessions", "{}"), 409, "application-not-issued")
	if p.Params["state"] != "submitted" || !strings.Contains(p.DetailEn, "submitted") {
		t.Errorf("parameters %v, detail %q", p.Params, p.DetailEn)
	}
	problem(t, ask(site, "POST", "/api/v1/challenges", `{"element":"`+element+`","model":"iPhone17,1","osBuild":"1","appVersion":99}`), 403, "device-iphone")
	problem(t, ask(site, "POST", "/api/v1/applications/"+a.ID+"/withdrawal", `{"request":"AAAA"}`), 422, "paper-malformed")
}

// The description is one: every operation is named once, every reference leads
// somewhere, every path's parameters are described, in both versions.
func TestDescriptionIsSound(t *testing.T) {
	_, site := site(t)
	for suffix, version := range map[string]string{"": "3.1.0", "-3.0": "3.0.3"} {
		t.Run(version, func(t *testing.T) {
			d := description(t, site, suffix)
			if d["openapi"] != version {
				t.Errorf("version %v, want %s", d["openapi"], version)
			}
			info := d["info"].(map[string]any)
			if info["title"] == "" || info["version"] == "" {
				t.Errorf("info %v", info)
			}
			if server := d["servers"].([]any)[0].(map[string]any)["url"]; server != housetest.Origin {
				t.Errorf("server %v", server)
			}
			references(t, d, d)
			checkOperations(t, d)
		})
	}
}

func references(t *testing.T, all map[string]any, at any) {
	t.Helper()
	switch at := at.(type) {
	case map[string]any:
		if ref, ok := at["$ref"].(string); ok {
			resolve(t, all, ref)
		}
		for _, v := range at {
			references(t, all, v)
		}
	case []any:
		for _, v := range at {
			references(t, all, v)
		}
	}
}

func checkOperations(t *testing.T, d map[string]any) {
	t.Helper()
	var ids []string
	for path, item := range d["paths"].(map[string]any) {
		for method, o := range item.(map[string]any) {
			op := o.(map[string]any)
			id, _ := op["operationId"].(string)
			if id == "" || slices.Contains(ids, id) || op["summary"] == "" {
				t.Errorf("%s %s: operation %q", method, path, id)
			}
			ids = append(ids, id)
			var described []string
			parameters, _ := op["parameters"].([]any)
			for _, p := range parameters {
				p := p.(map[string]any)
				if p["in"] == "path" {
					described = append(described, "{"+p["name"].(string)+"}")
				}
			}
			for _, part := range strings.Split(path, "/") {
				if strings.HasPrefix(part, "{") && !slices.Contains(described, part) {
					t.Errorf("%s %s: %s is not described", method, path, part)
				}
			}
			responses := op["responses"].(map[string]any)
			if len(responses) < 2 {
				t.Errorf("%s %s describes %d answers", method, path, len(responses))
			}
			for code, r := range responses {
				if r.(map[string]any)["description"] == "" {
					t.Errorf("%s %s: answer %s has no words", method, path, code)
				}
			}
		}
	}
	for _, want := range []string{"challenge", "apply", "application", "withdraw", "open-session", "exchange", "devices", "banner", "submit-device"} {
		if !slices.Contains(ids, want) {
			t.Errorf("operation %s is not described", want)
		}
	}
}

func TestDescriptionsPageListsEveryOperation(t *testing.T) {
	_, site := site(t)
	page := text(t, ask(site, "GET", "/api/docs", ""))
	for path, item := range description(t, site, "")["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if !strings.Contains(page, strings.ToUpper(method)+" "+path) {
				t.Errorf("%s %s is not on the page", method, path)
			}
		}
	}
}

// The whole walk by the JSON interface alone, as the app walks it.
func TestWalkThroughTheInterface(t *testing.T) {
	h, _ := site(t)
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	must(t, p.App.Submit(t.Context(), d))
	h.Accepted(d.Application.ID)
	got, err := p.App.Status(t.Context())
	must(t, err)
	if got.State != warifu.ApplicationSubmitted || got.DueAt == nil || got.Forecast == nil || got.Lapses != nil {
		t.Errorf("submitted: %+v", got)
	}
	h.Drain(t)
	if got, err = p.App.Status(t.Context()); err != nil || got.State != warifu.ApplicationIssued || got.Lapses == nil || got.Forecast != nil {
		t.Errorf("issued: %+v %v", got, err)
	}
	must(t, p.Personalize())
	must(t, p.App.Submit(t.Context(), d)) // the same again is no other
	if d.Application.State != warifu.ApplicationPersonalized {
		t.Errorf("sent again it is %s", d.Application.State)
	}
	h.Check(t)
}

func TestApplyIsAnsweredWith202AndAnAddress(t *testing.T) {
	h, site := site(t)
	d := h.Phone(t).Draft(t, "taro")
	body, err := json.Marshal(d.Submission())
	must(t, err)
	r := ask(site, "POST", "/api/v1/applications", string(body))
	var a struct{ ID, State, Status string }
	must(t, json.Unmarshal([]byte(text(t, r)), &a))
	if r.StatusCode != http.StatusAccepted || r.Header.Get("Location") != a.Status || a.Status != "/api/v1/applications/"+a.ID || a.State != "submitted" {
		t.Errorf("%d %q %+v", r.StatusCode, r.Header.Get("Location"), a)
	}
	if r := ask(site, "GET", a.Status, ""); r.StatusCode != 200 {
		t.Errorf("at the address: %d", r.StatusCode)
	}
	refusals := map[string]int{}
	site2 := web.New(func() web.Config {
		c := h.SiteConfig()
		c.Refused = func(operation, slug string) { refusals[operation+" "+slug]++ }
		return c
	}())
	ask(site2, "GET", "/api/v1/applications/a"+strings.Repeat("q", 26), "")
	if refusals["application application-unknown"] != 1 {
		t.Errorf("refusals counted: %v", refusals)
	}
}
