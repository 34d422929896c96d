// This file checks that no goroutine is left after the tests.

package modelrefprom_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftBehind(); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left after the tests:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of the goroutines of this package, of Prometheus and of net/http that do not end within
// three seconds. A closed connection may need a short time to end.
func leftBehind() (left string) {
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = ""
		for _, stack := range stacks[1:] { // the first stack is that of this goroutine
			if strings.Contains(stack, "modelref") || strings.Contains(stack, "prometheus") ||
				strings.Contains(stack, "net/http") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
	}
	return left
}
