// The HTTP side: what is served for each category, and how references are kept warm.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haidra-org/modelref"
)

const (
	usualLimit   = 100
	largestLimit = 1000
)

// api is the service.
type api struct {
	client     *modelref.Client
	interval   time.Duration
	logger     *slog.Logger
	categories map[modelref.Category]category
	warmed     atomic.Bool
}

// category is what is done with one category, whatever its records are.
type category struct {
	list  func(ctx context.Context, params url.Values) (*page, error)
	watch func(ctx context.Context, interval time.Duration, logger *slog.Logger)
}

// page is the answer to /models.
type page struct {
	Category    modelref.Category `json:"category"`
	Origin      string            `json:"origin"`
	Stale       bool              `json:"stale"`
	ConfirmedAt time.Time         `json:"confirmed_at,omitzero"`
	Found       int               `json:"found"`
	Models      any               `json:"models"`
}

func newAPI(client *modelref.Client, interval time.Duration, logger *slog.Logger) *api {
	a := &api{client: client, interval: interval, logger: logger, categories: map[modelref.Category]category{}}
	add(a, &client.ImageGeneration.Service)
	add(a, &client.TextGeneration.Service)
	add(a, &client.ControlNet.Service)
	add(a, &client.ControlNetAnnotator.Service)
	add(a, &client.CLIP.Service)
	add(a, &client.BLIP.Service)
	add(a, &client.ESRGAN.Service)
	add(a, &client.GFPGAN.Service)
	add(a, &client.CodeFormer.Service)
	add(a, &client.SafetyChecker.Service)
	add(a, &client.VideoGeneration.Service)
	add(a, &client.AudioGeneration.Service)
	add(a, &client.Miscellaneous.Service)
	add(a, &client.LoRA.Service)
	add(a, &client.TextualInversion.Service)
	return a
}

func add[R modelref.Record](a *api, service *modelref.Service[R]) {
	a.categories[service.Category()] = category{
		list: func(ctx context.Context, params url.Values) (*page, error) { return list(ctx, service, params) },
		watch: func(ctx context.Context, interval time.Duration, logger *slog.Logger) {
			watch(ctx, service, interval, logger)
		},
	}
}

// watch asks for changes until ctx ends. To ask is all that it takes to keep the category fresh in memory.
func watch[R modelref.Record](
	ctx context.Context, service *modelref.Service[R], interval time.Duration, logger *slog.Logger,
) {
	for change, err := range service.Watch(ctx, modelref.WatchOptions{Interval: interval}) {
		if err != nil {
			logger.Warn("cannot confirm a category", "category", service.Category(), "err", err)
			continue
		}
		logger.Info("category", "category", service.Category(), "origin", change.Reference.Origin().String(),
			"records", change.Reference.Len(), "initial", change.Initial, "added", len(change.Added),
			"removed", len(change.Removed), "changed", len(change.Changed))
	}
}

// keepWarm loads everything and then watches it, until ctx ends.
func (a *api) keepWarm(ctx context.Context) {
	if err := a.client.Warm(ctx); err != nil {
		a.logger.Warn("not every category could be loaded", "err", err)
	}
	a.warmed.Store(true)
	var watches sync.WaitGroup
	for _, c := range a.categories {
		watches.Go(func() { c.watch(ctx, a.interval, a.logger) })
	}
	watches.Wait()
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /models", a.models)
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /metrics", a.metrics)
	return mux
}

func (a *api) models(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	name, err := modelref.ParseCategory(params.Get("category"))
	if err != nil {
		fail(w, err)
		return
	}
	answer, err := a.categories[name].list(r.Context(), params)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, answer)
}

// list answers from one reference, so that the records and what is said about them belong together.
func list[R modelref.Record](ctx context.Context, service *modelref.Service[R], params url.Values) (*page, error) {
	query, err := restrict[R](params)
	if err != nil {
		return nil, err
	}
	limit := usualLimit
	if text := params.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit > largestLimit {
			return nil, fmt.Errorf("limit %q: %w: want 0 to %d", text, modelref.ErrInvalidQuery, largestLimit)
		}
	}
	ref, err := service.Load(ctx)
	if err != nil {
		return nil, err
	}
	matching := ref.Query().Where(query...)
	found, err := matching.Count(ctx)
	if err != nil {
		return nil, err
	}
	models, err := matching.Limit(limit).All(ctx)
	if err != nil {
		return nil, err
	}
	return &page{
		Category: ref.Category(), Origin: ref.Origin().String(), Stale: ref.Stale(), ConfirmedAt: ref.ConfirmedAt(),
		Found: found, Models: models,
	}, nil
}

// restrict makes predicates of the parameters that name a field. A category without that field is ErrInvalidQuery.
func restrict[R modelref.Record](params url.Values) ([]modelref.Predicate[R], error) {
	var out []modelref.Predicate[R]
	for _, name := range []string{"baseline", "nsfw"} {
		value := params.Get(name)
		if value == "" {
			continue
		}
		field, err := modelref.LookupField[R](name)
		if err != nil {
			return nil, err
		}
		if name == "baseline" && ofImages[R]() {
			if known, ok := modelref.ParseBaseline(value); ok {
				value = string(known) // SDXL is stable_diffusion_xl
			}
		}
		predicate, err := field.Where("=", value)
		if err != nil {
			return nil, err
		}
		out = append(out, predicate)
	}
	return out, nil
}

// ofImages reports whether the baselines of the records are those of image models. Those of text models have their names
// to themselves.
func ofImages[R modelref.Record]() bool {
	switch any((*R)(nil)).(type) {
	case *modelref.ImageGenerationRecord, *modelref.LoRARecord, *modelref.TextualInversionRecord:
		return true
	default:
		return false
	}
}

// fail answers with an error and the status that fits it.
func fail(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, modelref.ErrInvalidQuery), errors.Is(err, modelref.ErrUnknownCategory):
		code = http.StatusBadRequest
	case errors.Is(err, modelref.ErrUnavailable), errors.Is(err, modelref.ErrClosed):
		code = http.StatusServiceUnavailable
	}
	write(w, code, map[string]string{"error": err.Error()})
}

// write answers in JSON. What cannot be sent any more is nobody's to hear of.
func write(w http.ResponseWriter, code int, body any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(text.Bytes())
}
