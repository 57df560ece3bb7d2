package registration

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"warifu"
	"warifu/profile"
	"warifu/store"
)

// Contact is how a person wants to be found at the hotline and told of what was done, as
// typed. It may be given with an application; formatters and loggers show none of it.
type Contact struct {
	Reading   string // of the name, in kana of any width
	BirthDate string // 1980-12-17, 19801217, １９８０年１２月１７日; may be left out where a card says it
	Telephone string // 090-1234-5678, +81 90 1234 5678
}

const hiddenContact = "[contact]"

// Format implements fmt.Formatter for every verb and flag.
func (c Contact) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenContact) }

// MarshalText implements encoding.TextMarshaler.
func (c Contact) MarshalText() ([]byte, error) { return []byte(hiddenContact), nil }

// LogValue implements slog.LogValuer.
func (c Contact) LogValue() slog.Value { return slog.StringValue(hiddenContact) }

// maxContactField bounds each part in octets as typed.
const maxContactField = 400

// folded is the contact in the one spelling that is kept and looked for: the reading in
// katakana without spaces, the rest in digits. Invalid "contact-malformed" names the part,
// never its value.
func (c Contact) folded(now time.Time) (store.Contact, error) {
	var out store.Contact
	for _, part := range []struct {
		name, typed string
		fold        func(string) string
		into        *string
	}{
		{"reading", c.Reading, foldReading, &out.Reading},
		{"birthDate", c.BirthDate, func(s string) string { return foldDate(s, now) }, &out.BirthDate},
		{"telephone", c.Telephone, foldTelephone, &out.Telephone},
	} {
		if len(part.typed) <= maxContactField {
			*part.into = part.fold(norm.NFKC.String(part.typed))
		}
		if *part.into == "" {
			return store.Contact{}, warifu.Invalid("contact-malformed", "field", part.name)
		}
	}
	return out, nil
}

// contactOf is the contact of a submission in its one spelling, nil where none was given.
// The birth date is empty where the card is to say it.
func (a *Authority) contactOf(s Submission) (*store.Contact, error) {
	if s.Contact == nil {
		return nil, nil
	}
	folded, err := s.Contact.foldedForCard(a.Clock.Now())
	return &folded, err
}

// foldedForCard is folded for a contact whose birth date bornAsCertified fills in where it
// was left out.
func (c Contact) foldedForCard(now time.Time) (store.Contact, error) {
	left := c.BirthDate == ""
	if left {
		c.BirthDate = "19000101" // any that folds
	}
	out, err := c.folded(now)
	if left {
		out.BirthDate = ""
	}
	return out, err
}

// Check refuses what cannot be a contact, as a submission with it would be ("contact-malformed"): an
// app asks before it has anything signed. The birth date may be left out.
func (c Contact) Check(now time.Time) error {
	_, err := c.foldedForCard(now)
	return err
}

// bornAsCertified writes the birth date that the card certifies into a contact that has
// none, and refuses one with another, so that nobody registers somebody else's particulars
// and makes the hotline find two.
func bornAsCertified(c *store.Contact, card *x509.Certificate) error {
	if c == nil {
		return nil
	}
	attributes, found, err := profile.ParseAttributes(card)
	if err != nil || !found || len(attributes.BirthDate) != 9 || c.BirthDate != "" && attributes.BirthDate[1:] != c.BirthDate {
		return warifu.Invalid("contact-malformed", "field", "birthDate")
	}
	c.BirthDate = attributes.BirthDate[1:]
	return nil
}

// registerContact keeps the contact of a person who has nothing live. Whoever has, keeps
// the contact that stands: it is who must hear of a new phone, and whoever stole card and
// password must not be able to put their own in its place.
func registerContact(tx *store.Tx, row store.Application, c store.Contact) error {
	live, err := tx.LiveCredentials(row.Person)
	if err != nil {
		return err
	}
	if len(live) > 0 {
		switch _, err := tx.Contact(row.Person); {
		case err == nil:
			return nil
		case !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound):
			return err
		}
	}
	return tx.PutContact(row.Person, c, row.SubmittedAt)
}

// foldReading makes katakana of kana; "" for what is none.
func foldReading(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), r == '・':
			continue
		case unicode.Is(unicode.Pd, r), r == '−', r == '―':
			r = 'ー' // what keyboards give for the long vowel
		case r >= 'ぁ' && r <= 'ゖ':
			r += 'ァ' - 'ぁ'
		}
		if (r < 'ァ' || r > 'ヺ') && r != 'ー' {
			return ""
		}
		b.WriteRune(r)
	}
	return b.String()
}

var dateForm = regexp.MustCompile(`^([0-9]{4})(?:[-/.年\pZ]([0-9]{1,2})[-/.月\pZ]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))$`)

// foldDate makes eight digits of a day that there was; "" for what is none.
func foldDate(s string, now time.Time) string {
	m := dateForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return ""
	}
	t, err := time.Parse("2006-1-2", m[1]+"-"+m[2]+m[4]+"-"+m[3]+m[5])
	if err != nil || t.After(now.AddDate(0, 0, 1)) || t.Year() < 1850 {
		return ""
	}
	return t.Format("20060102")
}

// foldTelephone makes the digits of a number as it is dialled in Japan; "" for what is none.
func foldTelephone(s string) string {
	var b strings.Builder
	for i, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0, separates(r), r == '(', r == ')':
		default:
			return ""
		}
	}
	digits := b.String()
	if rest, home := strings.CutPrefix(digits, "81"); home && strings.HasPrefix(strings.TrimSpace(s), "+") {
		digits = "0" + strings.TrimPrefix(rest, "0")
	}
	if len(digits) < 7 || len(digits) > 15 {
		return ""
	}
	return digits
}

// The occasions of notices to a registered contact.
const (
	occasionNewPhone       = "new-phone"
	occasionSuspended      = "suspended-by-hotline"
	occasionCode           = "suspended-by-code"
	occasionResumed        = "resumed-by-operators"
	occasionRevoked        = "revoked-by-operators"
	occasionContactChanged = "contact-changed" // to the older contact
	occasionContactNew     = "contact-registered"
	occasionStillLost      = "still-lost"
	// and "expiry-3m", "expiry-1m", "expiry-1w"
)

// tellContact puts a notice to the person's registered contact into the outbox; nothing
// where none was registered.
func (a *Authority) tellContact(tx *store.Tx, person warifu.Digest, application, occasion string) error {
	_, err := tx.PutContactNotice(store.ContactNotice{Person: person, Application: application, Occasion: occasion, At: a.Clock.Now()})
	return err
}

// ContactNotice is a notice on its way to who registered the telephone number.
type ContactNotice struct {
	ID        string
	Occasion  string // its sentence in the text catalogue is "notice.contact." and this
	Telephone Telephone
	At        time.Time
}

// Telephone is a number that only a sender sees.
type Telephone struct{ digits string }

// Reveal returns the digits, to be dialled.
func (t Telephone) Reveal() string { return t.digits }

// Format implements fmt.Formatter for every verb and flag.
func (t Telephone) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenContact) }

// LogValue implements slog.LogValuer.
func (t Telephone) LogValue() slog.Value { return slog.StringValue(hiddenContact) }

// handingOn is how long a server has for handing one notice on before another may.
const handingOn = 5 * time.Minute

// SendContactNotices hands every open notice to send, oldest first, and returns how many
// were sent; it is called from a timer, on as many servers as there are: each notice is
// handed on by one. What send refuses stays and is tried again, and an error whose code is
// Unavailable ends the round; what has lost its contact since is dropped.
func (a *Authority) SendContactNotices(ctx context.Context, send func(context.Context, ContactNotice) error) (int, error) {
	sent, after := 0, ""
	for {
		var open []store.ContactNotice
		var telephones []string
		err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
			open, telephones, err = openNotices(tx, after)
			return err
		})
		if err != nil || len(open) == 0 {
			return sent, err
		}
		after = open[len(open)-1].ID
		for i, n := range open {
			did, away, err := a.sendNotice(ctx, n, telephones[i], send)
			if did {
				sent++
			}
			if err != nil || away {
				return sent, err
			}
		}
	}
}

// sendNotice hands one notice on, unless another server has it in hand, and reports whether
// it did, and whether the sender is away. What send refuses is no error.
func (a *Authority) sendNotice(ctx context.Context, n store.ContactNotice, telephone string, send func(context.Context, ContactNotice) error) (did, away bool, err error) {
	mine := false
	err = a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		now := a.Clock.Now()
		mine, err = tx.LeaseContactNotice(n.ID, now, now.Add(handingOn))
		return err
	})
	if err != nil || !mine {
		return false, false, err
	}
	if telephone != "" {
		err = send(ctx, ContactNotice{ID: n.ID, Occasion: n.Occasion, Telephone: Telephone{telephone}, At: n.At})
	}
	if err != nil {
		a.Log.WarnContext(ctx, "notice to a contact not sent", "occasion", n.Occasion, "problem", warifu.ProblemOf(err).Problem)
		away = warifu.ProblemOf(err).IsCode(warifu.CodeUnavailable)
		return false, away, a.Store.Write(ctx, func(tx *store.Tx) error { return tx.ReleaseContactNotice(n.ID) })
	}
	return telephone != "", false, a.Store.Write(ctx, func(tx *store.Tx) error { return tx.ContactNoticeSent(n.ID, a.Clock.Now()) })
}

func openNotices(tx *store.Tx, after string) ([]store.ContactNotice, []string, error) {
	open, err := tx.OpenContactNotices(after, portion)
	if err != nil {
		return nil, nil, err
	}
	telephones := make([]string, len(open))
	for i, n := range open {
		c, err := tx.ContactOfNotice(n)
		if err != nil && !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			return nil, nil, err
		}
		telephones[i] = c.Telephone
	}
	return open, telephones, nil
}
