// Package catalogue knows which phones may carry certificates and why the others may
// not (R13–R24, K4). A device model is eligible when it has a GP-SE, is an
// おサイフケータイ made for the Japanese market, and passed the operation check (R14);
// every refusal has its own reason. The list of eligible models is public and dated
// (R16), makers and carriers submit new models for verification (R17), and the whole
// goes in and out as CSV, since the official list is published elsewhere and imported,
// not invented. The models that ship here are samples and say so.
//
// The catalogue is read for every challenge, so it lives in memory as an index that is
// swapped whole; what changes is written to a Storage first.
package catalogue
