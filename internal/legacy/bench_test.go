package legacy

import (
	"fmt"
	"strings"
	"testing"
)

// bigImageFile returns a file with about as many records and bytes as the real file.
func bigImageFile() []byte {
	var b strings.Builder
	for i := range 160 {
		fmt.Fprintf(&b, `%c
    "Model %d": {
        "name": "Model %d",
        "baseline": "stable diffusion 1",
        "type": "ckpt",
        "inpainting": false,
        "description": "%s",
        "tags": ["wood", "tin", "glass"],
        "showcases": ["https://pics.example/showcase/model_%d/01.webp"],
        "version": "%d.0",
        "style": "generalist",
        "nsfw": false,
        "download_all": false,
        "requirements": {"clip_skip": 2, "samplers": ["one", "two"]},
        "config": {
            "files": [
                {"path": "model_%d.safetensors", "sha256sum": "%064x"},
                {"path": "settings.yaml"}
            ],
            "download": [
                {"file_name": "model_%d.safetensors", "file_path": "", "file_url": "https://weights.example/%d"}
            ]
        },
        "available": false,
        "size_on_disk_bytes": %d
    }`, ",{"[b2i(i == 0)], i, i, strings.Repeat("A model of things. ", 12), i, i, i, i, i, i, 2_000_000_000+i)
	}
	return []byte(b.String() + "\n}\n")
}

// bigTextFile returns a file with about as many rows and bytes as the real file.
func bigTextFile() []byte {
	var b strings.Builder
	b.WriteString(header)
	for i := range 720 {
		settings := ""
		if i%3 == 0 {
			settings = `"{""temperature"": 0.7, ""top_k"": 40}"`
		}
		fmt.Fprintf(&b, "Ann/Owl-%d-7B-Instruct,7.%d,,https://owls.example/%d,,\"Hoots, at night.\",chat,\"a, b\",ChatML,%s\n", i, i%10, i, settings)
	}
	return []byte(b.String())
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func BenchmarkConvertImage(b *testing.B) {
	benchmarkConvert(b, "image_generation", bigImageFile())
}

func BenchmarkConvertText(b *testing.B) {
	benchmarkConvert(b, textGeneration, bigTextFile())
}

func benchmarkConvert(b *testing.B, category string, own []byte) {
	b.Run("own", func(b *testing.B) { convertEach(b, category, own) })
	b.Run("real", func(b *testing.B) { convertEach(b, category, corpusFile(b, "github", "real", rawFile(category))) })
}

func convertEach(b *testing.B, category string, raw []byte) {
	b.Helper()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Convert(category, raw); err != nil {
			b.Fatal(err)
		}
	}
}
