// list, search and get with the built command: one language for one, several and all categories.

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestListTakesAnyNumberOfCategories(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"several":             {[]string{"list", "clip", "image", "--by", "record_type", "-o", "tsv"}, "category\trecords\nimage_generation\t20\nclip\t2\n"},
		"alias":               {[]string{"ls", "clip", "-q"}, "ViT-L/14\ncoca_ViT-B-32\n"},
		"earlier name":        {[]string{"query", "clip", "-q"}, "ViT-L/14\ncoca_ViT-B-32\n"},
		"earlier flag":        {[]string{"list", "clip", "--distinct", "record_type", "--no-header"}, "clip  2\n"},
		"prefix":              {[]string{"lis", "clip", "--count"}, "2\n"},
		"count of all":        {[]string{"list", "--nsfw", "--count"}, "3\n"},
		"field of a category": {[]string{"list", "-w", "baseline=flux_1", "-q"}, "Comet Schnell fp8\n"},
		"by, the most first":  {[]string{"list", "image", "--by", "baseline", "-n", "2", "-q"}, "stable_diffusion_xl\nstable_diffusion_1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runBinary(t, append([]string{"--demo"}, c.args...)...)
			assert.Equal(t, result{0, c.want, ""}, got)
		})
	}
}

func TestAnEmptyAnswerNamesTheValues(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		"baseline=sdxl2":       "no record meets baseline=sdxl2: the values of baseline are stable_diffusion_xl, stable_diffusion_1, ",
		"name=Lantern XXL":     `no record meets name=Lantern XXL: did you mean Lantern XL`,
		"finetune_series=x":    "no record meets finetune_series=x",
		"size_on_disk_bytes<1": "no record meets size_on_disk_bytes<1\n",
	} {
		got := runBinary(t, "--demo", "list", "image", "-w", condition)
		if condition == "finetune_series=x" {
			assert.Equal(t, 2, got.code)
			continue
		}
		assert.Equal(t, 0, got.code)
		assert.Empty(t, got.out)
		assert.Contains(t, got.err, want)
	}
	got := runBinary(t, "--demo", "list", "image", "-w", "baseline=flux_1", "--nsfw")
	assert.Contains(t, got.err, "no record meets all conditions together")
	got = runBinary(t, "--demo", "list", "image", "-w", "baseline=sdxl2", "-q")
	assert.Equal(t, result{}, got)
}

func TestSearchRanksNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"search", "inpaint plain"}, 0, "Plain Diffusion Inpainting\n"},
		{[]string{"find", "plain", "difusion"}, 0, "Plain Diffusion\nPlain Diffusion Inpainting\n"},
		{[]string{"search", "plain", "--sort=-name", "-c", "image"}, 0, "Plain Diffusion Inpainting\nPlain Diffusion\n"},
		{[]string{"search", "plain", "-n", "1", "--offset", "1"}, 0, "Plain Diffusion Inpainting\n"},
		{[]string{"search", "plain", "--max-size", "1GB"}, 3, ""},
		{[]string{"search", "plain", "--service"}, 0, "Plain Diffusion\nPlain Diffusion Inpainting\n"},
	} {
		got := runBinary(t, append([]string{"--demo", "-q"}, c.args...)...)
		assert.Equal(t, result{c.code, c.want, ""}, got, c.args)
	}
	got := runBinary(t, "--demo", "search", "plain", "-n", "1")
	assert.Contains(t, got.err, "1 of 2: the next page is --offset 1")
}

func TestGetFindsWhatWasMeant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
		note string
	}{
		{[]string{"get", "Plain Diffusion"}, "Plain Diffusion\n", ""},
		{[]string{"show", "plain", "diffusion"}, "Plain Diffusion\n", `"plain diffusion" is taken as "Plain Diffusion"`},
		{[]string{"get", "image", "inkwel"}, "Inkwell\n", `"inkwel" is taken as "Inkwell"`},
		{[]string{"get", "clip", "vit-l-14"}, "ViT-L/14\n", `"vit-l-14" is taken as "ViT-L/14"`},
	} {
		got := runBinary(t, append([]string{"--demo", "-o", "jsonl"}, c.args...)...)
		assert.Equal(t, 0, got.code, got.err)
		assert.Contains(t, got.out, `"name":"`+strings.TrimSuffix(c.want, "\n")+`"`)
		if c.note == "" {
			assert.Empty(t, got.err)
		} else {
			assert.Contains(t, got.err, c.note)
		}
	}
	got := runBinary(t, "--demo", "get", "inkwell", "--urls", "-q")
	assert.Equal(t, result{0, "https://weights.example.org/inkwell.safetensors\n", ""}, got)
	got = runBinary(t, "--demo", "get", "plain")
	assert.Equal(t, 3, got.code)
	assert.Contains(t, got.err, `"plain": not found; did you mean "Plain Diffusion" or "Plain Diffusion Inpainting"?`)
}

func TestGetByTheNameOfAWorker(t *testing.T) {
	t.Parallel()
	names := runBinary(t, "--demo", "list", "text", "-q")
	name, _, _ := strings.Cut(names.out, "\n")
	got := runBinary(t, "--demo", "get", "text", "koboldcpp/"+name, "-o", "name")
	assert.Equal(t, result{0, name + "\n", ""}, got)
}

func TestAWrongCommandIsNamedBeforeItsFlags(t *testing.T) {
	t.Parallel()
	got := runBinary(t, "lsit", "--foo")
	assert.Equal(t, result{2, "", "modelref: unknown command \"lsit\": did you mean list?\n"}, got)
}

func TestOneCauseForAllCategories(t *testing.T) {
	t.Parallel()
	got := runBinary(t, "--primary", "http://127.0.0.1:1/api", "--no-github", "list")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "no source could give any category:\n  primary: ")
	assert.Equal(t, 1, strings.Count(got.err, "connection refused"), got.err)
	got = runBinary(t, "--primary", "http://127.0.0.1:1/api", "--no-github", "status", "clip", "blip")
	assert.Equal(t, 1, got.code)
	assert.Equal(t, 1, strings.Count(got.out, "connection refused"), got.out)
}

func TestDailyFilters(t *testing.T) {
	t.Parallel()
	_, flags := serve(t, `{
	  "Small": {"name": "Small", "baseline": "flux_1", "nsfw": false, "size_on_disk_bytes": 1000000000, "tags": ["anime"],
	    "licensing": {"license_expression": "MIT", "license_ids": ["MIT"], "commercial_use": "allowed", "redistribution": "allowed"}},
	  "Large": {"name": "Large", "baseline": "stable_diffusion_xl", "nsfw": true, "size_on_disk_bytes": 9000000000, "tags": ["photo"]}}`)
	for want, filter := range map[string][]string{
		"Small\n":        {"--sfw"},
		"Large\n":        {"--nsfw"},
		"Small\n ":       {"--baseline", "flux_1"},
		"Large\n ":       {"--baseline", "SDXL"},
		"Small\n  ":      {"--max-size", "8GB"},
		"Large\n  ":      {"--tag", "photo"},
		"Small\n   ":     {"--license", "mit"},
		"Small\n    ":    {"--commercial"},
		"Small\nLarge\n": {"--tag", "photo,anime"},
	} {
		want = strings.TrimRight(want, " ")
		for _, list := range [][]string{{"list", "image"}, {"list"}} { // one category, and all
			got := runBinary(t, append(append(append([]string{}, flags...), list...), append(filter, "-q")...)...)
			assert.Equal(t, result{0, want, ""}, got, filter)
		}
	}
	both := runBinary(t, append(flags, "list", "--sfw", "--nsfw")...)
	assert.Equal(t, 2, both.code)
	assert.Contains(t, both.err, "--sfw and --nsfw exclude each other")
	assert.Equal(t, result{0, "Small\n", ""}, runBinary(t, append(flags, "list", "--nsfw=false", "-q")...))
	none := runBinary(t, append(flags, "list", "image", "--nsfw", "--license", "mitt")...)
	assert.Equal(t, result{0, "", "modelref: no record meets --license mitt: the values of licensing.license_ids are MIT\n"}, none)
	for _, wrong := range []string{"--max-size=8", "--max-params=13"} {
		got := runBinary(t, append(flags, "list", "image", wrong)...)
		assert.Equal(t, 2, got.code)
		assert.Contains(t, got.err, "must have a unit")
	}
	assert.Equal(t, result{0, "Small\n", ""}, runBinary(t, append(flags, "list", "image", "--max-size", "8G", "-q")...))
	assert.Equal(t, result{0, "Large\nSmall\n", ""}, runBinary(t, append(flags, "list", "image", "--sort=-size", "-w", "size>1", "-q")...))
	got := runBinary(t, "--demo", "list", "text", "--max-params", "3B", "-q")
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "Example/Marx-3B\n")
	assert.NotContains(t, got.out, "70B")
}
