// Package server is the roof: it wires a whole server in the order of the floors
// from one configuration file, runs it and stops it. cmd/warifud is this package
// with a file; the sandbox is this package with a clock and a card bureau of its
// own. Nothing below the roof knows how it was put together.
package server
