// What a reference can say of the document that it was decoded from: its text, and a short hash of it.

package modelref

import (
	"crypto/sha256"
	"encoding/hex"
)

// revisionBytes is how many bytes of the hash of a document a revision has.
const revisionBytes = 16

// RawJSON returns the v2 document that the reference was decoded from, byte for byte: a JSON object with a record under
// each name, including the records that Rejected lists. It returns "" if the reference was not decoded from a document.
// Overlays are not part of the document. The string shares its memory with the records.
func (r *Reference[R]) RawJSON() string {
	if r == nil || r.data == nil {
		return ""
	}
	return r.data.document
}

// Revision returns a short hash of the document, in hexadecimal digits, for ETags and logs. Two references have the same
// revision if their documents are equal byte for byte. It returns "" if the reference was not decoded from a document.
// The hash is computed by each call, which takes about a microsecond for each kilobyte.
func (r *Reference[R]) Revision() string {
	document := r.RawJSON()
	if document == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:revisionBytes])
}
