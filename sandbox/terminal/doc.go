// Package terminal is what the screens of kiosk and clinic have in common: how far a person
// has come with PIN and tap, steps that take a while and are told of when they end, the time
// that is left before an abandoned visit is over, and how the person wants the screen to be.
// It knows no paper and no insurance, and speaks to no chip.
package terminal
