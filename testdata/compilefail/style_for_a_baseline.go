// want: StyleAnime .* as .*Baseline

package snippet

import . "github.com/haidra-org/modelref"

var _ = ImageFields.Baseline.Eq(StyleAnime)
