// The check at the end of the package that no goroutine was left.

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
		fmt.Fprintln(os.Stderr, "goroutines were left behind:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of goroutines of ours, of Prometheus or of net/http for us that do not end within a few
// seconds. The last steps of a connection's own are nobody's to wait for.
func leftBehind() (left string) {
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = ""
		for _, stack := range stacks[1:] { // the first is this one
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
