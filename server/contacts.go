package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"warifu"
	"warifu/notify"
	"warifu/registration"
	"warifu/text"
)

// faults names what is wrong with it.
func (c ContactsConfig) faults(must func(bool, string, ...any)) {
	if c.Webhook == "" {
		must(c.SecretFile == "", "[contacts] has a secret_file and no webhook")
		return
	}
	u, err := url.Parse(c.Webhook)
	must(err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), "[contacts] webhook %q is no address", c.Webhook)
	must(err != nil || u.Scheme != "http" || c.AllowPrivate && isLoopback(u.Hostname()), "[contacts] webhook %q must be https: telephone numbers go there", c.Webhook)
}

// The rounds of telling contacts, and what one notice may take.
const (
	tellRound   = 5 * time.Second
	tellAgain   = time.Minute // after a notice that did not go
	tellTimeout = 10 * time.Second
)

// gateway posts notices.
type gateway struct {
	url    string
	secret string
	http   *http.Client
}

// openContacts leaves the gateway nil where none is configured.
func (s *Server) openContacts() error {
	c := s.config.Contacts
	if c.Webhook == "" {
		return nil
	}
	g := &gateway{url: c.Webhook, http: notify.NewGuardedClient(c.AllowPrivate, tellTimeout)}
	if c.SecretFile != "" {
		b, err := os.ReadFile(s.config.path(c.SecretFile))
		if err != nil {
			return warifu.Invalid("configuration-invalid", "faults", "[contacts] secret_file: "+err.Error())
		}
		g.secret = strings.TrimSpace(string(b))
	}
	s.contacts = g
	return nil
}

// send posts one notice. A gateway that cannot be reached, or is not well, is Unavailable
// "contact-gateway-away"; one that refuses this notice is Refused "contact-gateway-refused".
// Neither carries anything of the notice or of the answer.
func (g *gateway) send(ctx context.Context, n registration.ContactNotice) error {
	key := "notice.contact." + n.Occasion
	body, err := json.Marshal(map[string]string{
		"id": n.ID, "occasion": n.Occasion, "telephone": n.Telephone.Reveal(), "at": n.At.UTC().Format(time.RFC3339),
		"textJa": text.Sentence(key, text.Japanese, nil), "textEn": text.Sentence(key, text.English, nil),
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", n.ID)
	if g.secret != "" {
		r.Header.Set("Authorization", "Bearer "+g.secret)
	}
	response, err := g.http.Do(r)
	if err != nil {
		return warifu.Unavailable("contact-gateway-away").With(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10)) // so that the connection is kept
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return nil
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusUnauthorized:
		return warifu.Unavailable("contact-gateway-away").With(statusError(status))
	default:
		return warifu.Refused("contact-gateway-refused").With(statusError(status))
	}
}

// tellContacts hands on what waits and reports whether all of it went.
func (s *Server) tellContacts(ctx context.Context) bool {
	if s.contacts == nil {
		return true
	}
	all := true
	sent, err := s.registration.SendContactNotices(ctx, func(ctx context.Context, n registration.ContactNotice) error {
		err := s.contacts.send(ctx, n)
		result := "sent"
		if err != nil {
			all, result = false, "failed"
		}
		s.metrics.contacts.WithLabelValues(result).Inc()
		return err
	})
	s.complain("notices to contacts", err)
	if sent > 0 {
		s.log.Info("contacts were told", "notices", sent)
	}
	return all && err == nil
}

// keepTelling goes by itself: a gateway or a bureau that hangs must keep nothing else
// from being done.
func (s *Server) keepTelling(ctx context.Context) {
	var next, reported time.Time
	every(ctx, tellRound, func() {
		now := s.clock.Now()
		if now.Sub(reported) >= sweepRound {
			reported = now
			s.tellBureau(ctx)
		}
		if now.Before(next) {
			return
		}
		if !s.tellContacts(ctx) {
			next = now.Add(tellAgain)
		}
	})
}
