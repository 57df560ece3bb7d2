package ca_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/ca"
	"warifu/cms"
	"warifu/profile"
)

// attack is what somebody with every right on the registration database, the queue and
// the wires might hand an authority. It answers with the authority attacked.
type attack struct {
	name    string
	problem string // the refusal expected
	mount   func(w *world, a *application) (warifu.Kind, ca.Request)
}

// change mounts an attack that changes a part of an application before it is signed
// and sealed by those whom the attacker does not own, or owns.
func change(kind warifu.Kind, do func(w *world, a *application)) func(*world, *application) (warifu.Kind, ca.Request) {
	return func(w *world, a *application) (warifu.Kind, ca.Request) {
		do(w, a)
		return kind, a.request()
	}
}

// swap mounts an attack that exchanges a part of a finished request.
func swap(kind warifu.Kind, do func(w *world, a *application, r *ca.Request)) func(*world, *application) (warifu.Kind, ca.Request) {
	return func(w *world, a *application) (warifu.Kind, ca.Request) {
		r := a.request()
		do(w, a, &r)
		return kind, r
	}
}

func identity(a *application) warifu.Digest { return warifu.DigestOf(must(a.document.Marshal())) }

// restate lets the bureau state something else about the application's card.
func restate(w *world, a *application, do func(s *attest.CardStatement)) {
	a.request() // fixes the document
	s := w.statementOf(a.card, identity(a))
	do(&s)
	a.statement = &s
}

const (
	sig  = warifu.Signature
	auth = warifu.Authentication
)

var documentAttacks = []attack{
	{"nothing at all", "signature-malformed", func(*world, *application) (warifu.Kind, ca.Request) { return sig, ca.Request{} }},
	{"a document of another content type", "document-not-an-application", swap(sig, func(w *world, a *application, r *ca.Request) {
		p := must(cms.Prepare(cms.OIDData, must(a.document.Marshal()), a.card.certs[sig], nil, now, false))
		d := p.Digest()
		r.Document = must(p.Finish(must(a.card.keys[sig].Sign(rand.Reader, d[:], crypto.SHA256))))
	})},
	{"a detached signature", "document-not-an-application", swap(sig, func(w *world, a *application, r *ca.Request) {
		p := must(cms.Prepare(attest.OIDApplicationDocument, must(a.document.Marshal()), a.card.certs[sig], nil, now, true))
		d := p.Digest()
		r.Document = must(p.Finish(must(a.card.keys[sig].Sign(rand.Reader, d[:], crypto.SHA256))))
	})},
	{"a flipped bit in the signature", "signature-invalid", swap(sig, func(_ *world, _ *application, r *ca.Request) { flip(&r.Document, len(r.Document)-3) })},
	{"a key changed in the document", "signature-content-mismatch", swap(sig, func(_ *world, a *application, r *ca.Request) {
		at := bytes.Index(r.Document, a.document.Keys[0].PublicKey)
		copy(r.Document[at:], spki(newKey()))
	})},
	{"SHA-1", "signature-algorithm", swap(sig, func(_ *world, a *application, r *ca.Request) {
		r.Document = forge(a, forgery{sha1: true})
	})},
	{"two signers", "signature-malformed", swap(sig, func(_ *world, a *application, r *ca.Request) {
		r.Document = forge(a, forgery{signers: 2})
	})},
	{"no signed attributes", "signature-malformed", swap(sig, func(_ *world, a *application, r *ca.Request) {
		r.Document = forge(a, forgery{bare: true})
	})},
	{"a kind nobody applied for", "kind-not-applied-for", func(w *world, _ *application) (warifu.Kind, ca.Request) {
		return sig, w.newApplication(auth).request()
	}},
	{"another scheme", "scheme-other", change(sig, func(_ *world, a *application) { a.document.Scheme = "badge/99" })},
	{"another consent", "consent-missing", change(sig, func(_ *world, a *application) { a.document.Consent = "" })},
	{"an old app", "app-too-old", change(sig, func(w *world, a *application) { w.scheme.MinimumAppVersion = a.document.AppVersion + 1 })},
	{"a forged challenge", "challenge-invalid", change(sig, func(w *world, a *application) {
		a.challenge(must(attest.NewChallenge(macOf("another key"), rand.Reader, a.element.id, w.clock)))
	})},
	{"a challenge of another element", "challenge-invalid", change(sig, func(w *world, a *application) {
		a.challenge(must(attest.NewChallenge(w.mac, rand.Reader, warifu.ElementID{9}, w.clock)))
	})},
	{"a challenge whose time was set forward", "challenge-invalid", change(sig, func(_ *world, a *application) {
		c := bytes.Clone(a.document.Challenge)
		c[3]++
		a.challenge(c)
	})},
	{"a challenge longer ago than the scheme waits", "challenge-outworn", change(sig, func(w *world, a *application) {
		a.challenge(must(attest.NewChallenge(w.mac, rand.Reader, a.element.id, w.clock.Add(-w.scheme.ChallengeMaxWait-time.Second))))
	})},
	{"a challenge from the future", "challenge-outworn", change(sig, func(w *world, a *application) {
		a.challenge(must(attest.NewChallenge(w.mac, rand.Reader, a.element.id, w.clock.Add(time.Hour))))
	})},
}

var cardAttacks = []attack{
	{"a phone's credential as parent", "parent-is-phone", change(sig, func(w *world, a *application) {
		phone := parse(w.issuers[sig].Issue(background, []ca.Request{w.newApplication().request()})[0].Certificate)
		a.signer = newKey()
		a.certificate = w.reissue(sig, phone, a.signer)
	})},
	{"a card of an authority nobody named", "card-authority-unknown", change(sig, func(w *world, a *application) { a.card = newWorld("badge").newCard() })},
	{"the card's authentication key", "profile-mismatch", change(sig, func(_ *world, a *application) {
		a.signer, a.certificate = a.card.keys[auth], a.card.certs[auth]
	})},
	{"an expired card", "card-expired", change(sig, func(w *world, a *application) {
		a.card = w.newCard(func(_ warifu.Kind, e *profile.EndEntity) { e.NotAfter = now.Add(-time.Second) })
	})},
	{"a card of tomorrow", "card-expired", change(sig, func(w *world, a *application) {
		a.card = w.newCard(func(_ warifu.Kind, e *profile.EndEntity) { e.NotBefore = now.Add(time.Hour) })
	})},
	{"a person of fourteen", "person-too-young", change(sig, func(w *world, a *application) {
		w.scheme.MinimumAge = 15
		a.card = w.newCard(func(k warifu.Kind, e *profile.EndEntity) {
			if k == sig {
				e.Attributes.BirthDate = "520110611"
			}
		})
	})},
	{"another person's authentication certificate", "card-statement-other-card", swap(auth, func(w *world, a *application, r *ca.Request) {
		other := w.newCard()
		r.CardAuthentication = other.certs[auth].Raw
		r.CardStatus[auth] = w.answer(auth, other.certs[auth].SerialNumber, warifu.Status{Cert: warifu.StatusGood}, w.clock)
	})},
	{"a signature certificate in the authentication certificate's place", "profile-mismatch", swap(auth, func(_ *world, a *application, r *ca.Request) {
		r.CardAuthentication = a.card.certs[sig].Raw
	})},
	{"no authentication certificate", "card-authentication-missing", swap(auth, func(_ *world, _ *application, r *ca.Request) { r.CardAuthentication = nil })},
	{"a statement of another card", "card-statement-other-card", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { *s = w.statementOf(w.newCard(), s.Nonce) })
	})},
	{"a statement for another document", "card-statement-other-card", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Nonce[0] ^= 1 })
	})},
	{"a statement with another serial number", "card-statement-other-card", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Certificates[0].Serial = []byte{1, 2, 3} })
	})},
	{"a statement of another certificate with that serial number", "card-statement-other-card", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Certificates[0].Certificate[0] ^= 1 })
	})},
	{"a statement without our kind", "card-statement-other-card", change(auth, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Certificates = s.Certificates[:1] })
	})},
	{"a stale statement", "card-statement-stale", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) {
			s.ProducedAt = w.clock.Add(-w.scheme.StatementMaxAge - time.Second)
		})
	})},
	{"a statement from the future", "card-statement-stale", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.ProducedAt = w.clock.Add(time.Hour) })
	})},
	{"a statement that calls the card revoked", "card-revoked", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Certificates[0].State = warifu.StatusRevoked })
	})},
	{"a statement that calls the card held", "card-held", change(auth, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) {
			s.Certificates[1].State, s.Certificates[1].Held = warifu.StatusRevoked, true
		})
	})},
	{"a statement that knows nothing", "card-unknown", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Certificates[0].State = warifu.StatusUnknown })
	})},
	{"a statement of one's own making", "paper-signature-invalid", change(sig, func(_ *world, a *application) { a.sealer = newKey() })},
	{"a parent that ends before now by statement", "card-expired", change(sig, func(w *world, a *application) {
		restate(w, a, func(s *attest.CardStatement) { s.Certificates[0].NotAfter = w.clock.Add(-time.Minute) })
	})},
}

var statusAttacks = []attack{
	{"no status answer", "status-answer-malformed", swap(sig, func(_ *world, _ *application, r *ca.Request) { delete(r.CardStatus, sig) })},
	{"no answer about the signing card on the other kind", "status-answer-malformed", swap(auth, func(_ *world, _ *application, r *ca.Request) { delete(r.CardStatus, sig) })},
	{"an answer about another serial number", "status-answer-mismatch", swap(sig, func(w *world, _ *application, r *ca.Request) {
		r.CardStatus[sig] = w.answer(sig, big.NewInt(4711), warifu.Status{Cert: warifu.StatusGood}, w.clock)
	})},
	{"an answer of the other authority", "status-responder-unauthorized", swap(sig, func(w *world, a *application, r *ca.Request) {
		r.CardStatus[sig] = w.answer(auth, a.card.certs[sig].SerialNumber, warifu.Status{Cert: warifu.StatusGood}, w.clock)
	})},
	{"an answer of another world", "status-responder-unauthorized", swap(sig, func(w *world, a *application, r *ca.Request) {
		r.CardStatus[sig] = newWorld("badge").answer(sig, a.card.certs[sig].SerialNumber, warifu.Status{Cert: warifu.StatusGood}, w.clock)
	})},
	{"an old answer", "card-status-stale", change(sig, func(w *world, a *application) {
		a.statusAt = w.clock.Add(-w.scheme.StatusMaxAge - time.Second)
	})},
	{"an answer from the future", "status-answer-future", change(sig, func(w *world, a *application) { a.statusAt = w.clock.Add(6 * time.Minute) })},
	{"a revoked card", "card-revoked", change(sig, func(_ *world, a *application) {
		a.status[sig] = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded}
	})},
	{"a held card", "card-held", change(auth, func(_ *world, a *application) {
		a.status[auth] = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold}
	})},
	{"an unknown card", "card-unknown", change(sig, func(_ *world, a *application) { a.status[sig] = warifu.Status{} })},
	{"a flipped bit in the answer", "status-answer-signature", swap(sig, func(_ *world, _ *application, r *ca.Request) {
		answer := bytes.Clone(r.CardStatus[sig])
		flip(&answer, len(answer)-2)
		r.CardStatus[sig] = answer
	})},
}

var elementAttacks = []attack{
	{"an attestation of a maker nobody named", "attestation-chain-invalid", change(sig, func(w *world, a *application) {
		stranger := newWorld("badge")
		a.rechip(stranger.newElement())
	})},
	{"no chain", "attestation-chain-invalid", swap(sig, func(_ *world, _ *application, r *ca.Request) { r.Chain = nil })},
	{"a chain of another chip", "paper-signature-invalid", swap(sig, func(w *world, _ *application, r *ca.Request) { r.Chain = w.newElement().chain })},
	{"a tampered attestation", "paper-signature-invalid", swap(sig, func(_ *world, _ *application, r *ca.Request) {
		r.Attestation = bytes.Clone(r.Attestation)
		flip(&r.Attestation, 40)
	})},
	{"the attestation of another application", "attestation-other-document", swap(sig, func(_ *world, a *application, r *ca.Request) {
		other := a.attestation
		other.Counter++
		r.Attestation = must(other.Seal(a.element.key))
	})},
	{"keys not of the chip", "attestation-other-document", change(sig, func(_ *world, a *application) {
		a.document.Keys = append([]attest.Key{{Kind: sig, PublicKey: spki(newKey())}}, a.document.Keys[1:]...)
	})},
	{"one of two keys not of the chip", "attestation-other-document", change(sig, func(_ *world, a *application) {
		a.document.Keys = append(a.document.Keys[:1:1], attest.Key{Kind: auth, PublicKey: spki(newKey())})
	})},
	{"a key fewer than attested", "attestation-other-document", change(sig, func(_ *world, a *application) { a.document.Keys = a.document.Keys[:1] })},
	{"a document for another chip", "challenge-invalid", change(sig, func(_ *world, a *application) { a.document.Element[3] ^= 1 })},
	{"a chip that names another", "attestation-other-document", change(sig, func(_ *world, a *application) { a.attestation.Element[3] ^= 1 })},
	{"a document for another model", "attestation-other-document", change(sig, func(_ *world, a *application) { a.document.Model = "sample/finer" })},
	{"an attestation over another challenge", "attestation-other-document", change(sig, func(_ *world, a *application) {
		a.attestation.Challenge = bytes.Clone(a.attestation.Challenge)
		a.attestation.Challenge[20] ^= 1
	})},
	{"secrets set for another document", "secrets-set-other-document", change(sig, func(_ *world, a *application) {
		a.secrets = &attest.SecretsSet{Element: a.element.id, Document: warifu.Digest{1}, Kinds: a.document.Kinds()}
	})},
	{"secrets set for one kind of two", "secrets-set-other-document", change(sig, func(_ *world, a *application) {
		a.request()
		a.secrets = &attest.SecretsSet{Element: a.element.id, Document: identity(a), Kinds: []warifu.Kind{sig}}
	})},
	{"secrets set by another chip", "paper-signature-invalid", swap(sig, func(w *world, a *application, r *ca.Request) {
		other := w.newElement()
		r.SecretsSet = must(attest.SecretsSet{Element: a.element.id, Document: identity(a), Kinds: a.document.Kinds()}.Seal(other.key))
	})},
	{"an attestation in the place of secrets set", "paper-signature-invalid", swap(sig, func(_ *world, _ *application, r *ca.Request) { r.SecretsSet = r.Attestation })},
	{"the card's own key", "key-not-new", change(sig, func(_ *world, a *application) { a.setKey(0, spki(a.card.keys[sig])) })},
	{"the authority's own key", "key-not-new", change(sig, func(w *world, a *application) { a.setKey(0, spki(w.keys[sig])) })},
	{"one key for both kinds", "key-not-new", change(sig, func(_ *world, a *application) { a.setKey(0, a.document.Keys[1].PublicKey) })},
	{"a key of another algorithm", "key-algorithm-unsupported", change(sig, func(_ *world, a *application) { a.setKey(0, spki(rsaKey())) })},
	{"a key that is none", "certificate-draft-malformed", change(sig, func(_ *world, a *application) { a.setKey(0, []byte("\x30\x03\x02\x01\x05")) })},
}

func TestAHostileRegistrationAuthorityGetsNoSignature(t *testing.T) {
	for _, group := range [][]attack{documentAttacks, cardAttacks, statusAttacks, elementAttacks} {
		for _, a := range group {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld("badge")
				kind, r := a.mount(w, w.newApplication())
				signatures, intents := w.signatures(), w.intents()
				o := w.issuers[kind].Issue(t.Context(), []ca.Request{r})[0]
				if !errors.Is(o.Err, &warifu.Error{Problem: a.problem}) {
					t.Errorf("%v, want %s", o.Err, a.problem)
				}
				if o.Certificate != nil || w.signatures() != signatures || w.intents() != intents {
					t.Errorf("certificate %v, %d signatures, %d intents", o.Certificate != nil, w.signatures()-signatures, w.intents()-intents)
				}
			})
		}
	}
}

func TestTheForgersPenWritesWhatWeAccept(t *testing.T) {
	w := newWorld("badge")
	a := w.newApplication()
	r := a.request()
	r.Document = forge(a, forgery{})
	w.issue(t, sig, r) // so that the forgeries above fail for their fault and not for their shape
}

func TestAReplayedDocumentIsNotSignedAgain(t *testing.T) {
	w := newWorld("badge")
	r := w.newApplication().request()
	first := w.issue(t, sig, r)
	signatures := w.signatures()
	w.clock = w.clock.Add(time.Minute)
	if again := w.issue(t, sig, r); !bytes.Equal(again, first) || w.signatures() != signatures {
		t.Errorf("same certificate %v, %d more signatures", bytes.Equal(again, first), w.signatures()-signatures)
	}
}

func TestAKeySeenBeforeIsNeverCertifiedAgain(t *testing.T) {
	w := newWorld("badge")
	a := w.newApplication()
	w.issue(t, sig, a.request())
	for name, do := range map[string]func(b *application){
		"on the same phone":   func(b *application) { b.rechip(a.element) },
		"on another phone":    func(*application) {},
		"with the same card":  func(b *application) { b.card = a.card },
		"with the other kind": func(b *application) { b.document.Keys[1] = attest.Key{Kind: auth, PublicKey: spki(newKey())} },
	} {
		b := w.newApplication()
		do(b)
		b.setKey(0, a.document.Keys[0].PublicKey)
		signatures, intents := w.signatures(), w.intents()
		o := w.issuers[sig].Issue(t.Context(), []ca.Request{b.request()})[0]
		if !errors.Is(o.Err, &warifu.Error{Problem: "key-seen"}) || w.signatures() != signatures || w.intents() != intents {
			t.Errorf("%s: %v", name, o.Err)
		}
	}
}

func TestALedgerThatLiesGetsNoSignature(t *testing.T) {
	other := newWorld("badge")
	stolen := other.newApplication().request()
	other.issue(t, sig, stolen)
	theirs := other.ledgers[sig].rows[0]
	for name, do := range map[string]func(row *warifu.Intent){
		"another's octets": func(row *warifu.Intent) { row.TBS = theirs.TBS },
		"another document": func(row *warifu.Intent) { row.Document = theirs.Document },
		"another key":      func(row *warifu.Intent) { row.PublicKey = theirs.PublicKey },
		"longer life": func(row *warifu.Intent) {
			row.TBS = bytes.Replace(row.TBS, []byte("300217145959Z"), []byte("310217145959Z"), 1)
		},
		"a CA's certificate": func(row *warifu.Intent) { row.TBS = other.authority[sig].certificate.RawTBSCertificate },
	} {
		w := newWorld("badge")
		issuer := must(ca.New(withLedger(ca.ConfigOf(w.issuers[sig]), &liar{w.ledgers[sig], do})))
		if o := issuer.Issue(t.Context(), []ca.Request{w.newApplication().request()})[0]; o.Err == nil || w.signatures() != 0 {
			t.Errorf("%s: %v, %d signatures", name, o.Err, w.signatures())
		}
	}
}
