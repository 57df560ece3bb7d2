package profile_test

import (
	"encoding/asn1"
	"os"
	"regexp"
	"strings"
	"testing"

	"warifu/profile"
)

func TestTheDocumentNamesTheSameIdentifiers(t *testing.T) {
	raw, err := os.ReadFile("../docs/profile.md")
	if err != nil {
		t.Fatal(err)
	}
	document := string(raw)
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([0-9.]+)` \\| (.*) \\|$").FindAllStringSubmatch(document, -1) {
		rows[m[1]] = m[2]
	}
	want := map[string]asn1.ObjectIdentifier{
		"policy: card, signature (test":   profile.PolicyCardSignature,
		"policy: card, signature (real":   profile.PolicyCardSignatureReal,
		"policy: card, authentication":    profile.PolicyCardAuthentication,
		"policy: phone, signature":        profile.PolicyPhoneSignature,
		"policy: phone, authentication":   profile.PolicyPhoneAuthentication,
		"otherName: 氏名,":                  profile.OIDName,
		"otherName: 氏名代替文字":               profile.OIDNameSubstitution,
		"otherName: 性別":                   profile.OIDGender,
		"otherName: 生年月日":                 profile.OIDBirthDate,
		"otherName: 住所, at most 200 char": profile.OIDAddress,
		"otherName: 住所代替文字":               profile.OIDAddressSubstitution,
	}
	for meaning, oid := range want {
		if !strings.HasPrefix(rows[oid.String()], meaning) {
			t.Errorf("docs/profile.md says of %v: %q, want %q", oid, rows[oid.String()], meaning)
		}
	}
	if len(rows) != len(want) {
		t.Errorf("docs/profile.md has %d identifiers, the code %d", len(rows), len(want))
	}
	for _, r := range profile.Rules() {
		if !strings.Contains(document, r.Name) {
			t.Errorf("docs/profile.md does not name the rule %q", r.Name)
		}
	}
}
