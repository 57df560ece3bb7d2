// Package reader is where a chip is touched to a terminal: a chip of the running demo
// through the desk's door, a card reader behind PC/SC, or a stream of the virtual reader's
// protocol. A terminal (kiosk, clinic) opens one tap, has the holder's authentication key
// answer a question, and lets go; whatever the chip does meanwhile ends in a named problem.
//
// The secret that is typed goes to the chip and nowhere else, and never to the wrong kind of
// chip: a phone's PIN is not sent to a card, nor the reverse (R28).
package reader
