package scheme

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"warifu"
)

// MaxFile bounds a scheme file, in octets.
const MaxFile = 64 << 10

// file is the scheme as it is written; docs/schemes.md describes every field.
type file struct {
	Name      string    `toml:"name"`
	Version   int       `toml:"version"`
	Title     fileTitle `toml:"title"`
	Algorithm string    `toml:"algorithm"`
	Consent   string    `toml:"consent"`
	Hotline   string    `toml:"hotline"`

	CardFirst         bool `toml:"card_first"`
	ScreenLockSigning bool `toml:"screenlock_signing"`
	AttributeConsent  bool `toml:"attribute_consent"`
	MinimumAge        int  `toml:"minimum_age"`
	MinimumAppVersion int  `toml:"minimum_app_version"`

	Hours     fileHours           `toml:"hours"`
	Tries     map[string]int      `toml:"tries"`
	Secrets   map[string]fileForm `toml:"secrets"`
	Lifetimes map[string]span     `toml:"lifetimes"`
	Services  map[string]string   `toml:"services"`
}

type fileTitle struct {
	Japanese string `toml:"ja"`
	English  string `toml:"en"`
}

type fileHours struct {
	Zone        string            `toml:"zone"`
	Always      bool              `toml:"always"`
	Opens       string            `toml:"opens"`
	CutOff      string            `toml:"cut_off"`
	Closes      string            `toml:"closes"`
	Closed      []string          `toml:"closed"`
	Maintenance []fileMaintenance `toml:"maintenance"`
}

type fileMaintenance struct {
	From time.Time `toml:"from"`
	To   time.Time `toml:"to"`
	Note fileTitle `toml:"note"`
}

type fileForm struct {
	Min      int      `toml:"min"`
	Max      int      `toml:"max"`
	Alphabet Alphabet `toml:"alphabet"`
}

// span is a duration as time.ParseDuration reads it, or whole days: "30d".
type span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *span) UnmarshalText(b []byte) error {
	if days, ok := strings.CutSuffix(string(b), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		*s = span(time.Duration(n) * 24 * time.Hour)
		return err
	}
	d, err := time.ParseDuration(string(b))
	*s = span(d)
	return err
}

var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	consentForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	phoneForm   = regexp.MustCompile(`^[0-9+][0-9-]{2,19}$`)
)

// Parse reads a scheme. It refuses unknown fields, missing ones and whatever is out of
// range, naming the field: Invalid "scheme-invalid" with the parameter "field".
func Parse(b []byte) (*Scheme, error) {
	if len(b) > MaxFile {
		return nil, invalid("file", errors.New("too large"))
	}
	var f file
	meta, err := toml.Decode(string(b), &f)
	if err != nil {
		return nil, invalid("file", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, invalid(unknown[0].String(), errors.New("unknown"))
	}
	return f.scheme()
}

func invalid(field string, err error) error {
	return warifu.Invalid("scheme-invalid", "field", field).With(err)
}

func (f *file) scheme() (*Scheme, error) {
	s := &Scheme{
		Name: f.Name, Version: f.Version, Title: Title(f.Title), Algorithm: f.Algorithm, Consent: f.Consent, Hotline: f.Hotline,
		CardFirst: f.CardFirst, ScreenLockSigning: f.ScreenLockSigning, AttributeConsent: f.AttributeConsent, MinimumAge: f.MinimumAge, MinimumAppVersion: f.MinimumAppVersion,
	}
	if err := s.checkPlain(); err != nil {
		return nil, err
	}
	for _, read := range []func(*file) error{s.readHours, s.readTries, s.readSecrets, s.readLifetimes, s.readServices} {
		if err := read(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Scheme) checkPlain() error {
	for _, c := range []struct {
		field string
		ok    bool
	}{
		{"name", nameForm.MatchString(s.Name) && len(s.Name) <= 32},
		{"version", s.Version >= 1 && s.Version <= 9999},
		{"title", s.Title.Japanese != "" && s.Title.English != "" && len(s.Title.Japanese)+len(s.Title.English) <= 400},
		{"algorithm", s.Algorithm == RSA2048 || s.Algorithm == P256},
		{"consent", consentForm.MatchString(s.Consent) && len(s.Consent) <= 32},
		{"hotline", s.Hotline == "" || phoneForm.MatchString(s.Hotline)},
		{"minimum_age", s.MinimumAge >= 0 && s.MinimumAge <= 30},
		{"minimum_app_version", s.MinimumAppVersion >= 1 && s.MinimumAppVersion <= 999999},
	} {
		if !c.ok {
			return invalid(c.field, errors.New("missing or out of range"))
		}
	}
	return nil
}

// byKind reads a table that must have exactly the two kinds.
func byKind[V any](field string, m map[string]V, ok func(V) bool) (signature, authentication V, err error) {
	for _, k := range warifu.Kinds {
		v, there := m[k.String()]
		if !there || !ok(v) {
			return signature, authentication, invalid(field+"."+k.String(), errors.New("missing or out of range"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if _, err := warifu.ParseKind(name); err != nil {
			return signature, authentication, invalid(field+"."+name, errors.New("unknown"))
		}
	}
	return m[warifu.Signature.String()], m[warifu.Authentication.String()], nil
}

func (s *Scheme) readTries(f *file) (err error) {
	s.Tries.Signature, s.Tries.Authentication, err = byKind("tries", f.Tries, func(n int) bool { return n >= 1 && n <= 15 }) // 63Cx has one digit
	return err
}

func (s *Scheme) readSecrets(f *file) error {
	sign, auth, err := byKind("secrets", f.Secrets, func(v fileForm) bool {
		return v.Min >= 4 && v.Min <= v.Max && v.Max <= 16 && (v.Alphabet == Digits || v.Alphabet == UpperDigits)
	})
	s.Secrets = Secrets{Form(sign), Form(auth)}
	return err
}

func (s *Scheme) readLifetimes(f *file) error {
	const day = 24 * time.Hour
	fields := map[string]struct {
		into     *time.Duration
		min, max time.Duration
	}{
		"challenge":          {&s.ChallengeLife, time.Minute, 10 * time.Minute},
		"challenge_max_wait": {&s.ChallengeMaxWait, day, 60 * day},
		"statement_max_age":  {&s.StatementMaxAge, time.Minute, 10 * time.Minute},
		"status_max_age":     {&s.StatusMaxAge, time.Minute, 10 * time.Minute},
		"application_lapse":  {&s.ApplicationLapse, day, 90 * day},
		"card_again":         {&s.CardAgain, 0, 90 * day},
		"supersede_cooling":  {&s.SupersedeCooling, 0, 7 * day},
		"notice_within":      {&s.NoticeWithin, time.Second, time.Hour},
		"write_within":       {&s.WriteWithin, time.Second, time.Minute},
		"ledger_keep":        {&s.LedgerKeep, 30 * day, 3660 * day},
		"evidence_keep":      {&s.EvidenceKeep, 30 * day, 11000 * day},
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		v, there := f.Lifetimes[name]
		d := time.Duration(v)
		if !there || d < fields[name].min || d > fields[name].max {
			return invalid("lifetimes."+name, errors.New("missing or out of range"))
		}
		*fields[name].into = d
	}
	for _, name := range slices.Sorted(maps.Keys(f.Lifetimes)) {
		if _, known := fields[name]; !known {
			return invalid("lifetimes."+name, errors.New("unknown"))
		}
	}
	return nil
}

// readServices reads opening dates; a service opens at 00:00 in the zone of the hours.
func (s *Scheme) readServices(f *file) error {
	if len(f.Services) > 64 {
		return invalid("services", errors.New("more than 64"))
	}
	s.Services = make(map[string]time.Time, len(f.Services))
	for name, opening := range f.Services {
		if !nameForm.MatchString(name) || len(name) > 32 {
			return invalid("services", errors.New("a name is lower-case letters, digits and hyphens"))
		}
		if opening == "open" {
			s.Services[name] = time.Time{}
			continue
		}
		t, err := time.ParseInLocation(time.DateOnly, opening, s.Hours.Zone)
		if err != nil {
			return invalid("services."+name, err)
		}
		s.Services[name] = t
	}
	return nil
}
