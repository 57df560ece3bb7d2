// Package visitor is who is logged in at a sample service: it sends a browser to the
// provider, takes it back at /callback, and remembers the person in a session of its own.
// Everything that OpenID Connect needs is done by package relyingparty; what is left for a
// service of one's own is what stands here.
//
// A service names a purpose with every way to the provider. The purpose Login makes a
// session; any other (a signature, a payment to confirm) is handed to the service with
// who answered, and only if that is who is logged in. Several tabs of a browser may be under
// way at once; each answer is taken once.
//
// Beside it stands Checks, the verification service as a relying party asks it, and
// SameName, by which a name typed is found to be the name of a certificate.
package visitor
