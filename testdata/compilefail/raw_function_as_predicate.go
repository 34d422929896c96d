// want: as .*Predicate\[

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.Where(func(r *ImageGenerationRecord) bool { return r.NSFW })
