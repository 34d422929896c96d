// want: TextGenerationRecord

package snippet

import . "github.com/haidra-org/modelref"
import "context"

var _, _ = Distinct(context.Background(), ImageQuery{}, TextFields.Style)
