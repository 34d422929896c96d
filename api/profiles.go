// The profiles of the guidance: prompt contracts and usage recipes.

package api

import (
	"encoding/json"
	"errors"

	"github.com/haidra-org/modelref"
)

// ProfileKind is the kind of a profile. Values that this package does not define are kept unchanged.
type ProfileKind string

// The kinds of profiles that the service has.
const (
	// ProfilePromptContract is the kind of a [PromptContract].
	ProfilePromptContract ProfileKind = "prompt_contract"
	// ProfileUsageRecipe is the kind of a [UsageRecipe].
	ProfileUsageRecipe ProfileKind = "usage_recipe"
)

// Known reports whether k is a kind that this package defines.
func (k ProfileKind) Known() bool { return k == ProfilePromptContract || k == ProfileUsageRecipe }

// A Profile describes how text models should be prompted. It is a *[PromptContract], a *[UsageRecipe], or an
// *[UnknownProfile].
type Profile interface {
	// Common returns the fields that all kinds of profiles have.
	Common() *ProfileCommon
}

// ProfileCommon has the fields that all kinds of profiles have.
type ProfileCommon struct {
	ID          string      `json:"profile_id"`
	Kind        ProfileKind `json:"kind"`
	DisplayName string      `json:"display_name"`
	Aliases     []string    `json:"aliases"`
	// Summary is a short description in CommonMark, without HTML.
	Summary string `json:"summary"`
	// User and Developer are the guidance for users of a model and for developers of programs.
	User      AudienceGuidance `json:"user"`
	Developer AudienceGuidance `json:"developer"`
	Examples  []PromptExample  `json:"examples"`
	// RecommendedSettings are parameters of a request, by name. A value is a number (float64), a string, a bool, or a list
	// ([]any).
	RecommendedSettings map[string]any            `json:"recommended_settings"`
	AIHordeExamples     []HordeExample            `json:"ai_horde_examples"`
	Sources             []modelref.GuidanceSource `json:"sources"`
	// Deprecated reports whether the profile should not be used any more.
	Deprecated bool                   `json:"deprecated"`
	Metadata   modelref.EntryMetadata `json:"metadata"`
}

// Common returns p.
func (p *ProfileCommon) Common() *ProfileCommon { return p }

// AudienceGuidance is the guidance for one audience.
type AudienceGuidance struct {
	Overview string   `json:"overview"`
	UseCases []string `json:"use_cases"`
	Tips     []string `json:"tips"`
	Caveats  []string `json:"caveats"`
}

// MessageRole is the role of the author of a message.
type MessageRole string

// The roles that the service has.
const (
	RoleSystem    MessageRole = "system"
	RoleUser      MessageRole = "user"
	RoleAssistant MessageRole = "assistant"
	RoleTool      MessageRole = "tool"
)

// PromptMessage is a message of an example.
type PromptMessage struct {
	Role    MessageRole `json:"role"`
	Content string      `json:"content"`
}

// PromptExample is an example of a conversation.
type PromptExample struct {
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Messages    []PromptMessage `json:"messages"`
	// RenderedPrompt is the prompt that the messages result in, or "".
	RenderedPrompt string `json:"rendered_prompt"`
}

// HordeExample is an example of a request to the AI Horde.
type HordeExample struct {
	Title  string `json:"title"`
	Prompt string `json:"prompt"`
	// Parameters are the parameters of the request, by name.
	Parameters map[string]any `json:"parameters"`
	Notes      string         `json:"notes"`
}

// PromptContract is the format of the prompts that a text model was trained for.
type PromptContract struct {
	ProfileCommon
	InteractionModes []modelref.InteractionMode `json:"interaction_modes"`
	AcceptedRoles    []MessageRole              `json:"accepted_roles"`
	// RoleMarkers are the texts before a message, by role.
	RoleMarkers map[MessageRole]string `json:"role_markers"`
	// StopSequences are the texts that end a generation.
	StopSequences []string         `json:"stop_sequences"`
	Templates     []PromptTemplate `json:"templates"`
}

// TemplateSyntax is the language of a template.
type TemplateSyntax string

// The languages that the service has.
const (
	SyntaxJinja2       TemplateSyntax = "jinja2"
	SyntaxHandlebars   TemplateSyntax = "handlebars"
	SyntaxPythonFormat TemplateSyntax = "python_format"
	SyntaxLiteral      TemplateSyntax = "literal"
	// SyntaxOther is a language that PromptTemplate.SyntaxName names.
	SyntaxOther TemplateSyntax = "other"
)

// Known reports whether s is a language that this package defines.
func (s TemplateSyntax) Known() bool {
	switch s {
	case SyntaxJinja2, SyntaxHandlebars, SyntaxPythonFormat, SyntaxLiteral, SyntaxOther:
		return true
	default:
		return false
	}
}

// PromptTemplate is a template that messages are rendered with.
type PromptTemplate struct {
	ID     string         `json:"template_id"`
	Name   string         `json:"name"`
	Syntax TemplateSyntax `json:"syntax"`
	// SyntaxName is the name of the language if Syntax is SyntaxOther.
	SyntaxName string             `json:"syntax_name"`
	Template   string             `json:"template"`
	Variables  []TemplateVariable `json:"variables"`
}

// TemplateVariable is a variable of a template.
type TemplateVariable struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

// UnmarshalJSON decodes a variable. If it does not say whether it is required, it is.
func (v *TemplateVariable) UnmarshalJSON(data []byte) error {
	type plain TemplateVariable
	in := plain{Required: true}
	err := decode(data, &in)
	*v = TemplateVariable(in)
	return err
}

// UsageRecipe describes one use of text models, in addition to a prompt contract.
type UsageRecipe struct {
	ProfileCommon
	// Capability is the capability that the recipe uses, or "".
	Capability modelref.ModelCapability `json:"capability"`
	// Scenario is what the recipe is for, or "".
	Scenario string `json:"scenario"`
}

// UnknownProfile is a profile of a kind that this package does not define.
type UnknownProfile struct {
	ProfileCommon
	// JSON is the whole profile.
	JSON json.RawMessage `json:"-"`
}

// MarshalJSON returns the JSON of the profile as it was received.
func (p *UnknownProfile) MarshalJSON() ([]byte, error) {
	if p.JSON != nil {
		return p.JSON, nil
	}
	return json.Marshal(&p.ProfileCommon)
}

// decodeProfile decodes a profile as the type of its kind.
func decodeProfile(data []byte) (Profile, error) {
	var common struct {
		ID   string      `json:"profile_id"`
		Kind ProfileKind `json:"kind"`
	}
	if err := decode(data, &common); err != nil {
		return nil, err
	}
	if common.ID == "" {
		return nil, errors.New("it has no profile_id")
	}
	var profile Profile
	var err error
	switch common.Kind {
	case ProfilePromptContract:
		contract := new(PromptContract)
		profile, err = contract, decode(data, contract)
	case ProfileUsageRecipe:
		recipe := new(UsageRecipe)
		profile, err = recipe, decode(data, recipe)
	default:
		unknown := &UnknownProfile{JSON: append(json.RawMessage(nil), data...)}
		profile, err = unknown, decode(data, &unknown.ProfileCommon)
	}
	return profile, err
}

// profileBody is the body of the endpoint of one profile.
type profileBody struct{ Profile }

// UnmarshalJSON decodes a profile as the type of its kind.
func (b *profileBody) UnmarshalJSON(data []byte) (err error) {
	b.Profile, err = decodeProfile(data)
	return err
}
