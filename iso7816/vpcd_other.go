//go:build !linux

package iso7816

// acknowledgePromptly has nothing to ask for outside Linux; commands only take longer.
func acknowledgePromptly(any) {}
