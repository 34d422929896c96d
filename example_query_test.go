// Examples of queries. The records are invented, and no network is used.

package modelref_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing/fstest"

	"github.com/haidra-org/modelref"
)

// exampleRecords decodes invented records one by one, like the records of a search result.
func exampleRecords[R modelref.Record](documents ...string) []*R {
	records := make([]*R, len(documents))
	for i, document := range documents {
		records[i] = new(R)
		if err := json.Unmarshal([]byte(document), records[i]); err != nil {
			panic(err)
		}
	}
	return records
}

// exampleImages returns a query over four invented image models. It has the type of client.ImageGeneration.Query().
func exampleImages() modelref.ImageQuery {
	return modelref.NewImageQuery(modelref.Records(exampleRecords[modelref.ImageGenerationRecord](
		`{"name": "Meadow XL", "baseline": "stable_diffusion_xl", "nsfw": false, "style": "realistic",
			"tags": ["landscapes"], "size_on_disk_bytes": 6900000000}`,
		`{"name": "Ink", "baseline": "stable_diffusion_1", "nsfw": false, "style": "anime",
			"tags": ["manga", "sketch"], "size_on_disk_bytes": 2100000000}`,
		`{"name": "Ink Inpainting", "baseline": "stable_diffusion_1", "nsfw": false, "inpainting": true,
			"style": "anime", "tags": ["manga"]}`,
		`{"name": "Nocturne", "baseline": "flux_1", "nsfw": true, "style": "artistic",
			"size_on_disk_bytes": 17000000000}`,
	)))
}

// exampleTexts returns a query over invented text models. It has the type of client.TextGeneration.Query().
func exampleTexts() modelref.TextQuery {
	return modelref.NewTextQuery(modelref.Records(exampleRecords[modelref.TextGenerationRecord](
		`{"name": "Author/Heron-7B", "parameters": 7000000000}`,
		`{"name": "Author/Heron-13B", "parameters": 13000000000}`,
		`{"name": "Author/Heron-7B-Q4_K_M", "parameters": 7000000000}`,
		`{"name": "Author/Wren-3B", "parameters": 3000000000, "tags": ["chat"]}`,
	)))
}

// exampleControlNets returns a query over invented ControlNets.
func exampleControlNets() modelref.ControlNetQuery {
	return modelref.NewControlNetQuery(modelref.Records(exampleRecords[modelref.ControlNetRecord](
		`{"name": "edges", "controlnet_style": "control_canny"}`,
		`{"name": "depths", "controlnet_style": "control_depth"}`,
		`{"name": "edges XL", "controlnet_style": "control_canny"}`,
	)))
}

func printNames[R interface{ *T }, T any](records []R, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range records {
		switch r := any(r).(type) {
		case *modelref.ImageGenerationRecord:
			fmt.Println(r.Name)
		case *modelref.TextGenerationRecord:
			fmt.Println(r.Name)
		case *modelref.ControlNetRecord:
			fmt.Println(r.Name)
		}
	}
}

func ExampleQuery_All() {
	printNames(exampleImages().
		Where(modelref.ImageFields.Baseline.In("stable_diffusion_xl", "stable_diffusion_1"),
			modelref.ImageFields.SizeOnDiskBytes.Lt(7_000_000_000)).
		ExcludeNSFW().
		OrderBy(modelref.ImageFields.SizeOnDiskBytes.Asc(), modelref.ImageFields.Name.Asc()).
		Limit(10).
		All(context.Background()))
	// Output:
	// Ink
	// Meadow XL
}

func ExampleQuery_First() {
	largest, err := exampleImages().
		OrderBy(modelref.ImageFields.SizeOnDiskBytes.Desc()).
		First(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(largest.Name)

	_, err = exampleImages().ForBaseline(modelref.BaselineStableCascade).First(context.Background())
	fmt.Println(errors.Is(err, modelref.ErrNotFound))
	// Output:
	// Nocturne
	// true
}

func ExampleQuery_Only() {
	record, err := exampleImages().OnlyInpainting().Only(context.Background())
	fmt.Println(record.Name, err)

	_, err = exampleImages().ExcludeInpainting().Only(context.Background())
	fmt.Println(errors.Is(err, modelref.ErrNotUnique))
	// Output:
	// Ink Inpainting <nil>
	// true
}

func ExampleQuery_Count() {
	n, err := exampleImages().Where(modelref.ImageFields.SizeOnDiskBytes.IsSet()).Count(context.Background())
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleQuery_Exists() {
	found, err := exampleImages().ForBaseline(modelref.BaselineFlux1).Exists(context.Background())
	fmt.Println(found, err)
	// Output: true <nil>
}

func ExampleQuery_Iter() {
	for record, err := range exampleImages().Iter(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if record.NSFW {
			break
		}
		fmt.Println(record.Name)
	}
	// Output:
	// Meadow XL
	// Ink
	// Ink Inpainting
}

// A query is immutable, so several queries can be derived from it.
func ExampleQuery_Where() {
	manga := exampleImages().TagsAny("manga")
	printNames(manga.Where(modelref.ImageFields.SizeOnDiskBytes.IsSet()).All(context.Background()))
	fmt.Println("of")
	printNames(manga.All(context.Background()))
	// Output:
	// Ink
	// of
	// Ink
	// Ink Inpainting
}

func ExampleQuery_OrderBy() {
	printNames(exampleImages().
		OrderBy(modelref.ImageFields.Style.Asc(), modelref.ImageFields.SizeOnDiskBytes.Desc()).
		All(context.Background()))
	// Output:
	// Ink
	// Ink Inpainting
	// Nocturne
	// Meadow XL
}

func ExampleQuery_Limit() {
	page := exampleImages().OrderBy(modelref.ImageFields.Name.Asc()).Offset(1).Limit(2)
	printNames(page.All(context.Background()))

	_, err := page.Limit(-1).All(context.Background())
	fmt.Println(err)
	// Output:
	// Ink Inpainting
	// Meadow XL
	// modelref: invalid query: Limit(-1): the limit must not be negative
}

func ExampleDistinct() {
	baselines, err := modelref.Distinct(context.Background(), exampleImages(), modelref.ImageFields.Baseline)
	fmt.Println(baselines, err)
	tags, err := modelref.Distinct(context.Background(), exampleImages(), modelref.ImageFields.Tags)
	fmt.Println(tags, err)
	// Output:
	// [stable_diffusion_xl stable_diffusion_1 flux_1] <nil>
	// [landscapes manga sketch] <nil>
}

func ExampleGroupBy() {
	groups, err := modelref.GroupBy(context.Background(), exampleImages(), modelref.ImageFields.Style)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, group := range groups {
		fmt.Println(group.Key, len(group.Records))
	}
	// Output:
	// realistic 1
	// anime 2
	// artistic 1
}

func ExampleQueryRecords() {
	clips := exampleRecords[modelref.CLIPRecord](
		`{"name": "ViT-L/14", "pretrained_name": "openai"}`,
		`{"name": "ViT-H-14"}`,
	)
	record, err := modelref.QueryRecords(clips).
		Where(modelref.CLIPFields.PretrainedName.IsUnset()).
		Only(context.Background())
	fmt.Println(record.Name, err)
	// Output: ViT-H-14 <nil>
}

func ExampleAnd() {
	small := modelref.ImageFields.SizeOnDiskBytes.Lt(5_000_000_000)
	unknown := modelref.ImageFields.SizeOnDiskBytes.IsUnset()
	printNames(exampleImages().
		Where(modelref.And(modelref.Or(small, unknown), modelref.Not(modelref.ImageFields.Tags.Contains("sketch")))).
		All(context.Background()))
	// Output: Ink Inpainting
}

// The total size of all files of a model is not a field, so a function compares it.
func ExampleOrderFunc() {
	printNames(exampleImages().OrderBy(modelref.OrderFunc(func(a, b *modelref.ImageGenerationRecord) int {
		return cmp.Compare(b.DeclaredTotalSizeBytes().Or(0), a.DeclaredTotalSizeBytes().Or(0))
	})).Limit(2).All(context.Background()))
	// Output:
	// Nocturne
	// Meadow XL
}

func ExampleDecodeDocument() {
	ref, err := modelref.DecodeDocument[modelref.CLIPRecord](modelref.CategoryCLIP, `{
		"ViT-L/14": {"name": "ViT-L/14", "size_on_disk_bytes": 933000000},
		"ViT-H-14": {"name": "ViT-H-14", "size_on_disk_bytes": "unknown"}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ref.Names())
	fmt.Println(ref.Rejected()[0].Name)
	// Output:
	// [ViT-L/14]
	// ViT-H-14
}

func ExampleMatchFunc() {
	short := modelref.MatchFunc(func(r *modelref.ImageGenerationRecord) bool { return len(r.Name) < 5 })
	printNames(exampleImages().Where(short).All(context.Background()))
	// Output: Ink
}

func ExampleImageQuery_ExcludeNSFW() {
	n, err := exampleImages().ExcludeNSFW().Count(context.Background())
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleImageQuery_OnlyNSFW() {
	printNames(exampleImages().OnlyNSFW().All(context.Background()))
	// Output: Nocturne
}

func ExampleImageQuery_OnlyInpainting() {
	printNames(exampleImages().OnlyInpainting().All(context.Background()))
	// Output: Ink Inpainting
}

func ExampleImageQuery_ExcludeInpainting() {
	printNames(exampleImages().TagsAny("manga").ExcludeInpainting().All(context.Background()))
	// Output: Ink
}

func ExampleImageQuery_ForBaseline() {
	printNames(exampleImages().ForBaseline(modelref.BaselineStableDiffusion1).All(context.Background()))
	// Output:
	// Ink
	// Ink Inpainting
}

func ExampleImageQuery_TagsAny() {
	printNames(exampleImages().TagsAny("sketch", "landscapes").All(context.Background()))
	// Output:
	// Meadow XL
	// Ink
}

func ExampleImageQuery_TagsAll() {
	printNames(exampleImages().TagsAll("manga", "sketch").All(context.Background()))
	// Output: Ink
}

func ExampleImageQuery_TagsNone() {
	printNames(exampleImages().TagsNone("manga").All(context.Background()))
	// Output:
	// Meadow XL
	// Nocturne
}

// exampleReported is a query over names that workers report. The model reference does not have such names.
func exampleReported() modelref.TextQuery {
	return modelref.NewTextQuery(modelref.Records(exampleRecords[modelref.TextGenerationRecord](
		`{"name": "Author/Heron-7B", "parameters": 7000000000}`,
		`{"name": "koboldcpp/Heron-7B", "parameters": 7000000000}`,
		`{"name": "aphrodite/Author/Heron-7B", "parameters": 7000000000}`,
	)))
}

func ExampleTextQuery_ForBackend() {
	printNames(exampleReported().ForBackend(modelref.TextBackendKoboldCPP).All(context.Background()))

	_, err := exampleReported().ForBackend("other").All(context.Background())
	fmt.Println(err)
	// Output:
	// koboldcpp/Heron-7B
	// modelref: invalid query: ForBackend("other"): must be one of aphrodite, koboldcpp
}

func ExampleTextQuery_ExcludeBackendVariations() {
	printNames(exampleReported().ExcludeBackendVariations().All(context.Background()))
	// Output: Author/Heron-7B
}

func ExampleTextQuery_OnlyQuantized() {
	printNames(exampleTexts().OnlyQuantized().All(context.Background()))
	// Output: Author/Heron-7B-Q4_K_M
}

func ExampleTextQuery_ExcludeQuantized() {
	printNames(exampleTexts().ExcludeQuantized().All(context.Background()))
	// Output:
	// Author/Heron-7B
	// Author/Heron-13B
	// Author/Wren-3B
}

func ExampleTextQuery_GroupByBaseModel() {
	groups, err := exampleTexts().GroupByBaseModel(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, group := range groups {
		fmt.Println(group.Key, len(group.Records))
	}
	// Output:
	// Heron 3
	// Wren 1
}

func ExampleControlNetQuery_ForStyle() {
	printNames(exampleControlNets().ForStyle(modelref.ControlNetDepth).All(context.Background()))
	// Output: depths
}

func ExampleControlNetQuery_GroupByStyle() {
	groups, err := exampleControlNets().GroupByStyle(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, group := range groups {
		fmt.Println(group.Key, len(group.Records))
	}
	// Output:
	// control_canny 2
	// control_depth 1
}

// A command line can offer conditions and orderings as text.
func ExampleParsePredicate() {
	where, err := modelref.ParsePredicate[modelref.ImageGenerationRecord]("size_on_disk_bytes<7e9", "!nsfw", "name~INK")
	if err != nil {
		fmt.Println(err)
		return
	}
	order, err := modelref.ParseOrder[modelref.ImageGenerationRecord]("-size_on_disk_bytes,name")
	if err != nil {
		fmt.Println(err)
		return
	}
	printNames(exampleImages().Where(where).OrderBy(order...).All(context.Background()))

	_, err = modelref.ParsePredicate[modelref.ImageGenerationRecord]("size_on_disk_bytes<big")
	fmt.Println(err)
	// Output:
	// Ink
	// modelref: invalid query: size_on_disk_bytes: "big": must be an integer of 64 bits, such as 7000000000, 7_000_000_000 or 7e9; size "big" must be a number with an optional unit, such as 8GB or 7.5GiB
}

func ExampleLookupField() {
	field, err := modelref.LookupField[modelref.CLIPRecord]("domain")
	fmt.Println(field.Name(), field.Kind(), err)

	_, err = modelref.LookupField[modelref.CLIPRecord]("tags")
	fmt.Println(errors.Is(err, modelref.ErrInvalidQuery))
	// Output:
	// model_classification.domain string <nil>
	// true
}

func ExampleParseTextModelName() {
	name := modelref.ParseTextModelName("Author/Heron-7B-Instruct-v2-Q4_K_M")
	fmt.Println(name.Base, name.Size, name.Variant, name.Version, name.Quant)
	// Output: Author/Heron 7B Instruct v2 Q4_K_M
}

func ExampleBackendVariants() {
	for _, name := range modelref.BackendVariants("Author/Heron-7B") {
		fmt.Println(name, modelref.TextModelGroup(name))
	}
	// Output:
	// Author/Heron-7B Heron
	// aphrodite/Author/Heron-7B Heron
	// koboldcpp/Heron-7B Heron
}

// exampleClient reads two categories from files of the program. It does not use the network.
func exampleClient() *modelref.Client {
	client, err := modelref.New(modelref.WithOffline(), modelref.WithBootstrap(fstest.MapFS{
		"clip.json": {Data: []byte(`{"ViT-L/14": {"name": "ViT-L/14", "size_on_disk_bytes": 900000000}}`)},
		"text_generation.json": {Data: []byte(`{
			"Author/Heron-7B": {"name": "Author/Heron-7B", "parameters": 7000000000},
			"Author/Wren-3B": {"name": "Author/Wren-3B", "parameters": 3000000000}}`)},
	}))
	if err != nil {
		panic(err)
	}
	return client
}

func ExampleModelQuery_Partial() {
	client := exampleClient()
	defer client.Close()

	_, err := client.QueryModels().All(context.Background())
	fmt.Println(errors.Is(err, modelref.ErrUnavailable))

	records, err := client.QueryModels().Partial().OrderBy(modelref.ModelFields.Name.Asc()).All(context.Background())
	for _, record := range records {
		fmt.Println(record.RecordType, record.Name)
	}
	var incomplete *modelref.PartialError
	if errors.As(err, &incomplete) {
		fmt.Println("without", len(incomplete.Categories()), "categories")
	}
	// Output:
	// true
	// text_generation Author/Heron-7B
	// text_generation Author/Wren-3B
	// clip ViT-L/14
	// without 13 categories
}

func ExampleTextGenerationService_Resolve() {
	client := exampleClient()
	defer client.Close()

	for _, reported := range []string{"koboldcpp/Heron-7B-Q4_K_M", "aphrodite/Author/Wren-3B::somebody", "koboldcpp/Robin"} {
		record, err := client.TextGeneration.Resolve(context.Background(), reported)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(record.Name)
	}
	// Output:
	// Author/Heron-7B
	// Author/Wren-3B
	// modelref: text_generation: "koboldcpp/Robin": not found
}

func ExampleTextGenerationService_Find() {
	client := exampleClient()
	defer client.Close()

	matches, err := client.TextGeneration.Find(context.Background(), "heron 7b")
	if err != nil {
		fmt.Println(err)
		return
	}
	if best, ok := matches.Best(); ok {
		fmt.Println(best.Name, best.Kind)
	} else {
		fmt.Println("candidates:", matches.Names())
	}
	// Output:
	// Author/Heron-7B folded
}

func ExampleParseSize() {
	for _, text := range []string{"7.5GB", "12 GiB", "8G"} {
		bytes, err := modelref.ParseSize(text)
		fmt.Println(bytes, err)
	}
	// Output:
	// 7500000000 <nil>
	// 12884901888 <nil>
	// 0 modelref: size "8G" must have one of the units B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB, such as 8GB or 7.5GiB
}

func ExampleParseCount() {
	parameters, err := modelref.ParseCount("13B")
	fmt.Println(parameters, modelref.FormatCount(parameters), err)
	// Output:
	// 13000000000 13B <nil>
}

func ExampleReference_Query() {
	client := exampleClient()
	defer client.Close()

	ref, err := client.TextGeneration.Load(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := ref.Query().Where(modelref.TextFields.Parameters.Lt(5_000_000_000)).Count(context.Background())
	fmt.Println(n, err)
	printNames(modelref.NewTextQuery(ref).ExcludeQuantized().Limit(1).All(context.Background()))
	// Output:
	// 1 <nil>
	// Author/Heron-7B
}

func ExampleCategoryReader_Query() {
	client, err := modelref.New(modelref.WithOffline(), modelref.WithBootstrap(fstest.MapFS{"controlnet.json": {Data: []byte(`{
		"control_canny": {"controlnet_style": "control_canny", "size_on_disk_bytes": 722601104},
		"control_depth": {"controlnet_style": "control_depth", "size_on_disk_bytes": 722601105},
		"control_canny_xl": {"controlnet_style": "control_canny", "size_on_disk_bytes": 2500000000}}`)}}))
	if err != nil {
		panic(err)
	}
	defer client.Close()

	reader, err := client.Category("controlnet") // from a flag
	if err != nil {
		fmt.Println(err)
		return
	}
	query := reader.Query().Where("controlnet_style=control_canny", "size_on_disk_bytes<=4GB").OrderBy("-size_on_disk_bytes")
	if err := query.Check("name", "controlnet_style"); err != nil { // reads nothing
		fmt.Println(err)
		return
	}
	records, err := query.All(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, record := range records {
		fmt.Println(record.Name, record.Values("controlnet_style"), record.Values("size_on_disk_bytes"))
	}
	styles, err := reader.Query().Values(context.Background(), "controlnet_style")
	fmt.Println(styles, err)
	// Output:
	// control_canny_xl [control_canny] [2500000000]
	// control_canny [control_canny] [722601104]
	// [{control_canny 2} {control_depth 1}] <nil>
}
