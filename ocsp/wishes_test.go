package ocsp_test

import (
	"errors"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu/ocsp"
)

var (
	acceptableOID = []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 4}
	locatorOID    = []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 7}
	preferredOID  = []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 8}
	basicOID      = oid(1, 3, 6, 1, 5, 5, 7, 48, 1, 1)
	sequence      = func(content ...[]byte) []byte { return der(cbasn1.SEQUENCE, content...) }
)

// TestAClientsWishesAreRead (RFC 6960 §4.4.3 acceptable response types, §4.4.6 service
// locator, §4.4.7.1 preferred signature algorithms; RFC 9654 §2.1 nonce): critical or not,
// each is known here, and one that cannot be read is refused.
func TestAClientsWishesAreRead(t *testing.T) {
	fine := one([]byte{2, 1, 5})
	p256 := sequence(oid(1, 2, 840, 10045, 4, 3, 2))
	whole := func(id []int, value []byte) map[string]shape {
		return map[string]shape{
			"": {list: fine, extensions: extensions(extension(id, nil, value))}, "critical ": {list: fine, extensions: extensions(extension(id, critical, value))},
		}
	}
	single := func(id []int, value []byte) map[string]shape {
		list := func(flag []byte) []byte {
			return one([]byte{2, 1, 5}, explicit(0, sequence(extension(id, flag, value))))
		}
		return map[string]shape{"": {list: list(nil)}, "critical ": {list: list(critical)}}
	}
	for name, c := range map[string]struct {
		shapes map[string]shape
		ok     bool
	}{
		"nonce":                            {whole(nonceOID, der(cbasn1.OCTET_STRING, []byte{1})), true},
		"basic is acceptable":              {whole(acceptableOID, sequence(oid(otherOID...), basicOID)), true},
		"basic is not acceptable":          {whole(acceptableOID, sequence(oid(otherOID...))), false},
		"nothing is acceptable":            {whole(acceptableOID, sequence()), false},
		"no acceptable list":               {whole(acceptableOID, emptyNull), false},
		"P-256 is preferred":               {whole(preferredOID, sequence(sequence(p256))), true},
		"another is, for keys of its own":  {whole(preferredOID, sequence(sequence(sequence(oid(otherOID...)), sequence(oid(otherOID...))), sequence(p256))), true},
		"nothing is preferred":             {whole(preferredOID, sequence()), false},
		"no list of preferences":           {whole(preferredOID, emptyNull), false},
		"a preference of three":            {whole(preferredOID, sequence(sequence(p256, p256, p256))), false},
		"a preference and more":            {whole(preferredOID, append(sequence(sequence(p256)), 0)), false},
		"a locator":                        {single(locatorOID, sequence(sequence(), sequence())), true},
		"a locator of an issuer alone":     {single(locatorOID, sequence(sequence())), true},
		"no locator":                       {single(locatorOID, emptyNull), false},
		"a locator of nothing":             {single(locatorOID, sequence()), false},
		"a locator that is more than that": {single(locatorOID, sequence(sequence(), sequence(), sequence())), false},
	} {
		for flag, s := range c.shapes {
			r, err := ocsp.ParseRequest(s.der())
			if c.ok && (err != nil || r.CriticalUnknown) || !c.ok && !errors.Is(err, problem("status-request-malformed")) {
				t.Errorf("%s%s: %v", flag, name, err)
			}
		}
	}
}
