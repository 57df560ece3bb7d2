package registration

import (
	"context"
	"crypto/x509"
	"sync"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/provision"
	"warifu/store"
)

// Bounds of personalization sessions: they live in memory only, because a cut one
// is resumed by opening another.
const (
	maxSessions    = 10_000
	sessionLife    = 5 * time.Minute
	perApplication = 4
)

// session is one secure channel on its way through the phone.
type session struct {
	mu          sync.Mutex // one exchange at a time
	script      *provision.Session
	application string
	opened      time.Time
	done        bool
}

type sessions struct {
	mu   *sync.Mutex
	open map[string]*session
}

// Exchange is one round of a session: commands for the phone to hand to its chip
// and, when nothing is left, Done.
type Exchange struct {
	Session  string
	Commands [][]byte
	Done     bool
}

// CardProof shows that the card is there again (R45): its authentication key
// signed the presence message for this application and challenge.
type CardProof struct {
	Certificate []byte // the card's authentication certificate, DER
	Challenge   []byte // from ChallengeLength octets handed out in problem "card-proof-required"
	Signature   []byte
}

// OpenSession begins personalization (登録, R44) or resumes it after a cut. The
// application must be issued and not held; a personalized one is let in again so
// that an ACTIVATE that was cut off can be repeated. When the application is older
// than the scheme says, the card is asked again: Unauthenticated "card-proof-required".
func (a *Authority) OpenSession(ctx context.Context, id string, proof *CardProof) (Exchange, error) {
	row, held, err := a.row(ctx, id)
	if err != nil {
		return Exchange{}, err
	}
	if held {
		return Exchange{}, warifu.Conflict("application-held")
	}
	switch row.State {
	case warifu.ApplicationIssued:
		if err := a.cardAgain(ctx, row, proof); err != nil {
			return Exchange{}, err
		}
	case warifu.ApplicationPersonalized:
	default:
		return Exchange{}, warifu.Conflict("application-not-issued", "state", string(row.State))
	}
	script, err := a.script(ctx, row)
	if err != nil {
		return Exchange{}, err
	}
	step, err := script.Next(nil)
	if err != nil {
		return Exchange{}, err
	}
	s := &session{script: script, application: id, opened: a.Clock.Now(), done: step.Done}
	name, err := a.keep(s)
	if err != nil {
		return Exchange{}, err
	}
	return Exchange{Session: name, Commands: step.Commands, Done: step.Done}, nil
}

// script unseals what is to be written and makes the chip's script.
func (a *Authority) script(ctx context.Context, row store.Application) (*provision.Session, error) {
	work := provision.Work{Element: row.Element, Application: warifu.DigestOf([]byte(row.ID)), Certificates: map[warifu.Kind][]byte{}, Authorities: a.Authorities}
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		document, err := tx.UnsealBlob(row.Signed)
		if err != nil {
			return err
		}
		signer, err := signerOf(document)
		if err != nil {
			return err
		}
		work.Parent = signer.RawSubjectPublicKeyInfo
		credentials, err := tx.CredentialsOfApplication(row.ID)
		if err != nil {
			return err
		}
		for _, c := range credentials {
			if warifu.CredentialLife.Final(c.State) {
				return warifu.Conflict("application-not-issued", "state", string(c.State))
			}
			if work.Certificates[c.Kind], err = tx.UnsealBlob(c.Certificate); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return provision.NewSession(a.Keys, work, a.Random)
}

// keep stores the session under a new name, after forgetting those whose life is over.
func (a *Authority) keep(s *session) (string, error) {
	name, err := a.newID("s")
	if err != nil {
		return "", err
	}
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	same := 0
	for n, other := range a.sessions.open {
		if s.opened.Sub(other.opened) > sessionLife {
			delete(a.sessions.open, n)
		} else if other.application == s.application {
			same++
		}
	}
	if same >= perApplication || len(a.sessions.open) >= maxSessions {
		return "", warifu.TooMany("sessions-too-many")
	}
	a.sessions.open[name] = s
	return name, nil
}

func (a *Authority) session(name string) (*session, error) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	s, ok := a.sessions.open[name]
	if !ok || a.Clock.Now().Sub(s.opened) > sessionLife {
		delete(a.sessions.open, name)
		return nil, warifu.NotFound("session-unknown")
	}
	return s, nil
}

func (a *Authority) forget(name string) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	delete(a.sessions.open, name)
}

// Exchange hands the chip's responses to the script and returns the next commands.
// When the chip has signed its receipt, the credentials become active here, in one
// transaction, before the chip is told to activate (design §3.7). Any error ends
// the session; a new one resumes.
func (a *Authority) Exchange(ctx context.Context, name string, responses [][]byte) (Exchange, error) {
	s, err := a.session(name)
	if err != nil {
		return Exchange{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	step, err := s.script.Next(responses)
	if err == nil && step.Receipt != nil {
		if err = a.activate(ctx, s.application, step.Receipt); err == nil {
			step, err = s.script.Continue()
		}
	}
	if err != nil {
		a.forget(name)
		return Exchange{}, err
	}
	if step.Done {
		a.forget(name)
	}
	return Exchange{Session: name, Commands: step.Commands, Done: step.Done}, nil
}

// activate checks the chip's receipt and the card once more and commits: the
// credentials become active, every credential of an older device is superseded.
func (a *Authority) activate(ctx context.Context, id string, envelope []byte) error {
	row, _, err := a.row(ctx, id)
	if err != nil {
		return err
	}
	if row.State == warifu.ApplicationPersonalized {
		return nil // committed before a cut; only ACTIVATE is left
	}
	signer, cardAuthentication, err := a.checkReceipt(ctx, row, envelope)
	if err != nil {
		return err
	}
	statement, _, err := a.cardOf(ctx, signer, row.Document, row.Kinds, cardAuthentication)
	if err != nil {
		return err
	}
	if statement.Person != row.Person {
		return warifu.Refused("card-statement-other-card")
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return a.personalized(tx, row, envelope) })
}

// checkReceipt checks the receipt against what was to be written.
func (a *Authority) checkReceipt(ctx context.Context, row store.Application, envelope []byte) (signer *x509.Certificate, cardAuthentication []byte, err error) {
	var document []byte
	var chain [][]byte
	var credentials []store.Credential
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if document, err = tx.UnsealBlob(row.Signed); err != nil {
			return err
		}
		for _, d := range row.Chain {
			c, err := tx.UnsealBlob(d)
			if err != nil {
				return err
			}
			chain = append(chain, c)
		}
		for _, k := range row.Kinds {
			if k == warifu.Authentication {
				if cardAuthentication, err = tx.UnsealBlob(row.Parent.AuthenticationCertificate); err != nil {
					return err
				}
			}
		}
		credentials, err = tx.CredentialsOfApplication(row.ID)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if signer, err = signerOf(document); err != nil {
		return nil, nil, err
	}
	pub, element, err := attest.VerifyChain(chain, a.MakerAnchors, a.Clock.Now())
	if err != nil {
		return nil, nil, err
	}
	receipt, err := attest.OpenReceipt(envelope, pub)
	if err != nil {
		return nil, nil, err
	}
	if element != row.Element || !receiptMatches(receipt, row, warifu.DigestOf(signer.RawSubjectPublicKeyInfo), credentials) {
		return nil, nil, warifu.Refused("receipt-other-content")
	}
	return signer, cardAuthentication, nil
}

func receiptMatches(r attest.Receipt, row store.Application, parent warifu.Digest, credentials []store.Credential) bool {
	if r.Element != row.Element || r.Application != warifu.DigestOf([]byte(row.ID)) || r.Parent != parent || len(r.Slots) != len(credentials) {
		return false
	}
	for _, c := range credentials {
		found := false
		for _, s := range r.Slots {
			found = found || s == attest.Slot{Kind: c.Kind, PublicKey: c.PublicKey, Certificate: c.Certificate}
		}
		if !found {
			return false
		}
	}
	return true
}

// personalized is the one transaction of design §3.7.
func (a *Authority) personalized(tx *store.Tx, row store.Application, receipt []byte) error {
	held, err := isHeld(tx, row.ID)
	if err != nil {
		return err
	}
	if held {
		return warifu.Conflict("application-held")
	}
	now := a.Clock.Now()
	digest, err := tx.SealBlob(row.Person, receipt)
	if err != nil {
		return err
	}
	if _, err := tx.MoveApplication(row.ID, warifu.VerbPersonalize, now, ""); err != nil {
		return err
	}
	line := store.Line{ID: tx.NewID(), At: now, Actor: actorElement(row.Element), Verb: warifu.VerbPersonalize, Subject: row.ID, Detail: map[string]string{"receipt": digest.String()}}
	if err := tx.Audit(line); err != nil {
		return err
	}
	if err := a.supersede(tx, row, line.ID, now); err != nil {
		return err
	}
	return a.makeActive(tx, row, line.ID, now)
}

func (a *Authority) makeActive(tx *store.Tx, row store.Application, cause string, now time.Time) error {
	credentials, err := tx.CredentialsOfApplication(row.ID)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		if _, err := tx.MoveCredential(c.ID, warifu.VerbActivate, 0, now); err != nil {
			return err
		}
		if err := tx.Audit(store.Line{At: now, Actor: actorElement(row.Element), Verb: warifu.VerbActivate, Subject: c.ID, Cause: cause}); err != nil {
			return err
		}
	}
	return nil
}

// supersede ends every live credential of the person: one person, one device, and
// the newest pair replaces whatever was there (R55, K14).
func (a *Authority) supersede(tx *store.Tx, row store.Application, cause string, now time.Time) error {
	live, err := tx.LiveCredentials(row.Person)
	if err != nil {
		return err
	}
	for _, c := range live {
		if _, err := tx.MoveCredential(c.ID, warifu.VerbSupersede, warifu.ReasonSuperseded, now); err != nil {
			return err
		}
		if err := tx.Audit(store.Line{At: now, Actor: actorHouse, Verb: warifu.VerbSupersede, Subject: c.ID, Cause: cause}); err != nil {
			return err
		}
	}
	return nil
}
