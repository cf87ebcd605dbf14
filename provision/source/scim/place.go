package scim

import (
	"fmt"
	"slices"

	core "github.com/scimbridge/scim"
)

// place is how far a list by index was read.
type place struct {
	// trail are the ids read last, in their order, and index is that of the very last one.
	trail []string
	index int
	// back is how far in front of the index the next page begins, because the place was lost.
	back int
	// before are the ids of the latest page. When the service gives the same page again for the overlap, it does not begin pages just
	// anywhere, or has no pages: probing has the next page begin behind the last resource, always all pages from then on.
	before          []string
	probing, always bool
}

// maxTrail is how many ids are kept to find the place in a list that moved.
const maxTrail = 200

// next returns where the next page begins: with the last resource, which shows whether the list is as it was.
func (p *place) next() int {
	if p.apart() {
		return p.index + 1
	}
	return max(1, p.index-p.back)
}

func (p *place) apart() bool { return p.probing || p.always }

// newPlace returns the place behind the first page.
func newPlace(docs []core.Document) *place {
	p := &place{before: idsOf(docs)}
	p.advance(docs, len(docs))
	return p
}

func idsOf(docs []core.Document) []string {
	ids := make([]string, len(docs))
	for i, doc := range docs {
		ids[i] = doc.ID()
	}
	return ids
}

// advance moves the place behind resources that follow on it.
func (p *place) advance(docs []core.Document, index int) {
	trail := append(p.trail, idsOf(docs)...)
	p.trail = slices.Clone(trail[max(0, len(trail)-maxTrail):])
	p.index, p.back, p.probing = index, 0, false
}

// find returns how many resources of a page were read already: those up to the last one of the trail that is still there. What the trail
// has behind that one is forgotten; if it is still in the list, it comes again. The number is 0 when none of the trail is in the page.
func (p *place) find(ids []string) int {
	for i, id := range slices.Backward(p.trail) {
		if at := slices.Index(ids, id); at >= 0 {
			p.trail = p.trail[:i+1]
			return at + 1
		}
	}
	return 0
}

// turn takes a page that begins at an index, moves the place, and returns what was not read yet, which may be nothing when the place
// had to be looked for. It reports whether the list has ended.
func (p *place) turn(docs []core.Document, start int) (fresh []core.Document, end bool, err error) {
	ids := idsOf(docs)
	same := slices.Equal(ids, p.before)
	p.before = ids
	known := p.find(ids)
	switch {
	case p.apart() && len(docs) == 0:
		return nil, true, nil
	case known == 0 && p.apart():
		p.always = true
	case known == 0 && start == 1:
		return nil, false, fmt.Errorf("%w: the list was in another order when it was read on", ErrIncomplete)
	case known == 0:
		p.back = max(2*p.back, len(docs), 10)
		return nil, false, nil
	}
	switch fresh = docs[known:]; {
	case len(fresh) > 0:
		p.advance(fresh, start+len(docs)-1)
		return fresh, false, nil
	case p.apart() && (same || p.always):
		return nil, true, nil
	case p.apart():
		p.index, p.probing = start+known-1, false
	case p.back > 0:
		p.index, p.back = start+known-1, 0
	case known == 1 && p.index > 1:
		return nil, true, nil // the page has the last resource and nothing behind it
	case same:
		p.probing = true
	default:
		p.index = start + known - 1
	}
	return nil, false, nil
}
