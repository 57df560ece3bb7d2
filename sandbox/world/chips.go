package world

import (
	"context"
	"path/filepath"

	"warifu"
	"warifu/chip"
	"warifu/iso7816"
	"warifu/sandbox/bureau"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/maker"
)

// readerSide is a phone held to a reader.
type readerSide struct {
	door    iso7816.Transmitter
	element handset.Element
}

// Transmit implements iso7816.Transmitter.
func (r readerSide) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return r.door.Transmit(ctx, command)
}

// PowerOff implements field.Chip.
func (r readerSide) PowerOff() { r.element.PowerOff() }

// ATR implements field.Chip.
func (r readerSide) ATR() []byte { return r.element.ATR() }

// OpenCard opens one person's card out of a world's folder and nothing else, for a
// process that is to be that card. Nobody else may use the card meanwhile.
func OpenCard(dir, id string) (iso7816.Transmitter, []byte, error) {
	clock, err := openFolderClock(dir)
	if err != nil {
		return nil, nil, err
	}
	b, err := bureau.Open(bureau.Config{Dir: filepath.Join(dir, "bureau"), Clock: clock})
	if err != nil {
		return nil, nil, err
	}
	card, err := b.Card(id)
	if err != nil {
		return nil, nil, err
	}
	return card, card.ATR(), nil
}

// OpenElement opens one phone's secure element out of a world's folder, over the
// reader's interface or that of the app, for a process that is to be that chip.
func OpenElement(dir, id string, contactless bool) (iso7816.Transmitter, []byte, error) {
	clock, err := openFolderClock(dir)
	if err != nil {
		return nil, nil, err
	}
	m, err := maker.Open(maker.Config{Dir: filepath.Join(dir, "makers"), Clock: clock})
	if err != nil {
		return nil, nil, err
	}
	element, err := m.Element(id)
	if err != nil {
		return nil, nil, err
	}
	door := element.Internal(handset.AppCertificate)
	if contactless {
		door = element.Contactless()
	}
	return powered{door, element}, element.ATR(), nil
}

// powered is one interface of a secure element, with the reader's power.
type powered struct {
	iso7816.Transmitter
	element *chip.Element
}

// PowerOff implements iso7816.Powered.
func (p powered) PowerOff() { p.element.PowerOff() }

// Reset implements iso7816.Powered.
func (p powered) Reset() { _ = p.element.Reset() }

func openFolderClock(dir string) (*Clock, error) {
	f, err := folder.Open(dir)
	if err != nil {
		return nil, err
	}
	return OpenClock(f, warifu.SystemClock{}, warifu.SystemClock{}.Now())
}
