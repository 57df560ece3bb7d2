package keystore

// flush does nothing: Windows has no way to flush a folder, and NTFS journals names.
func (d folder) flush() error { return nil }
