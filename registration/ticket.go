package registration

import (
	"cmp"
	"context"
	"crypto/x509"
	"math"
	"slices"
	"strconv"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// verbKill stands in the audit line of a key that a chip has destroyed.
const verbKill warifu.Verb = "kill"

// Tickets returns the papers that are to be handed to a chip, in this order: where there
// are any, those by which a ticket key hands its office to the next (attest.NextTicketKey),
// for a chip that pinned an older one, which any other refuses and passes over; and the
// kill tickets, in order of kind and number (K18). There is one for every credential that
// has ended for good and of which neither a receipt, nor a later personalization or
// application, says that its key is gone: also for one that was signed and never made live,
// whose key still lies in the shadow. A credential that is on hold never has one. They are
// written down when they are first asked for, and signed each time; whoever has the chip
// before them may ask, since a ticket says nothing that the revocation list does not.
func (a *Authority) Tickets(ctx context.Context, element warifu.ElementID) ([][]byte, error) {
	var dead []store.Credential
	err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		dead, err = left(tx, element)
		return err
	})
	out := [][]byte{}
	if err != nil || len(dead) == 0 {
		return out, err
	}
	signed, err := a.tickets(ctx, dead)
	if err != nil {
		return nil, err
	}
	for _, kind := range warifu.Kinds {
		out = append(out, a.TicketPapers[kind]...)
	}
	return append(out, signed...), nil
}

// left lists the credentials that have ended and whose keys may still lie in the chip, in
// order of kind and of their tickets' numbers; those that have none yet come last, and get
// theirs in this order.
func left(tx *store.Tx, element warifu.ElementID) ([]store.Credential, error) {
	all, err := tx.CredentialsOfElement(element)
	if err != nil {
		return nil, err
	}
	written, err := tx.WrittenChip(element)
	if err != nil {
		return nil, err
	}
	applied, err := tx.ApplicationsOfElement(element)
	if err != nil {
		return nil, err
	}
	newest := slices.IndexFunc(all, func(c store.Credential) bool { return c.Application == written && !c.ActivatedAt.IsZero() })
	var out []store.Credential
	number := map[string]int64{}
	for _, c := range all {
		switch {
		case !warifu.CredentialLife.Final(c.State):
			continue
		case c.ActivatedAt.IsZero() && overtaken(applied, c.Application):
			continue // its key was in the shadow, which the keys of a later application have emptied
		case c.ActivatedAt.IsZero():
		case newest >= 0 && c.Application != written && !c.ActivatedAt.After(all[newest].ActivatedAt):
			continue // the chip gave it up when it was written anew
		}
		t, found, err := tx.Ticket(c.ID)
		if err != nil {
			return nil, err
		}
		if !found {
			t.Number = math.MaxInt64
		}
		if t.SettledAt.IsZero() {
			number[c.ID] = t.Number
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(x, y store.Credential) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(number[x.ID], number[y.ID]))
	})
	return out, nil
}

// overtaken reports whether a later application was made from the same chip, of all that
// were, oldest first. Of two of one instant the open one is the later.
func overtaken(applied []store.Application, id string) bool {
	at := slices.IndexFunc(applied, func(row store.Application) bool { return row.ID == id })
	return slices.ContainsFunc(applied, func(row store.Application) bool {
		return row.SubmittedAt.After(applied[at].SubmittedAt) || row.ID != id && !warifu.ApplicationLife.Final(row.State)
	})
}

// tickets writes down and signs the tickets of credentials that have ended.
func (a *Authority) tickets(ctx context.Context, dead []store.Credential) ([][]byte, error) {
	rows, err := a.writtenTickets(ctx, dead)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(dead))
	for i, c := range dead {
		ticket := attest.KillTicket{
			Element: c.Element, Kind: c.Kind, PublicKey: c.PublicKey, Serial: c.Serial, Status: c.State, Number: rows[i].Number, IssuedAt: rows[i].WrittenAt,
		}
		if out[i], err = ticket.Seal(a.TicketKeys[c.Kind]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// writtenTickets reads before it writes: most tickets are asked for more than once.
func (a *Authority) writtenTickets(ctx context.Context, dead []store.Credential) ([]store.Ticket, error) {
	rows := make([]store.Ticket, len(dead))
	missing := false
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		for i, c := range dead {
			row, found, err := tx.Ticket(c.ID)
			if err != nil {
				return err
			}
			rows[i], missing = row, missing || !found
		}
		return nil
	})
	if err != nil || !missing {
		return rows, err
	}
	return rows, a.Store.Write(ctx, func(tx *store.Tx) error {
		for i, c := range dead {
			row, err := tx.WriteTicket(c.ID, a.Clock.Now())
			if err != nil {
				return err
			}
			rows[i] = row
		}
		return nil
	})
}

// addTickets puts the tickets for what has ended into an answer, where they can be made: the
// order is carried out by then, and no failure here may make it look otherwise.
func (a *Authority) addTickets(ctx context.Context, element warifu.ElementID, answer []Standing) {
	var dead []store.Credential
	err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		dead, err = left(tx, element)
		return err
	})
	var signed [][]byte
	if err == nil {
		signed, err = a.tickets(ctx, dead)
	}
	if err != nil {
		a.Log.Warn("order answered without its tickets", "problem", warifu.ProblemOf(err).Problem, "error", err.Error())
		return
	}
	for i := range answer {
		if n := slices.IndexFunc(dead, func(c store.Credential) bool { return c.ID == answer[i].Credential }); n >= 0 {
			answer[i].Ticket = signed[n]
		}
	}
}

// KillReceipt takes the chip's word that it destroyed a key: the ticket is not handed out
// any more. The word is the element's own, under its attestation key; whoever holds the
// keys of the secure channel cannot give it. The same receipt again is no error. Errors:
// "element-unknown", "kill-receipt-other", those of papers.
func (a *Authority) KillReceipt(ctx context.Context, element warifu.ElementID, envelope []byte) error {
	pub, err := a.elementKey(ctx, element)
	if err != nil {
		return err
	}
	receipt, err := attest.OpenKillReceipt(envelope, pub)
	if err != nil {
		return err
	}
	if receipt.Element != element {
		return warifu.Refused("kill-receipt-other")
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return a.settleTicket(tx, receipt, envelope) })
}

func (a *Authority) settleTicket(tx *store.Tx, receipt attest.KillReceipt, envelope []byte) error {
	all, err := tx.CredentialsOfElement(receipt.Element)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(all, func(c store.Credential) bool { return c.Kind == receipt.Kind && c.PublicKey == receipt.PublicKey })
	if n < 0 {
		return warifu.Refused("kill-receipt-other")
	}
	ticket, found, err := tx.Ticket(all[n].ID)
	if err != nil {
		return err
	}
	if !found || ticket.Number != receipt.Number {
		return warifu.Refused("kill-receipt-other")
	}
	if !ticket.SettledAt.IsZero() {
		return nil
	}
	digest, err := tx.SealBlob(all[n].Person, envelope)
	if err != nil {
		return err
	}
	now := a.Clock.Now()
	if err := tx.SettleTicket(all[n].ID, digest, now); err != nil {
		return err
	}
	return tx.Audit(store.Line{
		At: now, Actor: actorElement(receipt.Element), Verb: verbKill, Subject: all[n].ID,
		Detail: map[string]string{"receipt": digest.String(), "number": strconv.FormatInt(receipt.Number, 10)},
	})
}

// ticketSPKIs are the authorities' ticket keys as a chip pins them.
func (a *Authority) ticketSPKIs() (map[warifu.Kind][]byte, error) {
	out := map[warifu.Kind][]byte{}
	for kind, key := range a.TicketKeys {
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return nil, err
		}
		out[kind] = spki
	}
	return out, nil
}
