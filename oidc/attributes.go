package oidc

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"warifu"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// signatureOf is a person's signature credential on a phone that is good now: what
// attributes are told from.
func signatureOf(tx *store.Tx, person warifu.Digest) (store.Credential, bool, error) {
	all, err := tx.LiveCredentials(person)
	if err != nil {
		return store.Credential{}, false, err
	}
	i := slices.IndexFunc(all, func(c store.Credential) bool {
		return c.Kind == warifu.Signature && c.State == warifu.CredentialActive
	})
	if i < 0 {
		return store.Credential{}, false, nil
	}
	return all[i], true, nil
}

// attributesOf are the attributes of who logged in: of a phone from the certificate on record
// of its holder's signature credential while that is good, of a card from the certificate
// that came with the login, while that is. Zero where there is none.
func (p *Provider) attributesOf(ctx context.Context, row store.Login) (profile.Attributes, error) {
	var der []byte
	err := p.Store.Read(ctx, func(tx *store.Tx) error {
		if !row.Papers.IsZero() {
			papers, err := tx.LoginPapers(row.Papers)
			if err == nil && len(papers) > 1 {
				der = papers[1]
			}
			return err
		}
		c, found, err := signatureOf(tx, row.Person)
		if err != nil || !found {
			return err
		}
		der, err = tx.UnsealBlob(c.Certificate)
		return err
	})
	if problemOf(err).IsCode(warifu.CodeNotFound) {
		return profile.Attributes{}, nil // erased
	}
	if err != nil || der == nil {
		return profile.Attributes{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return profile.Attributes{}, err
	}
	r, err := p.Verifier.Certificate(ctx, certificate, verify.Policy{Kind: warifu.Signature, Attributes: verify.AllAttributes})
	if err != nil {
		return profile.Attributes{}, err
	}
	if r.Verdict == verify.Unknown {
		return profile.Attributes{}, r.Err()
	}
	if r.Verdict != verify.Good {
		return profile.Attributes{}, nil
	}
	return r.Attributes, nil
}

// address is the address claim (OpenID Connect Core §5.1.1).
type address struct {
	Formatted string `json:"formatted"`
}

// claims are the attributes as the client is told them.
type claims struct {
	Name      string   `json:"name,omitempty"`
	Address   *address `json:"address,omitempty"`
	Birthdate string   `json:"birthdate,omitempty"`
	Gender    string   `json:"gender,omitempty"`
	// Missing are those that were agreed to and cannot be had.
	Missing []string `json:"warifu_missing,omitempty"`
}

// tell writes the agreed attributes in the client's formats, and returns which are told.
func tell(c Client, agreed []string, a profile.Attributes) (out claims, told []string) {
	for _, name := range agreed {
		has := false
		switch name {
		case ScopeName:
			out.Name, has = a.Name, a.Name != ""
		case ScopeAddress:
			if has = a.Address != ""; has {
				out.Address = &address{a.Address}
			}
		case ScopeBirthdate:
			out.Birthdate = birthdate(a.BirthDate, c.BirthdateFormat)
			has = out.Birthdate != ""
		case ScopeGender:
			out.Gender = gender(a.Gender, c.GenderFormat)
			has = out.Gender != ""
		}
		if has {
			told = append(told, name)
		} else {
			out.Missing = append(out.Missing, name)
		}
	}
	return out, told
}

// birthdate writes EYYYYMMDD without its era digit. A certificate may leave month and day
// open as zeros; ISO 8601-1 then has the year alone (OpenID Connect Core §5.1).
func birthdate(text, format string) string {
	if len(text) != 9 || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	year, month, day := text[1:5], text[5:7], text[7:9]
	switch {
	case format == FormatCompact:
		return text[1:]
	case month == "00" || day == "00":
		return year
	}
	return year + "-" + month + "-" + day
}

// gender writes "1", "2" and "3" (not known), which has no word among OpenID Connect's.
func gender(text, format string) string {
	if format == FormatNumber {
		return text
	}
	return map[string]string{"1": "male", "2": "female"}[text]
}
