package mirror_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain checks that no goroutine of the mirror is left after the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && leaked() {
		code = 1
	}
	os.Exit(code)
}

func leaked() bool {
	buf := make([]byte, 1<<20)
	for range 50 {
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "modelref/mirror.(*") {
			return false
		}
		time.Sleep(20 * time.Millisecond) // closed connections end soon
	}
	fmt.Fprintf(os.Stderr, "goroutines are left:\n%s", buf[:runtime.Stack(buf, true)])
	return true
}
