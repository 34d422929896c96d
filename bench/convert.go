package bench

// This file measures legacy files. modelref converts them to v2 documents and decodes these documents. The alternative
// decodes the files into structs and copies the few fields that most programs need.

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/internal/legacy"
)

// convertGroups returns the groups for the two large legacy files.
func convertGroups(corpus string) ([]Group, error) {
	var out []Group
	for _, f := range []struct {
		category modelref.Category
		file     string
		byHand   func([]byte) (int, error)
	}{
		{modelref.CategoryImageGeneration, "stable_diffusion.json", imagesByHand},
		{modelref.CategoryTextGeneration, "models.csv", textsByHand},
	} {
		raw, err := os.ReadFile(filepath.Join(corpus, "github", "real", f.file))
		if err != nil {
			return nil, err
		}
		want, err := f.byHand(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, Group{
			Name: "Convert/category=" + string(f.category) + "/doc=real", Bytes: len(raw), Records: want, Real: true,
			Cases: []Case{
				{By: ours, Open: func() (func() error, func(), error) {
					return func() error { return convert(f.category, raw) }, nil, nil
				}},
				{By: "hand", Inexact: true, Open: func() (func() error, func(), error) {
					return func() error {
						n, err := f.byHand(raw)
						return errors.Join(err, wantRecords(n, want))
					}, nil, nil
				}},
			},
		})
	}
	return out, nil
}

func convert(category modelref.Category, raw []byte) error {
	document, _, err := legacy.Convert(string(category), raw)
	if err != nil {
		return err
	}
	if category == modelref.CategoryTextGeneration {
		_, err = modelref.DecodeDocument[modelref.TextGenerationRecord](category, string(document))
	} else {
		_, err = modelref.DecodeDocument[modelref.ImageGenerationRecord](category, string(document))
	}
	return err
}

// legacyImage is an image record in the file on GitHub.
type legacyImage struct {
	Name         string         `json:"name"`
	Baseline     string         `json:"baseline"`
	Type         string         `json:"type"`
	Inpainting   bool           `json:"inpainting"`
	Description  string         `json:"description"`
	Tags         []string       `json:"tags"`
	Showcases    []string       `json:"showcases"`
	Version      string         `json:"version"`
	Style        string         `json:"style"`
	Homepage     string         `json:"homepage"`
	NSFW         bool           `json:"nsfw"`
	Trigger      []string       `json:"trigger"`
	Requirements map[string]any `json:"requirements"`
	Size         *int64         `json:"size_on_disk_bytes"`
	Config       struct {
		Files []struct {
			Path   string `json:"path"`
			SHA256 string `json:"sha256sum"`
		} `json:"files"`
		Download []struct {
			FileName string `json:"file_name"`
			FileURL  string `json:"file_url"`
		} `json:"download"`
	} `json:"config"`
}

func imagesByHand(raw []byte) (int, error) {
	var records map[string]legacyImage
	if err := json.Unmarshal(raw, &records); err != nil {
		return 0, err
	}
	out := make(map[string]PlainImage, len(records))
	for name, r := range records {
		p := PlainImage{
			Baseline: strings.ReplaceAll(r.Baseline, " ", "_"), NSFW: r.NSFW, Inpainting: r.Inpainting, Tags: r.Tags,
			Showcases: r.Showcases, Trigger: r.Trigger, Homepage: r.Homepage, Style: r.Style, Requirements: r.Requirements,
		}
		p.Name, p.Description, p.Version, p.SizeOnDiskBytes = r.Name, r.Description, r.Version, r.Size
		out[name] = p
	}
	return len(out), nil
}

func textsByHand(raw []byte) (int, error) {
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil || len(rows) == 0 {
		return 0, errors.Join(err, errWrong)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	out := make(map[string]PlainText, len(rows))
	for _, row := range rows[1:] {
		cell := func(name string) string { return row[column[name]] }
		billions, err := strconv.ParseFloat(cell("parameters_bn"), 64)
		if err != nil || cell("name") == "" {
			continue
		}
		p := PlainText{
			Baseline: cell("baseline"), Parameters: int64(billions * 1e9), Style: cell("style"), URL: cell("url"),
			DisplayName: cell("display_name"), InstructFormat: cell("instruct_format"),
		}
		p.Name, p.Description = cell("name"), cell("description")
		for tag := range strings.SplitSeq(cell("tags"), ",") {
			p.Tags = append(p.Tags, strings.TrimSpace(tag))
		}
		if s := cell("settings"); s != "" {
			if err := json.Unmarshal([]byte(s), &p.Settings); err != nil {
				return 0, err
			}
		}
		out[p.Name] = p
	}
	return len(out), nil
}
