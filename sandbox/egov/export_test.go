package egov

// CheckDigit is the check digit over twelve digits, for its test.
func CheckDigit(base string) int { return checkDigit(base) }
