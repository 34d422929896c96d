// want: Tags\.Lt undefined

package snippet

import . "github.com/haidra-org/modelref"

var _ = TextFields.Tags.Lt("a")
