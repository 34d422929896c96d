// Events: what a Client reports to an observer.

package modelref

import "time"

// EventKind is the kind of an [Event].
type EventKind uint8

// The kinds of Event.
const (
	// EventHit: a read was answered from memory.
	EventHit EventKind = iota + 1
	// EventLoad: a new document was loaded from Source.
	EventLoad
	// EventRevalidate: Source confirmed the document in memory.
	EventRevalidate
	// EventSourceFailed: a request to Source did not return the category. Err is the reason.
	EventSourceFailed
	// EventFallback: the result of a load did not come from the PRIMARY, or is stale.
	EventFallback
	// EventUnavailable: no source had the category. Err is the *[FetchError].
	EventUnavailable
	// EventBreakerOpened: the circuit breaker of Source has opened, or a probe has failed. Err is the reason.
	EventBreakerOpened
	// EventBreakerClosed: the circuit breaker of Source has closed.
	EventBreakerClosed
	// EventStoreFailed: the copy in the cache directory or the Store could not be read or written. Err is the reason.
	EventStoreFailed
)

// Event is one action of a Client. Fields that do not apply are zero.
type Event struct {
	Kind     EventKind
	Category Category
	Source   Source
	// Requests is the number of requests sent.
	Requests int
	// Bytes is the size of the response body.
	Bytes int
	// Records is the number of records of the reference.
	Records int
	// Duration is the time since the load or the request began.
	Duration time.Duration
	// Stale reports whether the reference is stale.
	Stale bool
	// Err is the error, if there is one.
	Err error
}

func (c *Client) observe(e Event) {
	if c.config.observer != nil {
		c.config.observer(e)
	}
}
