package ca

import "crypto/x509"

// Check runs the checks on a request.
func Check(i *Issuer, r Request) (any, error) { return i.check(r) }

// LintAs lints tbs as if c were what the evidence allows.
func LintAs(i *Issuer, tbs []byte, c *x509.Certificate) error {
	return i.lint(tbs, Limits{Issuer: i.config.Certificate, Serials: i.config.Serials, PublicKey: c.RawSubjectPublicKeyInfo, NotAfter: c.NotAfter})
}

// Zlint runs zlint alone.
func Zlint(i *Issuer, der []byte) error { return i.zlintAll(der) }

// ZlintRules says how many lints of zlint are asked.
func ZlintRules(i *Issuer) int { return len(i.zlint) }

// ConfigOf returns what an issuer was made of.
func ConfigOf(i *Issuer) Config { return i.config }

// ShapeOf is shapeOf.
func ShapeOf(c *x509.Certificate) ([32]byte, bool) { return shapeOf(c) }

// ZlintNames lists the lints of zlint that are asked.
func ZlintNames(i *Issuer) []string {
	var names []string
	for _, l := range i.zlint {
		names = append(names, l.Name)
	}
	return names
}
