package scheme

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
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
		CardFirst: f.CardFirst, ScreenLockSigning: f.ScreenLockSigning, MinimumAge: f.MinimumAge, MinimumAppVersion: f.MinimumAppVersion,
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

func (s *Scheme) readHours(f *file) error {
	zone, err := time.LoadLocation(f.Hours.Zone)
	if err != nil || f.Hours.Zone == "" || f.Hours.Zone == "Local" {
		return invalid("hours.zone", errors.Join(errors.New("not a zone of the IANA data base"), err))
	}
	s.Hours = Hours{Zone: zone, Always: f.Hours.Always}
	if err := s.Hours.readDay(f.Hours); err != nil {
		return err
	}
	if err := s.Hours.readClosed(f.Hours.Closed); err != nil {
		return err
	}
	return s.Hours.readMaintenance(f.Hours.Maintenance)
}

func (h *Hours) readDay(f fileHours) error {
	if h.Always {
		if f.Opens+f.CutOff+f.Closes != "" || len(f.Closed) > 0 {
			return invalid("hours.always", errors.New("leaves no room for opens, cut_off, closes or closed"))
		}
		return nil
	}
	for _, c := range []struct {
		field, written string
		into           *TimeOfDay
	}{{"opens", f.Opens, &h.Opens}, {"cut_off", f.CutOff, &h.CutOff}, {"closes", f.Closes, &h.Closes}} {
		t, err := parseTimeOfDay(c.written)
		if err != nil {
			return invalid("hours."+c.field, err)
		}
		*c.into = t
	}
	if !(h.Opens < h.CutOff && h.CutOff <= h.Closes) {
		return invalid("hours.cut_off", errors.New("wants opens < cut_off ≤ closes"))
	}
	return nil
}

func parseTimeOfDay(s string) (TimeOfDay, error) {
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if len(s) != len(layout) {
			continue
		}
		t, err := time.Parse(layout, s)
		if err != nil {
			return 0, err
		}
		return TimeOfDay(t.Sub(t.Truncate(24 * time.Hour))), nil
	}
	return 0, fmt.Errorf("%q is not hh:mm or hh:mm:ss", s)
}

// The bounds keep Next's search short: no set of closed days can fill a year twice.
const (
	maxClosedEveryYear = 60
	maxClosed          = 366
	maxMaintenance     = 64
	longestMaintenance = 7 * 24 * time.Hour
)

func (h *Hours) readClosed(days []string) error {
	yearly := 0
	for _, written := range days {
		d, err := parseDay(written)
		if err != nil {
			return invalid("hours.closed", err)
		}
		if d.Year == 0 {
			yearly++
		}
		h.ClosedDays = append(h.ClosedDays, d)
	}
	sort.Slice(h.ClosedDays, func(i, j int) bool { return h.ClosedDays[i].String() < h.ClosedDays[j].String() })
	if len(slices.Compact(slices.Clone(h.ClosedDays))) != len(days) {
		return invalid("hours.closed", errors.New("a day twice"))
	}
	if yearly > maxClosedEveryYear || len(days) > maxClosed {
		return invalid("hours.closed", errors.New("too many days"))
	}
	return nil
}

func parseDay(s string) (Day, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
		return Day{t.Year(), t.Month(), t.Day()}, nil
	}
	t, err := time.Parse(time.DateOnly, "2000-"+s) // a leap year, so that 02-29 is a day
	if err != nil {
		return Day{}, fmt.Errorf("%q is not yyyy-mm-dd or mm-dd", s)
	}
	return Day{0, t.Month(), t.Day()}, nil
}

func (h *Hours) readMaintenance(windows []fileMaintenance) error {
	if len(windows) > maxMaintenance {
		return invalid("hours.maintenance", errors.New("too many windows"))
	}
	for _, w := range windows {
		if !w.From.Before(w.To) || w.To.Sub(w.From) > longestMaintenance {
			return invalid("hours.maintenance", errors.New("wants from < to, at most seven days apart"))
		}
		h.Maintenance = append(h.Maintenance, Closure{w.From, w.To, Title(w.Note)})
	}
	sort.Slice(h.Maintenance, func(i, j int) bool { return h.Maintenance[i].From.Before(h.Maintenance[j].From) })
	for i := 1; i < len(h.Maintenance); i++ {
		if h.Maintenance[i].From.Before(h.Maintenance[i-1].To) {
			return invalid("hours.maintenance", errors.New("windows overlap"))
		}
	}
	return nil
}
