// Package events is how the card bureau tells a registration authority what became of
// a card (K14: the phone's credentials follow their card): signed messages with
// numbers that have no gaps. An event is DER inside an attest envelope under
// attest.ContextCardEvent, signed by the bureau's statement key (P-256); the whole is
// our own design.
//
// A message may come twice, late, in the wrong order or not at all. Numbers make all of
// that visible: an Inbox is how far a follower has come, and what it makes of a batch is
// the events that are due, in order, and the gap that has to be pulled. An event names a
// person by the opaque handle of card statements and certificates by serial number;
// it never carries an attribute.
//
// It is format and rule only: no socket, no database, no clock.
package events
