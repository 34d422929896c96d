// The endpoints about the service itself: its messages, state and capabilities, and the roles of the caller.

package api

import (
	"context"
	"strings"

	"github.com/haidra-org/modelref"
)

// message is the body of the endpoints that return one sentence.
type message struct {
	Message string `json:"message"`
}

// Root returns the message of the service at its root.
func (a *API) Root(ctx context.Context) (string, error) {
	m, err := get[message](ctx, a.conn(), "", nil)
	return m.Message, err
}

// Info returns the message of the service about its v2 API.
func (a *API) Info(ctx context.Context) (string, error) {
	m, err := get[message](ctx, a.conn(), v2Path("info"), nil)
	return m.Message, err
}

// Categories returns the categories that the service lists, in its order. The list may lack categories that the service
// has (today lora and ti), and may have categories that package modelref does not define. [modelref.Categories] returns
// the categories that package modelref defines, without a request.
func (a *API) Categories(ctx context.Context) ([]modelref.Category, error) {
	return get[[]modelref.Category](ctx, a.conn(), v2Path("model_categories"), nil)
}

// Heartbeat is the state of the service.
type Heartbeat struct {
	// Status is "ok" if the service works as it should.
	Status string `json:"status"`
	// AIHorde is the state of the connection to the AI Horde.
	AIHorde AIHordeStatus `json:"ai_horde"`
}

// AIHordeStatus is the state of the connection from the service to the AI Horde, which has the usage statistics.
type AIHordeStatus struct {
	// Degraded reports whether the AI Horde does not respond. As long as it does not, Popular returns an empty list and
	// the statistics have no usage.
	Degraded bool `json:"degraded"`
	// ConsecutiveFailures is the number of failed requests in a row.
	ConsecutiveFailures int `json:"consecutive_failures"`
	// SecondsUntilRetry is the time until the next request, in seconds. It is unset if the service does not wait.
	SecondsUntilRetry modelref.Optional[float64] `json:"seconds_until_retry"`
}

// Heartbeat returns the state of the service.
func (a *API) Heartbeat(ctx context.Context) (*Heartbeat, error) {
	return get[*Heartbeat](ctx, a.conn(), "heartbeat", nil)
}

// ReplicateMode says whether a deployment has the model reference itself or a copy.
type ReplicateMode string

// The replicate modes that the service has.
const (
	ReplicateModePrimary ReplicateMode = "PRIMARY"
	ReplicateModeReplica ReplicateMode = "REPLICA"
)

// Known reports whether m is a replicate mode that this package defines.
func (m ReplicateMode) Known() bool { return m == ReplicateModePrimary || m == ReplicateModeReplica }

// CanonicalFormat is the format in which a deployment stores the model reference.
type CanonicalFormat string

// The canonical formats that the service has.
const (
	CanonicalFormatV2     CanonicalFormat = "v2"
	CanonicalFormatLegacy CanonicalFormat = "legacy"
)

// Known reports whether f is a canonical format that this package defines.
func (f CanonicalFormat) Known() bool { return f == CanonicalFormatV2 || f == CanonicalFormatLegacy }

// Capabilities are the capabilities of a deployment.
type Capabilities struct {
	// ReplicateMode says whether the deployment has the model reference itself or a copy.
	ReplicateMode ReplicateMode `json:"replicate_mode"`
	// CanonicalFormat is the format that the deployment stores; it has the metadata of this format only. It is "" if an
	// older deployment does not report it.
	CanonicalFormat CanonicalFormat `json:"canonical_format"`
	// Writable reports whether models can be written to the deployment.
	Writable bool `json:"writable"`
}

// UnmarshalJSON decodes the object that the service returns, or the string that older deployments return.
func (c *Capabilities) UnmarshalJSON(data []byte) error {
	*c = Capabilities{}
	if strings.HasPrefix(string(data), `"`) {
		return decode(data, &c.ReplicateMode)
	}
	type plain Capabilities
	return decode(data, (*plain)(c))
}

// Capabilities returns the capabilities of the deployment. An older deployment reports its ReplicateMode only.
func (a *API) Capabilities(ctx context.Context) (*Capabilities, error) {
	return get[*Capabilities](ctx, a.conn(), "replicate_mode", nil)
}

// UserRoles are the owner of an API key and what the owner may do.
type UserRoles struct {
	UserID   string `json:"user_id"`
	Username string `json:"username"`
	// Roles are the names of the user's roles.
	Roles []string `json:"roles"`
	// IsApprover reports whether the user may approve changes.
	IsApprover bool `json:"is_approver"`
	// IsRequestor reports whether the user may request changes.
	IsRequestor bool `json:"is_requestor"`
	// IsLicenseEditor reports whether the user may edit licences. Older deployments do not report it.
	IsLicenseEditor bool `json:"is_license_editor"`
}

// Roles returns the owner of the key of WithAPIKey and the owner's roles. If there is no key, or the service does not
// know the key, the error is a *modelref.APIError with a status of 401 or 403.
func (a *API) Roles(ctx context.Context) (*UserRoles, error) {
	return get[*UserRoles](ctx, a.conn(), v2Path("me", "roles"), nil)
}
