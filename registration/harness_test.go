package registration_test

import (
	"context"
	"crypto/x509"

	"warifu"
	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/registration"
	"warifu/store"
	"warifu/text"
)

func must(t housetest.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// wantProblem checks the slug and that people would be told what to do.
func wantProblem(t housetest.TB, err error, slug string) {
	t.Helper()
	e := warifu.ProblemOf(err)
	if e == nil || e.Problem != slug {
		t.Fatalf("got %v, want problem %q", err, slug)
	}
	if !text.Has("problem." + slug) {
		t.Errorf("problem %q has no sentences", slug)
	}
	for _, lang := range text.Languages {
		for _, name := range text.ParamsOf("problem." + slug) {
			if e.Params[name] == "" {
				t.Errorf("problem %q in %s lacks its {%s}", slug, lang, name)
			}
		}
	}
}

func apply(h *housetest.House, s registration.Submission) (registration.Application, error) {
	return h.Registrar.Apply(context.Background(), s)
}

// nothingAccepted checks that the phone has no application at the server.
func nothingAccepted(t housetest.TB, h *housetest.House, p *housetest.Phone) {
	t.Helper()
	h.Read(t, func(tx *store.Tx) error {
		rows, err := tx.ApplicationsOfElement(p.Record.Element)
		if len(rows) != 0 {
			t.Errorf("%d applications of a phone that was refused", len(rows))
		}
		return err
	})
	h.Check(t)
}

func wantState(t housetest.TB, h *housetest.House, id string, want warifu.ApplicationState) registration.Application {
	t.Helper()
	a := h.Application(t, id)
	if a.State != want {
		t.Fatalf("the application is %s (%s), want %s", a.State, a.Problem, want)
	}
	return a
}

// credentials are what was issued for an application.
func credentials(t housetest.TB, h *housetest.House, id string) []store.Credential {
	t.Helper()
	var out []store.Credential
	h.Read(t, func(tx *store.Tx) (err error) {
		out, err = tx.CredentialsOfApplication(id)
		return err
	})
	return out
}

func wantCredentials(t housetest.TB, h *housetest.House, id string, n int, state warifu.CredentialState) {
	t.Helper()
	got := credentials(t, h, id)
	if len(got) != n {
		t.Fatalf("%d credentials, want %d", len(got), n)
	}
	for _, c := range got {
		if c.State != state {
			t.Errorf("credential %s is %s, want %s", c.Kind, c.State, state)
		}
	}
}

// contentOf is the application document inside a message.
func contentOf(t housetest.TB, der []byte) []byte {
	t.Helper()
	m, err := cms.Parse(der)
	must(t, err)
	return m.Content
}

// authenticationOf reads the authentication certificate off a person's card.
func authenticationOf(t housetest.TB, h *housetest.House, who string) []byte {
	t.Helper()
	view, err := h.Bureau.Show(who)
	must(t, err)
	for _, c := range view.Certificates {
		if c.Kind == warifu.Authentication {
			return c.Certificate.Raw
		}
	}
	t.Fatalf("%s's card has no authentication certificate", who)
	return nil
}

// secretsSet has the phone's element say that the secrets are set for a document.
func secretsSet(t housetest.TB, p *housetest.Phone, document warifu.Digest) []byte {
	t.Helper()
	element, err := jpki.SelectElement(context.Background(), p.App.Element)
	must(t, err)
	word, err := element.SecretsSet(context.Background(), document)
	must(t, err)
	return word
}

// signerOf is the certificate that signed a message.
func signerOf(t housetest.TB, der []byte) *x509.Certificate {
	t.Helper()
	m, err := cms.Parse(der)
	must(t, err)
	return m.Signer
}
