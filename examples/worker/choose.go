// Choosing: which models fit the machine.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/haidra-org/modelref"
)

// machine is what there is to serve with, and what its owner wants to serve.
type machine struct {
	baselines []modelref.Baseline // none means all
	disk      size
	vram      size
	nsfw      policy

	commercial bool // only models that may be used commercially, without conditions
}

// selection is what a machine can serve.
type selection struct {
	models  []*modelref.ImageGenerationRecord
	of      int  // how many models the reference has
	unsized int  // models left out because nobody knows their size
	total   size // of all files of the models
}

// choose returns the models that fit, the smallest first, because that makes the most of the disk.
func (m *machine) choose(ctx context.Context, ref *modelref.Reference[modelref.ImageGenerationRecord]) (*selection, error) {
	query := modelref.NewImageQuery(ref).
		OrderBy(modelref.ImageFields.SizeOnDiskBytes.Asc(), modelref.ImageFields.Name.Asc())
	if len(m.baselines) > 0 {
		query = query.Where(modelref.ImageFields.Baseline.In(m.baselines...))
	}
	if m.commercial {
		query = query.AllowsCommercialUse()
	}
	switch m.nsfw {
	case excludeNSFW:
		query = query.ExcludeNSFW()
	case onlyNSFW:
		query = query.OnlyNSFW()
	}
	out := &selection{of: ref.Len()}
	for model, err := range query.Iter(ctx) {
		if err != nil {
			return nil, err
		}
		out.consider(model, m)
	}
	return out, nil
}

// consider takes the model in where it fits beside those that are in already.
func (s *selection) consider(model *modelref.ImageGenerationRecord, m *machine) {
	bytes, known := model.DeclaredTotalSizeBytes().Get()
	known = known && bytes >= 0
	switch {
	case !known && (m.disk > 0 || m.vram > 0):
		s.unsized++
	case m.disk > 0 && size(bytes) > m.disk-s.total: // this way round no sum can overflow
	case m.vram > 0 && vramNeeded(size(bytes)) > m.vram:
	default:
		s.models = append(s.models, model)
		s.total += size(bytes)
	}
}

// vramNeeded estimates what a model takes of video memory: its weights, and a quarter more for what it works on. Records
// do not state it.
func vramNeeded(weights size) size { return weights + min(weights/4, math.MaxInt64-weights) }

// print writes the models with what it takes to download them.
func (s *selection) print(w io.Writer) error {
	var out strings.Builder
	for _, model := range s.models {
		total := "size unknown"
		if bytes, ok := model.DeclaredTotalSizeBytes().Get(); ok {
			total = fmt.Sprintf("%s, about %s of VRAM", size(bytes), vramNeeded(size(bytes)))
		}
		fmt.Fprintf(&out, "%s  (%s, %s)\n", printable(model.Name), printable(string(model.Baseline)), total)
		for i := range model.Config.Download {
			file := &model.Config.Download[i]
			sum := "none recorded"
			if file.HasChecksum() {
				sum = strings.ToLower(file.SHA256Sum)
			}
			fmt.Fprintf(&out, "  %s\n    url     %s\n    sha256  %s\n", printable(file.FileName), printable(file.FileURL),
				printable(sum))
			if bytes, ok := file.SizeBytes.Get(); ok {
				fmt.Fprintf(&out, "    size    %s\n", size(bytes))
			}
		}
	}
	fmt.Fprintf(&out, "\n%d of %d image models, %s in all", len(s.models), s.of, s.total)
	if s.unsized > 0 {
		fmt.Fprintf(&out, "; %d more state no size", s.unsized)
	}
	_, err := fmt.Fprintln(w, out.String())
	return err
}

// printable keeps what comes from the network from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// size is a number of bytes. As a flag it takes a unit.
type size int64

// String returns the size in decimal units, as disks and models are sold.
func (s size) String() string { return modelref.FormatSize(int64(s)) }

// Set reads a number with a unit.
func (s *size) Set(text string) error {
	bytes, err := modelref.ParseSize(text)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil || bytes == 0 {
		return errors.New("size must be above 0 and have a unit, such as 500GB, 1.5TB or 12GiB")
	}
	*s = size(bytes)
	return nil
}

// policy says what to do with models that are not safe for work.
type policy int

const (
	includeNSFW policy = iota
	excludeNSFW
	onlyNSFW
)

var policyNames = [...]string{"include", "exclude", "only"}

// String returns the policy's name.
func (p *policy) String() string { return policyNames[*p] }

// Set reads the policy's name.
func (p *policy) Set(text string) error {
	for i, name := range policyNames {
		if text == name {
			*p = policy(i)
			return nil
		}
	}
	return fmt.Errorf("must be one of %s", strings.Join(policyNames[:], ", "))
}
