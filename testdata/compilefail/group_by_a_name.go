// want: cannot infer K

package snippet

import . "github.com/haidra-org/modelref"
import "context"

var _, _ = GroupBy(context.Background(), ImageQuery{}, "baseline")
