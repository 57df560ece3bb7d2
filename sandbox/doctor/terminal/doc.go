// Package terminal examines card readers' software: kiosks, clinic readers, tills,
// whatever has a chip touched to it and says yes or no. It puts chips of a running demo
// into the reader that the software uses, one a case, and has them answer well, slowly,
// wrongly or not at all; it watches every command and how the software ends.
//
// The software is anything that a command line starts for one transaction: it exits with
// 0 where it accepted the person and with anything else where it did not. The reader is
// one of the virtual reader's protocol (vpcd): a driver below PC/SC, or the software's own.
package terminal
