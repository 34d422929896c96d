package httpx

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter limits the value of a Retry-After header.
const maxRetryAfter = 365 * 24 * time.Hour

// Jitter returns a random duration from 0 up to d, excluding d. It returns 0 if d is not positive.
func Jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // it spreads load and needs no secrecy
}

// backoff returns the delay before the next attempt: the Retry-After of the response, otherwise a random time up to the
// base delay, which doubles with each attempt. The result is at most limit, unless limit is 0.
func (c *Client) backoff(_, limit time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if wait := RetryAfter(resp.Header); wait > 0 {
			return shorter(wait, limit)
		}
	}
	if c.config.BaseDelay <= 0 {
		return 0
	}
	ceiling := c.config.BaseDelay << min(attempt, 16)
	if ceiling>>min(attempt, 16) != c.config.BaseDelay { // overflow
		ceiling = limit
	}
	return Jitter(shorter(ceiling, limit))
}

// RetryAfter returns the delay that a Retry-After header requests, in seconds or as a date, up to a year. It returns 0 if
// there is no such header or it is invalid.
func RetryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // a number that overflows is long
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now := dateOf(header) // the date is by the server's clock
	if now.IsZero() {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
