// This one must compile: it shows that the others fail for their own reasons.

package snippet

import "context"
import . "github.com/haidra-org/modelref"

var _ ImageQuery = ImageQuery{}.
	Where(ImageFields.Baseline.In("stable_diffusion_xl", "flux_1"), ImageFields.SizeOnDiskBytes.Lt(7_000_000_000)).
	ExcludeNSFW().
	OrderBy(ImageFields.SizeOnDiskBytes.Asc(), ImageFields.Name.Asc()).
	TagsAny("anime").
	Limit(10)

var _ TextQuery = TextQuery{}.Limit(3).ForBackend("aphrodite").Where(Not(TextFields.Tags.Contains("x"))).OnlyQuantized()

var _, _ = Distinct(context.Background(), ImageQuery{}, ImageFields.Tags)
var _, _ = GroupBy(context.Background(), QueryRecords([]*CLIPRecord{}), CLIPFields.UpdatedAt)
