// Calls of code that is not ours (a transport, a store, a file system) which must not hold a load up.

package modelref

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errGoroutineEnded is returned if the code called runtime.Goexit, as the FailNow of a test does.
var errGoroutineEnded = errors.New("the code that the load called has ended its goroutine")

// errAbandoned is returned if the code did not return when its context ended.
var errAbandoned = errors.New("no response when the time limit was reached")

// await runs fn on a goroutine of its own and returns its result. If ctx ends first, fn has grace to return, and is then
// abandoned: its result is dropped, and await returns an error that wraps errAbandoned and the cause. running counts fn
// until fn has returned or is abandoned, so that Close does not wait for code that hangs.
func await[T any](ctx context.Context, running *sync.WaitGroup, grace time.Duration, fn func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var (
		done  = make(chan result, 1)
		count sync.Once
	)
	running.Add(1)
	go func() {
		defer count.Do(running.Done)
		r := result{err: errGoroutineEnded}
		defer func() { done <- r }()
		r.value, r.err = fn()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
		count.Do(running.Done)
		var none T
		return none, fmt.Errorf("%w: %w", errAbandoned, ctx.Err())
	}
}

// detachedContext has the values of the context of a caller, such as a trace, and ends with the Client instead of with the
// caller.
type detachedContext struct {
	context.Context // of the Client
	values          context.Context
}

// Value returns the Client's own value first, because package context finds the parent of a context in this way.
func (c detachedContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}
