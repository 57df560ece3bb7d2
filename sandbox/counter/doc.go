// Package counter is where the card's own passwords are changed and unlocked (K16):
// the town hall's counter, and the kiosk in a convenience store. The app can do
// neither (R30, R31). Both put the card on a reader of theirs, and both tell the card
// bureau what the holder chose, so that `warifu card show` stays true.
//
// At the counter an official looks at the holder and the card. At the kiosk nobody
// does: there the holder has had their face checked by the app within the last
// twenty-four hours, comes between 6:30 and 23:00, and knows the other of the two
// secrets (B.3).
//
// Who cannot come sends a proxy (代理人): the town hall writes to the holder's registered
// address, and the proxy brings the number in that letter. Who is under fifteen has a
// representative by law, who comes along and needs no letter.
package counter
