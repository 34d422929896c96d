package redact

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedaction(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("https://user:secret@example.org/a%2Fb?apikey=secret&x&y=secret#secret")
	require.NoError(t, err)
	assert.Equal(t, "https://example.org/a%2Fb?apikey=…&x=…&y=…", URL(u))
	assert.Empty(t, URL(nil))
}
