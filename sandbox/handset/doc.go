// Package handset is a phone as it lies in a hand: a secure element, a screen lock
// with the key that only it opens, and the app's storage. The secure element comes
// from its maker and outlives everything else in here: a factory reset wipes storage
// and screen lock and does not touch the chip (R74, K12).
package handset
