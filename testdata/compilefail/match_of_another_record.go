// want: TextGenerationRecord

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.Where(MatchFunc(func(r *TextGenerationRecord) bool { return r.NSFW }))
