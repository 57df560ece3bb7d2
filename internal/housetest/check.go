package housetest

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/profile"
	"warifu/store"
)

// memory is what Check keeps from one call to the next: what can only be seen over time.
type memory struct {
	mu       sync.Mutex      // of accepted: phones may submit at once
	accepted map[string]bool // application identifiers that were answered 202
	ended    map[string]bool // serials seen revoked for good
	proven   map[string]bool // applications whose papers, and credentials whose certificates, were checked
	active   map[string]bool // credentials seen active
}

func newMemory() *memory {
	return &memory{accepted: map[string]bool{}, ended: map[string]bool{}, proven: map[string]bool{}, active: map[string]bool{}}
}

func (m *memory) accept(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accepted[id] = true
}

// Accepted tells Check of an application that was answered with success.
func (h *House) Accepted(id string) { h.memory.accept(id) }

// picture is the whole state on one snapshot.
type picture struct {
	applications []store.Application
	credentials  map[string][]store.Credential // by application
	moves        map[string][]store.Move
	lines        map[string][]store.Line
	status       map[string]warifu.Status // by credential
	settling     bool                     // what was intended for ended applications is still being listed
}

// checker compares a picture with the invariants.
type checker struct {
	*House
	t TB
	p *picture
}

// Check re-derives the whole state and compares it with the invariants of design §3.
// Applications that were submitted past Phone.Submit are told to it by Accepted.
func (h *House) Check(t TB) {
	t.Helper()
	c := checker{h, t, h.photograph(t)}
	c.everythingAcceptedIsThere()
	for _, a := range c.p.applications {
		c.lifeIsWhole(a.ID, string(a.State))
		c.papersHold(a)
		c.credentialsFit(a)
		for _, cred := range c.p.credentials[a.ID] {
			c.lifeIsWhole(cred.ID, string(cred.State))
			c.certificateHolds(a, cred)
			c.statusFits(cred)
			c.parentIsGood(a, cred)
		}
	}
	c.onePersonOneDevice()
	c.ledgersFit()
}

// photograph reads everything on one snapshot. Every application has its line "apply".
func (h *House) photograph(t TB) *picture {
	t.Helper()
	var p *picture
	h.Read(t, func(tx *store.Tx) error {
		p = &picture{credentials: map[string][]store.Credential{}, moves: map[string][]store.Move{}, lines: map[string][]store.Line{}, status: map[string]warifu.Status{}}
		all, err := everyLine(tx)
		if err != nil {
			return err
		}
		for _, l := range all {
			p.lines[l.Subject] = append(p.lines[l.Subject], l)
			if l.Verb != "apply" {
				continue
			}
			a, err := tx.Application(l.Subject)
			if err != nil {
				return err
			}
			p.applications = append(p.applications, a)
			if err := p.addLives(tx, a); err != nil {
				return err
			}
		}
		depths, err := tx.JobDepths()
		for _, d := range depths {
			p.settling = p.settling || d.Kind == "settle" && d.Ready+d.Leased > 0
		}
		return err
	})
	return p
}

func everyLine(tx *store.Tx) (all []store.Line, err error) {
	const page = 1000
	for last := ""; ; last = all[len(all)-1].ID {
		lines, err := tx.AuditAfter(last, page)
		if err != nil {
			return nil, err
		}
		if all = append(all, lines...); len(lines) < page {
			return all, nil
		}
	}
}

func (p *picture) addLives(tx *store.Tx, a store.Application) (err error) {
	if p.moves[a.ID], err = tx.Moves(a.ID); err != nil {
		return err
	}
	if p.credentials[a.ID], err = tx.CredentialsOfApplication(a.ID); err != nil {
		return err
	}
	for _, c := range p.credentials[a.ID] {
		if p.moves[c.ID], err = tx.Moves(c.ID); err != nil {
			return err
		}
		record, found, err := tx.StatusOf(c.Kind, c.Serial)
		if err != nil {
			return err
		}
		if found {
			p.status[c.ID] = record.Status
		}
	}
	return nil
}

func (c checker) everythingAcceptedIsThere() {
	for id := range c.memory.accepted {
		if !slices.ContainsFunc(c.p.applications, func(a store.Application) bool { return a.ID == id }) {
			c.t.Errorf("application %s was accepted and is gone", id)
		}
	}
}

// lifeIsWhole: the moves lead from the beginning to the state, along arrows, and each
// has its audit line with the same verb and instant.
func (c checker) lifeIsWhole(id, state string) {
	moves := c.p.moves[id]
	if len(moves) == 0 || moves[len(moves)-1].To != state {
		c.t.Errorf("%s is %s, and its moves say otherwise: %v", id, state, moves)
		return
	}
	lines := slices.Clone(c.p.lines[id])
	for i, m := range moves {
		if i == 0 {
			continue // the beginning of an application is its line "apply"
		}
		if m.From != moves[i-1].To {
			c.t.Errorf("%s: move %d begins at %s after %s", id, i, m.From, moves[i-1].To)
		}
		at := slices.IndexFunc(lines, func(l store.Line) bool { return l.Verb == m.Verb && l.At.Equal(m.At) && l.Actor != "" })
		if at < 0 {
			c.t.Errorf("%s: move %d (%s) has no audit line", id, i, m.Verb)
			continue
		}
		lines = slices.Delete(lines, at, at+1)
	}
}

// papersHold: every application has its card's signature and card statement, and the
// element's three words.
func (c checker) papersHold(a store.Application) {
	if c.memory.proven[a.ID] {
		return
	}
	c.memory.proven[a.ID] = true
	message, err := cms.Parse(c.unseal(a.Signed))
	if err == nil {
		err = message.Verify(nil)
	}
	if err != nil || warifu.DigestOf(message.Content) != a.Document {
		c.t.Errorf("%s: the card's signature does not hold: %v", a.ID, err)
		return
	}
	statement, err := attest.OpenCardStatement(c.unseal(a.Statement), c.Bureau.StatementKey())
	signing, ok := statement.Of(warifu.Signature)
	if err != nil || !ok || statement.Person != a.Person || statement.Nonce != a.Document || signing.Certificate != warifu.DigestOf(message.Signer.Raw) {
		c.t.Errorf("%s: the card statement is not about who signed: %v", a.ID, err)
	}
	chain := make([][]byte, len(a.Chain))
	for i, d := range a.Chain {
		chain[i] = c.unseal(d)
	}
	pub, element, err := attest.VerifyChain(chain, c.Maker.Anchors(), a.SubmittedAt)
	if err != nil || element != a.Element {
		c.t.Errorf("%s: the attestation's chain: %v", a.ID, err)
		return
	}
	if _, err := attest.OpenAttestation(c.unseal(a.Attestation), pub); err != nil {
		c.t.Errorf("%s: the attestation: %v", a.ID, err)
	}
	if set, err := attest.OpenSecretsSet(c.unseal(a.SecretsSet), pub); err != nil || set.Document != a.Document {
		c.t.Errorf("%s: the word on its secrets: %v", a.ID, err)
	}
}

func (c checker) unseal(d warifu.Digest) []byte {
	c.t.Helper()
	var plain []byte
	c.Read(c.t, func(tx *store.Tx) (err error) {
		plain, err = tx.UnsealBlob(d)
		return err
	})
	return plain
}

// credentialsFit: exactly one of each kind applied for once issued, none of another,
// and each in a state that its application's allows.
func (c checker) credentialsFit(a store.Application) {
	credentials := c.p.credentials[a.ID]
	var kinds []warifu.Kind
	for _, cred := range credentials {
		kinds = append(kinds, cred.Kind)
		if allowed := allowedStates[a.State]; !slices.Contains(allowed, cred.State) {
			c.t.Errorf("%s is %s with a %s credential that is %s", a.ID, a.State, cred.Kind, cred.State)
		}
		if cred.Person != a.Person || cred.Element != a.Element {
			c.t.Errorf("%s: credential %s is another's", a.ID, cred.ID)
		}
		if !slices.Contains(a.Kinds, cred.Kind) {
			c.t.Errorf("%s: a %s credential that was not applied for", a.ID, cred.Kind)
		}
	}
	whole := a.State == warifu.ApplicationIssued || a.State == warifu.ApplicationPersonalized
	if whole && !slices.Equal(kinds, a.Kinds) {
		c.t.Errorf("%s is %s with %v, applied for %v", a.ID, a.State, kinds, a.Kinds)
	}
}

var allowedStates = map[warifu.ApplicationState][]warifu.CredentialState{
	warifu.ApplicationSubmitted:    {},
	warifu.ApplicationIssued:       {warifu.CredentialPending},
	warifu.ApplicationRejected:     {warifu.CredentialRevoked},
	warifu.ApplicationWithdrawn:    {warifu.CredentialRevoked},
	warifu.ApplicationLapsed:       {warifu.CredentialRevoked},
	warifu.ApplicationPersonalized: {warifu.CredentialActive, warifu.CredentialHeld, warifu.CredentialRevoked, warifu.CredentialSuperseded, warifu.CredentialExpired},
}

// certificateHolds: the authority's own signature, the key the element attested, an
// end no later than the parent's, and the intent behind it.
func (c checker) certificateHolds(a store.Application, cred store.Credential) {
	if c.memory.proven[cred.ID] || cred.Certificate.IsZero() {
		return
	}
	c.memory.proven[cred.ID] = true
	der := c.unseal(cred.Certificate)
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		c.t.Errorf("%s: %v", cred.ID, err)
		return
	}
	if err := certificate.CheckSignatureFrom(c.CAs[cred.Kind]); err != nil {
		c.t.Errorf("%s: %v", cred.ID, err)
	}
	if class, kind, ok := profile.ClassOf(certificate); !ok || class != profile.ClassPhone || kind != cred.Kind {
		c.t.Errorf("%s: the certificate is of class %v, kind %v", cred.ID, class, kind)
	}
	if warifu.DigestOf(certificate.RawSubjectPublicKeyInfo) != cred.PublicKey || !bytes.Equal(certificate.SerialNumber.Bytes(), cred.Serial) {
		c.t.Errorf("%s: the row is about another certificate", cred.ID)
	}
	if end := parentEnd(a, cred.Kind); certificate.NotAfter.After(end) || !cred.NotAfter.Equal(certificate.NotAfter) {
		c.t.Errorf("%s ends %v, its parent %v, the row says %v", cred.ID, certificate.NotAfter, end, cred.NotAfter)
	}
	intent, err := c.Issuers[cred.Kind].Ledger.Lookup(context.Background(), cred.Serial)
	if err != nil || intent.Document != a.Document || !bytes.Equal(intent.Certificate, der) || !bytes.Contains(der, intent.TBS) {
		c.t.Errorf("%s: the ledger's intent is not of this certificate: %v", cred.ID, err)
	}
}

func parentEnd(a store.Application, kind warifu.Kind) time.Time {
	if kind == warifu.Signature {
		return a.Parent.SignatureNotAfter
	}
	return a.Parent.AuthenticationNotAfter
}

// statusFits: what may be said agrees with the state, before active nothing is, and what
// ended once is never good again.
func (c checker) statusFits(cred store.Credential) {
	want := map[warifu.CredentialState]warifu.CertStatus{
		warifu.CredentialPending: warifu.StatusUnknown, warifu.CredentialActive: warifu.StatusGood, warifu.CredentialHeld: warifu.StatusRevoked,
		warifu.CredentialRevoked: warifu.StatusRevoked, warifu.CredentialSuperseded: warifu.StatusRevoked,
	}
	status, known := c.p.status[cred.ID]
	if !known {
		c.t.Errorf("%s: its status is not known", cred.ID)
	}
	if w, fixed := want[cred.State]; fixed && status.Cert != w {
		c.t.Errorf("%s is %s and its status %s", cred.ID, cred.State, status.Cert)
	}
	final := status.Cert == warifu.StatusRevoked && status.Reason != warifu.ReasonCertificateHold
	if c.memory.ended[cred.ID] && !final {
		c.t.Errorf("%s was ended and is %s again", cred.ID, status.Cert)
	}
	if final {
		c.memory.ended[cred.ID] = true
	}
}

// parentIsGood: at the moment a credential is first seen active, the card's certificates
// are good at the bureau.
func (c checker) parentIsGood(a store.Application, cred store.Credential) {
	if cred.State != warifu.CredentialActive || c.memory.active[cred.ID] {
		return
	}
	c.memory.active[cred.ID] = true
	if cred.ActivatedAt.Before(c.Clock.Now()) {
		return // activated in an earlier step that nobody checked
	}
	serial := a.Parent.SignatureSerial
	if cred.Kind == warifu.Authentication {
		serial = a.Parent.AuthenticationSerial
	}
	if record, found := c.Bureau.Status(cred.Kind, serial); !found || record.Status.Cert != warifu.StatusGood || !record.NotAfter.After(c.Clock.Now()) {
		c.t.Errorf("%s became active while its parent was %v", cred.ID, record.Status)
	}
}

// onePersonOneDevice: the live credentials of a person lie on one element, at most one
// of a kind, and at most one application is open.
func (c checker) onePersonOneDevice() {
	type seat struct {
		element warifu.ElementID
		kinds   []warifu.Kind
	}
	seats, open := map[warifu.Digest]*seat{}, map[warifu.Digest]string{}
	for _, a := range c.p.applications {
		if openApplication(a) {
			if other, two := open[a.Person]; two {
				c.t.Errorf("%s and %s of one person are open", other, a.ID)
			}
			open[a.Person] = a.ID
		}
		for _, cred := range c.p.credentials[a.ID] {
			if cred.State != warifu.CredentialActive && cred.State != warifu.CredentialHeld {
				continue
			}
			s := seats[cred.Person]
			if s == nil {
				s = &seat{element: cred.Element}
				seats[cred.Person] = s
			}
			if s.element != cred.Element || slices.Contains(s.kinds, cred.Kind) {
				c.t.Errorf("%s: a person has live credentials on two devices, or two of a kind", cred.ID)
			}
			s.kinds = append(s.kinds, cred.Kind)
		}
	}
}

// ledgersFit: every intent of an application is one that was applied for; whatever was
// intended for an application that has ended is listed, unless it is still being settled.
func (c checker) ledgersFit() {
	byDocument := map[warifu.Digest]store.Application{}
	for _, a := range c.p.applications {
		byDocument[a.Document] = a
	}
	for _, kind := range warifu.Kinds {
		for _, intent := range c.Issuers[kind].Ledger.Intents() {
			a, known := byDocument[intent.Document]
			if !known {
				c.t.Errorf("the %s authority intended a certificate for a document nobody accepted", kind)
				continue
			}
			c.intentFits(a, kind, intent)
		}
	}
}

// openApplication is said here in plain words, so that no mistake in the product's table
// of transitions can hide from the checks.
func openApplication(a store.Application) bool {
	return a.State == warifu.ApplicationSubmitted || a.State == warifu.ApplicationIssued
}

func (c checker) intentFits(a store.Application, kind warifu.Kind, intent warifu.Intent) {
	if !slices.Contains(a.Kinds, kind) {
		c.t.Errorf("%s: an intent of kind %s, which was not applied for", a.ID, kind)
	}
	listed := slices.ContainsFunc(c.p.credentials[a.ID], func(cred store.Credential) bool {
		return cred.Kind == kind && bytes.Equal(cred.Serial, intent.Serial)
	})
	if !listed && !openApplication(a) && !c.p.settling {
		c.t.Errorf("%s is %s, and what the %s authority intended for it is not listed", a.ID, a.State, kind)
	}
}
