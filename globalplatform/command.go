package globalplatform

import "warifu/iso7816"

// The instruction octets of GPCS chapter 11 and Amendment D §7.
const (
	InsSelect               byte = 0xA4
	InsInitializeUpdate     byte = 0x50
	InsExternalAuthenticate byte = 0x82
	InsInstall              byte = 0xE6
	InsStoreData            byte = 0xE2
	InsGetStatus            byte = 0xF2
	InsSetStatus            byte = 0xF0
	InsGetData              byte = 0xCA
	InsDelete               byte = 0xE4
)

// The P1 of INSTALL (GPCS §11.5.2.1) that this house uses.
const (
	InstallForInstall        byte = 0x04
	InstallForMakeSelectable byte = 0x08
	InstallForPersonalize    byte = 0x20
)

// The P1 of GET STATUS and SET STATUS: which part of the registry (GPCS §11.4.2.1).
const (
	RegistryIssuerDomain byte = 0x80
	RegistryApplications byte = 0x40
)

// MaxAID is the longest application identifier (ISO/IEC 7816-4 §8.2.1.2); MinAID the shortest.
const (
	MinAID = 5
	MaxAID = 16
)

// Select chooses an application by its name and asks for no answer, the form that every
// reader of identity cards uses.
func Select(aid []byte) iso7816.Command {
	return iso7816.Command{INS: InsSelect, P1: 0x04, P2: 0x0C, Data: aid}
}

// InstallPersonalize hands the STORE DATA commands that follow to the application (GPCS §11.5.2.3.6).
func InstallPersonalize(application []byte) iso7816.Command {
	return install(InstallForPersonalize, nil, nil, application, nil, nil)
}

// InstallApplication makes an application instance of a module and lets it be selected
// (GPCS §11.5.2.3.2).
func InstallApplication(load, module, application, privileges, parameters []byte) iso7816.Command {
	return install(InstallForInstall|InstallForMakeSelectable, load, module, application, privileges, parameters)
}

func install(p1 byte, load, module, application, privileges, parameters []byte) iso7816.Command {
	var data []byte
	for _, f := range [][]byte{load, module, application, privileges, parameters, nil} { // the last is the install token
		data = append(append(data, byte(len(f))), f...)
	}
	return iso7816.Command{CLA: 0x80, INS: InsInstall, P1: p1, Data: data, Ne: iso7816.MaxShortNe}
}

// Install is a parsed INSTALL command.
type Install struct {
	For                                               byte // P1
	Load, Module, Application, Privileges, Parameters []byte
}

// ParseInstall decodes the six length-prefixed fields; errors are status words.
func ParseInstall(c iso7816.Command) (Install, error) {
	in := Install{For: c.P1}
	rest := c.Data
	var token []byte
	for _, f := range []*[]byte{&in.Load, &in.Module, &in.Application, &in.Privileges, &in.Parameters, &token} {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return in, iso7816.SWWrongData
		}
		*f, rest = rest[1:1+int(rest[0])], rest[1+int(rest[0]):]
	}
	if len(rest) != 0 || len(token) != 0 || c.P2 != 0 {
		return in, iso7816.SWWrongData
	}
	return in, nil
}

// The P1 bits of STORE DATA (GPCS §11.11.2.1).
const (
	storeLast     byte = 0x80
	storeResponse byte = 0x01 // case 4: the application may answer
	maxBlocks          = 256
)

// StoreData cuts one data object of an application into blocks that fit the secure channel.
// It returns nil for more than 256 blocks.
func StoreData(object []byte) []iso7816.Command {
	var out []iso7816.Command
	for {
		n := min(len(object), MaxPlainData)
		c := iso7816.Command{CLA: 0x80, INS: InsStoreData, P1: storeResponse, P2: byte(len(out)), Data: object[:n], Ne: iso7816.MaxShortNe}
		object = object[n:]
		if len(object) == 0 {
			c.P1 |= storeLast
		}
		if out = append(out, c); len(object) == 0 {
			return out
		}
		if len(out) == maxBlocks {
			return nil
		}
	}
}

// StoreBlocks gathers the blocks of STORE DATA inside a chip. The zero value is ready.
type StoreBlocks struct {
	data []byte
	next int
}

// Add takes one block. It returns the whole object with the last one, nil before. Blocks out
// of order, or an object over limit octets, drop what was gathered; errors are status words.
func (b *StoreBlocks) Add(c iso7816.Command, limit int) ([]byte, error) {
	if c.P2 == 0 {
		*b = StoreBlocks{}
	}
	switch {
	case c.P1&^(storeLast|storeResponse) != 0 || int(c.P2) != b.next:
		*b = StoreBlocks{}
		return nil, iso7816.SWWrongParameters
	case len(b.data)+len(c.Data) > limit:
		*b = StoreBlocks{}
		return nil, iso7816.SWNotEnoughMemory
	}
	b.data = append(b.data, c.Data...)
	b.next++
	if c.P1&storeLast == 0 {
		return nil, nil
	}
	whole := b.data
	*b = StoreBlocks{}
	return whole, nil
}

// GetStatus asks for one part of the registry, all entries whose name begins with prefix, in
// the TLV form (GPCS §11.4).
func GetStatus(part byte, prefix []byte) iso7816.Command {
	data := append([]byte{0x4F, byte(len(prefix))}, prefix...)
	return iso7816.Command{CLA: 0x80, INS: InsGetStatus, P1: part, P2: 0x02, Data: data, Ne: iso7816.MaxShortNe}
}

// SetStatus moves the life-cycle state of a registry entry (GPCS §11.10).
func SetStatus(part, state byte, aid []byte) iso7816.Command {
	return iso7816.Command{CLA: 0x80, INS: InsSetStatus, P1: part, P2: state, Data: aid}
}

// GetData reads one data object by its tag (GPCS §11.3).
func GetData(tag uint16) iso7816.Command {
	return iso7816.Command{CLA: 0x80, INS: InsGetData, P1: byte(tag >> 8), P2: byte(tag), Ne: iso7816.MaxShortNe}
}

// Delete removes an application instance (GPCS §11.2).
func Delete(aid []byte) iso7816.Command {
	return iso7816.Command{CLA: 0x80, INS: InsDelete, Data: append([]byte{0x4F, byte(len(aid))}, aid...), Ne: iso7816.MaxShortNe}
}
