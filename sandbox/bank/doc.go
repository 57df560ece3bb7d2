// Package bank is a relying party twice over. As it began, it lets customers in who prove their
// presence with the authentication key of a phone or a card, asking and checking by itself
// with package verify and HTTP. Beside that it opens accounts (R61): customers log in and sign at the
// provider through package relyingparty, the verification service checks and keeps the
// evidence, and the bank keeps an identity-verification record, watches what becomes of
// the certificate, and has no certificate of anybody's (B.10).
package bank
