package status

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"warifu"
)

// ends keeps why and since when certificates are not good, in nine octets each: three
// columns in order of index, and beside them the latest changes, which are merged in
// when they have become many.
type ends struct {
	index  []uint32
	since  []uint32 // seconds since 1970
	reason []uint8
	latest map[uint32]end
}

// end is one certificate that is not good; a zero end in latest takes away what the
// columns say.
type end struct {
	since  uint32
	reason uint8
	stands bool
}

// minLatest is how many changes are kept beside the columns at least before they are merged in.
const minLatest = 4096

func (e *ends) get(i uint32) (end, bool) {
	if latest, ok := e.latest[i]; ok {
		return latest, latest.stands
	}
	at, found := slices.BinarySearch(e.index, i)
	if !found {
		return end{}, false
	}
	return end{e.since[at], e.reason[at], true}, true
}

// put sets what the certificate with that index is; the zero end forgets it.
func (e *ends) put(i uint32, to end) {
	if e.latest == nil {
		e.latest = map[uint32]end{}
	}
	e.latest[i] = to
	if len(e.latest) >= max(minLatest, len(e.index)/64) {
		e.merge()
	}
}

// merge writes the columns anew with the latest changes in them.
func (e *ends) merge() {
	if len(e.latest) == 0 {
		return
	}
	changed := slices.Sorted(maps.Keys(e.latest))
	room := len(e.index) + len(changed)
	out := ends{index: make([]uint32, 0, room), since: make([]uint32, 0, room), reason: make([]uint8, 0, room)}
	at := 0
	for _, i := range changed {
		for at < len(e.index) && e.index[at] < i {
			out.push(e.index[at], end{e.since[at], e.reason[at], true})
			at++
		}
		if at < len(e.index) && e.index[at] == i {
			at++
		}
		if to := e.latest[i]; to.stands {
			out.push(i, to)
		}
	}
	for ; at < len(e.index); at++ {
		out.push(e.index[at], end{e.since[at], e.reason[at], true})
	}
	*e = out
}

func (e *ends) push(i uint32, to end) {
	e.index, e.since, e.reason = append(e.index, i), append(e.since, to.since), append(e.reason, to.reason)
}

// freeze returns what stands now. The columns are never written to but by a merge,
// which makes new ones.
func (e *ends) freeze() ends {
	return ends{e.index, e.since, e.reason, maps.Clone(e.latest)}
}

// load fills empty columns with entries in any order; the last of one index counts.
func (e *ends) load(entries []indexed) {
	slices.SortStableFunc(entries, func(a, b indexed) int { return cmp.Compare(a.index, b.index) })
	*e = ends{}
	for n, entry := range entries {
		if n+1 < len(entries) && entries[n+1].index == entry.index {
			continue
		}
		e.push(entry.index, entry.end)
	}
}

type indexed struct {
	index uint32
	end   end
}

func (e *ends) count() int {
	n := len(e.index)
	for i, to := range e.latest {
		_, old := slices.BinarySearch(e.index, i)
		switch {
		case to.stands && !old:
			n++
		case !to.stands && old:
			n--
		}
	}
	return n
}

func endOf(s warifu.Status) end {
	return end{uint32(max(0, s.RevokedAt.Unix())), uint8(s.Reason), true}
}

func (e end) status() warifu.Status {
	return warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.Reason(e.reason), RevokedAt: time.Unix(int64(e.since), 0).UTC()}
}
