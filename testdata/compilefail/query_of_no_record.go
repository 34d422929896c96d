// want: string does not satisfy .*Record

package snippet

import . "github.com/haidra-org/modelref"

var _ = QueryRecords([]*string{})
