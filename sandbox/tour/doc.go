// Package tour walks the whole walk of docs/design.md §3 in a fresh world, from the
// card's chip to a relying party's yes, and checks at every stop what must hold there
// and some of what must not; and, where there is a second phone, the whole life after it:
// lost, repaired, replaced, sold, moved, married, fifteen, expired, renewed, died. It sees
// of the world only what a phone sees: chips that answer APDUs, and HTTP.
package tour
