package catalogue

// SetMaxOpen narrows the bound on waiting submissions and returns what restores it.
func SetMaxOpen(n int) (restore func()) {
	old := maxOpen
	maxOpen = n
	return func() { maxOpen = old }
}
