// Package book is what a sample service writes down: one small file an entry, so that a
// world that is stopped in the middle of a repair or a tax return goes on where it was.
package book

import (
	"sync"

	"warifu"
	"warifu/sandbox/folder"
)

// suffix ends every entry's file.
const suffix = ".json"

// Book keeps entries of one shape by their names. Several goroutines may use it.
type Book[T any] struct {
	mu     sync.Mutex
	folder folder.Folder
	most   int
}

// Open opens the book in f, which it has for itself, for at most so many entries.
func Open[T any](f folder.Folder, most int) *Book[T] { return &Book[T]{folder: f, most: most} }

// Add writes what make returns under the name that it returns; n counts from 1 and is one
// more than the entries before. Errors: those of make, Conflict "book-entry-exists",
// TooMany "book-full".
func (b *Book[T]) Add(make func(n int) (string, T, error)) (T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var none T
	names, err := b.folder.Names(suffix)
	if err != nil {
		return none, err
	}
	if len(names) >= b.most {
		return none, warifu.TooMany("book-full")
	}
	name, entry, err := make(len(names) + 1)
	if err != nil {
		return none, err
	}
	if _, there, err := b.read(name); err != nil || there {
		if err == nil {
			err = warifu.Conflict("book-entry-exists")
		}
		return none, err
	}
	return entry, b.folder.WriteJSON(name+suffix, entry)
}

// Get reads an entry, or NotFound "book-entry-unknown".
func (b *Book[T]) Get(name string) (T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.get(name)
}

// Change reads an entry, has f change it, and writes it unless f fails; what f left is
// returned either way.
func (b *Book[T]) Change(name string, f func(*T) error) (T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	entry, err := b.get(name)
	if err != nil {
		return entry, err
	}
	if err := f(&entry); err != nil {
		return entry, err
	}
	return entry, b.folder.WriteJSON(name+suffix, entry)
}

// All reads every entry, in the order of their names.
func (b *Book[T]) All() ([]T, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	names, err := b.folder.Names(suffix)
	if err != nil {
		return nil, err
	}
	entries := make([]T, 0, len(names))
	for _, name := range names {
		entry, _, err := b.read(name)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func (b *Book[T]) get(name string) (T, error) {
	entry, there, err := b.read(name)
	if err == nil && !there {
		err = warifu.NotFound("book-entry-unknown")
	}
	return entry, err
}

// longest is how long a name that a stranger types may be.
const longest = 64

// read takes names of lower-case letters, digits and hyphens: whatever else a stranger
// types names nothing.
func (b *Book[T]) read(name string) (entry T, there bool, err error) {
	if name == "" || len(name) > longest {
		return entry, false, nil
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return entry, false, nil
		}
	}
	there, err = b.folder.ReadJSON(name+suffix, &entry)
	return entry, there, err
}
