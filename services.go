// The services of the categories, and what is different for each record type.

package modelref

import (
	"context"

	"github.com/haidra-org/modelref/internal/jsondoc"
)

// The services of the categories. Each field of a [Client] is one of them.
type (
	// ImageGenerationService reads the models that make images.
	ImageGenerationService struct {
		SearchService[ImageGenerationRecord, ImageSearchOptions]
	}
	// TextGenerationService reads the models that make text.
	TextGenerationService struct {
		SearchService[TextGenerationRecord, TextSearchOptions]
	}
	// ControlNetService reads the ControlNets.
	ControlNetService struct{ Service[ControlNetRecord] }
	// ControlNetAnnotatorService reads the annotators of ControlNets.
	ControlNetAnnotatorService struct {
		Service[ControlNetAnnotatorRecord]
	}
	// CLIPService reads the CLIP models.
	CLIPService struct{ Service[CLIPRecord] }
	// BLIPService reads the BLIP models.
	BLIPService struct{ Service[BLIPRecord] }
	// ESRGANService reads the upscalers.
	ESRGANService struct{ Service[ESRGANRecord] }
	// GFPGANService reads the GFPGAN face fixers.
	GFPGANService struct{ Service[GFPGANRecord] }
	// CodeFormerService reads the CodeFormer face fixers.
	CodeFormerService struct{ Service[CodeFormerRecord] }
	// SafetyCheckerService reads the safety checkers.
	SafetyCheckerService struct{ Service[SafetyCheckerRecord] }
	// VideoGenerationService reads the models that make video.
	VideoGenerationService struct {
		SearchService[VideoGenerationRecord, ContentSearchOptions]
	}
	// AudioGenerationService reads the models that make sound.
	AudioGenerationService struct {
		SearchService[AudioGenerationRecord, ContentSearchOptions]
	}
	// MiscellaneousService reads the models that fit no other category.
	MiscellaneousService struct{ Service[MiscellaneousRecord] }
	// LoRAService reads the LoRAs.
	LoRAService struct {
		SearchService[LoRARecord, ContentSearchOptions]
	}
	// TextualInversionService reads the textual inversions.
	TextualInversionService struct {
		SearchService[TextualInversionRecord, ContentSearchOptions]
	}
)

// bindServices makes a service for each category.
func (c *Client) bindServices() {
	c.ImageGeneration = &ImageGenerationService{SearchService[ImageGenerationRecord, ImageSearchOptions]{newService[ImageGenerationRecord](c, CategoryImageGeneration)}}
	c.TextGeneration = &TextGenerationService{SearchService[TextGenerationRecord, TextSearchOptions]{newService[TextGenerationRecord](c, CategoryTextGeneration)}}
	c.ControlNet = &ControlNetService{newService[ControlNetRecord](c, CategoryControlNet)}
	c.ControlNetAnnotator = &ControlNetAnnotatorService{newService[ControlNetAnnotatorRecord](c, CategoryControlNetAnnotator)}
	c.CLIP = &CLIPService{newService[CLIPRecord](c, CategoryCLIP)}
	c.BLIP = &BLIPService{newService[BLIPRecord](c, CategoryBLIP)}
	c.ESRGAN = &ESRGANService{newService[ESRGANRecord](c, CategoryESRGAN)}
	c.GFPGAN = &GFPGANService{newService[GFPGANRecord](c, CategoryGFPGAN)}
	c.CodeFormer = &CodeFormerService{newService[CodeFormerRecord](c, CategoryCodeFormer)}
	c.SafetyChecker = &SafetyCheckerService{newService[SafetyCheckerRecord](c, CategorySafetyChecker)}
	c.VideoGeneration = &VideoGenerationService{SearchService[VideoGenerationRecord, ContentSearchOptions]{newService[VideoGenerationRecord](c, CategoryVideoGeneration)}}
	c.AudioGeneration = &AudioGenerationService{SearchService[AudioGenerationRecord, ContentSearchOptions]{newService[AudioGenerationRecord](c, CategoryAudioGeneration)}}
	c.Miscellaneous = &MiscellaneousService{newService[MiscellaneousRecord](c, CategoryMiscellaneous)}
	c.LoRA = &LoRAService{SearchService[LoRARecord, ContentSearchOptions]{newService[LoRARecord](c, CategoryLoRA)}}
	c.TextualInversion = &TextualInversionService{SearchService[TextualInversionRecord, ContentSearchOptions]{newService[TextualInversionRecord](c, CategoryTextualInversion)}}
}

// A recordType is what is different for each record type.
type recordType interface {
	// decode decodes a document into a reference with the metadata a.
	decode(document string, a metadata) (anyReference, error)
	// query returns a query by name over the category that the cache reads. The cache may be nil.
	query(cache *categoryCache) NamedQuery
	// search searches the category that the cache reads. The cache may be nil.
	search(ctx context.Context, cache *categoryCache, options *CategorySearchOptions) (*SearchResult[ModelRecord], error)
}

// decodeFunc decodes the document of a category or a catalog, and gives the result the metadata a.
type decodeFunc func(document string, a metadata) (anyDocument, error)

// recordTypes has the record type of each category.
var recordTypes = map[Category]recordType{
	CategoryImageGeneration:     recordsOf[ImageGenerationRecord]{imageCodec, (*ImageGenerationRecord).common},
	CategoryTextGeneration:      recordsOf[TextGenerationRecord]{textCodec, (*TextGenerationRecord).common},
	CategoryControlNet:          recordsOf[ControlNetRecord]{controlNetCodec, (*ControlNetRecord).common},
	CategoryControlNetAnnotator: recordsOf[ControlNetAnnotatorRecord]{annotatorCodec, (*ControlNetAnnotatorRecord).common},
	CategoryCLIP:                recordsOf[CLIPRecord]{clipCodec, (*CLIPRecord).common},
	CategoryBLIP:                recordsOf[BLIPRecord]{blipCodec, (*BLIPRecord).common},
	CategoryESRGAN:              recordsOf[ESRGANRecord]{esrganCodec, (*ESRGANRecord).common},
	CategoryGFPGAN:              recordsOf[GFPGANRecord]{gfpganCodec, (*GFPGANRecord).common},
	CategoryCodeFormer:          recordsOf[CodeFormerRecord]{codeFormerCodec, (*CodeFormerRecord).common},
	CategorySafetyChecker:       recordsOf[SafetyCheckerRecord]{safetyCheckerCodec, (*SafetyCheckerRecord).common},
	CategoryVideoGeneration:     recordsOf[VideoGenerationRecord]{videoCodec, (*VideoGenerationRecord).common},
	CategoryAudioGeneration:     recordsOf[AudioGenerationRecord]{audioCodec, (*AudioGenerationRecord).common},
	CategoryMiscellaneous:       recordsOf[MiscellaneousRecord]{miscellaneousCodec, (*MiscellaneousRecord).common},
	CategoryLoRA:                recordsOf[LoRARecord]{loraCodec, (*LoRARecord).common},
	CategoryTextualInversion:    recordsOf[TextualInversionRecord]{inversionCodec, (*TextualInversionRecord).common},
}

// recordsOf is the recordType of records R.
type recordsOf[R Record] struct {
	table  *jsondoc.Object[R]
	common func(*R) *ModelRecord
}

func (o recordsOf[R]) decode(document string, a metadata) (anyReference, error) {
	info, _ := infoOf(a.category)
	data, rejected, err := decodeDocument(document, info, o.table, o.common)
	if err != nil {
		return nil, err
	}
	a.rejected = rejected
	return &Reference[R]{metadata: a, data: data}, nil
}

func (recordsOf[R]) query(cache *categoryCache) NamedQuery {
	return (&Service[R]{cache}).Query().ByName()
}

func (recordsOf[R]) search(
	ctx context.Context, cache *categoryCache, options *CategorySearchOptions,
) (*SearchResult[ModelRecord], error) {
	result, err := (&Service[R]{cache}).Search(ctx, options)
	if err != nil {
		return nil, err
	}
	return result.models(), nil
}
