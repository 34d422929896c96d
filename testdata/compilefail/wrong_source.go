// want: TextGenerationRecord

package snippet

import . "github.com/haidra-org/modelref"

var _ = NewImageQuery(&Reference[TextGenerationRecord]{})
