// Package maker is where the sandbox's phones are made. A maker has an attestation root
// and an authority under it; it gives every secure element its identifier, attestation
// key and certificate, and keeps the keys of the element's issuer security domain to
// itself. The keys of the supplementary domain come from the server's operator: the
// two have shared a master key once, and each derives a chip's own keys from it
// (docs/secure-element.md §3), so that no list of keys ever travels.
//
// What is made lies in one folder and survives a restart, as do the chips' memories.
package maker
