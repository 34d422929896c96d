// The names of text models, and the groups, families and aliases that the service derives from them.

package api

import (
	"context"
	"fmt"

	"github.com/haidra-org/modelref"
)

// TextService splits names of text models into their parts, and has the groups, families and aliases of text models.
type TextService service

// getText sends a request to an endpoint for text models.
func getText[T any](ctx context.Context, s *TextService, options any, segments ...string) (T, error) {
	path := v2Path(append([]string{string(modelref.CategoryTextGeneration)}, segments...)...)
	return get[T](ctx, (*service)(s).conn(), path, options)
}

// nameQuery has a name as a parameter of the query, because names have slashes.
type nameQuery struct {
	Name string `url:"name"`
}

// TextNameParts are the parts of a text model's name. A part that the name does not have is "".
type TextNameParts struct {
	// BaseName is the name without the other parts, with the author, for example "Org/Llama-3".
	BaseName string `json:"base_name"`
	// Size is the number of parameters as text, for example "8B".
	Size string `json:"size"`
	// Variant is the purpose of the model, for example "Instruct".
	Variant string `json:"variant"`
	// Quant is the quantization, for example "Q4_K_M".
	Quant string `json:"quant"`
	// Version is the version, for example "v0.1".
	Version string `json:"version"`
	// Extras are the other parts.
	Extras []TextNameExtra `json:"extras"`
}

// TextNameExtra is a part of a text model's name of an unknown kind.
type TextNameExtra struct {
	Value string `json:"value"`
	// Position is the index of the part among all parts.
	Position int `json:"position"`
	// InferredType is the kind of the part that the service guesses.
	InferredType string `json:"inferred_type"`
}

// TextNameInfo is a text model's name and its parts.
type TextNameInfo struct {
	// OriginalName is the name in the request.
	OriginalName string `json:"original_name"`
	TextNameParts
	// SuggestedGroup is the name of the group that a model of that name belongs to. Aliases are resolved.
	SuggestedGroup string `json:"suggested_group"`
}

// ParseName takes the name of a text model apart. The model need not exist. [modelref.ParseTextModelName] does the same
// without a request, but does not resolve aliases of groups.
func (s *TextService) ParseName(ctx context.Context, name string) (*TextNameInfo, error) {
	return getText[*TextNameInfo](ctx, s, &nameQuery{name}, "parse_name")
}

// Groups returns the names of all groups of text models, sorted.
func (s *TextService) Groups(ctx context.Context) ([]string, error) {
	out, err := getText[struct {
		Groups []string `json:"groups"`
	}](ctx, s, nil, "groups")
	return out.Groups, err
}

// TextGroup is a group of text models that differ only in size, variant, quantization or version.
type TextGroup struct {
	Name    string            `json:"group_name"`
	Members []TextGroupMember `json:"members"`
	// CommonFields are the fields, by name, that are the same in the records of all members.
	CommonFields map[string]any `json:"common_fields"`
	// AvailableSizes are the sizes of the members, the smallest first.
	AvailableSizes []string `json:"available_sizes"`
	// AvailableVariants, AvailableQuants and AvailableVersions are the variants, quantizations and versions of the
	// members. They contain "" if a member has none.
	AvailableVariants []string `json:"available_variants"`
	AvailableQuants   []string `json:"available_quants"`
	AvailableVersions []string `json:"available_versions"`
	// SizeUsage, VariantUsage and QuantUsage count the members by size, variant and quantization.
	SizeUsage    map[string]int `json:"size_usage"`
	VariantUsage map[string]int `json:"variant_usage"`
	QuantUsage   map[string]int `json:"quant_usage"`
	// NameFormat is the format of the names of the members.
	NameFormat TextNameFormat `json:"name_format"`
	// CanonicalCount is the number of members whose name has no backend prefix.
	CanonicalCount int `json:"canonical_count"`
	// BackendDuplicateCount is the number of members whose name has a backend prefix.
	BackendDuplicateCount int `json:"backend_duplicate_count"`
	// NameSchemaIsCustom reports whether NameFormat was set by hand. Otherwise it was inferred.
	NameSchemaIsCustom bool `json:"name_schema_is_custom"`
	// ExceptionMembers are the members whose name does not have the format, and the reasons.
	ExceptionMembers []TextNameException `json:"exception_members"`
	// RelatedFamily is the family that the group belongs to, or nil.
	RelatedFamily *TextFamily `json:"related_family"`
	// GuidanceCoverage counts the members by whether there is guidance for them. It is nil if the deployment has no guidance.
	GuidanceCoverage *GuidanceCoverage `json:"guidance_coverage"`
}

// GuidanceCoverage counts the members of a group whose name has no backend prefix, by their guidance status.
type GuidanceCoverage struct {
	Published    int `json:"published"`
	LegacyLabel  int `json:"legacy_label"`
	Undocumented int `json:"undocumented"`
}

// TextGroupMember is a model of a group.
type TextGroupMember struct {
	Name   string        `json:"name"`
	Parsed TextNameParts `json:"parsed"`
	// Parameters is the number of the model's parameters. It is unset if the record does not have it.
	Parameters     modelref.Optional[int64] `json:"parameters"`
	Baseline       string                   `json:"baseline"`
	NSFW           modelref.Optional[bool]  `json:"nsfw"`
	Description    string                   `json:"description"`
	URL            string                   `json:"url"`
	Style          string                   `json:"style"`
	Tags           []string                 `json:"tags"`
	DisplayName    string                   `json:"display_name"`
	InstructFormat string                   `json:"instruct_format"`
	// IsBackendDuplicate reports whether the name has a backend prefix.
	IsBackendDuplicate bool `json:"is_backend_duplicate"`
	// BackendPrefix is the backend of the prefix, or "".
	BackendPrefix modelref.TextBackend `json:"backend_prefix"`
	// Guidance names the guidance profiles of the model. It is nil if the name has a backend prefix, or if the deployment has
	// no guidance.
	Guidance *modelref.GuidanceSummary `json:"guidance"`
}

// TextNameFormat is the format of the names of a group's models.
type TextNameFormat struct {
	// Separator separates the parts.
	Separator string `json:"separator"`
	// PartOrder has the names of the parts in their order, for example "base", "size", "variant".
	PartOrder []string `json:"part_order"`
	// AuthorIncluded reports whether the names begin with an author and a slash.
	AuthorIncluded bool `json:"author_included"`
	// CommonAuthor is the author of all models, or "".
	CommonAuthor string `json:"common_author"`
	// Template is the format as a template, for example "{author}/{base}-{size}-{variant}", or "".
	Template string `json:"template"`
	// ExtraParts are fixed parts of an unknown kind.
	ExtraParts []string `json:"extra_parts"`
}

// TextNameException is a model whose name does not have the format of its group.
type TextNameException struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Group returns a group of text models by its name. If there is no group of that name, the error is ErrNotFound.
func (s *TextService) Group(ctx context.Context, name string) (*TextGroup, error) {
	if err := checkGroup(name); err != nil {
		return nil, err
	}
	return getText[*TextGroup](ctx, s, &nameQuery{name}, "group")
}

// checkGroup returns an error for a name that cannot be sent in the query.
func checkGroup(name string) error {
	if name == "" {
		return fmt.Errorf("modelref: %w: the name of a group must not be empty", modelref.ErrInvalidQuery)
	}
	return nil
}

// TextGroupNameSchema is the format of the names of a group's models.
type TextGroupNameSchema struct {
	GroupName  string         `json:"group_name"`
	NameSchema TextNameFormat `json:"name_schema"`
	// IsCustom reports whether NameSchema was set by hand. Otherwise it was inferred.
	IsCustom bool `json:"is_custom"`
}

// NameSchema returns the format of the names of a group's models. If there is no group of that name, the error is
// ErrNotFound.
func (s *TextService) NameSchema(ctx context.Context, group string) (*TextGroupNameSchema, error) {
	if err := checkGroup(group); err != nil {
		return nil, err
	}
	return getText[*TextGroupNameSchema](ctx, s, &nameQuery{group}, "group", "name_schema")
}

// TextGroupSummaries has a summary of each group of text models.
type TextGroupSummaries struct {
	Groups             []TextGroupSummary `json:"groups"`
	TotalGroups        int                `json:"total_groups"`
	TotalModels        int                `json:"total_models"`
	GroupsWithFamilies int                `json:"groups_with_families"`
	GroupsWithAliases  int                `json:"groups_with_aliases"`
	GroupsWithIssues   int                `json:"groups_with_issues"`
}

// TextGroupSummary is the summary of a group of text models.
type TextGroupSummary struct {
	GroupName             string `json:"group_name"`
	CanonicalCount        int    `json:"canonical_count"`
	BackendDuplicateCount int    `json:"backend_duplicate_count"`
	HasCustomSchema       bool   `json:"has_custom_schema"`
	// FamilyName is the name of the family that the group belongs to, or "".
	FamilyName string `json:"family_name"`
	// AliasCanonical is the name of the group that this group is an alias of, or "".
	AliasCanonical string `json:"alias_canonical"`
	// Aliases are the aliases of this group.
	Aliases        []string         `json:"aliases"`
	AvailableSizes []string         `json:"available_sizes"`
	HealthIssues   []TextGroupIssue `json:"health_issues"`
}

// GroupSummaries returns a summary of each group of text models.
func (s *TextService) GroupSummaries(ctx context.Context) (*TextGroupSummaries, error) {
	return getText[*TextGroupSummaries](ctx, s, nil, "groups", "summary")
}

// TextGroupsHealth has the problems of the groups of text models.
type TextGroupsHealth struct {
	// Issues are the problems, the most severe first.
	Issues             []TextGroupIssue `json:"issues"`
	TotalGroupsChecked int              `json:"total_groups_checked"`
	GroupsWithIssues   int              `json:"groups_with_issues"`
	// IssueCountsByType counts the problems by their Type.
	IssueCountsByType map[string]int `json:"issue_counts_by_type"`
}

// TextGroupIssue is a problem of a group.
type TextGroupIssue struct {
	GroupName string `json:"group_name"`
	// Type is the kind of the problem, for example "missing_baseline".
	Type    string `json:"issue_type"`
	Message string `json:"message"`
	// Severity is "info", "warning" or "error".
	Severity string `json:"severity"`
}

// GroupsHealth returns the problems of the groups of text models.
func (s *TextService) GroupsHealth(ctx context.Context) (*TextGroupsHealth, error) {
	return getText[*TextGroupsHealth](ctx, s, nil, "groups", "health")
}

// Baselines returns the distinct baselines of the text models, sorted.
func (s *TextService) Baselines(ctx context.Context) ([]string, error) {
	out, err := getText[struct {
		Baselines []string `json:"baselines"`
	}](ctx, s, nil, "distinct_baselines")
	return out.Baselines, err
}

// TextFamily is a set of related groups.
type TextFamily struct {
	Name string `json:"family_name"`
	// Members are the names of the groups.
	Members []string `json:"members"`
}

// Families returns the families of groups, which are set by hand.
func (s *TextService) Families(ctx context.Context) ([]TextFamily, error) {
	out, err := getText[struct {
		Families []TextFamily `json:"families"`
	}](ctx, s, nil, "families")
	return out.Families, err
}

// Family returns the family of that name. If there is no such family, the error is ErrNotFound. The route of the service
// has one segment for the name, so that a name with a slash is not found on most deployments. The name "detect" is
// ErrInvalidQuery: it is the path of DetectFamilies.
func (s *TextService) Family(ctx context.Context, name string) (*TextFamily, error) {
	if err := checkName("a family", name, "detect"); err != nil {
		return nil, err
	}
	out, err := getText[*TextFamily](ctx, s, nil, "families", name)
	return out, explainSlash(err, name, "Families")
}

// DetectFamiliesOptions are the options of TextService.DetectFamilies.
type DetectFamiliesOptions struct {
	// MinPrefixLength is the minimum length, 2 to 20 characters, of the common prefix of the names of the groups of a
	// family. 0 is the default, 3.
	MinPrefixLength int `url:"min_prefix_length"`
	// MinFamilySize is the minimum number of groups of a family, 2 to 50. 0 is the default, 2.
	MinFamilySize int `url:"min_family_size"`
}

// DetectedFamilies are the families that the service suggests.
type DetectedFamilies struct {
	Suggestions         []TextFamily `json:"suggestions"`
	TotalGroupsAnalyzed int          `json:"total_groups_analyzed"`
	// GroupsInFamilies is the number of groups that are in one of the Suggestions.
	GroupsInFamilies int `json:"groups_in_families"`
	// StandaloneGroups is the number of groups that are in no suggested family.
	StandaloneGroups int `json:"standalone_groups"`
}

// DetectFamilies returns the families that the service suggests, by the names of the groups.
func (s *TextService) DetectFamilies(ctx context.Context, options *DetectFamiliesOptions) (*DetectedFamilies, error) {
	return getText[*DetectedFamilies](ctx, s, options, "families", "detect")
}

// TextGroupAliases are the aliases of a group.
type TextGroupAliases struct {
	// Canonical is the name of the group.
	Canonical string   `json:"canonical"`
	Aliases   []string `json:"aliases"`
}

// Aliases returns the aliases of all groups that have some.
func (s *TextService) Aliases(ctx context.Context) ([]TextGroupAliases, error) {
	out, err := getText[struct {
		Entries []TextGroupAliases `json:"entries"`
	}](ctx, s, nil, "aliases")
	return out.Entries, err
}

// AliasesOf returns the aliases of a group. If the group has none, the error is ErrNotFound. The route of the service has
// one segment for the name, so that a name with a slash is not found on most deployments.
func (s *TextService) AliasesOf(ctx context.Context, canonical string) (*TextGroupAliases, error) {
	if err := checkName("a group", canonical); err != nil {
		return nil, err
	}
	out, err := getText[*TextGroupAliases](ctx, s, nil, "aliases", canonical)
	return out, explainSlash(err, canonical, "Aliases")
}
