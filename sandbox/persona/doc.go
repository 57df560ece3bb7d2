// Package persona names the states in which a person's card and phone can be, so that a test
// or a demonstration begins with one word: "taro+hold@signature" is Taro with certificates
// on a phone, of which that for signatures is suspended; "jiro+pin2left" has mistyped the
// PIN once.
//
// Parse reads a name (docs/personas.md has the grammar), and a Maker brings a running world's
// person into that state through the doors that everybody has: the desk, the phones. Making
// the same persona again changes nothing.
package persona
