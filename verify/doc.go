// Package verify is the relying party's library: it says of a signed document, of
// an answered challenge or of a certificate who stands behind it, what kind of
// credential was used, whether it lives on a card or a phone, whether it was good at
// the time, and why.
//
// A Result is a value with three verdicts. Good means that everything was checked
// and held. Bad means that something was checked and did not hold. Unknown means that
// the status could not be had, was too old or does not speak of the time asked
// about: what was not checked is never good.
//
// What is checked, always: the signature over the whole document (strict CMS,
// package cms) or over the verifier's own challenge; the certificate's signature by
// the one authority for its class and kind, out of those trusted; its policy, key
// usage, extended key usage, basic constraints, names and extensions (package
// profile); validity; purpose: an authentication key never signs a document and a
// signature key never answers a challenge; status, by OCSP or CRL, from a responder
// the same authority appointed. An application document, which a card signs to have
// credentials put on a phone, is refused as a document signed for anybody else
// (design §5).
//
// A question about the past (Policy.At) needs more than the present status: a
// suspension that was lifted leaves no trace in OCSP, and what was signed during it
// stays bad. A History, signed by the same responder, tells it.
//
// Nothing else here needs the service itself: any responder that speaks OCSP over
// HTTP will do.
package verify
