package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"warifu"
	"warifu/keystore"
	"warifu/profile"
	"warifu/status"
)

// defaultPartitions is how many partial lists a new authority publishes.
const defaultPartitions = 16

// keyPartition is the name of the key that deals certificates out to partial lists. The
// number of lists is part of it: key and number are as old as the authority and never
// change, since its certificates name the lists.
func keyPartition(k warifu.Kind, n int) string { return partitionPrefix(k) + strconv.Itoa(n) }

func partitionPrefix(k warifu.Kind) string { return "partition-" + k.String() + "-" }

// wanted is the number of partial lists that the configuration asks for.
func (c AuthorityConfig) wanted() int {
	if c.Partitions == nil {
		return defaultPartitions
	}
	return *c.Partitions
}

// partitionCeremony makes the key of an authority that is being made: young says that it
// has no certificate yet. An authority that was made without partial lists goes on without them.
func partitionCeremony(c AuthorityConfig, keys *keystore.Store, kind warifu.Kind, young bool, tell func(string, ...any)) error {
	n, err := partitionsMade(keys, kind)
	if young && n == 0 {
		n = c.wanted()
	}
	if err != nil || n == 0 {
		return err
	}
	name := keyPartition(kind, n)
	return once(keys, name, tell, func() error { _, err := keys.GenerateSymmetric(name, 128); return err })
}

// partitionsMade returns how many partial lists the authority was made with.
func partitionsMade(keys *keystore.Store, kind warifu.Kind) (found int, err error) {
	names, err := keys.Names()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, partitionPrefix(kind))
		if !ok {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > profile.MaxPartitions || found != 0 {
			return 0, warifu.Invalid("configuration-invalid", "faults", fmt.Sprintf("[keys] dir: %s: one key partition-%s-N is wanted", name, kind))
		}
		found = n
	}
	return found, nil
}

// partitions opens the key of an authority's partial lists, where it has any.
func (s *Server) partitions(kind warifu.Kind) (profile.Partitions, error) {
	n, err := partitionsMade(s.keys, kind)
	if err != nil {
		return profile.Partitions{}, err
	}
	if asked := s.config.Authority[kind.String()].Partitions; asked != nil && *asked != n {
		return profile.Partitions{}, warifu.Invalid("configuration-invalid", "faults",
			fmt.Sprintf("[authority.%s] partitions is %d, and the authority was made with %d", kind, *asked, n))
	}
	if n == 0 {
		return profile.Partitions{}, nil
	}
	key, err := s.keys.Symmetric(keyPartition(kind, n))
	if err != nil {
		return profile.Partitions{}, err
	}
	return profile.NewPartitions(n, key.Block())
}

// parts are the handlers of the partial lists.
func parts(p *status.Publisher) []http.Handler {
	out := make([]http.Handler, p.Partitions.Len())
	for n := range out {
		out[n] = p.Part(n)
	}
	return out
}
