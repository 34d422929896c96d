// What a Client tells an observer about what it does.

package modelref

import "time"

// EventKind says what happened.
type EventKind uint8

// The kinds of Event.
const (
	// EventHit: a read was answered from memory.
	EventHit EventKind = iota + 1
	// EventLoad: a new document was taken in from Origin.
	EventLoad
	// EventRevalidate: Origin said that the document in memory is still its present state.
	EventRevalidate
	// EventSourceFailed: Origin was asked and could not give the category; Err says why.
	EventSourceFailed
	// EventFallback: a read got a reference from another source than the PRIMARY, or a stale one.
	EventFallback
	// EventUnavailable: no source could give the category; Err is the *FetchError.
	EventUnavailable
	// EventBreakerOpened: Origin failed and is left alone for a while; Err says why.
	EventBreakerOpened
	// EventBreakerClosed: Origin answers again.
	EventBreakerClosed
	// EventStoreFailed: the copy in the cache directory or the Store could not be read or written; Err says why.
	EventStoreFailed
)

// String returns the kind's name, as "hit" or "source_failed".
func (k EventKind) String() string {
	names := [...]string{
		"unknown", "hit", "load", "revalidate", "source_failed", "fallback", "unavailable", "breaker_opened",
		"breaker_closed", "store_failed",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Event is one thing that a Client did. Fields that do not apply are zero.
type Event struct {
	Kind     EventKind
	Category Category
	Origin   Origin
	// Requests is how many requests were sent.
	Requests int
	// Bytes is the size of the body that came.
	Bytes int
	// Records is how many records the reference has.
	Records int
	// Duration is how long it took.
	Duration time.Duration
	// Stale is set where the reference is stale.
	Stale bool
	// Err says what went wrong.
	Err error
}

func (c *Client) observe(e Event) {
	if c.config.observer != nil {
		c.config.observer(e)
	}
}
