package server

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"warifu"
	"warifu/events"
	"warifu/keystore"
	"warifu/registration"
)

// keyReports signs the reports of lost cards to their bureau.
const keyReports = "card-reports"

// ReportKeyFile is where the ceremony writes the public half of the key that signs reports
// of lost cards: PEM, for the card bureau.
func (c Config) ReportKeyFile() string { return filepath.Join(c.path(c.Keys.Dir), keyReports+".pem") }

// reportCeremony writes the public half where it is missing.
func reportCeremony(c Config, keys *keystore.Store, tell func(string, ...any)) error {
	key, err := keys.Signer(keyReports)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.ReportKeyFile()); err == nil {
		tell("public key %s: there already", c.ReportKeyFile())
		return nil
	}
	if err := writeWhole(c.ReportKeyFile(), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})); err != nil {
		return err
	}
	tell("public key %s: made, for the card bureau, SHA-256 %s", c.ReportKeyFile(), warifu.DigestOf(spki))
	return nil
}

// cardReporter tells the card bureau of lost cards over the client that asks it for
// statements.
type cardReporter struct {
	bureau *bureauClient
	key    crypto.Signer
	clock  warifu.Clock
}

// openReports returns nil where the key of an older ceremony is missing: reports then stay
// recorded, and the log says what to do.
func (s *Server) openReports() (registration.CardReporter, error) {
	has, err := s.keys.Has(keyReports)
	if err != nil {
		return nil, err
	}
	if !has {
		s.log.Warn("reports of lost cards are kept and not sent: run warifud keys and give " + keyReports + ".pem to the bureau")
		return nil, nil
	}
	key, err := s.keys.Signer(keyReports)
	if err != nil {
		return nil, err
	}
	return cardReporter{s.bureau, key, s.clock}, nil
}

// ReportCard implements registration.CardReporter. A bureau that answers and refuses is
// Refused "card-report-refused" with its status; one that does not answer as it should is
// Unavailable "bureau-unreachable".
func (r cardReporter) ReportCard(ctx context.Context, person warifu.Digest, receipt string) error {
	envelope, err := events.SealReport(events.CardReport{Person: person, Receipt: receipt, At: r.clock.Now()}, r.key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		Report []byte `json:"report"`
	}{envelope})
	if err != nil {
		return err
	}
	answer, err := r.bureau.post(ctx, "/card-reports", "application/json", body)
	var status statusError
	if errors.As(err, &status) && status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests {
		return warifu.Refused("card-report-refused", "status", fmt.Sprint(int(status))).With(err)
	}
	if err != nil {
		return err
	}
	var out struct {
		Receipt string `json:"receipt"`
	}
	if err := json.Unmarshal(answer, &out); err != nil || out.Receipt != receipt { // a proxy's page is no answer
		return warifu.Unavailable("bureau-unreachable").With(err)
	}
	return nil
}

// tellBureau sends the reports that could not be sent at once.
func (s *Server) tellBureau(ctx context.Context) {
	told, err := s.registration.RetryCardReports(ctx)
	s.complain("reports of lost cards", err)
	if told > 0 {
		s.log.Info("the card bureau was told of lost cards", "cards", told)
	}
}
