// BaselineCatalog: what the service knows about image baselines, and the names that they go by.

package modelref

import (
	stdjson "encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// CatalogMetadata is the revision of a catalog of the service: baselines, licenses, or guidance for text models.
type CatalogMetadata struct {
	// SchemaVersion is the version of the format.
	SchemaVersion int `json:"schema_version"`
	// Revision is increased at each change of the catalog.
	Revision int `json:"revision"`
	// UpdatedAt is the time of the last change. It is the zero time if the catalog has not been changed.
	UpdatedAt time.Time `json:"updated_at"`
}

type catalogMetadataJSON struct {
	SchemaVersion int             `json:"schema_version"`
	Revision      int             `json:"revision"`
	UpdatedAt     Optional[int64] `json:"updated_at"`
}

// MarshalJSON returns the metadata as the service writes it, with times in seconds since 1970.
func (m CatalogMetadata) MarshalJSON() ([]byte, error) {
	return stdjson.Marshal(catalogMetadataJSON{m.SchemaVersion, m.Revision, unixSeconds(m.UpdatedAt)})
}

// UnmarshalJSON decodes the metadata as the service writes it.
func (m *CatalogMetadata) UnmarshalJSON(data []byte) error {
	in := catalogMetadataJSON{SchemaVersion: 1}
	if err := decodeJSON(string(data), &in); err != nil {
		return err
	}
	*m = CatalogMetadata{in.SchemaVersion, in.Revision, unixTime(in.UpdatedAt)}
	return nil
}

// EntryMetadata says who changed an entry of a catalog, and when.
type EntryMetadata struct {
	// Revision is increased at each change of the entry.
	Revision int `json:"revision"`
	// CreatedAt is the time at which the entry was created, or the zero time if it is unknown.
	CreatedAt time.Time `json:"created_at"`
	// CreatedBy is the ID of the user who created the entry, or "".
	CreatedBy string `json:"created_by"`
	// UpdatedAt is the time of the last change, or the zero time if it is unknown.
	UpdatedAt time.Time `json:"updated_at"`
	// UpdatedBy is the ID of the user who made the last change, or "".
	UpdatedBy string `json:"updated_by"`
}

type entryMetadataJSON struct {
	Revision  int              `json:"revision"`
	CreatedAt Optional[int64]  `json:"created_at"`
	CreatedBy Optional[string] `json:"created_by"`
	UpdatedAt Optional[int64]  `json:"updated_at"`
	UpdatedBy Optional[string] `json:"updated_by"`
}

// MarshalJSON returns the metadata as the service writes it, with times in seconds since 1970.
func (m EntryMetadata) MarshalJSON() ([]byte, error) {
	return stdjson.Marshal(entryMetadataJSON{
		m.Revision, unixSeconds(m.CreatedAt), textOrNull(m.CreatedBy), unixSeconds(m.UpdatedAt), textOrNull(m.UpdatedBy),
	})
}

// UnmarshalJSON decodes the metadata as the service writes it.
func (m *EntryMetadata) UnmarshalJSON(data []byte) error {
	in := entryMetadataJSON{Revision: 1}
	if err := decodeJSON(string(data), &in); err != nil {
		return err
	}
	*m = EntryMetadata{
		in.Revision, unixTime(in.CreatedAt), in.CreatedBy.Or(""), unixTime(in.UpdatedAt), in.UpdatedBy.Or(""),
	}
	return nil
}

func unixSeconds(t time.Time) Optional[int64] {
	if t.IsZero() {
		return Optional[int64]{}
	}
	return Some(t.Unix())
}

func unixTime(seconds Optional[int64]) time.Time {
	if s, ok := seconds.Get(); ok {
		return time.Unix(s, 0).UTC()
	}
	return time.Time{}
}

func textOrNull(text string) Optional[string] {
	if text == "" {
		return Optional[string]{}
	}
	return Some(text)
}

// BaselineInfo is what the service knows about an image baseline.
type BaselineInfo struct {
	Name Baseline `json:"name"`
	// DisplayName is the name for people, or "".
	DisplayName string `json:"display_name"`
	// NativeResolution is the edge length in pixels of the images that models of the baseline are made for. It is unset
	// if it is unknown.
	NativeResolution Optional[int] `json:"native_resolution"`
	// AlternativeNames are other names and spellings of the baseline.
	AlternativeNames []string             `json:"alternative_names"`
	Capabilities     BaselineCapabilities `json:"capabilities"`
	HordePolicy      HordePolicy          `json:"horde_policy"`
	Metadata         EntryMetadata        `json:"metadata"`
}

// BaselineCapabilities are the features that models of a baseline support.
type BaselineCapabilities struct {
	// ControlNet reports whether there are ControlNets for the baseline. See also SupportsControlNet.
	ControlNet bool `json:"controlnet"`
	// ControlNetTypesUnavailable are the types, for example "hough", that have no ControlNet for this baseline.
	ControlNetTypesUnavailable []string `json:"controlnet_types_unavailable"`
	// Transparent reports whether models can generate images with a transparent background.
	Transparent bool `json:"transparent"`
	// QRCode reports whether models can generate images with a QR code.
	QRCode bool `json:"qr_code"`
	// Remix reports whether models can mix several images.
	Remix bool `json:"remix"`
	// FlowMatching reports whether models are sampled by flow matching.
	FlowMatching bool `json:"flow_matching"`
}

// SupportsControlNet reports whether there is a ControlNet of a type for the baseline. The type is written with or without
// the prefix "control_", for example "canny". SupportsControlNet does not check whether the type exists at all.
func (c BaselineCapabilities) SupportsControlNet(controlType string) bool {
	return c.ControlNet && !slices.Contains(c.ControlNetTypesUnavailable, strings.TrimPrefix(controlType, "control_"))
}

// HordePolicy is how the AI Horde treats jobs for models of a baseline.
type HordePolicy struct {
	// Kudos is the factor by which the price of a job is multiplied.
	Kudos float64 `json:"kudos"`
	// KudosQRCode is the factor for jobs with a QR code. If it is unset, Kudos applies.
	KudosQRCode Optional[float64] `json:"kudos_qr_code"`
	// KudosHires is the factor for jobs with the hires fix. If it is unset, Kudos applies.
	KudosHires Optional[float64] `json:"kudos_hires"`
	// Batching is a factor for the size of a job when jobs are batched.
	Batching int `json:"batching"`
	// TTL is a factor for the time that a job may take.
	TTL int `json:"ttl"`
	// ResolutionFloor is the smallest edge length in pixels that is computed with, or 0 if there is none.
	ResolutionFloor int `json:"resolution_floor"`
}

// UnmarshalJSON decodes a policy. Factors that are missing are 1, as they are for the service.
func (p *HordePolicy) UnmarshalJSON(data []byte) error {
	type plain HordePolicy
	in := plain{Kudos: 1, Batching: 1, TTL: 1}
	if err := decodeJSON(string(data), &in); err != nil {
		return err
	}
	*p = HordePolicy(in)
	return nil
}

// A BaselineCatalog is a set of image baselines. [PackagedBaselines] returns the catalog of the baselines that this package
// defines. The Baselines service of package api returns the catalog of the service, which also has the baselines that were
// published after the program was built. The catalog file that the Python library stores, baselines/catalog.json, can be
// decoded with [encoding/json].
//
// A BaselineCatalog is safe for concurrent use if it is not changed. A nil catalog is empty.
type BaselineCatalog struct {
	// Metadata has the revision of the catalog.
	Metadata CatalogMetadata `json:"metadata"`
	// Baselines are the baselines by their name.
	Baselines map[Baseline]*BaselineInfo `json:"baselines"`
}

// PackagedBaselines returns a catalog of the baselines that this package defines, without a request. The caller may change
// the catalog.
func PackagedBaselines() *BaselineCatalog {
	catalog := &BaselineCatalog{
		Metadata: CatalogMetadata{SchemaVersion: 1, Revision: 1}, Baselines: map[Baseline]*BaselineInfo{},
	}
	for _, info := range packagedBaselines() {
		info.AlternativeNames = slices.Clone(info.AlternativeNames)
		info.Capabilities.ControlNetTypesUnavailable = slices.Clone(info.Capabilities.ControlNetTypesUnavailable)
		catalog.Baselines[info.Name] = &info
	}
	return catalog
}

// UnmarshalJSON decodes a catalog as the service exports it.
func (c *BaselineCatalog) UnmarshalJSON(data []byte) error {
	type plain BaselineCatalog
	var in plain
	if err := decodeJSON(string(data), &in); err != nil {
		return err
	}
	if in.Baselines == nil {
		return fmt.Errorf("a catalog of baselines must have the key %q", "baselines")
	}
	for name, info := range in.Baselines {
		if info == nil {
			return fmt.Errorf("the baseline %q must not be null", name)
		}
		if info.Name == "" {
			info.Name = name
		}
	}
	*c = BaselineCatalog(in)
	return nil
}

// Names returns the names of the baselines, sorted.
func (c *BaselineCatalog) Names() []Baseline {
	if c == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.Baselines))
}

// Get returns the baseline of that name, or nil if the catalog does not have it. See also Resolve.
func (c *BaselineCatalog) Get(name Baseline) *BaselineInfo {
	if c == nil {
		return nil
	}
	return c.Baselines[name]
}

// Resolve returns the baseline for a name as people write it: the name of a baseline, an alternative name, or one of the
// other spellings that [ParseBaseline] accepts, for example "sdxl" or "Krea 2". Letter case, spaces and punctuation do not
// matter. Names take precedence over alternative names. Resolve returns nil if the catalog does not have the baseline, or
// if the name is an alternative name of more than one baseline.
func (c *BaselineCatalog) Resolve(name string) *BaselineInfo {
	if info := c.Get(Baseline(name)); info != nil {
		return info
	}
	key := foldBaseline(name)
	if c == nil || key == "" {
		return nil
	}
	found := c.matching(func(info *BaselineInfo) bool { return foldBaseline(string(info.Name)) == key })
	if len(found) == 0 {
		found = c.matching(func(info *BaselineInfo) bool {
			return slices.ContainsFunc(info.AlternativeNames, func(other string) bool { return foldBaseline(other) == key })
		})
	}
	if len(found) == 0 {
		typed, _ := typedBaseline(key)
		return c.Get(typed)
	}
	if len(found) > 1 {
		return nil
	}
	return found[0]
}

// matching returns the baselines that match.
func (c *BaselineCatalog) matching(match func(*BaselineInfo) bool) []*BaselineInfo {
	var out []*BaselineInfo
	for _, info := range c.Baselines {
		if info != nil && match(info) {
			out = append(out, info)
		}
	}
	return out
}
