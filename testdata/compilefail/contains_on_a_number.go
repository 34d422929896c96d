// want: SizeOnDiskBytes\.ContainsFold undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.SizeOnDiskBytes.ContainsFold("7")
