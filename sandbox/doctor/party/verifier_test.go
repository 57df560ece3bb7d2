package party_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/profile"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
	"warifu/text"
	"warifu/timestamp"
	"warifu/verify"
)

// endpoint is a verifier on package verify. Where fault names a case, it forgives what that
// case looks for.
type endpoint struct {
	fault    string
	verifier *verify.Verifier
}

// forgiven are the reasons that a faulty twin overlooks; only says in what, where several
// cases have the same reason.
var forgiven = map[string]struct {
	reason string
	only   func(in []byte, r *verify.Result) bool
}{
	"paper-revoked":            {"certificate-revoked", revokedFor(warifu.ReasonKeyCompromise)},
	"paper-held":               {"certificate-suspended", nil},
	"paper-moved":              {"certificate-revoked", revokedFor(warifu.ReasonAffiliationChanged)},
	"paper-status-unknown":     {"status-unknown", nil},
	"paper-status-stale":       {"status-answer-stale", nil},
	"paper-status-future":      {"status-answer-future", nil},
	"paper-status-down":        {"status-unavailable", func(_ []byte, r *verify.Result) bool { return r.Reasons[0].Err == nil }},
	"paper-status-slow":        {"status-unavailable", func(_ []byte, r *verify.Result) bool { return r.Reasons[0].Err != nil }},
	"paper-status-stranger":    {"status-responder-unauthorized", nil},
	"paper-status-other":       {"status-answer-mismatch", nil},
	"paper-held-then":          {"certificate-was-suspended", nil},
	"paper-expired":            {"certificate-expired", nil},
	"paper-not-yet":            {"certificate-not-yet-valid", nil},
	"paper-unknown-authority":  {"certificate-authority-untrusted", func(in []byte, _ *verify.Result) bool { return issuedBy(in) != "DOCTOR1" }},
	"paper-leaf-issuer":        {"certificate-authority-untrusted", func(in []byte, _ *verify.Result) bool { return issuedBy(in) == "DOCTOR1" }},
	"paper-authentication-key": {"certificate-purpose", nil},
	"paper-other-policy":       {"certificate-policy-unknown", nil},
	"paper-signature-changed":  {"signature-invalid", nil},
	"paper-application":        {"signature-content-type", nil},
	"paper-pdf-rewritten":      {"pdf-changed", nil},
	"paper-other-document":     {"signature-content-mismatch", begins("0")},
	"paper-pdf-octets":         {"signature-content-mismatch", begins("%PDF")},
	"paper-xml-wrapped":        {"signature-content-mismatch", begins("<contract><money>900</money><contract>")},
	"paper-xml-changed":        {"signature-content-mismatch", begins("<contract><money>900</money><ds:Signature")},
}

func begins(with string) func([]byte, *verify.Result) bool {
	return func(in []byte, _ *verify.Result) bool { return bytes.HasPrefix(in, []byte(with)) }
}

func revokedFor(reason warifu.Reason) func([]byte, *verify.Result) bool {
	return func(_ []byte, r *verify.Result) bool { return r.Status.Reason == reason }
}

// issuedBy is the common name of who issued the signer's certificate.
func issuedBy(in []byte) string {
	m, err := cms.Parse(in)
	if err != nil {
		return ""
	}
	return m.Signer.Issuer.CommonName
}

// formOf is the form of what was handed in, as the cases are named for it.
func formOf(in, document []byte) string {
	switch {
	case bytes.HasPrefix(in, []byte("%PDF")):
		return "paper-good-pdf"
	case bytes.HasPrefix(in, []byte("<")):
		return "paper-good-xml"
	case document == nil:
		return "paper-good-attached"
	}
	return "paper-good"
}

// good is the verdict of the endpoint, twin or not.
func (e *endpoint) good(ctx context.Context, in, document []byte, r *verify.Result) bool {
	if r.Verdict == verify.Good {
		switch e.fault {
		case "paper-class":
			return r.Class != profile.ClassCard
		case "paper-resumed":
			past, err := verify.HistoryClient{}.Holds(ctx, r.Certificate, r.Authority, time.Now())
			return err != nil || !slices.ContainsFunc(past.Holds, func(i verify.Interval) bool { return !i.From.IsZero() && !i.To.IsZero() })
		}
		return formOf(in, document) != e.fault
	}
	f, ok := forgiven[e.fault]
	return ok && !slices.ContainsFunc(r.Reasons, func(x *warifu.Error) bool { return x.Problem != f.reason }) && (f.only == nil || f.only(in, r))
}

func (e *endpoint) judge(ctx context.Context, in, document []byte) (*verify.Result, error) {
	switch {
	case bytes.HasPrefix(in, []byte("%PDF")):
		all, err := e.verifier.PDF(ctx, in, verify.Policy{})
		if err != nil || len(all) == 0 {
			return nil, err
		}
		return all[0].Result, nil
	case bytes.HasPrefix(in, []byte("<")):
		return e.verifier.XML(ctx, in, verify.Policy{})
	}
	return e.verifier.Document(ctx, in, document, verify.Policy{})
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Signature, Document []byte }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	result, err := e.judge(r.Context(), in.Signature, in.Document)
	if err != nil || result == nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if len(result.Reasons) > 0 && strings.HasSuffix(result.Reasons[0].Problem, "-malformed") && e.fault == "paper-garbage" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	verdict := "bad"
	if e.good(r.Context(), in.Signature, in.Document, result) {
		verdict = "good"
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"verdict": verdict})
}

// verifying opens an examination of an endpoint with the fault.
func verifying(t *testing.T, fault string) *party.Examination {
	t.Helper()
	l, issuer := listen(t)
	e := &endpoint{fault: fault}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	folder := t.TempDir()
	c := party.Config{Issuer: issuer, Client: party.Client{ID: clientID, RedirectURI: "/callback"}, Login: party.Login{Start: "/login"}, Who: party.Who{URL: "/me", JSON: "/sub"},
		Verifier: party.Verifier{URL: "/", Good: "/verdict", Timestamps: true, Authorities: folder, Forms: []string{"detached", "attached", "pdf", "xml"}}}
	if err := c.Complete(server.URL); err != nil {
		t.Fatal(err)
	}
	x := open(t, c, l)
	e.verifier = believing(t, folder)
	return x
}

// believing is a verifier that believes the authorities in a folder.
func believing(t *testing.T, folder string) *verify.Verifier {
	t.Helper()
	read := func(name string) *x509.Certificate {
		der, err := os.ReadFile(filepath.Join(folder, name+".cer"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var trust verify.Trust
	for _, class := range []profile.Class{profile.ClassPhone, profile.ClassCard} {
		for _, kind := range warifu.Kinds {
			if err := trust.Add(class, kind, read(class.String()+"-"+kind.String())); err != nil {
				t.Fatal(err)
			}
		}
	}
	client := &http.Client{Timeout: 2 * time.Second}
	return verify.New(trust, verify.OCSPClient{HTTP: client}, warifu.SystemClock{}).WithHistory(verify.HistoryClient{HTTP: client}).WithTimestamps(timestamp.NewAnchors(read("timestamp")))
}

// papers hands in every paper, but for those that a verifier waits at: these only where the
// fault is about them.
func papers(t *testing.T, x *party.Examination, fault string) doctor.Report {
	t.Helper()
	var patterns []string
	for _, c := range party.Cases() {
		if c.Theme == "verifier" && (c.ID != "paper-status-slow" || fault == "" || fault == c.ID) {
			patterns = append(patterns, c.ID)
		}
	}
	s, err := x.Suite("").Select(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s.Run(t.Context(), nil)
}

func TestAGoodVerifierHasNoFault(t *testing.T) {
	t.Parallel()
	for _, r := range papers(t, verifying(t, ""), "").Results {
		if r.Outcome != doctor.Pass {
			t.Errorf("%s is %s: %s", r.ID, r.Outcome, r.Seen(text.English))
		}
	}
}

func TestEachTwinOfAVerifierHasItsOneFault(t *testing.T) {
	for _, c := range party.Cases() {
		if c.Theme != "verifier" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			found := false
			for _, r := range papers(t, verifying(t, c.ID), c.ID).Results {
				switch {
				case r.ID == c.ID && (r.Outcome == doctor.Fault || r.Outcome == doctor.Advice):
					found = true
				case r.Outcome == doctor.Pass:
				case strings.HasPrefix(c.ID, "paper-good") && r.Outcome == doctor.Unclear: // who refuses what is good says nothing by refusing
				default:
					t.Errorf("%s is %s: %v", r.ID, r.Outcome, r.Notes)
				}
			}
			if !found {
				t.Error("not found")
			}
		})
	}
}
