package console

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"warifu"
	"warifu/store"
)

// How long things last.
const (
	Idle          = 15 * time.Minute // without a request the session is over
	Longest       = 8 * time.Hour    // a session, whatever is done in it: a shift
	Fresh         = 5 * time.Minute  // for which a passkey allows what is dangerous
	LinkLife      = time.Hour        // of a one-time link
	challengeLife = 5 * time.Minute
	touchEvery    = time.Minute // how exactly a session's last request is kept
)

// Config is what a desk is made of. Every field is required but Ledgers and Sandbox.
type Config struct {
	Store  *store.Store
	Clock  warifu.Clock
	Random io.Reader
	// MAC is the keyed digest that challenges and tokens of forms carry.
	MAC func(message []byte) ([]byte, error)
	// Origin is the server's; the console's own may differ (Desk.Origin).
	Origin string
	// Ledgers goes through the authorities' ledgers from their beginning; nil: there are none here.
	Ledgers func(context.Context) ([]Chain, error)
	// Sandbox lets anybody on this machine sign in as one of the sandbox's operators.
	Sandbox bool
}

// Desk lets operators in.
type Desk struct {
	Config
	origin   string
	passkeys *webauthn.WebAuthn // nil: the origin is an address, for which browsers make no passkeys
}

// New checks the configuration. Error: Invalid "configuration-invalid".
func New(c Config) (*Desk, error) {
	if c.Store == nil || c.Clock == nil || c.Random == nil || c.MAC == nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", "console: a part is missing")
	}
	d := &Desk{Config: c}
	u, err := url.Parse(c.Origin)
	if err != nil || u.Hostname() == "" {
		return nil, warifu.Invalid("configuration-invalid", "faults", "console: origin")
	}
	// A passkey belongs to a name (Web Authentication §5.1.2): this machine's is localhost.
	name := u.Hostname()
	if ip := net.ParseIP(name); ip != nil {
		if !ip.IsLoopback() {
			d.origin = c.Origin
			return d, nil
		}
		name, u.Host = "localhost", "localhost"
		if old, _ := url.Parse(c.Origin); old.Port() != "" {
			u.Host = "localhost:" + old.Port()
		}
	}
	d.origin = u.Scheme + "://" + u.Host
	d.passkeys, err = webauthn.New(&webauthn.Config{
		RPID: name, RPDisplayName: "割符 Warifu", RPOrigins: []string{d.origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, warifu.Invalid("configuration-invalid", "faults", "console: "+err.Error())
	}
	return d, nil
}

// Origin is where the console's pages must be opened for passkeys to work: the server's own,
// with "localhost" in the place of a loopback address.
func (d *Desk) Origin() string { return d.origin }

// ByPasskey reports whether passkeys can work here at all.
func (d *Desk) ByPasskey() bool { return d.passkeys != nil }

// draw is a new secret of 32 octets.
func (d *Desk) draw() (Secret, error) {
	var b [32]byte
	if _, err := io.ReadFull(d.Random, b[:]); err != nil {
		return "", err
	}
	return Secret(base64.RawURLEncoding.EncodeToString(b[:])), nil
}

func (s Secret) digest() warifu.Digest { return warifu.DigestOf([]byte(s)) }

// The verbs of the console's own audit lines; the subject is the operator.
const (
	verbBootstrap warifu.Verb = "console-bootstrap"
	verbInvite    warifu.Verb = "console-invite"
	verbEnrol     warifu.Verb = "console-enrol"
	verbSignIn    warifu.Verb = "console-sign-in"
	verbSignOut   warifu.Verb = "console-sign-out"
	verbStepUp    warifu.Verb = "console-step-up"
	verbLost      warifu.Verb = "console-passkey-lost"
	verbAdd       warifu.Verb = "console-passkey-add"
	verbDrop      warifu.Verb = "console-passkey-drop"
	verbRemove    warifu.Verb = "console-remove"
	verbExport    warifu.Verb = "console-audit-export"
)

// line is the audit line of an act by actor about the operator of a name.
func (d *Desk) line(tx *store.Tx, actor string, verb warifu.Verb, name string, detail map[string]string) error {
	return tx.Audit(store.Line{At: d.Clock.Now(), Actor: actor, Verb: verb, Subject: "operator:" + name, Detail: detail})
}

// Forget drops sessions and links that are over; housekeeping calls it.
func (d *Desk) Forget(ctx context.Context) error {
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.PurgeConsole(d.Clock.Now())
		return err
	})
}

// is reports whether err is the problem of that slug.
func is(err error, slug string) bool {
	p := warifu.ProblemOf(err)
	return p != nil && p.Problem == slug
}
