// Serve runs the mirror with limits and ends it without cutting off responses.

package mirror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Limits of the server.
const (
	maxHeaderBytes  = 32 << 10
	headerTimeout   = 10 * time.Second
	requestTimeout  = 30 * time.Second
	responseTimeout = 2 * time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 15 * time.Second
)

// Serve accepts connections on the listener and serves the handler until ctx is done. Then it stops accepting connections
// and waits up to 15 seconds for the responses under way. It closes the listener. Headers of requests are limited to
// 32 KiB, and slow requests and responses are ended.
//
// Serve returns nil after ctx is done, or an error if an argument is nil, if the listener fails, or if responses had to be cut off.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	switch {
	case ctx == nil:
		return errors.New("mirror: Serve: the context must not be nil")
	case listener == nil:
		return errors.New("mirror: Serve: the listener must not be nil")
	case handler == nil:
		return errors.New("mirror: Serve: the handler must not be nil: use Handler")
	}
	server := &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeaderBytes, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout,
		WriteTimeout: responseTimeout, IdleTimeout: idleTimeout,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("mirror: %w", err)
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(limited)
	if err != nil {
		_ = server.Close() // the error of Shutdown says more
		err = fmt.Errorf("mirror: shutdown: %w", err)
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("mirror: %w", served))
	}
	return err
}
