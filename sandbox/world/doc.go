// Package world puts a whole sandbox together in one process and one folder: the
// card bureau, the makers of phones, the server, the phones, the bank, the desk and
// the clock they share. `warifu demo` is a world with its doors open; `warifu tour`
// walks through a fresh one.
package world
