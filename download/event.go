// The events that report the progress of a plan.

package download

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// EventKind says what happened.
type EventKind uint8

// The kinds of [Event].
const (
	// EventVerifying: an existing file is being hashed. Done is the number of bytes read so far.
	EventVerifying EventKind = iota + 1
	// EventStarted: a request was sent for the file. Source is the source.
	EventStarted
	// EventProgress: Done bytes of the file are on disk. It is reported at most ten times a second for each file.
	EventProgress
	// EventWaiting: the download waits for Wait (0 if the time is not known), because of Err or because another process
	// has the lock of the file.
	EventWaiting
	// EventRestarted: the received data was discarded because of Err, and the download starts at the first byte.
	EventRestarted
	// EventSourceFailed: the source failed with Err. The next one is tried.
	EventSourceFailed
	// EventDone: the file is available.
	EventDone
	// EventFailed: the file is not available because of Err.
	EventFailed
	// EventWarning: the file is available, but its checksum file could not be written because of Err.
	EventWarning
)

// Event is one step of a download. Fields that do not apply are zero.
type Event struct {
	Kind EventKind
	// Path is the path of the file below the weights root.
	Path string
	// Done is the number of bytes of the file on disk, and Size the size of the file, or -1.
	Done, Size int64
	// Source is the URL of the source, without user info and query.
	Source string
	// Wait is the time that the download waits.
	Wait time.Duration
	// Err is the reason.
	Err error
}

const progressInterval = 100 * time.Millisecond

// emit calls the observer, one call at a time.
func (p *Plan) emit(e Event) {
	if p.observe == nil {
		return
	}
	p.eventMu.Lock()
	defer p.eventMu.Unlock()
	p.observe(e)
}

// Events runs the plan and yields its events, for a range loop. The last element has the error of Run, if there is one.
// If the loop is left early, the downloads are interrupted, and can be resumed later. The report is stored in *report
// if report is not nil. Options.OnEvent is not called.
func (p *Plan) Events(ctx context.Context, report **Report) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if ctx == nil {
			yield(Event{}, fmt.Errorf("download: Events: %w", errNilContext))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		events := make(chan Event)
		result := make(chan error, 1)
		before := p.observe
		p.observe = func(e Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		}
		go func() {
			defer close(events)
			r, err := p.Run(ctx)
			if report != nil {
				*report = r
			}
			result <- err
		}()
		defer func() {
			cancel()
			for range events { // Run must have ended before the observer is replaced
			}
			p.observe = before
		}()
		for e := range events {
			if !yield(e, nil) {
				return
			}
		}
		if err := <-result; err != nil {
			yield(Event{}, err)
		}
	}
}
