package provision

import (
	"fmt"
	"strconv"

	"warifu"
	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
)

// level is that of every session: C-MAC, C-DECRYPTION and R-MAC.
const level = globalplatform.LevelResponse

// open selects the domain and exchanges challenges.
func (s *Session) open() (Step, error) {
	s.total = s.estimate()
	return s.hand(stageOpening, []iso7816.Command{globalplatform.Select(jpki.AIDDomain), s.host.InitializeUpdate(0)})
}

// estimate counts the APDUs of a session in which nothing is there yet.
func (s *Session) estimate() int {
	n := 2 + 4 + len(globalplatform.StoreData(jpki.Activate(s.digests())))
	for _, object := range s.objects(jpki.SlotHalf{}, jpki.SlotHalf{}) {
		n += len(globalplatform.StoreData(object))
	}
	return n + 2
}

// ask authenticates both ends and asks in the same breath what the chip holds.
func (s *Session) ask(answers []iso7816.Response) (Step, error) {
	for i, a := range answers {
		if a.SW != iso7816.SWOK {
			return Step{}, refused(s.pending[i], a.SW, i+1)
		}
	}
	opening, err := globalplatform.ParseOpening(answers[1].Data)
	if err != nil {
		return Step{}, broken(err)
	}
	if string(opening.Diversification[:]) != string(s.work.Element[:len(opening.Diversification)]) {
		return Step{}, warifu.Refused("element-other")
	}
	keys, err := s.keys.Element(s.work.Element)
	if err != nil {
		return Step{}, err
	}
	authenticate, err := s.host.Authenticate(keys, opening, level)
	if err != nil {
		return Step{}, broken(err)
	}
	step, err := s.protected(stageAsking, []iso7816.Command{
		globalplatform.InstallPersonalize(jpki.AID), globalplatform.GetData(jpki.TagLiveHalf), globalplatform.GetData(jpki.TagShadowHalf),
	})
	if err != nil {
		return Step{}, err
	}
	first, err := authenticate.Bytes()
	if err != nil {
		return Step{}, err
	}
	s.pending = append([]iso7816.Command{authenticate}, s.pending...)
	s.sent++
	step.Commands, step.Sent = append([][]byte{first}, step.Commands...), s.sent
	return step, nil
}

// write compares what is there with the work, and writes the rest.
func (s *Session) write(answers []iso7816.Response) (Step, error) {
	if answers[0].SW != iso7816.SWOK {
		return Step{}, refused(s.pending[0], answers[0].SW, s.sent-len(answers)+1)
	}
	s.pending = s.pending[1:]
	data, err := s.unwrap(answers[1:])
	if err != nil {
		return Step{}, err
	}
	live, err := jpki.ParseSlotHalf(data[1])
	if err != nil {
		return Step{}, broken(err)
	}
	if s.shadow, err = jpki.ParseSlotHalf(data[2]); err != nil {
		return Step{}, broken(err)
	}
	if live.Element != s.work.Element {
		return Step{}, warifu.Refused("element-other")
	}
	if s.active(live) {
		return s.refresh(live)
	}
	if err := s.fits(); err != nil {
		return Step{}, err
	}
	var commands []iso7816.Command
	for _, object := range s.objects(live, s.shadow) {
		commands = append(commands, globalplatform.StoreData(object)...)
	}
	commands = append(commands, globalplatform.GetData(jpki.TagReceiptHead), globalplatform.GetData(jpki.TagReceiptTail))
	s.total = s.sent + len(commands) + len(globalplatform.StoreData(jpki.Activate(s.digests())))
	return s.protected(stageWriting, commands)
}

// refresh ends a session whose certificates are live already: with other ticket keys than
// the work's the chip gets these, and that is all.
func (s *Session) refresh(live jpki.SlotHalf) (Step, error) {
	if s.pins(live) {
		s.stage, s.pending = stageOver, nil
		return Step{Done: true, Sent: s.sent, Total: s.sent}, nil
	}
	commands := globalplatform.StoreData(jpki.WriteTicketKeys(s.work.TicketKeys))
	s.total = s.sent + len(commands)
	return s.protected(stageActivate, commands)
}

// pins reports whether the chip has the work's ticket keys, or the work has none.
func (s *Session) pins(live jpki.SlotHalf) bool {
	return len(s.work.TicketKeys) == 0 || live.Tickets == jpki.TicketKeysDigest(s.work.TicketKeys)
}

// active reports whether every certificate of the work is live already.
func (s *Session) active(live jpki.SlotHalf) bool {
	for kind, digest := range s.digests() {
		if slot, ok := live.Of(kind); !ok || slot.Certificate != digest {
			return false
		}
	}
	return true
}

// fits reports whether the shadow slots are those that were certified: exactly the work's
// kinds, with the certified keys, each with its secret.
func (s *Session) fits() error {
	if len(s.shadow.Slots) != len(s.work.Certificates) {
		return warifu.Conflict("element-keys-gone")
	}
	for _, slot := range s.shadow.Slots {
		der, ok := s.work.Certificates[slot.Kind]
		if !ok {
			return warifu.Conflict("element-keys-gone")
		}
		key, err := publicKeyOf(der)
		if err != nil {
			return err
		}
		if slot.PublicKey != key || !slot.SecretSet {
			return warifu.Conflict("element-keys-gone")
		}
	}
	return nil
}

// objects are the data objects still to be stored, given what the chip has pinned and what its
// shadow slots hold.
func (s *Session) objects(live, there jpki.SlotHalf) [][]byte {
	var out [][]byte
	for _, kind := range warifu.Kinds {
		der, ok := s.work.Certificates[kind]
		if slot, _ := there.Of(kind); ok && slot.Certificate != warifu.DigestOf(der) {
			out = append(out, jpki.WriteCertificate(kind, der, s.work.Authorities[kind]))
		}
	}
	if there.Parent != warifu.DigestOf(s.work.Parent) {
		out = append(out, jpki.WriteParent(s.work.Parent))
	}
	if !s.pins(live) {
		out = append(out, jpki.WriteTicketKeys(s.work.TicketKeys))
	}
	return append(out, jpki.MakeReceipt(s.work.Application))
}

// receive takes the receipt; the caller commits and calls Continue.
func (s *Session) receive(answers []iso7816.Response) (Step, error) {
	data, err := s.unwrap(answers)
	if err != nil {
		return Step{}, err
	}
	s.stage, s.pending = stageReceipt, nil
	receipt := append(append([]byte(nil), data[len(data)-2]...), data[len(data)-1]...)
	return Step{Receipt: receipt, Sent: s.sent, Total: s.total}, nil
}

// finish takes the answer to the last commands.
func (s *Session) finish(answers []iso7816.Response) (Step, error) {
	if _, err := s.unwrap(answers); err != nil {
		return Step{}, err
	}
	s.stage, s.pending = stageOver, nil
	return Step{Done: true, Sent: s.sent, Total: s.sent}, nil
}

// broken says that what came back cannot have come from the chip, or not whole.
func broken(err error) error { return warifu.Refused("session-broken").With(err) }

// refused names the command and the status word with which the chip said no.
func refused(c iso7816.Command, sw iso7816.StatusWord, number int) error {
	params := []string{"command", fmt.Sprintf("%02X", c.INS), "status", fmt.Sprintf("%04X", uint16(sw)), "number", strconv.Itoa(number)}
	if sw == iso7816.SWConditions || sw == iso7816.SWFileNotFound {
		return warifu.Conflict("element-state", params...).With(sw)
	}
	return warifu.Refused("element-refused", params...).With(sw)
}
