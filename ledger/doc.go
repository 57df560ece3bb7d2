// Package ledger is who checked me: for each holder a list of every question that a relying
// party put about them, who asked, what for and what was answered. It stands where a paper
// form and thirty days stand today (認証業務情報開示請求, requirements B.11).
//
// An entry lies under the holder's own key (the sealed table), with a random salt; the
// database's rows hold SHA-256 of it, the commitment, and a chain over the commitments:
//
//	chain(0) = 32 zero octets
//	chain(n) = SHA-256("warifu-ledger-v1" ‖ chain(n-1) ‖ n as 8 octets ‖ commitment(n))
//
// Whoever keeps a page can tell later that nothing in it was taken away or changed. Erasing
// the person's key makes what is left tell nothing; what is older than the scheme's
// ledger_keep is purged from the front, and the chain goes on from there.
//
// Nobody reads it but the holder: there is no door here that takes an operator, and package
// web hands pages out to requests that the holder's secure element signed. Questions put to
// the OCSP responder name nobody who asks; they are counted, not written here.
package ledger
