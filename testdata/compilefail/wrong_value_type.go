// want: "big" \(untyped string constant\) as int64

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.SizeOnDiskBytes.Gt("big")
