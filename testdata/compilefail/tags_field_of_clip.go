// want: CLIPFields\.Tags undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = CLIPFields.Tags
