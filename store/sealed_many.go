package store

import (
	"fmt"
	"strings"

	"warifu"
)

// maxTogether is how many blobs one statement writes or reads.
const maxTogether = 32

// putAll is put for several blobs of one owner.
func (v *vault) putAll(owner warifu.Digest, plains [][]byte) ([]warifu.Digest, error) {
	digests := make([]warifu.Digest, len(plains))
	if len(plains) == 0 {
		return digests, nil
	}
	if len(plains) > maxTogether {
		return nil, warifu.TooLarge("blob-too-large")
	}
	key, err := v.keyFor(owner)
	if err != nil {
		return nil, err
	}
	var rows []string
	args := []any{owner[:]}
	for i, plain := range plains {
		if len(plain) > MaxBlob {
			return nil, warifu.TooLarge("blob-too-large")
		}
		digests[i] = warifu.DigestOf(plain)
		rows = append(rows, fmt.Sprintf("($%d, $1, $%d)", len(args)+1, len(args)+2))
		args = append(args, digests[i][:], sealBlob(key, digests[i], owner, plain))
	}
	_, err = v.w.exec(`INSERT INTO sealed (digest, owner, octets) VALUES `+strings.Join(rows, ", ")+` ON CONFLICT DO NOTHING`, args...)
	return digests, err
}

// getAll is get for several blobs of one owner.
func (v *vault) getAll(owner warifu.Digest, digests []warifu.Digest) ([][]byte, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	if len(digests) > maxTogether {
		return nil, warifu.TooLarge("blob-too-large")
	}
	var names []string
	args := []any{owner[:]}
	for _, d := range digests {
		args = append(args, d[:])
		names = append(names, fmt.Sprintf("$%d", len(args)))
	}
	found := map[warifu.Digest][]byte{}
	err := v.w.each(func(s scanner) error {
		var digest warifu.Digest
		var sealed, wrapped []byte
		if err := s.Scan(fixed{digest[:]}, &sealed, &wrapped); err != nil {
			return err
		}
		key, err := v.unwrap(owner, wrapped)
		if err != nil {
			return err
		}
		found[digest], err = openBlob(key, digest, owner, sealed)
		return err
	}, `SELECT s.digest, s.octets, k.wrapped FROM sealed s JOIN data_keys k ON k.owner = s.owner
		WHERE s.owner = $1 AND s.digest IN (`+strings.Join(names, ", ")+`)`, args...)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(digests))
	for i, d := range digests {
		plain, ok := found[d]
		if !ok {
			return nil, warifu.NotFound("blob-unknown")
		}
		out[i] = plain
	}
	return out, nil
}
