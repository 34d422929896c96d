// want: TagsAny undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = NewQuery[CLIPRecord](nil).TagsAny("x")
