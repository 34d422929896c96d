// Guidance: how text models should be prompted.

package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/haidra-org/modelref"
)

// GuidanceService has profiles that describe how text models should be prompted, and says which profiles apply to a model. A
// deployment may be too old to have them: the error is then [modelref.ErrUnsupported].
type GuidanceService service

// ProfileSummary is a profile without its content.
type ProfileSummary struct {
	ID          string      `json:"profile_id"`
	Kind        ProfileKind `json:"kind"`
	DisplayName string      `json:"display_name"`
	Summary     string      `json:"summary"`
	Aliases     []string    `json:"aliases"`
	Deprecated  bool        `json:"deprecated"`
	// AssignedModelCount is the number of models that the profile is assigned to.
	AssignedModelCount int `json:"assigned_model_count"`
}

// ProfileList is a list of profiles.
type ProfileList struct {
	// Items are the profiles, sorted by ID.
	Items []ProfileSummary `json:"items"`
	Total int              `json:"total"`
	// Metadata has the revision of the catalog.
	Metadata modelref.CatalogMetadata `json:"metadata"`
}

// ProfileOptions are the options of GuidanceService.Profiles.
type ProfileOptions struct {
	// IncludeDeprecated includes profiles that should not be used any more.
	IncludeDeprecated bool `url:"include_deprecated"`
}

// GuidanceAssignment says which profiles apply to a model.
type GuidanceAssignment struct {
	ModelName string `json:"model_name"`
	// PrimaryProfileID is the ID of the prompt contract of the model.
	PrimaryProfileID string `json:"primary_profile_id"`
	// SupplementalProfileIDs are the IDs of usage recipes for the model.
	SupplementalProfileIDs []string               `json:"supplemental_profile_ids"`
	Metadata               modelref.EntryMetadata `json:"metadata"`
}

// AssignmentList is a list of assignments.
type AssignmentList struct {
	// Items are the assignments, sorted by the name of the model.
	Items []GuidanceAssignment `json:"items"`
	Total int                  `json:"total"`
	// Metadata has the revision of the catalog.
	Metadata modelref.CatalogMetadata `json:"metadata"`
}

// AssignmentOptions are the options of GuidanceService.Assignments. An assignment must match both. The zero value returns
// all assignments.
type AssignmentOptions struct {
	// ModelName chooses the assignment of one model, by its exact name.
	ModelName string `url:"model_name"`
	// ProfileID chooses the assignments that have the profile, primary or supplemental.
	ProfileID string `url:"profile_id"`
}

// ModelGuidance is the guidance for one model.
type ModelGuidance struct {
	ModelName string `json:"model_name"`
	// Summary says whether there is guidance, and has the IDs of the profiles.
	Summary modelref.GuidanceSummary `json:"summary"`
	// PrimaryProfile is the prompt contract of the model, or nil if no profile is assigned to the model.
	PrimaryProfile *PromptContract `json:"primary_profile"`
	// SupplementalProfiles are the usage recipes for the model.
	SupplementalProfiles []*UsageRecipe `json:"supplemental_profiles"`
	// LegacyInstructFormat is the instruct format of the record, or "".
	LegacyInstructFormat string `json:"legacy_instruct_format"`
	// CatalogMetadata has the revision of the catalog.
	CatalogMetadata modelref.CatalogMetadata `json:"catalog_metadata"`
}

// GuidanceExport has all profiles and assignments.
type GuidanceExport struct {
	// Metadata has the revision of the catalog.
	Metadata modelref.CatalogMetadata `json:"metadata"`
	// Profiles are the profiles by their ID.
	Profiles map[string]Profile `json:"profiles"`
	// Assignments are the assignments by the name of the model.
	Assignments map[string]*GuidanceAssignment `json:"assignments"`
}

// UnmarshalJSON decodes an export. Each profile is decoded as the type of its kind.
func (e *GuidanceExport) UnmarshalJSON(data []byte) error {
	var in struct {
		Metadata    modelref.CatalogMetadata       `json:"metadata"`
		Profiles    map[string]json.RawMessage     `json:"profiles"`
		Assignments map[string]*GuidanceAssignment `json:"assignments"`
	}
	if err := decode(data, &in); err != nil {
		return err
	}
	if in.Profiles == nil {
		return fmt.Errorf("a guidance catalog must have the key %q", "profiles")
	}
	*e = GuidanceExport{Metadata: in.Metadata, Profiles: map[string]Profile{}, Assignments: in.Assignments}
	for id, data := range in.Profiles {
		profile, err := decodeProfile(data)
		if err != nil {
			return fmt.Errorf("profile %q: %w", id, err)
		}
		e.Profiles[id] = profile
	}
	return nil
}

// getGuidance sends a request to an endpoint of the guidance.
func getGuidance[T any](
	ctx context.Context, s *GuidanceService, options any, check func(T) error, segments ...string,
) (T, error) {
	path := v2Path(append([]string{string(modelref.CategoryTextGeneration), "guidance"}, segments...)...)
	out, err := getChecked(ctx, (*service)(s).conn(), path, options, check)
	return out, explainUnsupported(err)
}

// Profiles returns all profiles, without their content.
func (s *GuidanceService) Profiles(ctx context.Context, options *ProfileOptions) (*ProfileList, error) {
	return getGuidance(ctx, s, options, func(l *ProfileList) error { return requireList(l.Items) }, "profiles")
}

// Profile returns a profile: a *[PromptContract], a *[UsageRecipe], or an *[UnknownProfile] if the profile is of a kind that
// this package does not define. Deprecated profiles are returned; aliases are not resolved. If there is no such profile, the
// error is ErrNotFound.
func (s *GuidanceService) Profile(ctx context.Context, id string) (Profile, error) {
	if err := checkName("a guidance profile", id); err != nil {
		return nil, err
	}
	path := v2Path(string(modelref.CategoryTextGeneration), "guidance", "profiles", id)
	out, err := get[profileBody](ctx, (*service)(s).conn(), path, nil)
	if err != nil {
		return nil, explainRoute(err, id, "Profiles")
	}
	return out.Profile, nil
}

// Assignments returns the assignments that the options choose. A model or profile that does not exist has no assignments.
func (s *GuidanceService) Assignments(ctx context.Context, options *AssignmentOptions) (*AssignmentList, error) {
	return getGuidance(ctx, s, options, func(l *AssignmentList) error { return requireList(l.Items) }, "assignments")
}

// ForModel returns the guidance for a text model. The name must be the exact name of a record without a backend prefix. If
// there is no such model, the error is ErrNotFound. If the service has no guidance for the model, the Summary says so.
func (s *GuidanceService) ForModel(ctx context.Context, name string) (*ModelGuidance, error) {
	if name == "" {
		return nil, fmt.Errorf("modelref: %w: the name of a model must not be empty", modelref.ErrInvalidQuery)
	}
	return getGuidance(ctx, s, &nameQuery{name}, func(g *ModelGuidance) error {
		return requireKey("model_name", g.ModelName)
	}, "model")
}

// Export returns all profiles and assignments in one request. See also Load.
func (s *GuidanceService) Export(ctx context.Context) (*GuidanceExport, error) {
	return getGuidance(ctx, s, nil, func(*GuidanceExport) error { return nil }, "export")
}
