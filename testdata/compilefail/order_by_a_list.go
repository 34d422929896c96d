// want: Tags\.Asc undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.Tags.Asc()
