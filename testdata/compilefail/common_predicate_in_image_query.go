// want: ModelRecord.* as .*ImageGenerationRecord

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.Where(ModelFields.Name.Eq("x"))
