package catalogue

import (
	"strconv"
	"strings"
)

// column is one column of the CSV form: how a model is written into it and read from
// it. Names are those of the JSON, so that both forms are learned once; lists are
// separated by |, yes and no stand for true and false.
type column struct {
	name string
	get  func(*Model) string
	set  func(*Model, string) bool
}

func textColumn[S ~string](name string, field func(*Model) *S) column {
	return column{
		name,
		func(m *Model) string { return string(*field(m)) },
		func(m *Model, s string) bool { *field(m) = S(s); return true },
	}
}

func listColumn[S ~string](name string, field func(*Model) *[]S) column {
	return column{
		name,
		func(m *Model) string {
			parts := make([]string, len(*field(m)))
			for i, p := range *field(m) {
				parts[i] = string(p)
			}
			return strings.Join(parts, "|")
		},
		func(m *Model, s string) bool {
			*field(m) = nil
			if s == "" {
				return true
			}
			for _, p := range strings.Split(s, "|") {
				*field(m) = append(*field(m), S(p))
			}
			return true
		},
	}
}

func boolColumn(name string, field func(*Model) *bool) column {
	return column{
		name,
		func(m *Model) string {
			if *field(m) {
				return "yes"
			}
			return "no"
		},
		func(m *Model, s string) bool { *field(m) = s == "yes"; return s == "yes" || s == "no" },
	}
}

var columns = []column{
	textColumn("id", func(m *Model) *string { return &m.ID }),
	textColumn("maker", func(m *Model) *string { return &m.Maker }),
	listColumn("names", func(m *Model) *[]string { return &m.Names }),
	textColumn("platform", func(m *Model) *Platform { return &m.Platform }),
	boolColumn("secureElement", func(m *Model) *bool { return &m.SecureElement }),
	textColumn("market", func(m *Model) *Market { return &m.Market }),
	listColumn("carriers", func(m *Model) *[]string { return &m.Carriers }),
	textColumn("since", func(m *Model) *Date { return &m.Since }),
	textColumn("minOSBuild", func(m *Model) *string { return &m.MinOSBuild }),
	{"minAppVersion", appVersion, setAppVersion},
	textColumn("biometric", func(m *Model) *Biometric { return &m.Biometric }),
	textColumn("nfc", func(m *Model) *NFC { return &m.NFC }),
	textColumn("verification", func(m *Model) *Result { return &m.Verification.Result }),
	textColumn("verifiedBy", func(m *Model) *string { return &m.Verification.By }),
	textColumn("verifiedOn", func(m *Model) *Date { return &m.Verification.On }),
	listColumn("revised", func(m *Model) *[]Date { return &m.Revised }),
	boolColumn("sample", func(m *Model) *bool { return &m.Sample }),
	textColumn("verifiedOSBuild", func(m *Model) *string { return &m.Verification.OSBuild }),
}

// firstColumns are how many columns a file had before there were records of checks; one with
// these alone is read as well.
const firstColumns = 17

// appVersion writes no minimum as an empty cell.
func appVersion(m *Model) string {
	if m.MinAppVersion == 0 {
		return ""
	}
	return strconv.Itoa(m.MinAppVersion)
}

func setAppVersion(m *Model, s string) bool {
	if s == "" {
		m.MinAppVersion = 0
		return true
	}
	n, err := strconv.Atoi(s)
	m.MinAppVersion = n
	return err == nil && n > 0 && strconv.Itoa(n) == s
}
