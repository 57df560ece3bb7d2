package console

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"io"
	"time"

	"warifu"
	"warifu/store"
)

// A token is 32 octets: eight of microseconds, eight random ones, and the first sixteen of
//
//	MAC("warifu-console-v1" ‖ purpose ‖ 0 ‖ bound ‖ 0 ‖ the sixteen before)
//
// Challenges of passkeys and the tokens of forms are such; nothing is kept until one is used.
const (
	tokenHead = 16
	tokenSize = 32
)

func (d *Desk) mac(purpose, bound string, head []byte) ([]byte, error) {
	message := append([]byte("warifu-console-v1"+purpose+"\x00"+bound+"\x00"), head...)
	sum, err := d.MAC(message)
	if err != nil {
		return nil, err
	}
	return sum[:tokenSize-tokenHead], nil
}

// newToken makes a token for a purpose, bound to something that is asked for again.
func (d *Desk) newToken(purpose, bound string) ([]byte, error) {
	head := make([]byte, tokenHead, tokenSize)
	binary.BigEndian.PutUint64(head, uint64(d.Clock.Now().UnixMicro()))
	if _, err := io.ReadFull(d.Random, head[8:]); err != nil {
		return nil, err
	}
	sum, err := d.mac(purpose, bound, head)
	return append(head, sum...), err
}

// made says when a token was made; false where it is not ours, or of another purpose.
func (d *Desk) made(token []byte, purpose, bound string) (time.Time, bool, error) {
	if len(token) != tokenSize {
		return time.Time{}, false, nil
	}
	sum, err := d.mac(purpose, bound, token[:tokenHead])
	if err != nil || subtle.ConstantTimeCompare(sum, token[tokenHead:]) != 1 {
		return time.Time{}, false, err
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(token))), true, nil
}

const purposeForm = "form"

// FormToken is what a form of this operator's carries: bound to the session, good once.
func (d *Desk) FormToken(o Operator) (string, error) {
	t, err := d.newToken(purposeForm, string(o.Secret))
	return base64.RawURLEncoding.EncodeToString(t), err
}

// CheckForm looks at a form's token without taking it, for a form that is answered with a file and
// changes nothing: its page stays where it is, and its other forms must go on working. Error: Refused
// "form-foreign".
func (d *Desk) CheckForm(o Operator, token string) error {
	_, _, err := d.form(o, token)
	return err
}

// form reads a form's token of this session.
func (d *Desk) form(o Operator, token string) (raw []byte, at time.Time, err error) {
	if raw, err = base64.RawURLEncoding.DecodeString(token); err != nil {
		return nil, at, warifu.Refused("form-foreign")
	}
	at, ours, err := d.made(raw, purposeForm, string(o.Secret))
	if err == nil && (!ours || d.Clock.Now().Sub(at) > Longest) {
		err = warifu.Refused("form-foreign")
	}
	return raw, at, err
}

// SpendForm takes a form's token: Refused "form-foreign" where it is not of this session, Conflict
// "form-sent" the second time.
func (d *Desk) SpendForm(ctx context.Context, o Operator, token string) error {
	t, at, err := d.form(o, token)
	if err != nil {
		return err
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error { return tx.UseChallenge(warifu.DigestOf(t), at.Add(Longest+time.Hour)) })
	if is(err, "challenge-used") {
		return warifu.Conflict("form-sent")
	}
	return err
}
