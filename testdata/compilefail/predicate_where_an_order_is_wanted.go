// want: Predicate\[.* as .*Order\[

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.OrderBy(ImageFields.NSFW.IsTrue())
