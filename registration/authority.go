package registration

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base32"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"

	"warifu"
	"warifu/attest"
	"warifu/ocsp"
	"warifu/provision"
	"warifu/queue"
	"warifu/scheme"
	"warifu/store"
	"warifu/verify"
)

// Issuer is one certification authority as the registration authority sees it:
// it is handed evidence and checks all of it itself. Outcomes stand in the order
// of the requests. A retry of the same evidence returns the same certificate. An
// error whose code is Unavailable or Internal may be tried again; any other is final.
type Issuer interface {
	Issue(ctx context.Context, requests []Evidence) []Outcome
	// Intended returns the intent that stands for a document, with its certificate
	// where one is recorded; false for none.
	Intended(ctx context.Context, document warifu.Digest) (warifu.Intent, bool, error)
	// Unfinished lists the next intents behind one (zero: from the beginning) that have no
	// certificate recorded, oldest first; they count as issued. None at the end.
	Unfinished(ctx context.Context, behind warifu.Intent) ([]warifu.Intent, error)
}

// Evidence is everything a certification authority gets to see of an application.
type Evidence struct {
	Document           []byte                 // CMS SignedData, signed by the card
	Attestation        []byte                 // envelope of the secure element
	Chain              [][]byte               // its maker's certificates, leaf first
	SecretsSet         []byte                 // envelope of the secure element
	Statement          []byte                 // envelope of the card bureau
	CardStatus         map[warifu.Kind][]byte // OCSP responses for the card's certificates
	CardAuthentication []byte                 // the card's authentication certificate, when that kind is asked for
}

// Outcome is a certificate in DER or the reason why there is none.
type Outcome struct {
	Certificate []byte
	Err         error
}

// Bureau is the card bureau. Every call is made when the answer is needed and never
// answered from memory.
type Bureau interface {
	// Statement asks for a card statement about the card that carries the signing
	// certificate (DER), bound to the nonce.
	Statement(ctx context.Context, certificate []byte, nonce warifu.Digest) ([]byte, error)
	// Statements asks for one paper about the cards that carry the signing certificates with
	// these serial numbers, in their order (attest.CardStatements), bound to the nonce. A
	// bureau that has no such paper answers NotFound.
	Statements(ctx context.Context, serials [][]byte, nonce warifu.Digest) ([]byte, error)
	// Status asks for the OCSP response on one of the card's certificates.
	Status(ctx context.Context, kind warifu.Kind, serial []byte) ([]byte, error)
}

// Pusher delivers a notice that carries an application's identifier and nothing else.
type Pusher interface {
	Push(ctx context.Context, element warifu.ElementID, application string) error
}

// Models says whether a device may carry credentials; the error names the reason.
type Models interface {
	Eligible(model, osBuild string, appVersion int) error
}

// Config is what an Authority is made of. Every field is required but the last four.
type Config struct {
	Store        *store.Store
	Queue        *queue.Queue
	Scheme       *scheme.Scheme
	Origin       string // scheme://host[:port] of this server: audience of a card's proof
	Clock        warifu.Clock
	Random       io.Reader
	Models       Models
	Cards        *verify.Verifier // trusts the card bureau's two authorities only
	Bureau       Bureau
	StatementKey *ecdsa.PublicKey // of the card bureau
	MakerAnchors *x509.CertPool   // attestation roots
	ChallengeMAC attest.MAC
	Issuers      map[warifu.Kind]Issuer
	Authorities  map[warifu.Kind][]byte // the authorities' certificates, DER, written beside the credentials
	Pusher       Pusher
	Keys         provision.Keys                // supplementary security domain keys, diversified per chip
	TicketKeys   map[warifu.Kind]crypto.Signer // P-256: what a chip obeys when it is told to destroy a dead key (K18)
	TicketPapers map[warifu.Kind][][]byte      // attest.NextTicketKey, oldest first: how ticket keys before these handed on their office
	Operators    Operators                     // who works at the hotline until SetOperators; zero: nobody
	CardReports  CardReporter                  // tells the bureau of cards that are gone; nil: they stay recorded
	Log          *slog.Logger
}

// Authority is the registration authority.
type Authority struct {
	Config
	sessions sessions
	answers  ocsp.Answers // an answer may speak of many cards
	codes    codeGuard
	hotline  hotlineGuard

	reconciled reconciled
	changed    atomic.Pointer[Operators] // what SetOperators was given last; nil: nothing
}

// New checks the configuration, registers its job handlers and returns the authority.
func New(c Config) (*Authority, error) {
	switch {
	case c.Store == nil, c.Queue == nil, c.Scheme == nil, c.Clock == nil, c.Random == nil, c.Models == nil, c.Cards == nil,
		c.Bureau == nil, c.StatementKey == nil, c.MakerAnchors == nil, c.ChallengeMAC == nil, c.Pusher == nil, c.Keys == nil,
		c.Origin == "", c.Issuers[warifu.Signature] == nil, c.Issuers[warifu.Authentication] == nil,
		c.TicketKeys[warifu.Signature] == nil, c.TicketKeys[warifu.Authentication] == nil:
		return nil, &warifu.Error{Code: warifu.CodeInternal, Problem: "registration-incomplete"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &Authority{Config: c, sessions: sessions{open: map[string]*session{}}}
	a.Queue.Handle(jobIssue, issueBatch, a.issue)
	a.Queue.Handle(jobNotify, notifyBatch, a.notify)
	a.Queue.Handle(jobSettle, settleBatch, a.settle)
	return a, nil
}

// newID returns an identifier of 26 letters and digits with 128 random bits
// behind a prefix that says what it is.
func (a *Authority) newID(prefix string) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(a.Random, b[:]); err != nil {
		return "", err
	}
	return prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), nil
}

// retryable reports whether trying the same again later may help.
func retryable(err error) bool {
	switch warifu.ProblemOf(err).Code {
	case warifu.CodeUnavailable, warifu.CodeInternal, warifu.CodeTooMany:
		return true
	}
	return false
}
