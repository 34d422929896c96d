package bench

// This file has the real documents and generates documents of any size.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/haidra-org/modelref"
)

// CorpusVariable is the name of the environment variable with the directory of the recorded documents.
const CorpusVariable = "MODELREF_CORPUS"

// document is a category document.
type document struct {
	category modelref.Category
	label    string // the part of the benchmark's name
	body     string
	records  int
	last     string // the name of the last record
	real     bool
	newest   bool // by the newest service, whose records have licences and guidance
}

func (d *document) text() bool { return d.category == modelref.CategoryTextGeneration }

// realDirectories are the directories of the corpus with the documents of the service, by their part of a benchmark's name.
var realDirectories = []struct{ label, directory string }{
	{"doc=real", filepath.Join("primary", "real")},
	{"doc=newest", filepath.Join("newest", "primary", "real")},
}

// realDocuments returns the text and the image documents of the service: those of the version that all figures are for,
// and those of the newest version.
func realDocuments(corpus string) ([]document, error) {
	var out []document
	for i, version := range realDirectories {
		for _, category := range []modelref.Category{modelref.CategoryTextGeneration, modelref.CategoryImageGeneration} {
			d, err := realDocument(filepath.Join(corpus, version.directory, string(category)+".json"), category)
			if err != nil {
				return nil, err
			}
			d.label, d.real, d.newest = version.label, i == 0, i > 0
			out = append(out, d)
		}
	}
	return out, nil
}

func realDocument(path string, category modelref.Category) (document, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return document{}, err
	}
	var records map[string]json.RawMessage
	if err := json.Unmarshal(body, &records); err != nil {
		return document{}, err
	}
	d := document{category: category, body: string(body), records: len(records)}
	for name := range records { // any name is suitable if it is the same in each run
		d.last = max(d.last, name)
	}
	return d, nil
}

// generatedText returns a text document of n generated records. They have the length of the records of the service, and
// as few empty fields.
func generatedText(n int) document {
	var out strings.Builder
	out.Grow(n * 620)
	out.WriteByte('{')
	name := func(i int) string { return fmt.Sprintf("author-%d/Model-%d-7B", i%997, i) }
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		settings := ""
		if i%4 == 0 {
			settings = `"settings":{"temperature":0.7,"top_p":0.1,"top_k":40,"rep_pen":1.18},`
		}
		fmt.Fprintf(&out, `"%[1]s":{"record_type":"text_generation","name":"%[1]s",`+
			`"description":"An invented model, number %[2]d, that is there to be measured.","version":"",`+
			`"metadata":{"schema_version":"2.0.0","created_at":%[3]d,"updated_at":%[3]d},"config":{"download":[]},`+
			`"model_classification":{"domain":"text","purpose":"generation"},"baseline":"family-%[4]d",`+
			`"parameters":%[5]d000000,"nsfw":%[6]t,"style":"chat","display_name":"","url":"https://example.org/%[1]s",`+
			`"tags":["chat","made up"],%[7]s"text_model_group":"Model-%[2]d"}`,
			name(i), i, 1_700_000_000+i, i%20, 1000+i%70_000, i%3 == 0, settings)
	}
	out.WriteByte('}')
	return document{
		category: modelref.CategoryTextGeneration, label: fmt.Sprintf("n=%d", n), body: out.String(), records: n,
		last: name(n - 1),
	}
}

// generatedImages returns an image document of n generated records. Their sizes, baselines and flags are scattered, as
// in the document of the service.
func generatedImages(n int) document {
	baselines, styles, tags := modelref.Baselines(), modelref.Styles(), modelref.KnownTags()
	var out strings.Builder
	out.Grow(n * 720)
	out.WriteByte('{')
	name := func(i int) string { return fmt.Sprintf("Model %d", i) }
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		r := scatter(uint64(i))
		size := ""
		if r%10 > 0 {
			size = fmt.Sprintf(`"size_on_disk_bytes":%d,`, r%20_000_000_000)
		}
		fmt.Fprintf(&out, `"%[1]s":{"name":"%[1]s","description":"An invented model, number %[2]d, that is there to be measured.",`+
			`"version":"1.0","config":{"download":[{"file_name":"model_%[2]d.safetensors",`+
			`"file_url":"https://example.org/weights/model_%[2]d.safetensors","sha256sum":"%064[3]x",`+
			`"known_slow_download":false}]},%[4]s"baseline":"%[5]s","tags":["%[6]s","%[7]s"],`+
			`"showcases":["https://example.org/showcase/model_%[2]d/01.webp"],"trigger":[],"nsfw":%[8]t,"style":"%[9]s",`+
			`"metadata":{"created_at":%[10]d,"updated_at":%[10]d}}`,
			name(i), i, r, size, baselines[r>>8%uint64(len(baselines))], tags[r>>16%uint64(len(tags))],
			tags[r>>24%uint64(len(tags))], r>>32%3 == 0, styles[r>>40%uint64(len(styles))], 1_700_000_000+i)
	}
	out.WriteByte('}')
	return document{
		category: modelref.CategoryImageGeneration, label: fmt.Sprintf("n=%d", n), body: out.String(), records: n,
		last: name(n - 1),
	}
}

// scatter maps consecutive numbers to numbers that look random (the finalizer of SplitMix64).
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
