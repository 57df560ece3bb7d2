package server

import (
	"crypto/ecdsa"
	"crypto/x509"
	"log/slog"
	"net/url"

	"warifu"
	"warifu/globalplatform"
	"warifu/profile"
	"warifu/provision"
	"warifu/verify"
)

// trust is whom this server believes: the card bureau's authorities and statement
// key, and the makers of secure elements.
type trust struct {
	cards     map[warifu.Kind][]*x509.Certificate
	statement *ecdsa.PublicKey
	makers    *x509.CertPool
}

func (s *Server) readTrust() (*trust, error) {
	c := s.config
	t := &trust{cards: map[warifu.Kind][]*x509.Certificate{}}
	var err error
	for kind, file := range map[warifu.Kind]string{warifu.Signature: c.Cards.Signature, warifu.Authentication: c.Cards.Authentication} {
		if t.cards[kind], err = readCertificates(c.path(file)); err != nil {
			return nil, err
		}
	}
	if t.statement, err = readStatementKey(c.path(c.Cards.StatementKey)); err != nil {
		return nil, err
	}
	if t.makers, err = readMakers(c.path(c.Makers)); err != nil {
		return nil, err
	}
	return t, nil
}

// verifier believes cards only, and asks nobody for their status: the card
// statement tells it.
func (t *trust) verifier(clock warifu.Clock) (*verify.Verifier, error) {
	var believed verify.Trust
	for kind, authorities := range t.cards {
		for _, a := range authorities {
			if err := believed.Add(profile.ClassCard, kind, a); err != nil {
				return nil, err
			}
		}
	}
	return verify.New(believed, nil, clock), nil
}

// newest is the last authority of each kind, whose status is asked for.
func (t *trust) newest() map[warifu.Kind]*x509.Certificate {
	out := map[warifu.Kind]*x509.Certificate{}
	for kind, authorities := range t.cards {
		out[kind] = authorities[len(authorities)-1]
	}
	return out
}

// domainKeys derives each chip's static keys inside the key store.
func (s *Server) domainKeys() (provision.Keys, error) {
	master, err := s.keys.Symmetric(keySSD)
	if err != nil {
		return nil, err
	}
	return provision.Deriver(func(label string, context []byte, bits int) (globalplatform.Key, error) {
		return master.Derive(label, context, bits)
	}), nil
}

func (c Config) level() slog.Leveler {
	switch c.Log {
	case "", "info":
		return slog.LevelInfo
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return nil
}

// hosts are the Host headers answered: Origin's, and those configured.
func (c Config) hosts() []string {
	out := append([]string(nil), c.Hosts...)
	if u, err := url.Parse(c.Origin); err == nil {
		out = append(out, u.Host)
	}
	out = append(out, c.consoleHost()...)
	return append(out, c.Listen)
}
