package bureau

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/chip"
	"warifu/sandbox/folder"
	"warifu/sandbox/person"
)

// Config is what a bureau needs.
type Config struct {
	Dir     string       // everything it keeps; made where missing
	Clock   warifu.Clock // of the world
	BaseURL string       // where Handler will stand, "http://127.0.0.1:8401/bureau": written into certificates
	// NewKey makes RSA-2048 keys, for cards and authorities; nil generates them.
	NewKey func() (*rsa.PrivateKey, error)
}

// Bureau is an open card bureau. All its methods may be called from several
// goroutines.
type Bureau struct {
	config    Config
	start     time.Time
	handleKey []byte
	keys      folder.Folder
	cards     folder.Folder
	chips     folder.Folder

	authorities map[warifu.Kind]*authority
	statement   *ecdsa.PrivateKey
	lists       atomic.Uint64 // number of the newest revocation list
	outbox      *outbox
	reporter    atomic.Pointer[ecdsa.PublicKey] // whose reports of lost cards are believed; nil: nobody's

	facesOnce     sync.Mutex
	faceAuthority *chip.FaceAuthority // under facesOnce; nil until the first card is issued

	adding  sync.Mutex // one further person at a time
	mu      sync.RWMutex
	order   []string // persons in the order in which they came
	holders map[string]*holder
	serials map[warifu.Kind]map[string]*holder

	stop context.CancelFunc
	done chan struct{}
}

// Open opens the bureau of a world, or begins one. Errors: Unavailable
// "world-damaged" naming the file that cannot be read.
func Open(config Config) (*Bureau, error) {
	if config.NewKey == nil {
		config.NewKey = newRSA
	}
	config.BaseURL = strings.TrimSuffix(config.BaseURL, "/")
	b := &Bureau{
		config: config, holders: map[string]*holder{},
		serials: map[warifu.Kind]map[string]*holder{warifu.Signature: {}, warifu.Authentication: {}},
	}
	root, err := folder.Open(config.Dir)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(folder.Folder) error{b.openWorld, b.openKeys, b.openEvents, b.openPersons, b.openCards} {
		if err := step(root); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *Bureau) list(p person.Person) *holder {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := &holder{id: p.ID, listed: p}
	b.holders[p.ID] = h
	b.order = append(b.order, p.ID)
	return h
}

// IssueInBackground issues the cards of all persons one after another until Close;
// without it a card is issued when it is first touched. Keys take whole cores, so a
// world calls it when everything else stands. It is called at most once.
func (b *Bureau) IssueInBackground() {
	ctx, stop := context.WithCancel(context.Background())
	b.stop, b.done = stop, make(chan struct{})
	go func() {
		defer close(b.done)
		for _, id := range b.ids() {
			if ctx.Err() != nil {
				return
			}
			if err := b.Issue(id); err != nil {
				slog.Warn("card bureau: a card could not be issued in the background", "err", err)
			}
		}
	}()
}

// Close stops the background work. Nothing is lost by not calling it.
func (b *Bureau) Close() error {
	if b.stop != nil {
		b.stop()
		<-b.done
	}
	return nil
}

// Start returns the instant at which the world began.
func (b *Bureau) Start() time.Time { return b.start }

// BaseURL returns the address written into the world's certificates, which is that of
// the first start: who serves Handler must serve it there.
func (b *Bureau) BaseURL() string { return b.config.BaseURL }

// Authority returns the parent authority's certificate: the trust anchor of a kind.
func (b *Bureau) Authority(kind warifu.Kind) *x509.Certificate {
	if a := b.authorities[kind]; a != nil {
		return a.certificate
	}
	return nil
}

// StatementKey returns the public key that card statements are checked with.
func (b *Bureau) StatementKey() *ecdsa.PublicKey { return &b.statement.PublicKey }

func (b *Bureau) ids() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return append([]string(nil), b.order...)
}

func (b *Bureau) find(id string) (*holder, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if h := b.holders[id]; h != nil {
		return h, nil
	}
	return nil, warifu.NotFound("person-unknown")
}

func (b *Bureau) findCertificate(kind warifu.Kind, serial []byte) (*certificate, *holder) {
	b.mu.RLock()
	h := b.serials[kind][string(serial)]
	b.mu.RUnlock()
	if h == nil {
		return nil, nil
	}
	return h.now.Load().bySerial(kind, string(serial)), h
}
