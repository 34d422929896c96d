// Models that may be used commercially.

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestCommercialUse(t *testing.T) {
	t.Parallel()
	out := works(t, "-demo", "-commercial")
	assert.Contains(t, out, "2 of 5 image models", "neither unknown nor allowed with conditions is allowed")
	assert.Contains(t, out, `
Licences and attribution
Harbour: Apache-2.0
  obligation   include_license
Lantern: CC-BY-4.0
  attribution  Lantern by A. Painter, CC BY 4.0
Lantern, vae.safetensors: MIT
  attribution  required; the record does not state the text
  obligation   include_license
`)
	assert.NotContains(t, works(t, "-demo"), "Licences and attribution")
}

// A deployment that is too old for licences has no model that is known to permit commercial use.
func TestCommercialUseWithoutLicences(t *testing.T) {
	t.Parallel()
	server := modelreftest.NewServer(t, modelreftest.AsOlderDeployment(), modelreftest.WithDocument(
		modelref.CategoryImageGeneration, `{"A": {"name": "A", "baseline": "flux_1", "nsfw": false, "config": {"download": []}}}`))
	assert.Contains(t, works(t, "-primary", server.URL(), "-commercial"), "0 of 1 image models")
}
