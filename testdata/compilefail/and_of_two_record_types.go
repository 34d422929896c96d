// want: does not match

package snippet

import . "github.com/haidra-org/modelref"

var _ = And(ImageFields.NSFW.IsTrue(), TextFields.NSFW.IsTrue())
