// want: ForBackend undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageQuery{}.ForBackend(TextBackendAphrodite)
