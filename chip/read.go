package chip

import "warifu/iso7816"

// readBinary answers READ BINARY (ISO/IEC 7816-4 §11.3.3) with an offset of 15 bits into
// the current file, or a short identifier and an offset of 8.
func (a *application) readBinary(c iso7816.Command) ([]byte, error) {
	if len(c.Data) != 0 || c.Ne == 0 {
		return nil, iso7816.SWWrongLength
	}
	f, offset := a.current, int(c.P1)<<8|int(c.P2)
	if c.P1&0x80 != 0 {
		if c.P1&0x60 != 0 {
			return nil, iso7816.SWWrongParameters
		}
		if f = a.short(c.P1 & 0x1F); f == nil {
			return nil, iso7816.SWFileNotFound
		}
		offset = int(c.P2)
	}
	if f == nil {
		return nil, iso7816.SWNoCurrentEF
	}
	a.current = f
	if f.structure != transparent {
		return nil, iso7816.SWIncompatibleFile
	}
	if !a.opened(f.guards) {
		return nil, iso7816.SWSecurityStatus
	}
	return slice(f.content(), offset, c.Ne)
}

// readRecord answers READ RECORD (ISO/IEC 7816-4 §11.4.3) by number: P1 is the record,
// P2 the short identifier (0: the current file) and 100b.
func (a *application) readRecord(c iso7816.Command) ([]byte, error) {
	if len(c.Data) != 0 || c.Ne == 0 {
		return nil, iso7816.SWWrongLength
	}
	if c.P2&0x07 != 0x04 {
		return nil, iso7816.SWWrongParameters
	}
	f := a.current
	if sfi := c.P2 >> 3; sfi != 0 {
		if f = a.short(sfi); f == nil {
			return nil, iso7816.SWFileNotFound
		}
	}
	if f == nil {
		return nil, iso7816.SWNoCurrentEF
	}
	a.current = f
	if f.structure != linear {
		return nil, iso7816.SWIncompatibleFile
	}
	if !a.opened(f.guards) {
		return nil, iso7816.SWSecurityStatus
	}
	if c.P1 == 0 || int(c.P1) > len(f.records) {
		return nil, iso7816.SWRecordNotFound
	}
	record := f.records[c.P1-1]
	return record[:min(len(record), c.Ne)], nil
}
