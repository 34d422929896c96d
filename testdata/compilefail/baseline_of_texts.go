// want: ForBaseline undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = TextQuery{}.ForBaseline(BaselineFlux1)
