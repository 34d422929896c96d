// Operations that return when their context is done, even if the file system hangs.

package dirstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

// ErrHung is matched by the error of an operation that was not started because an earlier operation, which its caller
// has given up, still waits for the file system.
var ErrHung = errors.New("the file system is not responding")

const (
	// hungAge is the age at which an operation that was given up counts as hung. It is longer than a healthy file system
	// needs, so that a caller who gives up early does not stop the others.
	hungAge = 100 * time.Millisecond
	// maxAbandoned limits the operations that were given up and that are too young to count as hung.
	maxAbandoned = 16
	// releaseTimeout limits the wait for a lock to be released.
	releaseTimeout = time.Second
)

// operations are the operations that were given up by their callers and have not returned. The zero value is ready to use.
type operations struct {
	mu        sync.Mutex
	abandoned map[*operation]struct{}
}

// operation is one operation in progress.
type operation struct {
	what     string
	started  clock.Instant
	finished bool // guarded by the mutex of operations
}

var clk clock.Clock // the system clock

// check returns an error if an operation hangs.
func (o *operations) check() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for op := range o.abandoned {
		if age := clk.Age(op.started); age >= hungAge || len(o.abandoned) >= maxAbandoned {
			return fmt.Errorf("%w: %s has not returned for %s", ErrHung, op.what, age.Round(time.Millisecond))
		}
	}
	return nil
}

// do is run for an operation without a result.
func (o *operations) do(ctx context.Context, what string, do func() error) error {
	_, err := run(ctx, o, what, func() (struct{}, error) { return struct{}{}, do() }, nil)
	return err
}

// run calls do on a new goroutine and returns its result. If ctx is done earlier, run returns the cause, and discard, unless
// it is nil, gets the result when do returns.
func run[T any](
	ctx context.Context, o *operations, what string, do func() (T, error), discard func(T),
) (result T, err error) {
	if ctx == nil {
		return result, fmt.Errorf("%s: the context must not be nil", what)
	}
	if ctx.Err() != nil {
		return result, fmt.Errorf("%s: %w", what, cause(ctx))
	}
	if err := o.check(); err != nil {
		return result, fmt.Errorf("%s: %w", what, err)
	}
	return start(ctx, o, what, do, discard)
}

// start is run without the checks before do is called.
func start[T any](
	ctx context.Context, o *operations, what string, do func() (T, error), discard func(T),
) (result T, err error) {
	type outcome struct {
		result T
		err    error
	}
	op := &operation{what: what, started: clk.Now()}
	outcomes := make(chan outcome, 1)
	go func() {
		got, err := do()
		if o.finish(op) {
			outcomes <- outcome{got, err}
		} else if err == nil && discard != nil {
			discard(got)
		}
	}()
	var out outcome
	select {
	case out = <-outcomes:
	case <-ctx.Done():
		if o.abandon(op) {
			return result, fmt.Errorf("%s: %w", what, cause(ctx))
		}
		out = <-outcomes
	}
	if out.err != nil {
		return result, fmt.Errorf("%s: %w", what, out.err)
	}
	return out.result, nil
}

// finish records that op has returned. It reports whether a caller waits for the result.
func (o *operations) finish(op *operation) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	op.finished = true
	_, abandoned := o.abandoned[op]
	delete(o.abandoned, op)
	return !abandoned
}

// abandon records that the caller of op has given up. It reports false if op has returned, so that there is a result.
func (o *operations) abandon(op *operation) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if op.finished {
		return false
	}
	if o.abandoned == nil {
		o.abandoned = map[*operation]struct{}{}
	}
	o.abandoned[op] = struct{}{}
	return true
}

// cause returns an error that matches both the error and the cause of a context that is done.
func cause(ctx context.Context) error {
	if c := context.Cause(ctx); !errors.Is(c, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), c)
	}
	return ctx.Err()
}

// releaser returns a function that closes a locked file once. The function does not wait for a hung file system.
func (o *operations) releaser(what string, locked file) func() {
	return sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
		defer cancel()
		// The error is ignored, because the file is closed in any case.
		_, _ = start(ctx, o, what, func() (struct{}, error) { return struct{}{}, locked.Close() }, nil)
	})
}
