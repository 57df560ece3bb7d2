// Package clinic is a clinic's insurance reader (R63, B.7): the person says whether they
// brought a phone or a card, types its PIN on the reader, touches it, and says yes or no to
// each kind of data; then the clinic sees who insures them.
//
// A reader without a line goes on by itself, with the status it fetched beforehand (packages
// offline and verify): it says how old that is, calls the person's insurance provisional, and
// sends what it cannot tell the way of paper. Nobody needs a phone here: a card serves, and
// paper serves too (K17, R58).
package clinic
