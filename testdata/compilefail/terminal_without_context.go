// want: not enough arguments

package snippet

import . "github.com/haidra-org/modelref"

var _, _ = ImageQuery{}.All()
