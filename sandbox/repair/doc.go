// Package repair is a shop that mends phones (R72, R78, K5). A phone is taken in once nothing
// on it can be used meanwhile: its holder has revoked, or suspended until a day that lies
// behind the repair and ends by itself. The shop sees no more than that: whether the chip
// still carries anything, read at its own reader, and whether the certificate is on hold,
// asked of the issuer's responder. It can neither suspend nor resume nor revoke for
// anybody (K15).
package repair
