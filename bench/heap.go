package bench

// This file measures the heap memory of a loaded category.

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

// Held is the heap memory of one loaded category, in bytes.
type Held struct {
	Category modelref.Category
	Label    string
	Records  int
	// Document is the document, which the strings of the records refer to.
	Document int
	// Slab is the array of the records: their number times the size of one record.
	Slab int
	// Rest is all other memory: lists, settings, the index of names, and the data of the client.
	Rest int
}

// Total is the sum.
func (h *Held) Total() int { return h.Document + h.Slab + h.Rest }

// Ratio is the total divided by the size of the document.
func (h *Held) Ratio() float64 { return float64(h.Total()) / float64(h.Document) }

// Weighty reports whether the document is much larger than the fixed size of a loaded category, which is about 1.8 kB:
// the metadata, the validators, the index of the names and the entry in the cache.
func (h *Held) Weighty() bool { return h.Document >= 16<<10 }

// RealHeld measures the categories of the corpus that are not empty, of both versions of the service.
func RealHeld(corpus string) ([]Held, error) {
	var out []Held
	for _, version := range realDirectories {
		for _, category := range modelref.Categories() {
			body, err := os.ReadFile(filepath.Join(corpus, version.directory, string(category)+".json"))
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
			held.Label = version.label
			out = append(out, held)
		}
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

// weighings is the number of measurements of a category, each with its own client. The result is the median, because
// the runtime sometimes allocates a few hundred bytes during a load.
const weighings = 5

// heldBy loads a category and returns the growth of the heap. The result of the first load is ignored, because it
// includes memory that a program allocates only once.
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

// loadAndWeigh loads a category with a client that has read another category before. As in a program, the client
// existed before the load, so its memory is not counted.
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

// oneDocument is a transport that responds like the service, but without a connection, whose memory would be counted.
// It has the document of one category. The other categories are empty.
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

// liveHeap runs the garbage collector until the heap is minimal. Memory that a finalizer holds is freed by the second
// run.
func liveHeap() int {
	var stats runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// spareGoroutines leaves ended goroutines that the runtime reuses. The runtime never frees goroutines, so a goroutine
// that is created during a load would be counted.
func spareGoroutines() {
	var all sync.WaitGroup
	end := make(chan struct{})
	for range 256 {
		all.Go(func() { <-end })
	}
	close(end)
	all.Wait()
}

// loadAny loads a category with the service of its record type. It returns the number of records and their size.
func loadAny(client *modelref.Client, category modelref.Category) (records, slab int, err error) {
	services := reflect.ValueOf(client).Elem()
	for i := range services.NumField() {
		if !services.Type().Field(i).IsExported() {
			continue
		}
		service := services.Field(i)
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
