// The text toolkit of the service: names taken apart, and the groups, families and aliases that it makes of them.

package modelref

import "context"

// atText returns the endpoint of a path of the text toolkit.
func atText(what string, segments ...string) endpoint {
	return atV2(what, append([]string{string(CategoryTextGeneration)}, segments...)...)
}

// client returns the Client, or nil for the zero service, which counts as closed.
func (s *TextGenerationService) client() *Client {
	if s.cache == nil {
		return nil
	}
	return s.cache.client
}

// nameQuery addresses a thing by its name in the query, where names may hold slashes.
type nameQuery struct {
	Name string `url:"name"`
}

// TextNameParts is a text model's name taken apart. A part that the name does not have is "".
type TextNameParts struct {
	// BaseName is what is left without the other parts, with the author before it, as "Org/Llama-3".
	BaseName string `json:"base_name"`
	// Size is the number of parameters as it is written, as "8B".
	Size string `json:"size"`
	// Variant is what the model is for, as "Instruct".
	Variant string `json:"variant"`
	// Quant is the quantisation, as "Q4_K_M".
	Quant string `json:"quant"`
	// Version is the version, as "v0.1".
	Version string `json:"version"`
	// Extras are the parts that are none of these.
	Extras []TextNameExtra `json:"extras"`
}

// TextNameExtra is a part of a text model's name that is of no known kind.
type TextNameExtra struct {
	Value string `json:"value"`
	// Position is the place of the part among all parts, from 0.
	Position int `json:"position"`
	// InferredType is what the service takes the part for.
	InferredType string `json:"inferred_type"`
}

// TextNameInfo is what the service makes of a text model's name.
type TextNameInfo struct {
	// OriginalName is the name as it was asked for.
	OriginalName string `json:"original_name"`
	TextNameParts
	// SuggestedGroup is the name of the group that a model of that name belongs to, aliases resolved.
	SuggestedGroup string `json:"suggested_group"`
}

// ParseName has the service take the name of a text model apart; the model need not exist. It is a request at each call;
// errors are those of Client.Get. ParseTextModelName does the same without a request, but knows no aliases of groups.
func (s *TextGenerationService) ParseName(ctx context.Context, name string) (*TextNameInfo, error) {
	e := atText("parse name", "parse_name").with(&nameQuery{name})
	return getJSON[*TextNameInfo](ctx, s.client(), e)
}

// Groups returns the names of all groups of text models, sorted. It is a request at each call; errors are those of
// Client.Get.
func (s *TextGenerationService) Groups(ctx context.Context) ([]string, error) {
	out, err := getJSON[struct {
		Groups []string `json:"groups"`
	}](ctx, s.client(), atText("groups", "groups"))
	return out.Groups, err
}

// TextGroup is a group of text models that differ in size, variant, quantisation or version alone.
type TextGroup struct {
	Name    string            `json:"group_name"`
	Members []TextGroupMember `json:"members"`
	// CommonFields are the fields of the records that are the same in all members, by name.
	CommonFields map[string]any `json:"common_fields"`
	// AvailableSizes are the sizes that members have, the smallest first.
	AvailableSizes []string `json:"available_sizes"`
	// AvailableVariants, AvailableQuants and AvailableVersions are those that members have; "" stands for members
	// without one.
	AvailableVariants []string `json:"available_variants"`
	AvailableQuants   []string `json:"available_quants"`
	AvailableVersions []string `json:"available_versions"`
	// SizeUsage, VariantUsage and QuantUsage count the members that have each.
	SizeUsage    map[string]int `json:"size_usage"`
	VariantUsage map[string]int `json:"variant_usage"`
	QuantUsage   map[string]int `json:"quant_usage"`
	// NameFormat is how the names of the members are put together.
	NameFormat TextNameFormat `json:"name_format"`
	// CanonicalCount is how many members have no backend before their name.
	CanonicalCount int `json:"canonical_count"`
	// BackendDuplicateCount is how many members have one.
	BackendDuplicateCount int `json:"backend_duplicate_count"`
	// NameSchemaIsCustom says that NameFormat was set by hand, not inferred.
	NameSchemaIsCustom bool `json:"name_schema_is_custom"`
	// ExceptionMembers are the members whose name does not follow NameFormat, and why.
	ExceptionMembers []TextNameException `json:"exception_members"`
	// RelatedFamily is the family that the group belongs to, or nil.
	RelatedFamily *TextFamily `json:"related_family"`
}

// TextGroupMember is a model of a group.
type TextGroupMember struct {
	Name   string        `json:"name"`
	Parsed TextNameParts `json:"parsed"`
	// Parameters is the number of the model's parameters, where its record states it.
	Parameters     Optional[int64] `json:"parameters"`
	Baseline       string          `json:"baseline"`
	NSFW           Optional[bool]  `json:"nsfw"`
	Description    string          `json:"description"`
	URL            string          `json:"url"`
	Style          string          `json:"style"`
	Tags           []string        `json:"tags"`
	DisplayName    string          `json:"display_name"`
	InstructFormat string          `json:"instruct_format"`
	// IsBackendDuplicate says that the name has a backend before it.
	IsBackendDuplicate bool `json:"is_backend_duplicate"`
	// BackendPrefix is that backend, or "".
	BackendPrefix TextBackend `json:"backend_prefix"`
}

// TextNameFormat is how the names of a group's models are put together.
type TextNameFormat struct {
	// Separator stands between the parts.
	Separator string `json:"separator"`
	// PartOrder names the parts in their order, as "base", "size", "variant".
	PartOrder []string `json:"part_order"`
	// AuthorIncluded says that an author and a slash come first.
	AuthorIncluded bool `json:"author_included"`
	// CommonAuthor is the author of all of them, or "".
	CommonAuthor string `json:"common_author"`
	// Template is the whole, as "{author}/{base}-{size}-{variant}", or "".
	Template string `json:"template"`
	// ExtraParts are fixed parts of no known kind.
	ExtraParts []string `json:"extra_parts"`
}

// TextNameException is a model whose name does not follow its group's format.
type TextNameException struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Group returns a group of text models by its name. It is a request at each call; errors are those of Client.Get, and
// ErrNotFound for a group without models.
func (s *TextGenerationService) Group(ctx context.Context, name string) (*TextGroup, error) {
	e := atText("group", "group").with(&nameQuery{name})
	return getNamed[*TextGroup](ctx, s.client(), e, "a group", name)
}

// TextGroupNameSchema is the format of the names of a group's models.
type TextGroupNameSchema struct {
	GroupName  string         `json:"group_name"`
	NameSchema TextNameFormat `json:"name_schema"`
	// IsCustom says that it was set by hand, not inferred.
	IsCustom bool `json:"is_custom"`
}

// NameSchema returns the format of the names of a group's models. It is a request at each call; errors are those of
// Client.Get, and ErrNotFound for a group without models.
func (s *TextGenerationService) NameSchema(ctx context.Context, group string) (*TextGroupNameSchema, error) {
	e := atText("name schema", "group", "name_schema").with(&nameQuery{group})
	return getNamed[*TextGroupNameSchema](ctx, s.client(), e, "a group", group)
}

// TextGroupSummaries are all groups of text models in short.
type TextGroupSummaries struct {
	Groups             []TextGroupSummary `json:"groups"`
	TotalGroups        int                `json:"total_groups"`
	TotalModels        int                `json:"total_models"`
	GroupsWithFamilies int                `json:"groups_with_families"`
	GroupsWithAliases  int                `json:"groups_with_aliases"`
	GroupsWithIssues   int                `json:"groups_with_issues"`
}

// TextGroupSummary is a group of text models in short.
type TextGroupSummary struct {
	GroupName             string `json:"group_name"`
	CanonicalCount        int    `json:"canonical_count"`
	BackendDuplicateCount int    `json:"backend_duplicate_count"`
	HasCustomSchema       bool   `json:"has_custom_schema"`
	// FamilyName is the name of the family that the group belongs to, or "".
	FamilyName string `json:"family_name"`
	// AliasCanonical is the group that this one is another name of, or "".
	AliasCanonical string `json:"alias_canonical"`
	// Aliases are the other names of this group.
	Aliases        []string         `json:"aliases"`
	AvailableSizes []string         `json:"available_sizes"`
	HealthIssues   []TextGroupIssue `json:"health_issues"`
}

// GroupSummaries returns all groups of text models in short. It is a request at each call; errors are those of
// Client.Get.
func (s *TextGenerationService) GroupSummaries(ctx context.Context) (*TextGroupSummaries, error) {
	return getJSON[*TextGroupSummaries](ctx, s.client(), atText("group summaries", "groups", "summary"))
}

// TextGroupsHealth is what is wrong with the groups of text models.
type TextGroupsHealth struct {
	// Issues are the findings, the worst first.
	Issues             []TextGroupIssue `json:"issues"`
	TotalGroupsChecked int              `json:"total_groups_checked"`
	GroupsWithIssues   int              `json:"groups_with_issues"`
	// IssueCountsByType counts the findings by their Type.
	IssueCountsByType map[string]int `json:"issue_counts_by_type"`
}

// TextGroupIssue is one thing that is wrong with a group.
type TextGroupIssue struct {
	GroupName string `json:"group_name"`
	// Type is the service's word for it, as "missing_baseline".
	Type    string `json:"issue_type"`
	Message string `json:"message"`
	// Severity is "info", "warning" or "error".
	Severity string `json:"severity"`
}

// GroupsHealth returns what is wrong with the groups of text models. It is a request at each call; errors are those of
// Client.Get.
func (s *TextGenerationService) GroupsHealth(ctx context.Context) (*TextGroupsHealth, error) {
	return getJSON[*TextGroupsHealth](ctx, s.client(), atText("groups health", "groups", "health"))
}

// DistinctBaselines returns the baselines that text models have, sorted, each once. It is a request at each call; errors
// are those of Client.Get.
func (s *TextGenerationService) DistinctBaselines(ctx context.Context) ([]string, error) {
	out, err := getJSON[struct {
		Baselines []string `json:"baselines"`
	}](ctx, s.client(), atText("distinct baselines", "distinct_baselines"))
	return out.Baselines, err
}

// TextFamily is a set of groups that belong together.
type TextFamily struct {
	Name string `json:"family_name"`
	// Members are the names of the groups.
	Members []string `json:"members"`
}

// Families returns the families of groups that were set by hand. It is a request at each call; errors are those of
// Client.Get.
func (s *TextGenerationService) Families(ctx context.Context) ([]TextFamily, error) {
	out, err := getJSON[struct {
		Families []TextFamily `json:"families"`
	}](ctx, s.client(), atText("families", "families"))
	return out.Families, err
}

// Family returns the family of that name. The route of the service is one segment, so that a name with a slash is not
// found on most deployments, and "detect" is another route and ErrInvalidQuery. It is a request at each call; errors are those of Client.Get, and ErrNotFound for a family
// that there is not.
func (s *TextGenerationService) Family(ctx context.Context, name string) (*TextFamily, error) {
	e := atText("family "+name, "families", name)
	if name == "detect" {
		return nil, invalidName(e.what, "a family", name)
	}
	out, err := getNamed[*TextFamily](ctx, s.client(), e, "a family", name)
	return out, explainSlash(err, name, "Families lists all of them")
}

// DetectFamiliesOptions says what DetectFamilies takes for a family.
type DetectFamiliesOptions struct {
	// MinPrefixLength is how many characters the names of its groups begin with alike, 2 to 20; 0 is what the service
	// takes, 3.
	MinPrefixLength int `url:"min_prefix_length"`
	// MinFamilySize is how many groups it has at least, 2 to 50; 0 is what the service takes, 2.
	MinFamilySize int `url:"min_family_size"`
}

// DetectedFamilies are the families that the service would make of the groups.
type DetectedFamilies struct {
	Suggestions         []TextFamily `json:"suggestions"`
	TotalGroupsAnalyzed int          `json:"total_groups_analyzed"`
	// GroupsInFamilies is how many groups are in one of Suggestions.
	GroupsInFamilies int `json:"groups_in_families"`
	// StandaloneGroups is how many are in none.
	StandaloneGroups int `json:"standalone_groups"`
}

// DetectFamilies has the service suggest families by the names of the groups. nil options are the zero ones. It is a
// request at each call; errors are those of Client.Get.
func (s *TextGenerationService) DetectFamilies(ctx context.Context, options *DetectFamiliesOptions) (*DetectedFamilies, error) {
	return getJSON[*DetectedFamilies](ctx, s.client(), atText("detect families", "families", "detect").with(options))
}

// TextGroupAliases are the other names of a group.
type TextGroupAliases struct {
	// Canonical is the name of the group.
	Canonical string   `json:"canonical"`
	Aliases   []string `json:"aliases"`
}

// Aliases returns all groups that have other names. It is a request at each call; errors are those of Client.Get.
func (s *TextGenerationService) Aliases(ctx context.Context) ([]TextGroupAliases, error) {
	out, err := getJSON[struct {
		Entries []TextGroupAliases `json:"entries"`
	}](ctx, s.client(), atText("aliases", "aliases"))
	return out.Entries, err
}

// AliasesOf returns the other names of a group. The route of the service is one segment, so that a name with a slash is
// not found on most deployments. It is a request at each call; errors are those of Client.Get, and ErrNotFound for a
// group without other names.
func (s *TextGenerationService) AliasesOf(ctx context.Context, canonical string) (*TextGroupAliases, error) {
	e := atText("aliases of "+canonical, "aliases", canonical)
	out, err := getNamed[*TextGroupAliases](ctx, s.client(), e, "a group", canonical)
	return out, explainSlash(err, canonical, "Aliases lists all of them")
}
