// Package person holds the persons of the sandbox: the shipped ones, each of whom
// differs from the others in something that matters to the service (a child
// without signing certificate, a name with substitute characters, a card about
// to expire, …), and a generator of arbitrarily many further ones for load
// tests. All of them are invented.
//
// Dates may be written relative to the start of a sandbox world ("start-3y"), so
// that a card with ten days left has ten days left in every new world.
//
// Where a real card carries a My Number these persons carry twelve digits whose
// check digit is wrong; a record with a right one is refused (design §5).
// Telephone numbers are of the form 0A0-0…, which is never assigned.
package person
