// Command queries writes query_gen.go: the query types of the categories and the methods that all of them repeat, because
// each must return its own type. Methods of one type only are in query_types.go. Run it with go generate in the module's
// root.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"os"
	"text/template"
)

//go:embed query_gen.go.tmpl
var source string

// A query describes one query type.
type query struct {
	Name     string // the type is Name + "Query", its fields are Name + "Fields"
	Record   string // the record type
	Service  string // the service whose Query returns the query, "" if there is none
	Doc      string // what the records are
	Tags     bool   // the records have tags and a flag for NSFW
	Baseline bool   // the records have a Baseline
}

var queries = []query{
	{Name: "Image", Record: "ImageGenerationRecord", Service: "ImageGenerationService", Doc: "models that generate images", Tags: true, Baseline: true},
	{Name: "Text", Record: "TextGenerationRecord", Service: "TextGenerationService", Doc: "models that generate text", Tags: true},
	{Name: "ControlNet", Record: "ControlNetRecord", Service: "ControlNetService", Doc: "ControlNets"},
	{Name: "Video", Record: "VideoGenerationRecord", Service: "VideoGenerationService", Doc: "models that generate video", Tags: true},
	{Name: "Audio", Record: "AudioGenerationRecord", Service: "AudioGenerationService", Doc: "models that generate audio", Tags: true},
	{Name: "LoRA", Record: "LoRARecord", Service: "LoRAService", Doc: "LoRAs", Tags: true, Baseline: true},
	{Name: "TextualInversion", Record: "TextualInversionRecord", Service: "TextualInversionService", Doc: "textual inversions", Tags: true, Baseline: true},
	{Name: "Model", Record: "ModelRecord", Doc: "records of every category"},
}

func main() {
	out, err := generate()
	if err == nil {
		err = os.WriteFile("query_gen.go", out, 0o644) //nolint:gosec // a source file
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "queries:", err)
		os.Exit(1)
	}
}

// generate returns the content of query_gen.go.
func generate() ([]byte, error) {
	t, err := template.New("query_gen.go").Parse(source)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, queries); err != nil {
		return nil, err
	}
	return format.Source(out.Bytes())
}
