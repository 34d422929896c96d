package bench

// This file measures what a loaded category keeps on the heap.

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/haidra-org/modelref"
)

// Held is what one loaded category keeps on the heap, in bytes.
type Held struct {
	Category modelref.Category
	Label    string
	Records  int
	// Document is the document itself, which the texts of the records are cut out of.
	Document int
	// Slab is the records: their number times the size of one.
	Slab int
	// Rest is everything else: lists, settings, the index of names, and what the client keeps beside them.
	Rest int
}

// Total is all of it.
func (h *Held) Total() int { return h.Document + h.Slab + h.Rest }

// Ratio is the total by the document.
func (h *Held) Ratio() float64 { return float64(h.Total()) / float64(h.Document) }

// Weighty reports whether the document outweighs what any category costs, whatever is in it: some 450 bytes, beside the
// 400 of one record with one file.
func (h *Held) Weighty() bool { return h.Document >= 1<<10 }

// RealHeld measures the categories of the corpus that are not empty.
func RealHeld(corpus string) ([]Held, error) {
	var out []Held
	for _, category := range modelref.Categories() {
		body, err := os.ReadFile(filepath.Join(corpus, "primary", "real", string(category)+".json"))
		if err != nil {
			return nil, err
		}
		if len(body) <= len("{}") {
			continue
		}
		held, err := heldBy(category, string(body))
		if err != nil {
			return nil, err
		}
		held.Label = "doc=real"
		out = append(out, held)
	}
	return out, nil
}

// GeneratedHeld measures generated documents of n records.
func GeneratedHeld(n int) ([]Held, error) {
	var out []Held
	for _, d := range []document{generatedText(n), generatedImages(n)} {
		held, err := heldBy(d.category, d.body)
		if err != nil {
			return nil, err
		}
		held.Label = d.label
		out = append(out, held)
	}
	return out, nil
}

// weighings is how often a category is loaded and weighed, each time by a client of its own; the one in the middle counts.
// What the runtime makes beside the load adds a few hundred bytes to one weighing or another.
const weighings = 5

// heldBy loads a category and sees by how much the heap has grown. The first turn is for what a program makes once,
// whatever it loads.
func heldBy(category modelref.Category, body string) (Held, error) {
	if _, err := loadAndWeigh(category, body); err != nil {
		return Held{}, err
	}
	var all [weighings]Held
	for i := range all {
		held, err := loadAndWeigh(category, body)
		if err != nil {
			return Held{}, err
		}
		all[i] = held
	}
	slices.SortFunc(all[:], func(a, b Held) int { return cmp.Compare(a.Rest, b.Rest) })
	return all[weighings/2], nil
}

// loadAndWeigh loads a category with a client that is there before, as it would be in a program, has read another
// category, and has no part in the figure.
func loadAndWeigh(category modelref.Category, body string) (Held, error) {
	client, err := modelref.New(modelref.WithoutGitHub(), modelref.WithMaxBodyBytes(roomy),
		modelref.WithHTTPClient(&http.Client{Transport: oneDocument{category, body}}))
	if err != nil {
		return Held{}, err
	}
	defer func() { _ = client.Close() }()
	for _, other := range modelref.Categories() {
		if other != category {
			if _, _, err := loadAny(client, other); err != nil {
				return Held{}, err
			}
		}
	}
	h := Held{Category: category, Document: len(body)}
	spareGoroutines()
	before := liveHeap()
	h.Records, h.Slab, err = loadAny(client, category)
	after := liveHeap()
	h.Rest = after - before - h.Document - h.Slab
	runtime.KeepAlive(client)
	return h, err
}

// oneDocument answers as the service does, without a connection, which would count: with the document of one category,
// and with an empty one for the others.
type oneDocument struct {
	category modelref.Category
	body     string
}

func (d oneDocument) RoundTrip(r *http.Request) (*http.Response, error) {
	body := "{}"
	if path.Base(r.URL.Path) == string(d.category) {
		body = d.body
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// liveHeap collects until nothing is left to collect: what a finaliser holds goes in the second turn.
func liveHeap() int {
	var stats runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// spareGoroutines leaves ended goroutines behind, which the runtime uses again: it never frees one, and a new one made
// during a load would count as held.
func spareGoroutines() {
	var all sync.WaitGroup
	end := make(chan struct{})
	for range 256 {
		all.Go(func() { <-end })
	}
	close(end)
	all.Wait()
}

// loadAny reads a category by the service that it has, and returns the number of its records and what they take.
func loadAny(client *modelref.Client, category modelref.Category) (records, slab int, err error) {
	services := reflect.ValueOf(client).Elem()
	for i := range services.NumField() {
		if !services.Type().Field(i).IsExported() {
			continue
		}
		service := services.Field(i).Addr()
		if service.MethodByName("Category").Call(nil)[0].Interface() != category {
			continue
		}
		out := service.MethodByName("Load").Call([]reflect.Value{reflect.ValueOf(context.Background())})
		if err, _ := out[1].Interface().(error); err != nil {
			return 0, 0, err
		}
		records = int(out[0].MethodByName("Len").Call(nil)[0].Int())
		record := out[0].MethodByName("Get").Type().Out(0).Elem()
		return records, records * int(record.Size()), nil
	}
	return 0, 0, errWrong
}
