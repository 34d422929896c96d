// want: TextGenerationRecord.* as .*ImageGenerationRecord

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.Where(TextFields.Name.Eq("x"))
