package status

import (
	"context"
	"net/http"

	"warifu"
	"warifu/crl"
	"warifu/profile"
)

// edition is the full list and its parts in the making. Each record goes to the full
// list, which has no issuingDistributionPoint and so speaks of every certificate of the
// authority (RFC 5280 §5.2.5), and to the part that its certificate names.
//
// Parts have no deltas: whoever fetches one part has one sixteenth or less of the full
// list in hand, and whoever keeps all of it follows the full list's delta.
type edition struct {
	full  *crl.Draft
	parts []*crl.Draft
	of    profile.Partitions
}

func (p *Publisher) edition(head crl.Head) *edition {
	e := &edition{full: p.draft(head), of: p.Partitions}
	part := head
	part.Freshest = ""
	for n := range p.Partitions.Len() {
		part.Point = p.Points(n)
		e.parts = append(e.parts, p.draft(part))
	}
	return e
}

func (p *Publisher) draft(head crl.Head) *crl.Draft {
	if p.Room == nil {
		return crl.NewDraft(new(crl.Memory), head)
	}
	return crl.NewDraft(p.Room(), head)
}

func (e *edition) add(r warifu.StatusRecord) error {
	if err := e.full.Add(r); err != nil || len(e.parts) == 0 {
		return err
	}
	return e.parts[e.of.Of(r.Serial)].Add(r)
}

// print signs the lists of an edition.
func (p *Publisher) print(ctx context.Context, e *edition) (*published, error) {
	full, err := p.document(ctx, e.full)
	if err != nil {
		return nil, err
	}
	out := &published{full: full, number: e.full.Head().Number}
	for _, list := range e.parts {
		part, err := p.document(ctx, list)
		if err != nil {
			return nil, err
		}
		out.parts = append(out.parts, part)
	}
	return out, nil
}

// PartList returns the DER of the partial list of that number, of the same moment as
// List's. Errors: NotFound "status-list-unknown", Unavailable "status-list-unavailable".
func (p *Publisher) PartList(ctx context.Context, partition int) ([]byte, error) {
	part, err := p.freshPart(ctx, partition)
	if err != nil {
		return nil, err
	}
	return part.octets()
}

func (p *Publisher) freshPart(ctx context.Context, partition int) (*document, error) {
	if partition < 0 || partition >= p.Partitions.Len() {
		return nil, warifu.NotFound("status-list-unknown")
	}
	list, err := p.fresh(ctx)
	if err != nil {
		return nil, err
	}
	return list.parts[partition], nil
}

// Part is the handler of the address of the partial list of that number; nil where there
// is none.
func (p *Publisher) Part(partition int) http.Handler {
	if partition < 0 || partition >= p.Partitions.Len() {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(w, r, func(ctx context.Context) (*document, error) { return p.freshPart(ctx, partition) })
	})
}
