package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// PurposeCheck is the purpose of a device request for what has become of the keys of a chip
// (有効性確認, K18); its subject is SubjectChip.
const (
	PurposeCheck = "check"
	SubjectChip  = "chip"
)

// PurposeListing, with the answer behind it ("clean", "declined" or "not-me"), is the purpose of a
// device request that answers a marketplace; its subject is the question's identifier.
const PurposeListing = "listing:"

// PurposePush is the purpose of a device request to be reached by a push subscription; its
// subject is the SHA-256 of the subscription as it is handed in, 64 hexadecimal digits.
const PurposePush = "push"

// ByChip reports, by nil, that the chip itself asks for this, with a fresh challenge. No secret
// is asked for and the challenge is not spent, so that it serves for what changes nothing when it
// is asked for twice. Errors: "element-unknown" for a chip that never applied,
// "device-request-other", those of challenges and papers.
func (a *Authority) ByChip(ctx context.Context, element warifu.ElementID, envelope []byte, purpose, subject string) error {
	request, err := a.deviceRequest(ctx, element, envelope)
	if err != nil {
		return err
	}
	if request.Purpose != purpose || request.Subject != subject {
		return warifu.Refused("device-request-other")
	}
	_, err = a.freshChallenge(request.Nonce, element)
	return err
}

// mostRecognised bounds how many credentials of a chip are told of, the newest ones.
const mostRecognised = 16

// Recognised is one credential of a chip, by its key: so that an app that remembers nothing
// finds what belongs to the key it sees (R74).
type Recognised struct {
	Standing
	Application string
	PublicKey   warifu.Digest // SHA-256 of the SubjectPublicKeyInfo
	EndedAt     time.Time     // zero while it has not
}

// ElementLife is what there is of one chip.
type ElementLife struct {
	Credentials []Recognised // oldest first
	// Application is the one that is open on this chip, its identifier empty where there is
	// none; its keys wait in the chip and would be destroyed by new ones.
	Application Application
}

// OfElement tells a chip what has become of the credentials that were ever live in it, and
// which application is open on it. The chip asks in its own name, with a fresh challenge; no
// secret is asked for, since an app installed anew asks before it knows anything, and a new
// owner has none. What it tells is nothing personal. The challenge is not spent: nothing
// changes. Errors: "element-unknown" for a chip that never applied, "device-request-other",
// those of challenges and papers.
func (a *Authority) OfElement(ctx context.Context, element warifu.ElementID, envelope []byte) (ElementLife, error) {
	if err := a.ByChip(ctx, element, envelope, PurposeCheck, SubjectChip); err != nil {
		return ElementLife{}, err
	}
	var known []store.Credential
	var open *store.Application
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfElement(element)
		if err != nil {
			return err
		}
		rows, err := tx.ApplicationsOfElement(element)
		known = slices.DeleteFunc(all, func(c store.Credential) bool { return c.ActivatedAt.IsZero() })
		open = openOf(rows)
		return err
	})
	if err != nil {
		return ElementLife{}, err
	}
	known = known[max(0, len(known)-mostRecognised):]
	standing, err := a.standings(ctx, known)
	if err != nil {
		return ElementLife{}, err
	}
	var out ElementLife
	for i, c := range known {
		out.Credentials = append(out.Credentials, Recognised{standing[i], c.Application, c.PublicKey, c.EndedAt})
	}
	if open != nil {
		out.Application, err = a.Application(ctx, open.ID)
	}
	return out, err
}
