package fault

import (
	"strings"
	"time"

	"warifu"
)

// Header asks for faults in one request: names, separated by commas, each with its length
// where it has one: "provider-slow=3s".
const Header = "Warifu-Fault"

// maxHeader bounds the header's octets.
const maxHeader = 200

// Name is a fault.
type Name string

// The faults.
const (
	OCSPSilent       Name = "ocsp-silent"       // OCSP takes the question and never answers; so does the status behind the verification service
	OCSPLater        Name = "ocsp-later"        // OCSP answers tryLater (RFC 6960 §2.3)
	OCSPStranger     Name = "ocsp-stranger"     // OCSP answers good, signed by a responder whom no authority appointed
	CRLDown          Name = "crl-down"          // revocation lists answer 503
	AuthorityWrong   Name = "authority-wrong"   // /ca/… is the certificate of a stranger
	ProviderDown     Name = "provider-down"     // the login provider answers 503
	ProviderSlow     Name = "provider-slow"     // the login provider takes its time: how long is the fault's length
	VerificationDown Name = "verification-down" // the verification service answers 503
	ClockSkew        Name = "clock-skew"        // the provider's clock is ahead, and so are its tokens, by the fault's length; world only
	NoticeLost       Name = "notice-lost"       // a notice goes out and arrives nowhere; world only
	IssuerSlow       Name = "issuer-slow"       // each lot of certificates waits, for the fault's length; world only
	AppOffline       Name = "app-offline"       // what the app on a phone asks gets no answer: the line is dead
	AppSlow          Name = "app-slow"          // what it asks takes its time, for the fault's length
	AppBusy          Name = "app-busy"          // what it asks is answered 429: too many requests
)

// kind says how a fault is used.
type kind struct {
	Name    Name
	World   bool          // a switch of the world only: no request can ask for it
	Usually time.Duration // its length where none is said; zero: it has none
}

// Longest is the greatest length of any fault.
const Longest = 24 * time.Hour

// All are the faults, in the order in which they are told.
var All = []Name{OCSPSilent, OCSPLater, OCSPStranger, CRLDown, AuthorityWrong, ProviderDown, ProviderSlow, VerificationDown, ClockSkew, NoticeLost, IssuerSlow, AppOffline, AppSlow, AppBusy}

var kinds = map[Name]kind{
	OCSPSilent: {Usually: 30 * time.Second}, OCSPLater: {}, OCSPStranger: {}, CRLDown: {}, AuthorityWrong: {},
	ProviderDown: {}, ProviderSlow: {Usually: 10 * time.Second}, VerificationDown: {},
	ClockSkew: {World: true, Usually: 10 * time.Minute}, NoticeLost: {World: true}, IssuerSlow: {World: true, Usually: 20 * time.Second},
	AppOffline: {}, AppSlow: {Usually: 5 * time.Second}, AppBusy: {},
}

// Setting is a fault as it is switched on.
type Setting struct {
	Name Name `json:"name"`
	// Length is the fault's: how long something takes, or how far a clock is off.
	Length time.Duration `json:"length,omitempty"`
	// Times is how often it strikes before it is off by itself; zero: until it is switched off.
	Times int `json:"times,omitempty"`
}

// maxTimes bounds Setting.Times.
const maxTimes = 1_000_000

// Parse reads "name" or "name=length" ("provider-slow=3s"). Error: Invalid "fault-unknown".
func Parse(word string) (Setting, error) {
	name, length, has := strings.Cut(strings.TrimSpace(word), "=")
	k, known := kinds[Name(name)]
	if !known || has && k.Usually == 0 {
		return Setting{}, unknown()
	}
	s := Setting{Name: Name(name), Length: k.Usually}
	if has {
		var err error
		if s.Length, err = time.ParseDuration(length); err != nil || s.Length <= 0 || s.Length > Longest {
			return Setting{}, unknown()
		}
	}
	return s, nil
}

func unknown() error {
	names := make([]string, len(All))
	for i, n := range All {
		names[i] = string(n)
	}
	return warifu.Invalid("fault-unknown", "known", strings.Join(names, ", "))
}

// ParseHeader reads the header of one request. Error: Invalid "fault-unknown", also for a
// fault that is the world's alone.
func ParseHeader(value string) ([]Setting, error) {
	if value == "" {
		return nil, nil
	}
	if len(value) > maxHeader {
		return nil, unknown()
	}
	var out []Setting
	for word := range strings.SplitSeq(value, ",") {
		s, err := Parse(word)
		if err != nil {
			return nil, err
		}
		if kinds[s.Name].World {
			return nil, warifu.Invalid("fault-of-the-world", "fault", string(s.Name))
		}
		out = append(out, s)
	}
	return out, nil
}
