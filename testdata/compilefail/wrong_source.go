// want: TextGenerationRecord

package snippet

import . "github.com/haidra-org/modelref"

var _ = QueryImages(&Reference[TextGenerationRecord]{})
