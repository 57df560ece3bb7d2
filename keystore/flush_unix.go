//go:build !windows

package keystore

import "os"

// flush makes a new name in the folder durable.
func (d folder) flush() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
