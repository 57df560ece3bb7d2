package phone

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"warifu"
	"warifu/attest"
)

// The ways by which a login reaches the phone, and with it what ties the phone to the
// browser that logs in.
const (
	// WayApp is the same device: the answer opens only the browser that began the login.
	WayApp = "app"
	// WayQR is another device: the browser shows a number and the person picks it on the phone.
	WayQR = "qr"
)

// The classes of credential that a relying party may demand.
const (
	ClassPhone = "phone"
	ClassCard  = "card"
)

// The ways in which a key was opened, as the relying party is told.
const (
	ActivationPIN        = "pin"
	ActivationScreenLock = "screen-lock"
)

// LoginClient is who asks: the relying party's identifier, its name as its operator
// registered it, and the origin that the claimant is sent back to.
type LoginClient struct {
	ID   string `json:"id"`
	Name struct {
		Ja string `json:"ja"`
		En string `json:"en"`
	} `json:"name"`
	Origin string `json:"origin"`
}

// SignWish is a document that a relying party wants signed together with the login.
type SignWish struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Mode   string `json:"mode"`
	Digest string `json:"digest"` // SHA-256, hexadecimal
	Size   int64  `json:"size"`   // octets
}

// LoginQuestion is a login under way as the provider tells it to whoever holds its link.
type LoginQuestion struct {
	Login      string      `json:"login"`
	Client     LoginClient `json:"client"`
	Scopes     []string    `json:"scopes"`
	Attributes []string    `json:"attributes"` // asked for; each may be refused
	// Demands is the only class that the relying party takes: ClassCard, ClassPhone, or "" for either.
	Demands string    `json:"demands,omitempty"`
	Sign    *SignWish `json:"sign,omitempty"`
	Salt    []byte    `json:"salt"` // 32 octets, of the consent
	// Presence is what is to be signed by who agrees to everything; with less, the nonce is another.
	Presence Question `json:"presence"`
	// Numbers are three of two digits each, of which the browser shows one; none where the
	// browser is on the same device.
	Numbers []string  `json:"numbers,omitempty"`
	Expires time.Time `json:"expires"`
	Way     string    `json:"way"`
}

// Consent is what the person agrees to with these attributes left ticked. The nonce that is
// signed is made of it, so that the server can tell nobody more.
func (q LoginQuestion) Consent(agreed []string) attest.Consent {
	c := attest.Consent{Client: q.Client.ID, Origin: q.Client.Origin, Login: q.Login, Attributes: agreed}
	if q.Sign != nil {
		c.Sign = q.Sign.Digest
	}
	return c
}

// Seen is a fingerprint of what a person is shown: who looks, thinks and comes back with a
// decision is refused where something else is asked by then ("approve-changed").
func (q LoginQuestion) Seen() string {
	return hex.EncodeToString(q.Consent(q.Attributes).Nonce(append(slices.Clone(q.Salt), q.Client.Name.Ja+"\x00"+q.Client.Name.En...)))
}

// StillAsks refuses where the question is not the one that the person has seen.
func (q LoginQuestion) StillAsks(seen string) error {
	if q.Seen() != seen {
		return warifu.Conflict("approve-changed")
	}
	return nil
}

var (
	loginPattern     = regexp.MustCompile(`^l[a-z2-7]{26}$`)
	attributePattern = regexp.MustCompile(`^[a-z][A-Za-z_-]{0,31}$`)
	numberPattern    = regexp.MustCompile(`^[0-9]{2}$`)
	digestPattern    = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Bounds of a question.
const (
	maxLoginLink  = 512
	maxAttributes = 16
	maxShown      = 256 // octets of a name
)

// LoginLink is what a phone is handed: by the browser on the same device, out of a QR code,
// or pasted.
type LoginLink struct {
	Origin string // scheme://host[:port] of the provider
	Login  string
	Way    string // WayApp or WayQR
}

// String is the link as the provider writes it.
func (l LoginLink) String() string {
	if l.Way == WayApp {
		return l.Origin + "/login/" + l.Login + "/app"
	}
	return l.Origin + "/l/" + l.Login
}

// ParseLoginLink reads {origin}/login/{login}/app (same device) and {origin}/l/{login} (QR
// code). Invalid "approve-link-malformed".
func ParseLoginLink(link string) (LoginLink, error) {
	malformed := warifu.Invalid("approve-link-malformed")
	link = strings.TrimSpace(link)
	u, err := url.Parse(link)
	if err != nil || len(link) > maxLoginLink || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return LoginLink{}, malformed
	}
	l := LoginLink{Origin: u.Scheme + "://" + u.Host}
	path := u.EscapedPath()
	if login, short := strings.CutPrefix(path, "/l/"); short {
		l.Login, l.Way = login, WayQR
	} else if rest, long := strings.CutPrefix(path, "/login/"); long {
		login, same := strings.CutSuffix(rest, "/app")
		if !same {
			return LoginLink{}, malformed
		}
		l.Login, l.Way = login, WayApp
	}
	if !loginPattern.MatchString(l.Login) {
		return LoginLink{}, malformed
	}
	return l, nil
}

// check refuses a question whose parts do not belong together: what is signed has to be
// what is shown.
func (q LoginQuestion) check(l LoginLink, now time.Time) error {
	p := q.Presence
	for _, c := range []struct {
		part  string
		wrong bool
	}{
		{"login", q.Login != l.Login || q.Way != l.Way},
		{"client", !shown(q.Client.ID) || !shown(q.Client.Origin) || !shown(q.Client.Name.Ja) || !shown(q.Client.Name.En)},
		{"attributes", !plainSet(q.Attributes, attributePattern, maxAttributes)},
		{"numbers", q.numbersWrong()},
		{"demands", q.Demands != "" && q.Demands != ClassCard && q.Demands != ClassPhone},
		{"salt", len(q.Salt) != attest.ConsentSaltLength},
		{"sign", q.Sign != nil && q.Sign.wrong()},
		{"presence", p.Purpose != attest.PurposeLogin || p.ClientID != q.Client.ID || p.Origin != q.Client.Origin || p.Transaction != q.Login},
		{"nonce", !bytes.Equal(p.Nonce, q.Consent(q.Attributes).Nonce(q.Salt))},
	} {
		if c.wrong {
			return warifu.Refused("approve-malformed", "part", c.part)
		}
	}
	if !now.Before(q.Expires) || now.Sub(p.Time).Abs() > maxQuestionAge {
		return warifu.Refused("approve-expired")
	}
	return nil
}

// shown reports whether a name can be shown for what it is: nothing in it moves, hides or
// turns the text around it.
func shown(name string) bool {
	return name != "" && len(name) <= maxShown && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// numbersWrong: another device has three different numbers to choose from, the same none.
func (q LoginQuestion) numbersWrong() bool {
	if q.Way == WayApp {
		return len(q.Numbers) != 0
	}
	return len(q.Numbers) != 3 || !plainSet(q.Numbers, numberPattern, 3)
}

// plainSet reports whether every member has the form and none is there twice.
func plainSet(set []string, form *regexp.Regexp, most int) bool {
	for i, s := range set {
		if !form.MatchString(s) || slices.Contains(set[:i], s) {
			return false
		}
	}
	return len(set) <= most
}

// takes refuses a class that the relying party does not take.
func (q LoginQuestion) takes(class string) error {
	if q.Demands == "" || q.Demands == class {
		return nil
	}
	return warifu.Refused("approve-" + q.Demands + "-demanded")
}

// agreed checks what the person decided and sorts it.
func (q LoginQuestion) agreed(attributes []string, number string, now time.Time) ([]string, error) {
	if err := q.check(LoginLink{Login: q.Login, Way: q.Way}, now); err != nil {
		return nil, err
	}
	agreed := slices.Compact(slices.Sorted(slices.Values(attributes)))
	for _, name := range agreed {
		if !slices.Contains(q.Attributes, name) {
			return nil, warifu.Invalid("approve-attribute-unasked", "known", strings.Join(q.Attributes, ", "))
		}
	}
	if len(q.Numbers) > 0 && !slices.Contains(q.Numbers, number) {
		return nil, warifu.Invalid("approve-number-missing", "numbers", strings.Join(q.Numbers, ", "))
	}
	return agreed, nil
}

// presence is the question as it is signed with these attributes agreed to.
func (q LoginQuestion) presence(agreed []string) attest.Presence {
	p := q.Presence.Presence()
	p.Nonce = q.Consent(agreed).Nonce(q.Salt)
	return p
}
