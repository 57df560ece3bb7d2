package verification

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// Wish is a relying party's wish to be told attributes, with what became of it.
type Wish struct {
	ID           string
	Verification string
	Party        ledger.Name
	PartyID      string
	Attributes   []string
	Purpose      string
	State        string // "waiting", "granted", "refused", "expired"
	At, Expires  time.Time
	// Changed says, of one that was granted, that an attribute asked for is another now than in
	// the certificate that was checked. Told are those of the newest application's card: only
	// where one has changed or was not told before.
	Changed bool
	Told    profile.Attributes
}

const (
	wishLife  = 7 * day
	maxWishes = 50 // of one holder at one time, as they are shown
)

// salted keeps a text from being found by its digest.
type salted struct {
	Salt []byte `json:"salt"`
	Text string `json:"text"`
}

func sealText(tx *store.Tx, owner warifu.Digest, text string) (warifu.Digest, error) {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	b, err := json.Marshal(salted{salt, text})
	if err != nil {
		return warifu.Digest{}, err
	}
	return tx.SealBlob(owner, b)
}

func openText(tx *store.Tx, digest warifu.Digest) (string, error) {
	b, err := tx.UnsealBlob(digest)
	if err != nil {
		return "", err
	}
	var s salted
	return s.Text, json.Unmarshal(b, &s)
}

// Wish asks the holder behind a verification for attributes as they are now (最新の利用者情報).
// The holder decides on the phone. It counts as a question. Errors: as Again, Refused
// "attributes-not-yours", Invalid "verification-incomplete", Conflict "holder-unknown" where
// nobody with a phone here is behind it.
func (d *Desk) Wish(ctx context.Context, key, id string, attributes []verify.Attribute, purpose string) (Wish, error) {
	party, err := d.admit(ctx, key)
	if err != nil {
		return Wish{}, err
	}
	if len(attributes) == 0 || purpose == "" || len(purpose) > maxPurpose {
		return Wish{}, warifu.Invalid("verification-incomplete", "what", "attributes, purpose")
	}
	if !allows(party.Attributes, attributes) {
		return Wish{}, warifu.Refused("attributes-not-yours")
	}
	now := d.Clock.Now()
	row := store.AttributeRequest{ID: d.Store.NewID(), Party: party.ID, Verification: id, Attributes: strings.Join(NamesOf(attributes), ","), At: now, Expires: now.Add(wishLife)}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		v, err := d.own(tx, party, id)
		if err != nil {
			return err
		}
		if v.Person == (warifu.Digest{}) || v.Verdict != verify.Good.String() {
			return warifu.Conflict("holder-unknown")
		}
		row.Person = v.Person
		if row.Purpose, err = sealText(tx, v.Person, purpose); err != nil {
			return err
		}
		if err := tx.InsertAttributeRequest(row); err != nil {
			return err
		}
		return d.append(tx, party, v, ledger.Entry{At: now, What: ledger.Wished, Purpose: purpose, Result: row.Attributes})
	})
	return Wish{ID: row.ID, Verification: id, Party: party.Name, PartyID: party.ID, Attributes: NamesOf(attributes), Purpose: purpose, State: "waiting", At: row.At, Expires: row.Expires}, err
}

// Wishes are those that wait for a holder's decision.
func (d *Desk) Wishes(ctx context.Context, person warifu.Digest) ([]Wish, error) {
	out := []Wish{}
	err := d.Store.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.AttributeRequestsOf(person, d.Clock.Now(), maxWishes)
		if err != nil {
			return err
		}
		for _, row := range rows {
			w, err := d.wishOf(tx, row)
			if err != nil {
				return err
			}
			out = append(out, w)
		}
		return nil
	})
	return out, err
}

func (d *Desk) wishOf(tx *store.Tx, row store.AttributeRequest) (Wish, error) {
	w := Wish{ID: row.ID, Verification: row.Verification, PartyID: row.Party, Attributes: strings.Split(row.Attributes, ","), State: row.State, At: row.At, Expires: row.Expires}
	if p, known := d.parties().named(row.Party); known {
		w.Party = p.Name
	}
	if w.State == "waiting" && !d.Clock.Now().Before(row.Expires) {
		w.State = "expired"
	}
	var err error
	if w.Purpose, err = openText(tx, row.Purpose); warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		err = nil // erased
	}
	return w, err
}

// Decide writes what the holder decided; paper is the chip's signed request that says so.
// Errors: NotFound "attribute-request-unknown" for what is not theirs, Conflict
// "attribute-request-decided" once it is decided otherwise or has expired.
func (d *Desk) Decide(ctx context.Context, person warifu.Digest, id string, grant bool, paper []byte) error {
	state := "refused"
	if grant {
		state = "granted"
	}
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.AttributeRequest(id)
		if err == nil && row.Person != person {
			err = warifu.NotFound("attribute-request-unknown")
		}
		if err != nil || row.State == state {
			return err
		}
		decision, err := tx.SealBlob(person, paper)
		if err != nil {
			return err
		}
		open, err := tx.DecideAttributeRequest(id, state, decision, d.Clock.Now())
		if err == nil && !open {
			err = warifu.Conflict("attribute-request-decided")
		}
		return err
	})
}

// Wished tells a relying party what became of a wish, and the attributes once they are
// granted and while it has not expired. Errors: Unauthenticated "relying-party-unknown", NotFound
// "attribute-request-unknown".
func (d *Desk) Wished(ctx context.Context, key, id string) (Wish, error) {
	party, err := d.enter(key)
	if err != nil {
		return Wish{}, err
	}
	var w Wish
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.AttributeRequest(id)
		if err == nil && row.Party != party.ID {
			err = warifu.NotFound("attribute-request-unknown")
		}
		if err != nil {
			return err
		}
		if w, err = d.wishOf(tx, row); err != nil || w.State != "granted" {
			return err
		}
		if !d.Clock.Now().Before(row.Expires) {
			w.State = "expired"
			return nil
		}
		return d.disclose(ctx, tx, party, row, &w)
	})
	return w, err
}

// disclose fills in the attributes of the holder's newest application, if any that was asked
// for has changed since the certificate that was checked, or has not been told yet.
func (d *Desk) disclose(ctx context.Context, tx *store.Tx, party Party, row store.AttributeRequest, w *Wish) error {
	wanted, err := ParseAttributes(w.Attributes)
	if err != nil {
		return err
	}
	if wanted = slices.DeleteFunc(wanted, func(a verify.Attribute) bool { return !slices.Contains(party.Attributes, a) }); len(wanted) == 0 {
		return nil // the operator has taken them from the party since
	}
	v, err := tx.Verification(row.Verification)
	if err != nil {
		return err
	}
	newest, err := tx.NewestOf(row.Person)
	if err != nil {
		return err
	}
	now, err := cardAttributes(tx, newest)
	if err != nil {
		return err
	}
	then, err := d.checkedAttributes(ctx, tx, v)
	if err != nil {
		return err
	}
	w.Changed = only(wanted, now) != only(wanted, then)
	told := strings.Split(v.Told, ",")
	fresh := slices.ContainsFunc(NamesOf(wanted), func(name string) bool { return !slices.Contains(told, name) })
	if !w.Changed && !fresh {
		return nil
	}
	w.Told = only(wanted, now)
	for _, name := range NamesOf(wanted) {
		if !slices.Contains(told, name) {
			told = append(told, name)
		}
	}
	if err := tx.SetTold(v.ID, strings.Trim(strings.Join(told, ","), ",")); err != nil {
		return err
	}
	return d.append(tx, party, v, ledger.Entry{At: d.Clock.Now(), What: ledger.Told, Purpose: w.Purpose, Result: strings.Join(NamesOf(wanted), ",")})
}

// cardAttributes are those in the card's signing certificate that an application came with.
func cardAttributes(tx *store.Tx, row store.Application) (profile.Attributes, error) {
	der, err := tx.UnsealBlob(row.Signed)
	if err != nil {
		return profile.Attributes{}, err
	}
	message, err := cms.Parse(der)
	if err != nil {
		return profile.Attributes{}, err
	}
	a, _, err := profile.ParseAttributes(message.Signer)
	return a, err
}

// checkedAttributes are those in the certificate that a verification was about: a phone's
// signing certificate repeats its card's. Zero for one that carries none.
func (d *Desk) checkedAttributes(ctx context.Context, tx *store.Tx, v store.Verification) (profile.Attributes, error) {
	if v.Class == profile.ClassPhone.String() {
		c, err := tx.CredentialBySerial(v.Kind, v.Serial)
		if err != nil {
			return profile.Attributes{}, err
		}
		der, err := tx.UnsealBlob(c.Certificate)
		if err != nil {
			return profile.Attributes{}, err
		}
		return attributesOf(der)
	}
	e, err := evidenceOf(tx, v)
	if err != nil {
		return profile.Attributes{}, nil //nolint:nilerr // without evidence nothing is known of then: everything counts as changed
	}
	r, err := d.Verifier.Evidence(ctx, e, verify.Policy{Attributes: verify.AllAttributes})
	if err != nil {
		return profile.Attributes{}, err
	}
	return r.Attributes, nil
}
