// Package picker picks the image model to load next. It stands for a project that uses the model reference; its tests
// show how such a project tests its own code, with modelreftest.
package picker

import (
	"context"
	"errors"
	"fmt"

	"github.com/haidra-org/modelref"
)

// ErrNothingFits says that no model fits the wish. It is for the user to change the wish.
var ErrNothingFits = errors.New("no model fits")

// Wish says what is wanted of a model.
type Wish struct {
	// Baseline is the family that the model must be of.
	Baseline modelref.Baseline
	// MaxBytes is how large its files may be in all.
	MaxBytes int64
	// NSFW allows models that are not safe for work.
	NSFW bool
}

// Pick is a model that fits a wish.
type Pick struct {
	Name string
	URL  string
	// Doubtful says that the list of models may be behind.
	Doubtful bool
}

// Picker picks models.
type Picker struct {
	client *modelref.Client
}

// New returns a Picker that reads with the client. Taking the client, rather than making one, is what lets a test give
// one that reads from a fake server.
func New(client *modelref.Client) *Picker { return &Picker{client: client} }

// Pick returns the largest model that fits the wish. The error is ErrNothingFits, or modelref.ErrUnavailable where there
// is no list to pick from.
func (p *Picker) Pick(ctx context.Context, wish Wish) (Pick, error) {
	ref, err := p.client.ImageGeneration.Load(ctx)
	if err != nil {
		return Pick{}, fmt.Errorf("picking a model: %w", err)
	}
	query := modelref.NewImageQuery(ref).
		ForBaseline(wish.Baseline).
		Where(modelref.ImageFields.SizeOnDiskBytes.Le(wish.MaxBytes)).
		OrderBy(modelref.ImageFields.SizeOnDiskBytes.Desc(), modelref.ImageFields.Name.Asc())
	if !wish.NSFW {
		query = query.ExcludeNSFW()
	}
	model, err := query.First(ctx)
	switch {
	case errors.Is(err, modelref.ErrNotFound):
		return Pick{}, fmt.Errorf("%w: %s in %d bytes", ErrNothingFits, wish.Baseline, wish.MaxBytes)
	case err != nil:
		return Pick{}, fmt.Errorf("picking a model: %w", err)
	}
	return Pick{Name: model.Name, URL: model.PrimaryDownloadURL(), Doubtful: ref.Stale()}, nil
}
