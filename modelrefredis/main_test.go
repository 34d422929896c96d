// This file has what the tests share: a redis-server, a fake client, and a check that no goroutine is left after the
// tests.

package modelrefredis_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
)

const category = modelref.CategoryImageGeneration

// patient is a timeout that is long enough for a slow machine.
const patient = 20 * time.Second

// TestMain disables the log of go-redis and checks that no goroutine is left after the tests.
func TestMain(m *testing.M) {
	logging.Disable()
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if left := goroutinesLeft(); code == 0 && left != "" {
		fmt.Println("goroutines are left after the tests:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft waits until all other goroutines have ended. After a limit, it returns the stacks of the rest.
func goroutinesLeft() string {
	var left []string
	for range 500 {
		left = left[:0]
		buf := make([]byte, 1<<20)
		for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if !strings.Contains(stack, "goroutinesLeft") && !strings.Contains(stack, "os/signal") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		time.Sleep(20 * time.Millisecond) // goroutines may end in real time, not in simulated time
	}
	return strings.Join(left, "\n\n")
}

// redisServer is the redis-server of one test.
type redisServer struct {
	*exec.Cmd
	addr string
	args []string
}

// startRedis starts a redis-server on a free port. The server does not write to the disk.
func startRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed")
	}
	var s *redisServer
	for range 5 { // another program may have taken the port
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s = &redisServer{addr: listener.Addr().String(), args: args}
		require.NoError(t, listener.Close())
		if s.start(t) {
			return s
		}
	}
	t.Fatal("redis-server could not be started")
	return nil
}

// start starts the server on its port and reports whether it responds there.
func (s *redisServer) start(t *testing.T) bool {
	t.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	s.Cmd = exec.Command("redis-server", append([]string{
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
	}, s.args...)...)
	require.NoError(t, s.Start())
	ended := make(chan struct{})
	go func() {
		_ = s.Wait() // the server was killed or the port was in use
		close(ended)
	}()
	process := s.Process
	t.Cleanup(func() {
		_ = process.Kill() // the server may have been killed already
		<-ended
	})
	for deadline := time.Now().Add(patient); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-ended:
			return false
		default:
		}
		if answersPing(s.addr) {
			return true
		}
	}
	return false
}

// answersPing reports whether a Redis server at the address accepts commands or requires a password.
func answersPing(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // a server on this machine responds within a second
	answer := make([]byte, 7)
	_, _ = conn.Write([]byte("PING\r\n"))
	_, _ = conn.Read(answer)
	return string(answer) == "+PONG\r\n" || string(answer) == "-NOAUTH"
}

// client returns a client of the server with default options.
func (s *redisServer) client(t *testing.T) *redis.Client {
	return newClient(t, &redis.Options{Addr: s.addr})
}

func newClient(t *testing.T, options *redis.Options) *redis.Client {
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// store returns a Store on the server with a timeout that is long enough for a slow machine.
func (s *redisServer) store(t *testing.T, options ...modelrefredis.Option) *modelrefredis.Store {
	return modelrefredis.New(s.client(t), append([]modelrefredis.Option{modelrefredis.WithTimeout(patient)}, options...)...)
}

// answerFunc returns the reply to a command, or an error.
type answerFunc func(ctx context.Context) (any, error)

// fakeRedis is a client that needs no server.
type fakeRedis struct {
	mu     sync.Mutex
	answer answerFunc
	count  int
}

// answering returns a fakeRedis with the given replies.
func answering(answer answerFunc) *fakeRedis { return &fakeRedis{answer: answer} }

// answers changes the replies.
func (f *fakeRedis) answers(answer answerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// asked returns the number of commands so far.
func (f *fakeRedis) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

func (f *fakeRedis) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f *fakeRedis) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (f *fakeRedis) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		f.mu.Lock()
		answer := f.answer
		f.count++
		f.mu.Unlock()
		got, err := answer(ctx)
		if err != nil {
			cmd.SetErr(err)
			return err
		}
		cmd.(*redis.Cmd).SetVal(got)
		return nil
	}
}

// store returns a Store with the fake client.
func (f *fakeRedis) store(t *testing.T, options ...modelrefredis.Option) *modelrefredis.Store {
	client := newClient(t, &redis.Options{Addr: "192.0.2.1:6379"})
	client.AddHook(f)
	return modelrefredis.New(client, options...)
}

// assertWithin fails the test if run takes longer than d.
func assertWithin(t *testing.T, d time.Duration, what string, run func()) {
	t.Helper()
	start := time.Now()
	run()
	took := time.Since(start)
	t.Logf("%s took %s", what, took.Round(100*time.Microsecond))
	assert.Less(t, took, d, what)
}
