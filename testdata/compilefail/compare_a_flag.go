// want: NSFW\.Gt undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.NSFW.Gt(true)
