// This file has the options of a Store.

package modelrefredis

import "time"

// The defaults of the options.
const (
	defaultPrefix       = "modelref:"
	defaultTimeout      = 500 * time.Millisecond
	defaultExpiry       = 30 * 24 * time.Hour
	defaultBreakerDelay = 5 * time.Second
)

// An Option configures a [Store]. Pass options to [New].
type Option func(*Store)

// WithPrefix sets the prefix of the names of all keys. The default is "modelref:". Stores with the same prefix on the same
// database share their entries.
func WithPrefix(prefix string) Option {
	return func(s *Store) { s.prefix = prefix }
}

// WithTimeout limits the time of one operation, including everything that the client does for it. If d <= 0, it is the
// default of 500 ms. The time must be long enough to transfer a document.
func WithTimeout(d time.Duration) Option {
	return func(s *Store) { s.timeout = orDefault(d, defaultTimeout) }
}

// WithExpiry sets how long Redis keeps a category after a Client has last written or confirmed it. If d <= 0, the category
// does not expire. The default is 30 days. While the service is down, the copy in Redis may be the only one, so the time
// should be longer than any outage.
func WithExpiry(d time.Duration) Option {
	return func(s *Store) { s.expiry = max(d, 0) }
}

// WithBreakerDelay sets how long the circuit breaker is open after an operation that could not reach Redis. If d <= 0, it is
// the default of 5 s. The time is doubled after each consecutive failure, up to the larger of a minute and d. It is reduced
// by a random part of up to a quarter.
func WithBreakerDelay(d time.Duration) Option {
	return func(s *Store) { s.breaker.delay = orDefault(d, defaultBreakerDelay) }
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
