// Package scheme holds the versioned policy file: the hours of issuance, the tries
// of each secret, what a secret may look like, how long things live, which algorithm
// the authorities use and when services opened (docs/requirements.md, section K). A
// scheme is data: an operator writes one in TOML, Parse refuses whatever it does not
// know or finds out of range, and everybody else reads it. Nobody changes a Scheme
// once it is parsed.
//
// Four schemes are shipped: jp-mobile (the default), jp-mobile-strict (R41),
// jp-mobile-2023 (K6: services open on their historic dates) and badge (an
// organisation's own). docs/schemes.md is the manual of every field.
//
// Time zone data is built in, so that a static binary on a bare machine knows when
// 07:30 in Tokyo is.
package scheme
