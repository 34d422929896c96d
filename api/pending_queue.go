// The queue of changes that wait for approval.

package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/haidra-org/modelref"
)

// PendingQueueService has the changes that were requested, and what became of them. The owner of the API key must be allowed
// to see them. Otherwise the error is a *modelref.APIError with a status of 401 or 403. For the records that wait for
// approval, see [Pending].
type PendingQueueService service

// PendingResource is the kind of entry that a change is for. Values that this package does not define are kept unchanged.
type PendingResource string

// The kinds of entries that the service has.
const (
	// PendingModel is a record of a category. Older deployments have no other kind.
	PendingModel PendingResource = "model_reference"
	// PendingTextGuidance is the guidance for text models.
	PendingTextGuidance PendingResource = "text_guidance"
	// PendingImageBaseline is an image baseline.
	PendingImageBaseline PendingResource = "image_baseline"
)

// Known reports whether r is a kind that this package defines.
func (r PendingResource) Known() bool {
	return r == PendingModel || r == PendingTextGuidance || r == PendingImageBaseline
}

// ChangeStatus is the state of a change. Values that this package does not define are kept unchanged.
type ChangeStatus string

// The states that the service has.
const (
	ChangePending  ChangeStatus = "pending"
	ChangeApproved ChangeStatus = "approved"
	ChangeApplying ChangeStatus = "applying"
	ChangeApplied  ChangeStatus = "applied"
	ChangeRejected ChangeStatus = "rejected"
)

// Known reports whether s is a state that this package defines.
func (s ChangeStatus) Known() bool {
	switch s {
	case ChangePending, ChangeApproved, ChangeApplying, ChangeApplied, ChangeRejected:
		return true
	default:
		return false
	}
}

// PendingChange is a change that was requested.
type PendingChange struct {
	ID int `json:"change_id"`
	// ResourceKind is the kind of entry that the change is for.
	ResourceKind PendingResource `json:"resource_kind"`
	// ResourceID identifies an entry that is not a model, or is "".
	ResourceID string            `json:"resource_id"`
	Category   modelref.Category `json:"category"`
	// ModelName is the name of the model. It begins with "guidance:" or "baseline:" for an entry that is not a model.
	ModelName string `json:"model_name"`
	// Operation is "create", "update" or "delete".
	Operation string `json:"operation"`
	// Payload is the new record or entry, as JSON, or nil.
	Payload           json.RawMessage `json:"payload"`
	RequestedBy       string          `json:"requested_by"`
	RequestedUsername string          `json:"requested_username"`
	RequestedAt       time.Time       `json:"requested_at"`
	Status            ChangeStatus    `json:"status"`
	Notes             string          `json:"notes"`
	// BatchID identifies the changes that are applied together.
	BatchID          modelref.Optional[int] `json:"batch_id"`
	BatchTitle       string                 `json:"batch_title"`
	ApprovedBy       string                 `json:"approved_by"`
	ApprovedUsername string                 `json:"approved_username"`
	ApprovedAt       time.Time              `json:"approved_at"`
	RejectedBy       string                 `json:"rejected_by"`
	RejectedUsername string                 `json:"rejected_username"`
	RejectedAt       time.Time              `json:"rejected_at"`
	RejectReason     string                 `json:"reject_reason"`
	AppliedAt        time.Time              `json:"applied_at"`
	AppliedBy        string                 `json:"applied_by"`
	AppliedUsername  string                 `json:"applied_username"`
	AppliedJobID     string                 `json:"applied_job_id"`
	UpdatedAt        time.Time              `json:"updated_at"`
	// RequestMetadata is what the service notes about the request, as JSON, or nil.
	RequestMetadata json.RawMessage `json:"request_metadata"`
	RelatedModels   []string        `json:"related_models"`
}

// UnmarshalJSON decodes a change. If it has no resource kind, it is for a model.
func (c *PendingChange) UnmarshalJSON(data []byte) error {
	type plain PendingChange
	in := plain{ResourceKind: PendingModel}
	err := decode(data, &in)
	*c = PendingChange(in)
	for _, value := range []*json.RawMessage{&c.Payload, &c.RequestMetadata} {
		if string(*value) == "null" {
			*value = nil
		}
	}
	return err
}

// PendingChangePage is one page of changes.
type PendingChangePage struct {
	Items []*PendingChange `json:"items"`
	// Total is the number of changes on all pages.
	Total  int `json:"total"`
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
}

// PendingChangeOptions are the options of PendingQueueService.Changes. A change must match all of them. The zero value
// returns the first 50 changes.
type PendingChangeOptions struct {
	// Statuses, Categories and RequestedBy choose changes that have one of the values.
	Statuses    []ChangeStatus      `url:"statuses"`
	Categories  []modelref.Category `url:"categories"`
	RequestedBy []string            `url:"requested_by"`
	// BatchID chooses the changes of one batch, if it is not 0.
	BatchID int `url:"batch_id"`
	// ModelName chooses the changes of one model.
	ModelName string `url:"model_name"`
	// Page chooses a part of the list. The maximum of Limit is 500, and a Limit of 0 is 50.
	modelref.Page
}

// Changes returns one page of the changes that were requested.
func (s *PendingQueueService) Changes(ctx context.Context, options *PendingChangeOptions) (*PendingChangePage, error) {
	return getChecked(ctx, (*service)(s).conn(), v2Path("pending_queue", "changes"), options, func(p *PendingChangePage) error {
		return requireList(p.Items)
	})
}
