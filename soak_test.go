// This file has the soak test. Many readers, faults, a changing document, restarts and damaged files are combined, in
// real time and over sockets.

package modelref_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

var soakFor = flag.Duration("soak", 2*time.Second, "how long TestSoak runs")

const (
	soakProcesses = 4  // clients on one cache directory, each closed and recreated at random times
	soakReaders   = 16 // readers of each client
	soakTTL       = 20 * time.Millisecond
)

// versioned returns a document in which every record has the version. The number of records also depends on the
// version, so that missing records are detected.
func versioned(version int) string {
	var out strings.Builder
	for i := range versionedLen(version) {
		fmt.Fprintf(&out, `%c"Model %d":{"name":"Model %d","description":"version %09d","baseline":"flux_1","nsfw":false,`+
			`"parameters":7000000000,"controlnet_style":"control_canny"}`, "{,"[min(i, 1)], i, i, version)
	}
	return out.String() + "}"
}

func versionedLen(version int) int { return 3 + version%5 }

// versionOf returns the version of a reference. It returns an error if records are missing or have different versions.
// A fault may have removed the first record, but the reference must have reported it.
func versionOf(ref *modelref.Reference[modelref.ModelRecord]) (int, error) {
	found := -1
	for name, record := range ref.All() {
		if record.Description == "second of two" { // the fault DuplicateNames
			continue
		}
		var version int
		if _, err := fmt.Sscanf(record.Description, "version %d", &version); err != nil {
			return 0, fmt.Errorf("corrupted: %q has %q", name, record.Description)
		}
		if found >= 0 && version != found {
			return 0, fmt.Errorf("mixed: records of versions %d and %d", found, version)
		}
		found = version
	}
	want := versionedLen(found)
	if ref.Len() != want && !(ref.Len() == want-1 && len(ref.Rejected()) > 0) {
		return 0, fmt.Errorf("incomplete: %d of %d records of version %d, %d rejected", ref.Len(), want, found, len(ref.Rejected()))
	}
	return found, nil
}

// soak is one run of the test.
type soak struct {
	t       *testing.T
	server  *modelreftest.Server
	dir     string
	done    <-chan struct{}
	workers sync.WaitGroup

	reads, unavailable, stale, restarts, faults, damages, versions, violations atomic.Int64
	origins                                                                    [5]atomic.Int64

	undated sync.Map // the keys are the versions whose provenance was damaged
}

// categoryVersion is a version of the document of a category.
type categoryVersion struct {
	category modelref.Category
	version  int
}

func TestSoak(t *testing.T) {
	first, err := modelreftest.Start() // the first socket of a process opens handles that are not closed
	require.NoError(t, err)
	first.Close()
	before := measure()
	server, err := modelreftest.Start()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	s := &soak{t: t, server: server, dir: t.TempDir(), done: ctx.Done()}
	for _, category := range modelref.Categories() {
		server.SetDocument(category, versioned(0))
	}
	s.workers.Go(s.change)
	s.workers.Go(s.breakThings)
	s.workers.Go(s.damageFiles)
	for i := range soakProcesses {
		s.workers.Go(func() { s.process(i) })
	}
	early := s.heapAt(*soakFor / 4)
	late := s.heapAt(*soakFor / 2)
	s.workers.Wait()
	server.Close()
	s.report(early, late)
	assert.Zero(t, s.violations.Load(), "references that were corrupted, incomplete or older than an earlier one")
	assert.Positive(t, s.origins[modelref.SourcePrimary].Load())
	checkNothingIsLeft(t, before)
	// The documents have a few kilobytes. The memory in use must not grow with the duration of the run.
	assert.Less(t, late, early+(16<<20), "bytes on the heap at half time, and at a quarter")
}

func (s *soak) report(early, late uint64) {
	s.t.Logf("%s: %d reads (%d stale, %d unavailable), by origin: primary %d, github %d, disk %d",
		*soakFor, s.reads.Load(), s.stale.Load(), s.unavailable.Load(), s.origins[modelref.SourcePrimary].Load(),
		s.origins[modelref.SourceGitHub].Load(), s.origins[modelref.SourceDisk].Load())
	s.t.Logf("%d new versions, %d faults, %d restarts, %d files damaged or moved in time; heap %d KiB at a quarter, "+
		"%d KiB at half time", s.versions.Load(), s.faults.Load(), s.restarts.Load(), s.damages.Load(), early>>10, late>>10)
}

// pause waits. It reports whether the run continues.
func (s *soak) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.done:
		return false
	case <-timer.C:
		return true
	}
}

// between returns a random duration.
func between(from, to time.Duration) time.Duration { return from + rand.N(to-from) }

// change publishes a new version of each category in turn.
func (s *soak) change() {
	categories := modelref.Categories()
	for version := 1; s.pause(between(time.Millisecond, 8*time.Millisecond)); version++ {
		s.server.SetDocument(categories[rand.N(len(categories))], versioned(version))
		s.versions.Add(1)
		if version%100 == 0 {
			s.server.ResetRequests() // the recorded requests must not affect the memory
		}
	}
}

// soakFaults returns the faults of the run by endpoint. Faults that produce a shorter but valid document are not used,
// because a reader of a CSV cannot detect them.
func soakFaults() map[modelreftest.Endpoint][]modelreftest.Fault {
	outages := []modelreftest.Fault{
		modelreftest.Refused(), modelreftest.Reset(), modelreftest.ResetInBody(), modelreftest.DNSFailure(),
		modelreftest.TLSFailure(), modelreftest.Stall(), modelreftest.Truncated(), modelreftest.Trickle(5 * time.Millisecond),
		modelreftest.Status(408), modelreftest.Status(500), modelreftest.Status(503), modelreftest.RetryAfter(429, "1"),
		modelreftest.RetryAfter(503, "-1"), modelreftest.RetryAfter(503, "99999999999999999999"), modelreftest.HTML(502),
	}
	invalid := []modelreftest.Fault{
		modelreftest.Status(401), modelreftest.Status(404), modelreftest.Status(422), modelreftest.HTML(200),
		modelreftest.Empty(), modelreftest.Body(200, "application/json", "null"), modelreftest.RedirectLoop(),
		modelreftest.Body(200, "application/json", "[]"), modelreftest.Oversized(2 << 20), modelreftest.GzipBomb(16 << 20),
		modelreftest.RedirectTo("http://192.0.2.1/"), modelreftest.Delay(30 * time.Millisecond),
	}
	documents := []modelreftest.Fault{
		modelreftest.WrongLength(), modelreftest.DuplicateNames(), modelreftest.InvalidUTF8(),
		modelreftest.DeepNesting(20_000),
	}
	all := append(append([]modelreftest.Fault{}, invalid...), outages...)
	return map[modelreftest.Endpoint][]modelreftest.Fault{
		modelreftest.Documents:   append(append([]modelreftest.Fault{}, invalid...), documents...),
		modelreftest.LastUpdated: all, modelreftest.GitHub: all, modelreftest.Primary: outages,
	}
}

// breakThings makes a few requests fail, or all requests to an endpoint for a while. Outages are rare, because a client
// skips the source for 30 seconds after an outage, which is most of its life in this test.
func (s *soak) breakThings() {
	faults := soakFaults()
	for s.pause(between(5*time.Millisecond, 40*time.Millisecond)) {
		endpoint := modelreftest.Documents
		switch rand.N(20) {
		case 0:
			endpoint = modelreftest.Primary
		case 1, 2:
			endpoint = modelreftest.LastUpdated
		case 3, 4, 5, 6:
			endpoint = modelreftest.GitHub
		}
		fault := faults[endpoint][rand.N(len(faults[endpoint]))]
		s.faults.Add(1)
		if rand.N(4) > 0 {
			s.server.Script(endpoint, fault)
			continue
		}
		s.server.Break(endpoint, fault)
		s.pause(between(time.Millisecond, 30*time.Millisecond))
		s.server.Heal(endpoint)
	}
}

// damageFiles damages the cache directory like crashes, other programs and steps of the wall clock do. A test cannot
// set the wall clock, so it changes the times in the files.
func (s *soak) damageFiles() {
	categories := modelref.Categories()
	for s.pause(between(20*time.Millisecond, 60*time.Millisecond)) {
		category := categories[rand.N(len(categories))]
		path := filepath.Join(s.dir, category.FileName())
		data, err := os.ReadFile(path)
		if err != nil {
			continue // the file does not exist
		}
		s.damages.Add(1)
		switch rand.N(6) {
		case 0:
			_ = os.WriteFile(path, data[:len(data)/2], 0o600) // errors are ignored
		case 1:
			_ = os.WriteFile(path, nil, 0o600)
		case 2:
			_ = os.Remove(path)
		case 3:
			s.damageProvenance(category, path, func([]byte) []byte { return []byte(`{"size": 1e99`) })
		case 4:
			s.damageProvenance(category, path, movedBy(-time.Hour))
		case 5:
			s.damageProvenance(category, path, movedBy(time.Hour))
		}
	}
}

// damageProvenance changes the provenance of a document. The document then has the modification time of its file for a date,
// or a wrong date, or, if that is in the future, none, and an older document may follow it. Another process may replace the
// document meanwhile: both have lost their date.
func (s *soak) damageProvenance(category modelref.Category, document string, damage func([]byte) []byte) {
	s.recordUndated(category, document)
	defer s.recordUndated(category, document)
	path := document + ".modelref"
	if data, err := os.ReadFile(path); err == nil {
		_ = os.WriteFile(path, damage(data), 0o600) // errors are ignored
	}
}

// movedBy returns a function that moves the times in a provenance, as a process with a wrong clock would write it.
func movedBy(d time.Duration) func([]byte) []byte {
	return func(data []byte) []byte {
		var p map[string]any
		if json.Unmarshal(data, &p) != nil {
			return data
		}
		for _, name := range []string{"fetched_at", "confirmed_at"} {
			text, _ := p[name].(string)
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
				p[name] = at.Add(d)
			}
		}
		out, _ := json.Marshal(p) // it was JSON
		return out
	}
}

// recordUndated records that the provenance of the document in the directory is damaged.
func (s *soak) recordUndated(category modelref.Category, document string) {
	data, err := os.ReadFile(document)
	if err != nil {
		return
	}
	var version int
	if _, text, ok := strings.Cut(string(data), `"version `); ok {
		_, _ = fmt.Sscanf(text, "%d", &version) // a damaged document has no version
	}
	s.undated.Store(categoryVersion{category, version}, true)
}

// isUndated reports whether a version of the document may have lost its date.
func (s *soak) isUndated(category modelref.Category, version int) bool {
	_, ok := s.undated.Load(categoryVersion{category, version})
	return ok
}

// process creates a client, runs its readers for a while, closes the client, and repeats this.
func (s *soak) process(number int) {
	for ; ; number++ {
		options := append(s.server.Options(), modelref.WithCacheDir(s.dir), modelref.WithTTL(soakTTL),
			modelref.WithTimeout(100*time.Millisecond), modelref.WithMaxBodyBytes(1<<20),
			modelref.WithRetry(modelref.RetryPolicy{BaseDelay: time.Millisecond, MaxDuration: 500 * time.Millisecond}))
		if number%2 == 0 {
			options = append(options, modelref.WithRefreshWait(0))
		}
		client, err := modelref.New(options...)
		if !assert.NoError(s.t, err) {
			return
		}
		var readers sync.WaitGroup
		for range soakReaders {
			readers.Go(func() { s.reader(client) })
		}
		on := s.pause(between(50*time.Millisecond, min(time.Second, *soakFor/4)))
		if rand.N(8) == 0 {
			on = s.pause(between(0, *soakFor/4)) // some clients live until a source is requested again
		}
		assert.NoError(s.t, client.Close())
		readers.Wait()
		if !on {
			return
		}
		s.restarts.Add(1)
	}
}

// seen is the newest version of each category by source.
type seen map[modelref.Category]*[5]int

// reader reads at random times until its client is closed. It compares every reference with the earlier ones.
func (s *soak) reader(client *modelref.Client) {
	newest := seen{}
	for _, category := range modelref.Categories() {
		newest[category] = new([5]int)
	}
	for {
		category := modelref.Categories()[rand.N(len(newest))]
		reader, err := client.Category(string(category))
		if !assert.NoError(s.t, err) {
			return
		}
		var options []modelref.LoadOption
		if rand.N(100) == 0 {
			options = append(options, modelref.WithRefresh())
		}
		ref, err := reader.Load(s.t.Context(), options...)
		switch {
		case errors.Is(err, modelref.ErrClosed):
			return
		case errors.Is(err, modelref.ErrUnavailable):
			s.unavailable.Add(1)
		case err != nil:
			s.violation("an undocumented error: %v", err)
		default:
			s.check(ref, newest)
		}
		time.Sleep(between(0, time.Millisecond)) // without this, nearly all reads would be hits
	}
}

func (s *soak) check(ref *modelref.Reference[modelref.ModelRecord], newest seen) {
	s.reads.Add(1)
	s.origins[ref.Source()].Add(1)
	if ref.Stale() {
		s.stale.Add(1)
	}
	version, err := versionOf(ref)
	if err != nil {
		s.violation("%s from %s: %v", ref.Category(), ref.Source(), err)
		return
	}
	last := &newest[ref.Category()][ref.Source()]
	explained := ref.Source() == modelref.SourceDisk &&
		(s.isUndated(ref.Category(), version) || s.isUndated(ref.Category(), *last))
	if version < *last && !explained {
		s.violation("%s from %s: version %d after %d, stale: %t", ref.Category(), ref.Source(), version, *last, ref.Stale())
	}
	*last = version
}

// violation reports an error. It prints only the first errors.
func (s *soak) violation(format string, args ...any) {
	if s.violations.Add(1) <= 10 {
		s.t.Errorf(format, args...)
	}
}

// heapAt returns the number of bytes in use after a time or at the end of the run.
func (s *soak) heapAt(after time.Duration) uint64 {
	s.pause(after)
	return heapInUse()
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // the second run frees the contents of pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// measured has the resources of the process.
type measured struct {
	goroutines, files int
	heap              uint64
}

func measure() measured {
	return measured{runtime.NumGoroutine(), openFiles(), heapInUse()}
}

// openFiles returns the number of open file handles, or 0 if the system does not provide it.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd") // exists only on Linux
	return len(entries)
}

// checkNothingIsLeft waits until the process has no more resources than before. It fails after a limit.
func checkNothingIsLeft(t *testing.T, before measured) {
	t.Helper()
	var now measured
	for range 100 {
		now = measure()
		if now.goroutines <= before.goroutines && now.files <= before.files && now.heap < before.heap+(8<<20) {
			t.Logf("left: %d goroutines, %d file handles, %d KiB", now.goroutines-before.goroutines,
				now.files-before.files, (int64(now.heap)-int64(before.heap))>>10)
			return
		}
		time.Sleep(20 * time.Millisecond) // goroutines may end in real time
	}
	t.Errorf("left: %+v, before: %+v", now, before)
}
