// Package towntest is a small town for tests of terminals: a card bureau with everybody's
// cards, its responder over HTTP, a clock that stands until it is moved, a municipality, and
// readers on which cards lie that answer well, slowly, wrongly or not at all. It has no
// server and no phones; what answers as a phone here is a card under a phone's label.
package towntest
