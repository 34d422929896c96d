// want: as .*Predicate\[

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.Where(true)
