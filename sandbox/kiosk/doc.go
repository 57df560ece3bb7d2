// Package kiosk is the multi-copier of a convenience store (R62, B.6): somebody touches
// their card or their phone to its reader, types that card's or that phone's PIN, chooses a
// paper of their municipality, pays, and takes it along. The PIN goes to the chip and
// nowhere else; nothing is remembered once the person has left, or has been gone for two
// minutes.
//
// It speaks to chips over APDUs (package reader) and to the municipality over HTTP
// (docs/municipality.md), as a vendor's own kiosk would.
package kiosk
