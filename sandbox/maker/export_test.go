package maker

// WithLuhn is withLuhn for tests.
func WithLuhn(digits string) string { return withLuhn(digits) }
