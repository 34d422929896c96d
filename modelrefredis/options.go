// The options of a Store.

package modelrefredis

import "time"

// What a Store is made with by default.
const (
	defaultPrefix   = "modelref:"
	defaultTimeout  = 500 * time.Millisecond
	defaultExpiry   = 30 * 24 * time.Hour
	defaultCoolDown = 5 * time.Second
)

// Option is one thing that New is told.
type Option func(*Store)

// WithPrefix begins the names of all keys with a prefix, "modelref:" by default. Stores with the same prefix, on the same
// database, share what they keep.
func WithPrefix(prefix string) Option {
	return func(s *Store) { s.prefix = prefix }
}

// WithTimeout bounds how long one operation may take, with all that the client does for it: 500 ms by default, as where
// d is not more than 0. A document has to come through in that time.
func WithTimeout(d time.Duration) Option {
	return func(s *Store) { s.timeout = orDefault(d, defaultTimeout) }
}

// WithExpiry sets how long Redis keeps a category after a Client has last written or confirmed it. Where d is not more
// than 0, Redis keeps it for good. The default is 30 days: a copy that nobody can confirm is the last good one while the
// service is down, and is worth keeping for longer than any outage.
func WithExpiry(d time.Duration) Option {
	return func(s *Store) { s.expiry = max(d, 0) }
}

// WithCoolDown sets how long Redis is left alone after an operation that found it gone: 5 s by default, as where d is not
// more than 0. The pause doubles with each failure in a row, up to a minute, or to d where that is more, and is up to a
// quarter shorter at random.
func WithCoolDown(d time.Duration) Option {
	return func(s *Store) { s.coolDown.first = orDefault(d, defaultCoolDown) }
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
