// Package globalplatform speaks to the card manager of a chip: the commands and
// life-cycle states of the GlobalPlatform Card Specification (GPCS) and the secure
// channel SCP03 of its Amendment D, both ends of the wire. Host is the end of who
// personalizes from afar, Card the end inside the chip.
//
// Static keys are reached only through the one-method Key, so that a server can keep
// them where nobody reads them; the session keys derived from them live in memory for
// the length of one session. Only S8 mode (challenges, cryptograms and MACs of eight
// octets) is spoken. The package knows no application.
package globalplatform
