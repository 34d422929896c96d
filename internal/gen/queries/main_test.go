// The generated file in the root must be the one that the generator writes.

package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGeneratedFileIsUpToDate(t *testing.T) {
	t.Parallel()
	want, err := generate()
	require.NoError(t, err)
	have, err := os.ReadFile("../../../query_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "run go generate in the module's root")
}
