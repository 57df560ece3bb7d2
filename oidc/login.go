package oidc

import (
	"time"

	"warifu/attest"
)

// State is how far a login is.
type State string

// The states. A login leaves Waiting once, by Answer, Decline, Cancel or time, and Approved
// once, by Finish or time.
const (
	Waiting   State = "waiting"   // for the claimant
	Approved  State = "approved"  // for the browser to go back
	Refused   State = "refused"   // the claimant declined, or picked a wrong number
	Cancelled State = "cancelled" // in the browser
	Finished  State = "finished"  // the browser went back with a code
	Expired   State = "expired"
)

// The ways by which a claimant comes to a login.
const (
	WayApp = "app" // the app or the reader is on the device that the browser is on
	WayQR  = "qr"  // another device: the number is picked
)

// The classes of credential, as a client demands one and as the ID token says which it was.
const (
	ClassCard  = "card"
	ClassPhone = "phone"
)

// What opened the authentication key. The phone says so; of a card it is always the PIN.
const (
	ActivationPIN        = "pin"
	ActivationScreenLock = "screen-lock"
	ActivationPassword   = "password"
)

// Question is a login as the claimant is asked: everything a phone shows before it signs, and
// everything it signs.
type Question struct {
	Login      string     `json:"login"`
	Client     ClientView `json:"client"`
	Scopes     []string   `json:"scopes"`
	Attributes []string   `json:"attributes"` // asked for; the person may leave out any
	Demands    string     `json:"demands"`    // ClassCard or ClassPhone: no other is taken; "": either
	Sign       *SignView  `json:"sign,omitempty"`
	Salt       []byte     `json:"salt"` // of attest.Consent
	// Presence is what is signed where every attribute is agreed to: its Nonce is that of the
	// consent with all of Attributes. Who agrees to less signs the same with another Nonce.
	Presence attest.Presence `json:"-"`
	// Numbers are three of two digits, one of which the browser shows; none on the same device.
	Numbers []string  `json:"numbers,omitempty"`
	Expires time.Time `json:"expires"`
	Way     string    `json:"way"`
}

// SignView is what is to be signed together with a login.
type SignView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Mode   string `json:"mode"`
	Digest string `json:"digest"` // SHA-256 of the document, 64 hexadecimal digits
	Size   int    `json:"size"`   // octets
}

// Answer is what the claimant hands in (ParseAnswer reads it from JSON).
type Answer struct {
	Certificate []byte `json:"certificate"` // DER, of the authentication credential
	// Signature is the authentication key's over the Question's Presence, its Nonce made of
	// Agreed: PKCS #1 v1.5 with RSA, ECDSA-Sig-Value with P-256.
	Signature  []byte   `json:"signature"`
	Agreed     []string `json:"agreed"`     // of Question.Attributes
	Number     string   `json:"number"`     // picked, of Question.Numbers; "" on the same device
	Activation string   `json:"activation"` // ActivationPIN, ActivationScreenLock, ActivationPassword
	// AttributesFrom is, of a card at a reader, the certificate (DER) of the same card's signing
	// credential, which attributes are told from; reading it takes the card's signing password.
	// A phone's are told from the certificate on record.
	AttributesFrom []byte  `json:"attributesFrom,omitempty"`
	Signed         *Signed `json:"signed,omitempty"` // where Question.Sign is
}

// Signed is what the claimant signed with the login.
type Signed struct {
	Certificate []byte `json:"certificate"`         // DER, of the signature credential
	Signature   []byte `json:"signature,omitempty"` // bare, or CMS
	Document    []byte `json:"document,omitempty"`  // the signed document, of modes that put the signature in it
	// Element and Request stand in for the presence (Answer.Certificate and Signature are then
	// empty) where the signing password alone was typed: the secure element's identifier, 32
	// hexadecimal digits, and its word (attest.DeviceRequest, SignPurpose) that the password was
	// given for this signature and this consent (Signing.Vouch).
	Element string `json:"element,omitempty"`
	Request []byte `json:"request,omitempty"`
}

// Answered is what the claimant is told.
type Answered struct {
	// Return is the address at which the browser of this device goes on, good once and only
	// with the login's cookie: {origin}/login/{login}/done?return={token}. Empty after a number
	// was picked: the other device's browser goes on by itself.
	Return string `json:"return"`
	// Missing are the agreed attributes that cannot be told, since there is no good signature
	// credential that carries them.
	Missing []string `json:"missing,omitempty"`
}

// View is a login as its browser sees it.
type View struct {
	Login      string
	Client     ClientView
	State      State
	Way        string // WayApp or WayQR once it is Approved: after WayApp the browser goes on at Answered.Return only
	Attributes []string
	Demands    string
	Sign       *SignView
	Number     string   // the one to show; "" unless Waiting
	Languages  []string // ui_locales as the client asked, best first
	Expires    time.Time
}
