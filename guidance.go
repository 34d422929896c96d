// What a text model supports, and the guidance that the service has for prompting it.

package modelref

import (
	"maps"
	"slices"
)

// An InteractionMode is a way of prompting a text model. Values that this package does not define are kept unchanged.
type InteractionMode string

// The interaction modes that the service defines.
const (
	// InteractionCompletion continues a text.
	InteractionCompletion InteractionMode = "completion"
	// InteractionInstruction follows a single instruction.
	InteractionInstruction InteractionMode = "instruction"
	// InteractionChat takes a conversation of several messages.
	InteractionChat InteractionMode = "chat"
)

// InteractionModes returns the interaction modes that this package defines.
func InteractionModes() []InteractionMode {
	return []InteractionMode{InteractionCompletion, InteractionInstruction, InteractionChat}
}

// Known reports whether m is an interaction mode that this package defines.
func (m InteractionMode) Known() bool { return slices.Contains(InteractionModes(), m) }

// A ModelCapability is something that a text model can do beyond generating prose. Values that this package does not define
// are kept unchanged.
type ModelCapability string

// The capabilities that the service defines.
const (
	// CapabilityToolCalling is calling the tools that a prompt describes.
	CapabilityToolCalling ModelCapability = "tool_calling"
	// CapabilityStructuredOutput is output in a given structure, such as a JSON schema.
	CapabilityStructuredOutput ModelCapability = "structured_output"
)

// ModelCapabilities returns the capabilities that this package defines.
func ModelCapabilities() []ModelCapability {
	return []ModelCapability{CapabilityToolCalling, CapabilityStructuredOutput}
}

// Known reports whether c is a capability that this package defines.
func (c ModelCapability) Known() bool { return slices.Contains(ModelCapabilities(), c) }

// A SupportStatus states whether a model supports something. Values that this package does not define are kept unchanged.
type SupportStatus string

// The support statuses that the service defines.
const (
	SupportSupported   SupportStatus = "supported"
	SupportUnsupported SupportStatus = "unsupported"
	SupportUnknown     SupportStatus = "unknown"
)

// SupportStatuses returns the support statuses that this package defines.
func SupportStatuses() []SupportStatus {
	return []SupportStatus{SupportSupported, SupportUnsupported, SupportUnknown}
}

// Known reports whether s is a support status that this package defines.
func (s SupportStatus) Known() bool { return slices.Contains(SupportStatuses(), s) }

// A GuidanceSource is a document on which a statement is based.
type GuidanceSource struct {
	// URL is the address of the document.
	URL string `json:"url"`
	// Title is the title of the document, or "".
	Title string `json:"title,omitempty"`
	// Note is prose about the document, or "".
	Note string `json:"note,omitempty"`
}

// A SupportClaim states whether a model supports something, and on what evidence.
type SupportClaim struct {
	Status  SupportStatus    `json:"status"`
	Sources []GuidanceSource `json:"sources,omitempty"`
	// Qualification restricts the statement in prose, or is "".
	Qualification string `json:"qualification,omitempty"`
}

// A ContextWindow is the number of tokens that a text model can process at a time.
type ContextWindow struct {
	// MaximumTokens is the number of tokens of prompt and output together.
	MaximumTokens int64            `json:"maximum_tokens"`
	Sources       []GuidanceSource `json:"sources,omitempty"`
	// Qualification restricts the statement in prose, for example "with RoPE scaling", or is "".
	Qualification string `json:"qualification,omitempty"`
}

// A GuidanceStatus states what the service knows about prompting a text model. Values that this package does not define are
// kept unchanged.
type GuidanceStatus string

// The guidance statuses that the service defines.
const (
	// GuidancePublished means that a guidance profile is assigned to the model.
	GuidancePublished GuidanceStatus = "published"
	// GuidanceLegacyLabel means that no profile is assigned, but the record states an instruct format.
	GuidanceLegacyLabel GuidanceStatus = "legacy_label"
	// GuidanceUndocumented means that neither is known.
	GuidanceUndocumented GuidanceStatus = "undocumented"
)

// GuidanceStatuses returns the guidance statuses that this package defines.
func GuidanceStatuses() []GuidanceStatus {
	return []GuidanceStatus{GuidancePublished, GuidanceLegacyLabel, GuidanceUndocumented}
}

// Known reports whether s is a guidance status that this package defines.
func (s GuidanceStatus) Known() bool { return slices.Contains(GuidanceStatuses(), s) }

// A GuidanceSummary names the guidance profiles of a text model.
type GuidanceSummary struct {
	Status GuidanceStatus `json:"status"`
	// PrimaryProfileID is the ID of the profile that describes the prompt format, or "".
	PrimaryProfileID string `json:"primary_profile_id,omitempty"`
	// SupplementalProfileIDs are the IDs of the profiles that describe further uses.
	SupplementalProfileIDs []string `json:"supplemental_profile_ids"`
}

func (c SupportClaim) clone() SupportClaim {
	c.Sources = slices.Clone(c.Sources)
	return c
}

// cloneClaims returns a deep copy of the claims.
func cloneClaims[K comparable](claims map[K]SupportClaim) map[K]SupportClaim {
	out := maps.Clone(claims)
	for key, claim := range out {
		out[key] = claim.clone()
	}
	return out
}

func (w *ContextWindow) clone() *ContextWindow {
	if w == nil {
		return nil
	}
	out := *w
	out.Sources = slices.Clone(w.Sources)
	return &out
}

func (g *GuidanceSummary) clone() *GuidanceSummary {
	if g == nil {
		return nil
	}
	out := *g
	out.SupplementalProfileIDs = slices.Clone(g.SupplementalProfileIDs)
	return &out
}
