// want: OnlyInpainting undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = TextQuery{}.OnlyInpainting()
