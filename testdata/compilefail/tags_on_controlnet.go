// want: TagsAny undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = ControlNetQuery{}.TagsAny("x")
