// Package insurer is the insurers' side of the sandbox: what a clinic's reader asks whether
// somebody is insured, and by whom (R63, B.7). It puts a question, judges the answer of the
// holder's card or phone itself, and tells what is in force today, and of medicine, check-ups
// and the limit for high-cost care only what the person consented to on the reader.
//
// A card's certificate that has expired is taken for three months more, a phone's is not (B.2).
// All insurers and all data are invented.
package insurer
