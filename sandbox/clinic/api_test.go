package clinic_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"warifu/sandbox/clinic"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
)

func TestTheVisitByJSON(t *testing.T) {
	p := openPractice(t, nil)
	mux := http.NewServeMux()
	p.Routes(mux)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	door := doorway.NewClient(site.URL)
	type in map[string]any
	var v clinic.View
	post := func(path string, body in) string {
		t.Helper()
		return slug(door.Post(t.Context(), path, body, &v))
	}
	if got := post("/api/visits", in{"medium": "card"}); got != "" {
		t.Fatal(got)
	}
	visit := "/api/visits/" + v.ID
	for _, c := range []struct {
		path string
		in   in
		want string
	}{
		{"/consents", in{"medicine": true, "checkups": true, "highCost": true}, "clinic-step-other"},
		{"/touch", in{"pin": "1217"}, "reader-no-card"},
		{"/touch", in{"chip": "taro", "pin": "1217"}, ""},
		{"/consents", in{"medicine": true, "checkups": true}, "clinic-consent-open"},
		{"/consents", in{"medicine": true, "checkups": false, "highCost": false}, ""},
	} {
		if got := post(visit+c.path, c.in); got != c.want {
			t.Fatalf("%s %v: %q, want %q", c.path, c.in, got, c.want)
		}
	}
	if v.State != insurer.Insured || v.Answer.Medicine == nil || v.Answer.Checkups != nil {
		t.Errorf("%+v", v.Answer)
	}
	if err := door.Get(t.Context(), visit, &v); err != nil {
		t.Error(err)
	}
	if err := door.Delete(t.Context(), visit); err != nil {
		t.Error(err)
	}
	if err := door.Get(t.Context(), visit, &v); slug(err) != "clinic-visit-over" {
		t.Error(err)
	}
	if err := door.Post(t.Context(), "/api/line", in{"cut": true}, nil); err != nil {
		t.Error(err)
	}
	if got := post("/api/visits", in{"medium": "card"}); got != "" {
		t.Fatal(got)
	}
	if got := post("/api/visits/"+v.ID+"/touch", in{"chip": "taro", "pin": "1217"}); got != "" || v.State != clinic.Provisional {
		t.Errorf("without a line: %q %+v", got, v)
	}
}
