package modelref

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRawJSONAndRevision(t *testing.T) {
	t.Parallel()
	const document = `{ "a": {"name":"a","unknown": 1},  "bad": 3 }`
	ref, err := DecodeDocument[CLIPRecord](CategoryCLIP, document)
	require.NoError(t, err)
	assert.Equal(t, document, ref.RawJSON(), "the document is not the one that was decoded")
	again, err := DecodeDocument[ModelRecord](CategoryCLIP, document)
	require.NoError(t, err)
	assert.Equal(t, ref.Revision(), again.Revision(), "equal documents have different revisions")
	assert.Len(t, ref.Revision(), 2*revisionBytes)
	other, err := DecodeDocument[CLIPRecord](CategoryCLIP, `{"a": {"name":"a","unknown": 2}}`)
	require.NoError(t, err)
	assert.NotEqual(t, ref.Revision(), other.Revision(), "different documents have one revision")

	var none *Reference[CLIPRecord]
	assert.Empty(t, none.RawJSON())
	assert.Empty(t, (&Reference[CLIPRecord]{}).Revision())
}

func TestAPIErrorHasTheBody(t *testing.T) {
	t.Parallel()
	const body = `{"detail":[{"type":"enum","loc":["query","x"],"msg":"no","input":"secret-key-0123"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	client, err := New(WithPrimaryURL(server.URL), WithAPIKey("secret-key-0123"))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	var refused *APIError
	_, err = client.Do(t.Context(), Request{Path: "model_references/v2/info"})
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Body, `"loc":["query","x"]`, "the body is not that of the response")
	assert.NotContains(t, refused.Body, "secret-key")
}
