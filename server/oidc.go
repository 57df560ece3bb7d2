package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/keystore"
	"warifu/notify"
	"warifu/oidc"
)

// keyLogins is the key that subjects, codes and tokens are MACs under: with another one every
// relying party would take everybody for somebody else, so it is never changed. keyIDTokens
// and the day from which on it signs name a key that ID tokens are signed with.
const (
	keyLogins    = "logins"
	keyIDTokens  = "id-tokens-"
	keyDayFormat = "20060102150405"
)

// clientKeyTimeout bounds the fetching of a client's key set.
const clientKeyTimeout = 5 * time.Second

// loginsCeremony makes the keys of the provider that are missing.
func loginsCeremony(keys *keystore.Store, clock warifu.Clock, tell func(string, ...any)) error {
	if err := once(keys, keyLogins, tell, func() error { _, err := keys.GenerateSymmetric(keyLogins, 256); return err }); err != nil {
		return err
	}
	all, err := signingKeys(keys)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		tell("key of ID tokens: there already")
		return nil
	}
	return newSigningKey(keys, clock.Now(), tell)
}

func newSigningKey(keys *keystore.Store, from time.Time, tell func(string, ...any)) error {
	name := keyIDTokens + from.UTC().Format(keyDayFormat)
	err := once(keys, name, tell, func() error { _, err := keys.Generate(name, keystore.P256); return err })
	if errors.Is(err, warifu.Conflict("key-exists")) {
		return nil // another server, or another of our own hands, was a moment earlier
	}
	return err
}

// signingKeys are the keys of ID tokens that are in the key store.
func signingKeys(keys *keystore.Store) ([]oidc.SigningKey, error) {
	names, err := keys.Names()
	if err != nil {
		return nil, err
	}
	var out []oidc.SigningKey
	for _, name := range names {
		day, is := strings.CutPrefix(name, keyIDTokens)
		if !is {
			continue
		}
		from, err := time.Parse(keyDayFormat, day)
		if err != nil {
			continue
		}
		key, err := keys.Signer(name)
		if err != nil {
			return nil, err
		}
		out = append(out, oidc.SigningKey{Key: key, From: from})
	}
	return out, nil
}

// openProvider opens the OpenID provider over what stands below it. A key store from before
// there was one has no keys for it, and gets them.
func (s *Server) openProvider(context.Context) error {
	if err := loginsCeremony(s.keys, s.clock, s.note); err != nil {
		return err
	}
	mac, err := s.keys.Symmetric(keyLogins)
	if err != nil {
		return err
	}
	keys, err := signingKeys(s.keys)
	if err != nil {
		return err
	}
	trust, err := s.readTrust()
	if err != nil {
		return err
	}
	private := s.config.Parties.AllowPrivate
	cards := cardsOfBureau{s.bureau, trust.statement, s.clock}
	c := oidc.Config{
		Origin: s.config.Origin, Clients: s.directory, Store: s.store, Ledger: s.ledger, Verifier: s.desk.Verifier, Cards: cards, MAC: mac.HMAC, Keys: keys,
		HTTP: notify.NewGuardedClient(private, clientKeyTimeout), Plain: private, Counted: s.metrics.login, Clock: s.clock, Outside: s.outsideClock(), Log: s.log,
		Signing: s.openSigning(cards),
	}
	if s.provider, err = oidc.New(c); err == nil {
		s.metrics.underWay(s.provider.UnderWay)
	}
	return err
}

func (s *Server) note(format string, args ...any) {
	s.log.Debug("key ceremony", "did", fmt.Sprintf(format, args...))
}

// rotateSigningKeys makes the next key of ID tokens when it is due, and takes up what another
// server on the same key store made. Two servers that do it in the same second make one.
func (s *Server) rotateSigningKeys() {
	keys, err := signingKeys(s.keys)
	if err == nil {
		if from, due := oidc.KeyDue(keys, s.clock.Now()); due {
			if err = newSigningKey(s.keys, from, s.note); err == nil {
				keys, err = signingKeys(s.keys)
			}
		}
	}
	if err == nil && len(keys) > 0 {
		err = s.provider.SetKeys(keys)
	}
	s.complain("keys of ID tokens", err)
}

// sweepLogins takes away what has expired.
func (s *Server) sweepLogins(ctx context.Context) {
	gone, err := s.provider.Sweep(ctx)
	s.complain("logins", err)
	if gone > 0 {
		s.log.Debug("logins were swept", "rows", gone)
	}
}

// cardsOfBureau asks the card bureau whose card it is.
type cardsOfBureau struct {
	bureau    *bureauClient
	statement *ecdsa.PublicKey
	clock     warifu.Clock
}

// maxStatementAge is how old the bureau's word about a card may be.
const maxStatementAge = 5 * time.Minute

// Card implements oidc.Cards. The statement has to be an answer to this question, and young.
func (c cardsOfBureau) Card(ctx context.Context, certificate []byte) (attest.CardStatement, error) {
	var nonce warifu.Digest
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	der, err := c.bureau.Statement(ctx, certificate, nonce)
	if err != nil {
		return attest.CardStatement{}, err
	}
	s, err := attest.OpenCardStatement(der, c.statement)
	if err != nil {
		return attest.CardStatement{}, err
	}
	if s.Nonce != nonce || c.clock.Now().Sub(s.ProducedAt).Abs() > maxStatementAge {
		return attest.CardStatement{}, warifu.Refused("card-statement-stale")
	}
	return s, nil
}

// Provider is the OpenID provider, for the sandbox and for tests.
func (s *Server) Provider() *oidc.Provider { return s.provider }
