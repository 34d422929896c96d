// The Store, and how it asks Redis: for a bounded time, and not at all while Redis is gone.

package modelrefredis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/haidra-org/modelref"
)

// maxNote bounds how much of a note is read.
const maxNote = 64 << 10

// Store is a modelref.Store in Redis. It is safe for concurrent use, by several Clients too. Make it with New; the zero
// Store returns an error from every operation.
type Store struct {
	client   redis.UniversalClient
	prefix   string
	timeout  time.Duration
	expiry   time.Duration
	name     string
	password string
	coolDown coolDown

	id   string // begins the tokens of all its locks
	mu   sync.Mutex
	held map[modelref.Category]reservation
}

// reservation is a lock that this Store holds or asks for.
type reservation struct {
	token string
	until time.Time
}

var _ modelref.Store = (*Store)(nil)

// New returns a Store over a client of go-redis: of one server, of a cluster, or of Sentinel. The client stays the
// caller's, who closes it after the modelref.Client. The network is not touched.
func New(client redis.UniversalClient, options ...Option) *Store {
	its := settingsOf(client)
	s := &Store{
		client: client, prefix: defaultPrefix, timeout: defaultTimeout, expiry: defaultExpiry,
		name: its.name(), password: its.password, coolDown: coolDown{first: defaultCoolDown},
		id: rand.Text() + ":", held: map[modelref.Category]reservation{},
	}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	return s
}

// String returns "redis" and the addresses that the client was given, without user and password, as
// "redis 127.0.0.1:6379", with the number of the database behind it where that is not 0.
func (s *Store) String() string {
	if s.client == nil {
		return "redis without a client"
	}
	return s.name
}

// Read returns what Redis has of the category, in one round trip. The error is fs.ErrNotExist where it has no document,
// and says so where that is larger than maxBytes; then it is not fetched. WrittenAt is zero for a document of another
// program that has not said when it was written.
func (s *Store) Read(ctx context.Context, category modelref.Category, maxBytes int64) (modelref.StoredDocument, error) {
	var found modelref.StoredDocument
	got, err := s.run(ctx, "read", category, "", readScript, maxBytes, maxNote)
	if err != nil {
		return found, err
	}
	fields, _ := got.([]any)
	if len(fields) != 3 {
		return found, s.failure("read", category, fmt.Errorf("the document has %v bytes, more than %d", got, maxBytes))
	}
	found.Document, _ = fields[0].(string)
	found.Note, _ = fields[1].(string) // nil where there is none
	written, _ := fields[2].(string)
	if at, err := time.Parse(time.RFC3339Nano, written); err == nil {
		found.WrittenAt = at
	}
	return found, nil
}

// ReadNote returns the note alone. The error is fs.ErrNotExist where there is none, or no document to it.
func (s *Store) ReadNote(ctx context.Context, category modelref.Category) (string, error) {
	got, err := s.run(ctx, "read note of", category, "", readNoteScript, maxNote)
	note, _ := got.(string)
	return note, err
}

// Write replaces the document and the note in one step, whatever was there, and sets the expiry anew.
func (s *Store) Write(ctx context.Context, category modelref.Category, document, note string) error {
	_, err := s.run(ctx, "write", category, "", writeScript,
		s.expiry.Milliseconds(), document, note, time.Now().UTC().Format(time.RFC3339Nano))
	return err
}

// WriteNote replaces the note and sets the expiry anew. Where there is no document the error is fs.ErrNotExist and
// nothing is written. Where another process has written another document meanwhile, that gets the note, in which a Client
// sees by the checksum that it is not its own.
func (s *Store) WriteNote(ctx context.Context, category modelref.Category, note string) error {
	const what = "write note of"
	got, err := s.run(ctx, what, category, "", writeNoteScript, s.expiry.Milliseconds(), note)
	if err == nil && got != int64(1) {
		return s.failure(what, category, fs.ErrNotExist)
	}
	return err
}

// TryLock makes the caller the one that downloads the category, for the lease at most. It returns nil and no error where
// another process is at it, or another Client with this Store. The function that it returns gives the lock back, within
// the timeout of the Store and after ctx has ended too.
func (s *Store) TryLock(ctx context.Context, category modelref.Category, lease time.Duration) (release func(), err error) {
	token := s.id + rand.Text()
	if !s.reserve(category, token, lease) {
		return nil, nil
	}
	// It is taken for a short while at first: Redis may do that after its answer was given up, and nobody would give the
	// lock back. Only one that is known to be held is held for the lease.
	short := min(lease, 2*s.timeout)
	got, err := s.run(ctx, "lock", category, ":lock", lockScript, s.id, token, max(short.Milliseconds(), 1))
	if err != nil || got != int64(1) {
		s.giveUp(category, token)
		return nil, err
	}
	if lease > short { // where it fails the lock ends early, and two download
		_, _ = s.run(ctx, "hold lock", category, ":lock", holdScript, token, lease.Milliseconds())
	}
	return sync.OnceFunc(func() {
		s.giveUp(category, token)
		s.unlock(context.WithoutCancel(ctx), category, token)
	}), nil
}

// unlock gives a lock back, also where Redis is to be left alone: others wait for it. Where it fails the lease ends it.
func (s *Store) unlock(ctx context.Context, category modelref.Category, token string) {
	_, _ = s.bounded(ctx, func(ctx context.Context) (any, error) {
		return unlockScript.Run(ctx, s.client, []string{s.prefix + string(category) + ":lock"}, token).Result()
	})
}

// reserve keeps the other users of this Store from the lock, unless one of them has or wants it.
func (s *Store) reserve(category modelref.Category, token string, lease time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil { // run says so
		return true
	}
	if time.Now().Before(s.held[category].until) {
		return false
	}
	s.held[category] = reservation{token: token, until: time.Now().Add(lease)}
	return true
}

func (s *Store) giveUp(category modelref.Category, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[category].token == token {
		delete(s.held, category)
	}
}

// run runs a script on a key of the category, unless Redis is to be left alone. Nil, as a script has it for nothing
// there, is fs.ErrNotExist.
func (s *Store) run(
	ctx context.Context, what string, category modelref.Category, suffix string, script *redis.Script, arguments ...any,
) (any, error) {
	switch {
	case s.client == nil:
		return nil, s.failure(what, category, modelref.ErrNotConfigured)
	case !category.Known():
		return nil, s.failure(what, category, modelref.ErrUnknownCategory)
	case ctx.Err() != nil:
		return nil, s.failure(what, category, context.Cause(ctx))
	}
	probe, err := s.coolDown.allow()
	if err != nil {
		return nil, s.failure(what, category, err)
	}
	got, err := s.bounded(ctx, func(ctx context.Context) (any, error) {
		return script.Run(ctx, s.client, []string{s.prefix + string(category) + suffix}, arguments...).Result()
	})
	switch {
	case err == nil:
		s.coolDown.worked(probe)
		return got, nil
	case errors.Is(err, redis.Nil):
		s.coolDown.worked(probe)
		err = fs.ErrNotExist
	case ctx.Err() != nil:
		s.coolDown.spared(probe) // the caller's patience says nothing of Redis
		err = context.Cause(ctx)
	case isOutage(err):
		s.coolDown.failed(probe, s.redact(err.Error()))
	default:
		s.coolDown.worked(probe)
	}
	return nil, s.failure(what, category, err)
}

// bounded waits for what ask returns, for the timeout at most. Ask goes by its context only as far as the client does,
// whose reads and writes have timeouts of their own, so it may have to be left behind. It is told to end a little earlier,
// and may then say better than we why there is no answer.
func (s *Store) bounded(ctx context.Context, ask func(context.Context) (any, error)) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	inner, cancelInner := context.WithTimeout(ctx, s.timeout*9/10)
	type answer struct {
		got any
		err error
	}
	answers := make(chan answer, 1) // so that nobody need be there to take it
	go func() {
		defer cancelInner()
		got, err := ask(inner)
		answers <- answer{got, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("no answer within %s: %w", s.timeout, a.err)
		}
		return a.got, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("no answer within %s: %w", s.timeout, ctx.Err())
	}
}

// isOutage reports whether a failure would meet every operation: no answer, or one that says that Redis takes no
// commands, or none of ours. Any other error reply is about one key or one command.
func isOutage(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return true
	}
	return redis.IsAuthError(err) || redis.IsLoadingError(err) || redis.IsMasterDownError(err) ||
		redis.IsClusterDownError(err) || redis.IsMaxClientsError(err) || redis.HasErrorPrefix(err, "BUSY ")
}

// failure says which store could not do what. An error that had a password in it cannot be unwrapped.
func (s *Store) failure(what string, category modelref.Category, err error) error {
	if text := err.Error(); s.redact(text) != text {
		err = errors.New(s.redact(text))
	}
	return fmt.Errorf("%s: %s %s: %w", s, what, category, err)
}
