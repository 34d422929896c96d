// want: untyped int constant.* as .*Baseline

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.Baseline.In("flux_1", 2)
