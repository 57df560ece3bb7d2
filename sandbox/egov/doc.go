// Package egov takes filings of companies (R64): labour insurance, overtime agreements, the
// basis of pensions, as XML filled in here or as a PDF file of one's own, signed by the
// company's representative with card or phone, or by a delegate who holds a mandate that the
// representative has signed. The company is named by its number, whose check digit is looked
// at, and found in a small invented register.
package egov
