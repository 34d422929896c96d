// This file has the Store. Its operations have a limited time, and fail immediately while the breaker is open.

package modelrefredis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/haidra-org/modelref"
)

// maxNote limits the size in bytes of the provenance that is read.
const maxNote = 64 << 10

// Store is a [modelref.Store] in Redis. It is safe for concurrent use, also by several Clients. Use [New] to create a
// Store. All operations of the zero Store return an error.
type Store struct {
	client  redis.UniversalClient
	prefix  string
	timeout time.Duration
	expiry  time.Duration
	name    string
	breaker breaker
	// maskPassword replaces the password in a text. It is a function, so that no format of package fmt prints the
	// password.
	maskPassword func(text string) string

	id      string // the start of the tokens of all locks
	mu      sync.Mutex
	attempt int64 // number of the last attempt to lock, which is the end of its token
	held    map[modelref.Category]reservation
}

// reservation is a lock that this Store holds or requests.
type reservation struct {
	token string
	until time.Time
}

var _ modelref.Store = (*Store)(nil)

// New returns a Store with a client of go-redis: of one server, of a cluster, or of Sentinel. New does not use the
// network. The Store does not close the client. Close the client after the modelref.Client.
func New(client redis.UniversalClient, options ...Option) *Store {
	its := settingsOf(client)
	s := &Store{
		client: client, prefix: defaultPrefix, timeout: defaultTimeout, expiry: defaultExpiry,
		name: its.name(), maskPassword: masking(its.password), breaker: breaker{delay: defaultBreakerDelay},
		id: rand.Text() + ":", held: map[modelref.Category]reservation{},
	}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	return s
}

// String returns "redis" and the addresses of the client without user and password, such as "redis 127.0.0.1:6379". If
// the number of the database is not 0, it follows the address.
func (s *Store) String() string {
	if s.client == nil {
		return "redis without a client"
	}
	return s.name
}

// Read returns the entry of the category in Redis. It needs one round trip. If there is no document, the error is
// [fs.ErrNotExist]. If the document is larger than maxBytes, Read returns an error and does not fetch the document.
// ModTime is zero if the document is from another program that has not written its time.
func (s *Store) Read(ctx context.Context, category modelref.Category, maxBytes int64) (modelref.StoreEntry, error) {
	var found modelref.StoreEntry
	got, err := s.run(ctx, "read", category, "", readScript, maxBytes, maxNote)
	if err != nil {
		return found, err
	}
	fields, _ := got.([]any)
	if len(fields) != 3 {
		return found, s.failure("read", category, fmt.Errorf("document must have at most %d bytes, got %v", maxBytes, got))
	}
	found.Document, _ = fields[0].(string)
	found.Provenance, _ = fields[1].(string) // nil if there is no note
	written, _ := fields[2].(string)
	if at, err := time.Parse(time.RFC3339Nano, written); err == nil {
		found.ModTime = at
	}
	return found, nil
}

// ReadProvenance returns only the provenance. If there is no provenance or no document, the error is [fs.ErrNotExist].
func (s *Store) ReadProvenance(ctx context.Context, category modelref.Category) (string, error) {
	got, err := s.run(ctx, "read note of", category, "", readNoteScript, maxNote)
	note, _ := got.(string)
	return note, err
}

// Write replaces the entry of the category atomically and restarts its expiry.
func (s *Store) Write(ctx context.Context, category modelref.Category, document, note string) error {
	_, err := s.run(ctx, "write", category, "", writeScript,
		s.expiry.Milliseconds(), document, note, time.Now().UTC().Format(time.RFC3339Nano))
	return err
}

// WriteProvenance replaces the provenance and restarts the expiry. If there is no document, it writes nothing and the
// error is [fs.ErrNotExist]. If another process has replaced the document, the provenance is written to the new
// document. A Client detects this by the checksum in the provenance.
func (s *Store) WriteProvenance(ctx context.Context, category modelref.Category, note string) error {
	const what = "write note of"
	got, err := s.run(ctx, what, category, "", writeNoteScript, s.expiry.Milliseconds(), note)
	if err == nil && got != int64(1) {
		return s.failure(what, category, fs.ErrNotExist)
	}
	return err
}

// TryLock takes the lock for downloading the category, for at most the time of the lease. If another process or another
// Client with this Store holds the lock, release and err are both nil. release needs at most the timeout of the Store.
// It releases the lock even if ctx is done.
func (s *Store) TryLock(ctx context.Context, category modelref.Category, lease time.Duration) (release func(), err error) {
	token, ok := s.reserve(category, lease)
	if !ok {
		return nil, nil
	}
	// The lock is taken for a short time at first. If the reply is lost, nobody releases the lock, and it expires soon.
	// If the lock is known to be held, the lease is extended.
	short := min(lease, 2*s.timeout)
	got, err := s.run(ctx, "lock", category, ":lock", lockScript, s.id, token, max(short.Milliseconds(), 1))
	if err != nil || got != int64(1) {
		s.giveUp(category, token)
		return nil, err
	}
	if lease > short { // if this fails, the lock expires early and two workers may download
		_, _ = s.run(ctx, "hold lock", category, ":lock", holdScript, token, lease.Milliseconds())
	}
	return sync.OnceFunc(func() {
		s.giveUp(category, token)
		s.unlock(context.WithoutCancel(ctx), category, token)
	}), nil
}

// unlock releases a lock even if the breaker is open, because other workers wait for it. If this fails, the lock
// expires.
func (s *Store) unlock(ctx context.Context, category modelref.Category, token string) {
	_, _ = s.bounded(ctx, func(ctx context.Context) (any, error) {
		return unlockScript.Run(ctx, s.client, []string{s.prefix + string(category) + ":lock"}, token).Result()
	})
}

// reserve keeps the other users of this Store from the lock, and returns the token of this attempt. It reports false if
// another user holds or requests the lock.
func (s *Store) reserve(category modelref.Category, lease time.Duration) (token string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil { // run returns the error
		return "", true
	}
	if time.Now().Before(s.held[category].until) {
		return "", false
	}
	s.attempt++
	token = s.id + strconv.FormatInt(s.attempt, 10)
	s.held[category] = reservation{token: token, until: time.Now().Add(lease)}
	return token, true
}

func (s *Store) giveUp(category modelref.Category, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[category].token == token {
		delete(s.held, category)
	}
}

// run runs a script on a key of the category, unless the breaker is open. If the script returns nil, the error is
// [fs.ErrNotExist].
func (s *Store) run(
	ctx context.Context, what string, category modelref.Category, suffix string, script *redis.Script, arguments ...any,
) (any, error) {
	switch {
	case s.client == nil:
		return nil, s.failure(what, category, modelref.ErrNotConfigured)
	case !category.Known() && !modelref.Catalog(category).Known():
		return nil, s.failure(what, category, modelref.ErrUnknownCategory)
	case ctx.Err() != nil:
		return nil, s.failure(what, category, context.Cause(ctx))
	}
	probe, err := s.breaker.allow()
	if err != nil {
		return nil, s.failure(what, category, err)
	}
	got, err := s.bounded(ctx, func(ctx context.Context) (any, error) {
		return script.Run(ctx, s.client, []string{s.prefix + string(category) + suffix}, arguments...).Result()
	})
	switch {
	case err == nil:
		s.breaker.succeed(probe)
		return got, nil
	case errors.Is(err, redis.Nil):
		s.breaker.succeed(probe)
		err = fs.ErrNotExist
	case ctx.Err() != nil:
		s.breaker.cancel(probe) // the cancellation of the caller does not concern Redis
		err = context.Cause(ctx)
	case isOutage(err):
		s.breaker.fail(probe, s.redact(err.Error()))
	default:
		s.breaker.succeed(probe)
	}
	return nil, s.failure(what, category, err)
}

// bounded returns the result of ask, and waits for at most the timeout. Some clients ignore the context for reads and
// writes, so ask may continue after bounded has returned. The context of ask ends a little earlier, so that the error
// of the client, which is more specific, is returned.
func (s *Store) bounded(ctx context.Context, ask func(context.Context) (any, error)) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	inner, cancelInner := context.WithTimeout(ctx, s.timeout*9/10)
	type answer struct {
		got any
		err error
	}
	answers := make(chan answer, 1) // buffered, so that a late result does not block
	go func() {
		defer cancelInner()
		got, err := ask(inner)
		answers <- answer{got, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("no response within %s: %w", s.timeout, a.err)
		}
		return a.got, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("no response within %s: %w", s.timeout, ctx.Err())
	}
}

// isOutage reports whether a failure concerns all operations: Redis does not respond, accepts no commands, or rejects
// the login. Other error replies concern one key or one command.
func isOutage(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return true
	}
	return redis.IsAuthError(err) || redis.IsLoadingError(err) || redis.IsMasterDownError(err) ||
		redis.IsClusterDownError(err) || redis.IsMaxClientsError(err) || redis.HasErrorPrefix(err, "BUSY ")
}

// failure adds the store, the operation and the category to an error. If err had a password, it cannot be unwrapped.
func (s *Store) failure(what string, category modelref.Category, err error) error {
	if text := err.Error(); s.redact(text) != text {
		err = errors.New(s.redact(text))
	}
	return fmt.Errorf("%s: %s %s: %w", s, what, category, err)
}
