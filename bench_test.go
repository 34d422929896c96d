// These benchmarks compare the Client with the code that a user would write instead. They run alternately in one
// process.

package modelref

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocache "github.com/patrickmn/go-cache"
	"github.com/stretchr/testify/require"
)

// plainText is TextGenerationRecord as a user might define it for encoding/json.
type plainText struct {
	RecordType     string `json:"record_type"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	Version        string `json:"version"`
	FinetuneSeries *struct {
		Name, Version, Author, Description, Homepage string
	} `json:"finetune_series"`
	Metadata struct {
		SchemaVersion string `json:"schema_version"`
		CreatedAt     *int64 `json:"created_at"`
		UpdatedAt     *int64 `json:"updated_at"`
		CreatedBy     string `json:"created_by"`
		UpdatedBy     string `json:"updated_by"`
	} `json:"metadata"`
	Config struct {
		Download []struct {
			FileName          string `json:"file_name"`
			FileURL           string `json:"file_url"`
			SHA256Sum         string `json:"sha256sum"`
			ContentHash       string `json:"content_hash"`
			FilePurpose       string `json:"file_purpose"`
			KnownSlowDownload *bool  `json:"known_slow_download"`
			SizeBytes         *int64 `json:"size_bytes"`
		} `json:"download"`
		EmbeddedComponentHashes map[string]string `json:"embedded_component_hashes"`
	} `json:"config"`
	Classification struct {
		Domain  string `json:"domain"`
		Purpose string `json:"purpose"`
	} `json:"model_classification"`
	SizeOnDiskBytes     *int64         `json:"size_on_disk_bytes"`
	Baseline            string         `json:"baseline"`
	Parameters          int64          `json:"parameters"`
	NSFW                bool           `json:"nsfw"`
	Style               string         `json:"style"`
	DisplayName         string         `json:"display_name"`
	URL                 string         `json:"url"`
	Tags                []string       `json:"tags"`
	InstructFormat      string         `json:"instruct_format"`
	Settings            map[string]any `json:"settings"`
	TextModelGroup      string         `json:"text_model_group"`
	NameSchemaException string         `json:"name_schema_exception"`
}

// textDocument returns the real text document if the corpus is available. Otherwise it returns an invented document of
// the same size.
func textDocument(b *testing.B) string {
	b.Helper()
	if dir := os.Getenv("MODELREF_CORPUS"); dir != "" {
		data, err := os.ReadFile(filepath.Join(dir, "primary", "real", "text_generation.json"))
		require.NoError(b, err)
		return string(data)
	}
	return inventedTextDocument(719)
}

// inventedTextDocument returns a text document of n invented records, similar to the document of the service.
func inventedTextDocument(n int) string {
	var out strings.Builder
	out.WriteByte('{')
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `"Author%[1]d/Model-%[1]d-7B":{"record_type":"text_generation","name":"Author%[1]d/Model-%[1]d-7B",`+
			`"description":"A model that was made up to be measured, number %[1]d.","version":"",`+
			`"metadata":{"schema_version":"2.0.0","created_at":1700000000,"updated_at":1700000000},"config":{"download":[]},`+
			`"model_classification":{"domain":"text","purpose":"generation"},"baseline":"family-%[2]d","parameters":7000000000,`+
			`"nsfw":false,"style":"chat","display_name":"","url":"https://example.org/Author%[1]d/Model-%[1]d-7B",`+
			`"tags":["chat","made up"],"text_model_group":"Model-%[1]d"}`, i, i%20)
	}
	out.WriteByte('}')
	return out.String()
}

func BenchmarkColdRead(b *testing.B) {
	document := textDocument(b)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, document) // ignores a client that closes the connection
	}))
	defer server.Close()

	b.Run("by=modelref", func(b *testing.B) {
		client, err := New(WithPrimaryURL(server.URL), WithoutGitHub())
		require.NoError(b, err)
		defer func() { _ = client.Close() }()
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			ref, err := client.TextGeneration.Load(context.Background(), WithRefresh())
			if err != nil || ref.Len() == 0 {
				b.Fatal(err)
			}
		}
	})
	b.Run("by=http.Get+encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			resp, err := http.Get(server.URL + "/model_references/v2/text_generation") //nolint:noctx // the usual call
			if err != nil {
				b.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close() // the body has been read to its end
			if err != nil {
				b.Fatal(err)
			}
			var records map[string]plainText
			if err := json.Unmarshal(body, &records); err != nil {
				b.Fatal(err)
			}
		}
	})
	http.DefaultClient.CloseIdleConnections()
}

func BenchmarkDecode(b *testing.B) {
	document := textDocument(b)
	b.Run("by=modelref", func(b *testing.B) {
		decode := recordTypes[CategoryTextGeneration].decode
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decode(document, metadata{category: CategoryTextGeneration}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by=encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			var records map[string]plainText
			if err := json.Unmarshal([]byte(document), &records); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// warmClient returns a client with the text category in memory.
func warmClient(b *testing.B) *Client {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, inventedTextDocument(719)) // ignores a client that closes the connection
	}))
	b.Cleanup(server.Close)
	client, err := New(WithPrimaryURL(server.URL), WithoutGitHub(), WithTTL(time.Hour))
	require.NoError(b, err)
	b.Cleanup(func() { _ = client.Close() })
	_, err = client.TextGeneration.Load(context.Background())
	require.NoError(b, err)
	return client
}

func BenchmarkWarm(b *testing.B) {
	client := warmClient(b)
	ctx := context.Background()
	cache := gocache.New(time.Hour, 0)
	ref, err := client.TextGeneration.Load(ctx)
	require.NoError(b, err)
	cache.SetDefault("text_generation", ref)
	name := ref.Names()[500]
	for _, op := range []struct {
		name string
		run  func() bool
	}{
		{"op=Load", func() bool { got, err := client.TextGeneration.Load(ctx); return err == nil && got == ref }},
		{"op=Get", func() bool { got, err := client.TextGeneration.Get(ctx, name); return err == nil && got.Name == name }},
		{"op=go-cache.Get", func() bool { got, ok := cache.Get("text_generation"); return ok && got == any(ref) }},
	} {
		b.Run(op.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !op.run() {
					b.Fatal("wrong result")
				}
			}
		})
		b.Run(op.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if !op.run() {
						b.Error("wrong result")
					}
				}
			})
		})
	}
}
