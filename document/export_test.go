package document

// DERECDSA is derECDSA.
var DERECDSA = derECDSA

// PlainECDSA is plainECDSA.
var PlainECDSA = plainECDSA
