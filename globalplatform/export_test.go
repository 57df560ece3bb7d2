package globalplatform

// Derive is the KDF of Amendment D, shown to the tests that hold its published vectors.
var Derive = derive
