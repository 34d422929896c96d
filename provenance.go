// What is written beside a document in a store: where the document came from and when that was last confirmed.

package modelref

import (
	"encoding/json"
	"hash/crc32"
	"time"

	"github.com/haidra-org/modelref/internal/clock"
)

// provenance is the JSON object beside a document.
type provenance struct {
	Source       string     `json:"source"`
	FetchedAt    time.Time  `json:"fetched_at"`
	ConfirmedAt  time.Time  `json:"confirmed_at"`
	DownloadedAt time.Time  `json:"downloaded_at,omitzero"`
	EmptyAt      time.Time  `json:"empty_at,omitzero"`
	NoGuidanceAt time.Time  `json:"no_guidance_at,omitzero"`
	Size         int        `json:"size"`
	CRC32C       uint32     `json:"crc32c"`
	Strict       bool       `json:"strict,omitempty"`
	Validators   validators `json:"validators"`
	Writer       string     `json:"writer"`
}

// clockSkew is the greatest difference between the clocks of the machines that share a [Store].
const clockSkew = 5 * time.Second

// clampFuture returns t if t is not in the future. It returns the current time if t is ahead by at most clockSkew, and the
// zero time otherwise: a clock was wrong, and a copy of unknown age is an old copy.
func clampFuture(t, now time.Time) time.Time {
	switch {
	case !t.After(now):
		return t
	case t.After(now.Add(clockSkew)):
		return time.Time{}
	default:
		return now
	}
}

// parseProvenance reads a provenance.
func parseProvenance(text string, now time.Time) (*provenance, error) {
	p := new(provenance)
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, err
	}
	p.FetchedAt = clampFuture(p.FetchedAt, now)
	p.ConfirmedAt, p.DownloadedAt = clampFuture(p.ConfirmedAt, now), clampFuture(p.DownloadedAt, now)
	p.EmptyAt, p.NoGuidanceAt = clampFuture(p.EmptyAt, now), clampFuture(p.NoGuidanceAt, now)
	p.Validators.DownloadedAt, p.Validators.Empty = instant(p.DownloadedAt), instant(p.EmptyAt)
	p.Validators.NoGuidanceAt = instant(p.NoGuidanceAt)
	return p, nil
}

// instant returns the Instant of a time read from a store. The zero time stays zero.
func instant(t time.Time) clock.Instant {
	if t.IsZero() {
		return clock.Instant{}
	}
	return clock.At(t)
}

// describes reports whether the provenance was written for that document.
func (p *provenance) describes(document string) bool {
	return p.Size == len(document) && p.CRC32C == checksum(document)
}

// provenance returns what is to be written beside the document.
func (d *document) provenance() (string, error) {
	meta := d.ref.meta()
	data, err := json.MarshalIndent(provenance{
		Source: d.validators.Source.String(), FetchedAt: meta.fetchedAt.UTC(), ConfirmedAt: meta.confirmedAt.Time().UTC(),
		DownloadedAt: d.validators.DownloadedAt.Time().UTC(), EmptyAt: d.validators.Empty.Time().UTC(),
		NoGuidanceAt: d.validators.NoGuidanceAt.Time().UTC(),
		Size:         len(d.ref.text()), CRC32C: checksum(d.ref.text()), Strict: meta.strict, Validators: d.validators,
		Writer: "modelref-go/" + Version,
	}, "", "  ")
	return string(data) + "\n", err
}

// checksum returns the CRC-32C of a document, without a copy of the whole document.
func checksum(document string) (sum uint32) {
	var (
		chunk [4096]byte
		table = crc32.MakeTable(crc32.Castagnoli)
	)
	for document != "" {
		n := copy(chunk[:], document)
		sum, document = crc32.Update(sum, table, chunk[:n]), document[n:]
	}
	return sum
}
