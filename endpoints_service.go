// The endpoints about the service itself: what it is, how it fares, who asks, and when its categories changed.

package modelref

import (
	"context"
	stdjson "encoding/json"
	"strings"
	"time"
)

// message is how the service wraps a sentence.
type message struct {
	Message string `json:"message"`
}

// Root returns what the service says of itself at its root. It is a request at each call; errors are those of Get.
func (c *Client) Root(ctx context.Context) (string, error) {
	m, err := getJSON[message](ctx, c, at("root", ""))
	return m.Message, err
}

// Info returns what the service says of its v2 API. It is a request at each call; errors are those of Get.
func (c *Client) Info(ctx context.Context) (string, error) {
	m, err := getJSON[message](ctx, c, atV2("info", "info"))
	return m.Message, err
}

// ModelCategories returns the categories that the service lists, in its order, which may leave some out that it serves
// (today lora and ti) and have some that this package does not know. It is a request at each call; errors are those of
// Get. Categories returns those that this package knows without a request.
func (c *Client) ModelCategories(ctx context.Context) ([]Category, error) {
	return getJSON[[]Category](ctx, c, atV2("model categories", "model_categories"))
}

// Heartbeat says how the service fares.
type Heartbeat struct {
	// Status is "ok" where the service answers as it should.
	Status string `json:"status"`
	// AIHorde says how the usage service behind it fares.
	AIHorde AIHordeStatus `json:"ai_horde"`
}

// AIHordeStatus says how the AI Horde fares, where the service has its usage statistics from.
type AIHordeStatus struct {
	// Degraded says that the AI Horde did not answer: Popular is empty and the statistics have no usage for as long.
	Degraded bool `json:"degraded"`
	// ConsecutiveFailures is how often it has not answered in a row.
	ConsecutiveFailures int `json:"consecutive_failures"`
	// SecondsUntilRetry is how long the service waits before it asks again, in seconds; unset where it does not wait.
	SecondsUntilRetry Optional[float64] `json:"seconds_until_retry"`
}

// Heartbeat asks the service how it fares. It is a request at each call; errors are those of Get.
func (c *Client) Heartbeat(ctx context.Context) (*Heartbeat, error) {
	return getJSON[*Heartbeat](ctx, c, at("heartbeat", "heartbeat"))
}

// ReplicateMode says whether a deployment holds the model reference itself or a copy.
type ReplicateMode string

// The replicate modes that the service has.
const (
	ReplicateModePrimary ReplicateMode = "PRIMARY"
	ReplicateModeReplica ReplicateMode = "REPLICA"
)

// Known reports whether m is a replicate mode that this package knows.
func (m ReplicateMode) Known() bool { return m == ReplicateModePrimary || m == ReplicateModeReplica }

// CanonicalFormat says in which format a deployment keeps the model reference.
type CanonicalFormat string

// The canonical formats that the service has.
const (
	CanonicalFormatV2     CanonicalFormat = "v2"
	CanonicalFormatLegacy CanonicalFormat = "legacy"
)

// Known reports whether f is a canonical format that this package knows.
func (f CanonicalFormat) Known() bool { return f == CanonicalFormatV2 || f == CanonicalFormatLegacy }

// Capabilities says what a deployment can do.
type Capabilities struct {
	// ReplicateMode says whether the deployment holds the model reference itself or a copy.
	ReplicateMode ReplicateMode `json:"replicate_mode"`
	// CanonicalFormat is the format that the deployment keeps, and the one whose metadata it has; "" where it does not
	// say, as older deployments do not.
	CanonicalFormat CanonicalFormat `json:"canonical_format"`
	// Writable says that models can be written to the deployment.
	Writable bool `json:"writable"`
}

// UnmarshalJSON reads the object that the service answers, or the bare string that older deployments answer.
func (c *Capabilities) UnmarshalJSON(data []byte) error {
	*c = Capabilities{}
	if strings.HasPrefix(string(data), `"`) {
		return decodeJSON(string(data), &c.ReplicateMode)
	}
	type plain Capabilities
	return decodeJSON(string(data), (*plain)(c))
}

// Capabilities asks the service what it can do. An older deployment answers with its ReplicateMode alone. It is a
// request at each call; errors are those of Get.
func (c *Client) Capabilities(ctx context.Context) (*Capabilities, error) {
	return getJSON[*Capabilities](ctx, c, at("capabilities", "replicate_mode"))
}

// UserRoles says who an API key belongs to and what they may do.
type UserRoles struct {
	UserID   string `json:"user_id"`
	Username string `json:"username"`
	// Roles are the names of the roles that the user has.
	Roles []string `json:"roles"`
	// IsApprover says that the user may approve changes.
	IsApprover bool `json:"is_approver"`
	// IsRequestor says that the user may ask for changes.
	IsRequestor bool `json:"is_requestor"`
}

// Roles asks the service who the key of WithAPIKey belongs to and what they may do. It is a request at each call;
// errors are those of Get. Without a key that the service knows it is an *APIError with a status of 403 or 401.
func (c *Client) Roles(ctx context.Context) (*UserRoles, error) {
	return getJSON[*UserRoles](ctx, c, atV2("roles", "me", "roles"))
}

// Metadata reads when the categories changed. A deployment answers for its canonical format alone and only where it is
// the PRIMARY; elsewhere every method returns an *APIError with a status of 503.
type Metadata struct {
	client  *Client
	version string
}

// Metadata returns the reader of the metadata of the v2 format. The network is not touched; it is by each method of
// the reader.
func (c *Client) Metadata() Metadata { return Metadata{client: c, version: "v2"} }

// CategoryMetadata counts what was done to a category.
type CategoryMetadata struct {
	Category Category `json:"category"`
	// LastUpdated is when the category last changed, in whole seconds.
	LastUpdated time.Time `json:"last_updated"`
	// LastOperationType is what was last done: "create", "update" or "delete", or "" where nothing was.
	LastOperationType string `json:"last_operation_type"`
	// LastOperationModel is the name of the model that it was done to, or "".
	LastOperationModel string `json:"last_operation_model"`
	TotalCreates       int    `json:"total_creates"`
	TotalUpdates       int    `json:"total_updates"`
	TotalDeletes       int    `json:"total_deletes"`
	// TotalModels is how many models the service counted; it counts from the first operation on, so this can be 0 for
	// a category that has models.
	TotalModels             int       `json:"total_models"`
	InitializationTime      time.Time `json:"initialization_time"`
	LastSuccessfulOperation time.Time `json:"last_successful_operation"`
	ErrorCount              int       `json:"error_count"`
	MetadataSchemaVersion   string    `json:"metadata_schema_version"`
	// BackendType names the storage of the deployment.
	BackendType string `json:"backend_type"`
}

// lastUpdated is a change stamp, null where there is none.
type lastUpdated struct {
	LastUpdated time.Time `json:"last_updated"`
}

func (m Metadata) at(what string, segments ...string) endpoint {
	return at(what+" ("+m.version+")", append([]string{"model_references", m.version, "metadata"}, segments...)...)
}

// LastUpdated returns when any category last changed, in whole seconds, or the zero time where the deployment has no
// metadata yet. It is a request at each call; errors are those of Get.
func (m Metadata) LastUpdated(ctx context.Context) (time.Time, error) {
	out, err := getJSON[lastUpdated](ctx, m.client, m.at("last updated", "last_updated"))
	return out.LastUpdated, err
}

// CategoryLastUpdated returns when the category last changed, in whole seconds, or the zero time where the deployment
// has no metadata of it. It is a request at each call; errors are those of Get.
func (m Metadata) CategoryLastUpdated(ctx context.Context, category Category) (time.Time, error) {
	e := m.at("last updated "+string(category), string(category), "last_updated")
	out, err := getNamed[lastUpdated](ctx, m.client, e, "a category", string(category))
	return out.LastUpdated, err
}

// All returns the metadata of every category that the deployment has metadata of. It is a request at each call; errors
// are those of Get.
func (m Metadata) All(ctx context.Context) (map[Category]*CategoryMetadata, error) {
	return getJSON[map[Category]*CategoryMetadata](ctx, m.client, m.at("metadata", "metadata"))
}

// Category returns the metadata of one category. It is a request at each call; errors are those of Get, and a category
// that the deployment has no metadata of is ErrNotFound.
func (m Metadata) Category(ctx context.Context, category Category) (*CategoryMetadata, error) {
	e := m.at("metadata "+string(category), string(category))
	return getNamed[*CategoryMetadata](ctx, m.client, e, "a category", string(category))
}

// Legacy reads the v1 API, which has the model reference in the format of the files on GitHub.
type Legacy struct {
	client *Client
}

// Legacy returns the reader of the v1 API. The network is not touched; it is by each method of the reader.
func (c *Client) Legacy() Legacy { return Legacy{client: c} }

func atV1(what string, segments ...string) endpoint {
	return at("v1 "+what, append([]string{"model_references", "v1"}, segments...)...)
}

// Info returns what the service says of its v1 API. It is a request at each call; errors are those of Get.
func (l Legacy) Info(ctx context.Context) (string, error) {
	m, err := getJSON[message](ctx, l.client, atV1("info", "info"))
	return m.Message, err
}

// ModelCategories returns the categories that the service lists for v1, in its order. It is a request at each call;
// errors are those of Get.
func (l Legacy) ModelCategories(ctx context.Context) ([]Category, error) {
	return getJSON[[]Category](ctx, l.client, atV1("model categories", "model_categories"))
}

// Category returns a category in the legacy format, as JSON. The service also takes the name of a file on GitHub, as
// "stable_diffusion" or "stable_diffusion.json". It is a request at each call; errors are those of Get.
func (l Legacy) Category(ctx context.Context, category Category) (stdjson.RawMessage, error) {
	return getNamed[stdjson.RawMessage](ctx, l.client, atV1(string(category), string(category)), "a category", string(category))
}

// LegacyTextOptions says how Legacy.TextGeneration answers.
type LegacyTextOptions struct {
	// IncludeGroup adds the text_model_group of each model, which the legacy format does not have.
	IncludeGroup bool `url:"include_group"`
}

// TextGeneration returns the text models in the legacy format, as JSON. nil options are the zero ones. It is a request
// at each call; errors are those of Get.
func (l Legacy) TextGeneration(ctx context.Context, options *LegacyTextOptions) (stdjson.RawMessage, error) {
	e := atV1(string(CategoryTextGeneration), string(CategoryTextGeneration)).with(options)
	return getJSON[stdjson.RawMessage](ctx, l.client, e)
}

// Metadata returns the reader of the metadata of the legacy format. The network is not touched; it is by each method of
// the reader.
func (l Legacy) Metadata() Metadata { return Metadata{client: l.client, version: "v1"} }
