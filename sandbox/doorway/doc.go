// Package doorway is how the places of the sandbox answer HTTP: JSON in and out,
// refusals as RFC 9457 problems in Japanese and English, plain pages, and a guard
// that lets in only who names the place by its own address and comes from its own
// pages. It knows no card, no phone and no person.
package doorway
