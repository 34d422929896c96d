// want: Name\.IsTrue undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.Name.IsTrue()
