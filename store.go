// What is kept of a category outside the process: the interface to it, and what a Client does with it.

package modelref

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"time"
)

// Store keeps the documents of a Client outside its process, for the next start and for other processes: WithCacheDir
// has one in a directory, and WithStore takes any other. Beside each document stands a note, which a Client writes
// and reads: where the document came from, when that was last confirmed, and a checksum.
//
// A Client asks a few times each TTL and category, and some six times a second while another one holds the lock. It
// waits for the answer: a Store has to be quick, and to give up when ctx ends. An error costs a read nothing else. The
// first is logged, and no other until the Store works again. Methods are called from many goroutines.
type Store interface {
	// Read returns what is kept of the category. Where there is nothing the error is fs.ErrNotExist; a document of more
	// than maxBytes is an error.
	Read(ctx context.Context, category Category, maxBytes int64) (StoredDocument, error)
	// ReadNote returns the note alone. Where there is no document the error is fs.ErrNotExist.
	ReadNote(ctx context.Context, category Category) (string, error)
	// Write replaces the document and the note. A reader must never get the half of one.
	Write(ctx context.Context, category Category, document, note string) error
	// WriteNote replaces the note of a document that stays. Where there is no document the error is fs.ErrNotExist.
	WriteNote(ctx context.Context, category Category, note string) error
	// TryLock makes the caller the one that downloads the category, so that the others may wait for what it writes. It
	// returns the function that ends that, or nil and no error where another one is at it. The lock ends by itself
	// when its holder is gone, or after the lease at the latest. An error means that there are no locks; for a Store that
	// never has any it is errors.ErrUnsupported, which is no failure.
	TryLock(ctx context.Context, category Category, lease time.Duration) (release func(), err error)
}

// StoredDocument is what a Store keeps of one category.
type StoredDocument struct {
	// Document is the v2 category document, byte for byte.
	Document string
	// Note is what was written beside it.
	Note string
	// WrittenAt is when the document was written, for one that somebody else has put there. The zero time is unknown.
	WrittenAt time.Time
}

// provenance is what the note beside a document says of it.
type provenance struct {
	Source      string      `json:"source"`
	FetchedAt   time.Time   `json:"fetched_at"`
	ConfirmedAt time.Time   `json:"confirmed_at"`
	Size        int         `json:"size"`
	CRC32C      uint32      `json:"crc32c"`
	State       sourceState `json:"state"`
	Writer      string      `json:"writer"`
}

// checksum returns the CRC-32C of a document, without a copy of the whole.
func checksum(document string) (sum uint32) {
	var (
		piece [4096]byte
		table = crc32.MakeTable(crc32.Castagnoli)
	)
	for document != "" {
		n := copy(piece[:], document)
		sum, document = crc32.Update(sum, table, piece[:n]), document[n:]
	}
	return sum
}

// clockSkew is how far the clocks of the machines that share a Store may be apart.
const clockSkew = 5 * time.Second

// past returns t where it is past. A time that is still to come by little is now; by more, somebody's clock was wrong, and
// a copy of unknown age is an old one: the zero time.
func past(t time.Time) time.Time {
	switch now := time.Now(); {
	case !t.After(now):
		return t
	case t.After(now.Add(clockSkew)):
		return time.Time{}
	default:
		return now
	}
}

// parseNote reads a note.
func parseNote(note string) (*provenance, error) {
	p := new(provenance)
	if err := json.Unmarshal([]byte(note), p); err != nil {
		return nil, err
	}
	p.ConfirmedAt, p.State.DownloadedAt = past(p.ConfirmedAt), past(p.State.DownloadedAt)
	p.State.EmptyAt = past(p.State.EmptyAt)
	return p, nil
}

// isOf reports whether the note was written for that document.
func (p *provenance) isOf(document string) bool {
	return p.Size == len(document) && p.CRC32C == checksum(document)
}

// olderThan reports whether what was confirmed at that time was so clearly after this copy.
func (l *loaded) olderThan(at time.Time) bool {
	return at.After(l.ref.meta().confirmedAt.Add(time.Millisecond))
}

// note returns what is to be kept beside a document.
func (l *loaded) note() (string, error) {
	meta := l.ref.meta()
	data, err := json.MarshalIndent(provenance{
		Source: l.state.Source.String(), FetchedAt: meta.fetchedAt.UTC(), ConfirmedAt: meta.confirmedAt.UTC(),
		Size: len(l.ref.text()), CRC32C: checksum(l.ref.text()), State: l.state, Writer: "modelref-go/" + Version,
	}, "", "  ")
	return string(data) + "\n", err
}

// storedNote returns what the store's note says of the category's document.
func (l *load) storedNote() (*provenance, error) {
	var note string
	err := l.withStore(func(ctx context.Context, store Store) (err error) {
		note, err = store.ReadNote(ctx, l.facts.category)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if l.storeResult(storeNote, err); err != nil {
		return nil, err
	}
	return parseNote(note)
}

// fromStore decodes the copy in the store. A copy that is missing is fs.ErrNotExist. Where the note is missing, or was
// written for another document, the copy is somebody else's.
func (l *load) fromStore() (*loaded, error) {
	config := l.client.config
	var found StoredDocument
	err := l.withStore(func(ctx context.Context, store Store) (err error) {
		found, err = store.Read(ctx, l.facts.category, config.maxBody)
		return err
	})
	if err != nil {
		return nil, err
	}
	p, err := parseNote(found.Note)
	if err != nil || !p.isOf(found.Document) {
		p = &provenance{FetchedAt: found.WrittenAt, ConfirmedAt: past(found.WrittenAt)}
	}
	got, err := l.decoded(found.Document, about{
		origin: config.storeOrigin, fetchedAt: p.FetchedAt, confirmedAt: p.ConfirmedAt,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", storeName(config.store), err)
	}
	got.state = p.State
	return got, nil
}

// store writes a document that came off the network, and the note on it. A failure is told, never fatal.
func (l *load) store(got *loaded) {
	store := l.client.config.store
	if store == nil {
		return
	}
	note, err := got.note()
	if err == nil {
		err = l.withStore(func(ctx context.Context, store Store) error {
			return store.Write(ctx, l.facts.category, got.ref.text(), note)
		})
	}
	l.broken = l.broken && err != nil
	l.storeResult(storeWrite, err)
}

// storeConfirmed writes that the document in the store is still its source's present state.
func (l *load) storeConfirmed(got *loaded) {
	store := l.client.config.store
	if store == nil {
		return
	}
	if p, err := l.storedNote(); err != nil || !p.isOf(got.ref.text()) {
		l.store(got) // gone, or another one: write the whole
		return
	}
	l.storeNote(got)
}

// storeDoubt writes to the copy in the store that its source says to have no records any more. A copy of another document
// is left alone.
func (l *load) storeDoubt(got *loaded) {
	if l.client.config.store == nil {
		return
	}
	isStored := l.stored != nil && l.stored.ref.sameRecords(got.ref)
	if !isStored {
		p, err := l.storedNote()
		isStored = err == nil && p.isOf(got.ref.text())
	}
	if isStored {
		l.storeNote(got)
	}
}

// storeNote writes the note beside the document that is in the store.
func (l *load) storeNote(got *loaded) {
	note, err := got.note()
	if err == nil {
		err = l.withStore(func(ctx context.Context, store Store) error {
			return store.WriteNote(ctx, l.facts.category, note)
		})
	}
	l.storeResult(storeWrite, err)
}

// What a store does can fail one without the other: it may be read-only, or give no locks.
const (
	storeRead = 1 << iota
	storeNote
	storeWrite
	storeLock
)

// storeResult tells of a failure of the store, once until what has failed works again. A store that never has locks does
// not fail by that.
func (l *load) storeResult(operation int32, err error) {
	config, failing := l.client.config, &l.client.storeFailing
	if err == nil {
		if failing.Load()&operation != 0 && failing.Swap(0) != 0 {
			config.logger.Info("store works again", "store", storeName(config.store))
		}
		return
	}
	if operation == storeLock && errors.Is(err, errors.ErrUnsupported) {
		return
	}
	l.client.observe(Event{Kind: EventStoreFailed, Category: l.facts.category, Origin: config.storeOrigin, Err: err})
	if failing.Or(operation) == 0 {
		config.logger.Warn("store cannot be used; reading goes on without it",
			"store", storeName(config.store), "category", l.facts.category, "error", err)
	}
}

// copyBroken tells of a copy in the store that was read and does not decode, once until it is written anew.
func (l *load) copyBroken(err error) {
	config := l.client.config
	l.client.observe(Event{Kind: EventStoreFailed, Category: l.facts.category, Origin: config.storeOrigin, Err: err})
	if !l.broken {
		l.broken = true
		config.logger.Warn("copy in the store is broken; reading goes on without it",
			"store", storeName(config.store), "category", l.facts.category, "error", err)
	}
}

// storeName names a store for people: by its String method or its type. What is in it is its own.
func storeName(store Store) string {
	if named, ok := store.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", store)
}

// withStore asks the store for a tenth of the budget at most, which may lie after the end of it: the last resort is asked
// when all others have used it up. A store that took that long is not asked again by this load.
func (l *load) withStore(ask func(context.Context, Store) error) error {
	if l.storeHangs != nil {
		return l.storeHangs
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), l.client.config.retry.Budget/10)
	defer cancel()
	defer context.AfterFunc(l.client.base, cancel)()
	err := ask(ctx, l.client.config.store)
	if err != nil && ctx.Err() != nil {
		l.storeHangs = err
	}
	return err
}

// asksNobody reports whether this load will send no request, so that it need not wait for whoever does.
func (l *load) asksNobody() bool {
	config, last := l.client.config, l.last()
	refused := l.client.noted(noteRefused, l.facts.category) != nil && !l.options.refresh
	if config.primaryURL != nil && l.client.primaryBreaker.ready() && !refused {
		return false
	}
	if last != nil && last.state.Source == OriginPrimary && time.Since(last.ref.meta().confirmedAt) < config.maxStale {
		return true
	}
	return !config.github.enabled || l.facts.repo == noRepo || !l.client.githubBreaker.ready()
}

// storeIsFresh reports whether the copy in the store is one that this read may take, and is not what is in memory already.
func (l *load) storeIsFresh() bool {
	if l.options.refresh {
		return false
	}
	p, err := l.storedNote()
	if err != nil || time.Since(p.ConfirmedAt) >= l.maxAge() || !l.mayTake(p.State) {
		return false
	}
	last := l.last()
	return last == nil || last.olderThan(p.ConfirmedAt)
}

// A process that waits for another one's download looks again after lockPause, then after half as long again each time,
// up to maxLockPause.
const (
	lockPause    = 50 * time.Millisecond
	maxLockPause = 400 * time.Millisecond
)

// awaitTurn waits, for half the budget at most, until no other process with the same store downloads the category, and
// keeps others from it until release. Without a lock each process downloads on its own. It reports whether there was
// another one, which has perhaps written what is wanted.
func (l *load) awaitTurn() (release func(), waited bool) {
	config := l.client.config
	if config.store == nil || config.offline || l.asksNobody() {
		return func() {}, false
	}
	pause := lockPause
	for deadline := l.start.Add(config.retry.Budget / 2); ; waited = true {
		err := l.withStore(func(ctx context.Context, store Store) (err error) {
			release, err = store.TryLock(ctx, l.facts.category, config.retry.Budget+maxLockPause)
			return err
		})
		if !errors.Is(err, fs.ErrNotExist) { // a directory that is gone is made again
			l.storeResult(storeLock, err)
		}
		if release != nil {
			return release, waited
		}
		if err != nil || time.Now().After(deadline) || l.ctx.Err() != nil {
			return func() {}, waited
		}
		if waited && l.storeIsFresh() { // what was waited for is there, though the lock may have outlived its holder
			return func() {}, true
		}
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
		}
		pause = min(pause*3/2, maxLockPause)
	}
}
