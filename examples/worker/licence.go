// Licences: which models may be used commercially, and whom to name for them.

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelreftest"
)

// printCredits writes the licences of the models, the attribution that they require, and their other obligations.
func (s *selection) printCredits(w io.Writer) error {
	var out strings.Builder
	out.WriteString("\nLicences and attribution\n")
	for _, model := range s.models {
		licensing := model.Licensing
		if licensing == nil {
			continue // commercial use is not permitted without a licence, so that no such model is chosen
		}
		credit(&out, printable(model.Name), &licensing.LicenseAssignment)
		for _, file := range slices.Sorted(maps.Keys(licensing.Files)) {
			credit(&out, printable(model.Name)+", "+printable(file), licensing.For(file))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// credit writes the licence of a model or a file.
func credit(out *strings.Builder, work string, licence *modelref.LicenseAssignment) {
	fmt.Fprintf(out, "%s: %s\n", work, printable(licence.Expression))
	if licence.Requires(modelref.ObligationAttribution) {
		text := licence.Attribution
		if text == "" {
			text = "required; the record does not state the text"
		}
		fmt.Fprintf(out, "  attribution  %s\n", printable(text))
	}
	for _, obligation := range licence.Obligations {
		if obligation != modelref.ObligationAttribution {
			fmt.Fprintf(out, "  obligation   %s\n", printable(string(obligation)))
		}
	}
}

// licensedDemo has made-up models with licences: the built-in models of modelreftest have none.
func licensedDemo() modelreftest.Option {
	model := func(name string, use modelref.Permission, licence modelref.LicenseAssignment) *modelref.ImageGenerationRecord {
		licence.CommercialUse = use
		return &modelref.ImageGenerationRecord{
			ModelRecord: modelref.ModelRecord{
				Name: name, SizeOnDiskBytes: modelref.Some(int64(2_000_000_000)),
				Licensing: &modelref.Licensing{LicenseAssignment: licence},
			},
			Baseline: modelref.BaselineStableDiffusionXL,
		}
	}
	lantern := model("Lantern", modelref.PermissionAllowed, modelref.LicenseAssignment{
		Expression: "CC-BY-4.0", LicenseIDs: []string{"CC-BY-4.0"}, Attribution: "Lantern by A. Painter, CC BY 4.0",
		Obligations: []modelref.LicenseObligation{modelref.ObligationAttribution},
	})
	lantern.Licensing.Files = map[string]modelref.LicenseAssignment{"vae.safetensors": {
		Expression: "MIT", LicenseIDs: []string{"MIT"}, CommercialUse: modelref.PermissionAllowed,
		Obligations: []modelref.LicenseObligation{modelref.ObligationAttribution, modelref.ObligationIncludeLicense},
	}}
	return modelreftest.WithRecords(modelref.CategoryImageGeneration,
		lantern,
		model("Harbour", modelref.PermissionAllowed, modelref.LicenseAssignment{
			Expression: "Apache-2.0", LicenseIDs: []string{"Apache-2.0"},
			Obligations: []modelref.LicenseObligation{modelref.ObligationIncludeLicense},
		}),
		model("Thicket", modelref.PermissionAllowedWithConditions, modelref.LicenseAssignment{
			Expression: "OpenRAIL++-M", LicenseIDs: []string{"OpenRAIL++-M"},
		}),
		model("Orchard", modelref.PermissionProhibited, modelref.LicenseAssignment{
			Expression: "CC-BY-NC-4.0", LicenseIDs: []string{"CC-BY-NC-4.0"},
		}),
		model("Marsh", modelref.PermissionUnknown, modelref.LicenseAssignment{Expression: modelref.NoAssertion}),
	)
}
