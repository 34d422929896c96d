// Package download fetches the files of models, verifies them, and resumes what was interrupted.
//
// A [Plan] says what a download will do before any byte is transferred: which files are needed, which of them exist and
// are verified, which are shared between models, and how many bytes have to be fetched. [Plan.Run] then does the work.
//
//	plan, err := download.NewPlan(ctx, records, download.Options{Dir: "models"})
//	if err != nil {
//		return err
//	}
//	report, err := plan.Run(ctx)
//
// # What is guaranteed
//
// A file appears under its name only if it is complete and its SHA-256 is the one in the record. Until then the data is
// in a partial file beside it, which a later run resumes, also after a crash. A partial file has a record of the
// version of the content (ETag or Last-Modified, and size). If the content at the server has changed, the download
// starts again at the first byte. If the record has no checksum, the response must at least have a verifiable end, must
// not be a web page, and the file is reported as unverified.
//
// Several processes may use one directory: a file is downloaded by one of them, and the others wait for the result. The
// lock of a process that was killed is released by the operating system.
//
// File names come from the network. Files are accessed through [os.Root], so that no name leads out of the weights
// folders. Reserved device names, names that differ only in case, and names that this package uses for its own files
// are refused.
//
// # Layout
//
// Files are placed where the Python library of the AI-Horde expects them: in the folder of the record's category, or in
// the folder of the file's purpose (see [FileLocation]). The checksum of a verified file is stored beside it in a
// ".sha256" file, in the format of sha256sum. Such a file is trusted if it is newer than the last change of the data
// file, including changes of its metadata. Otherwise the data file is read and hashed again.
//
// # Sources
//
// The sources of a file are tried in order: the content-addressed gateway, the URLs in the records, and the caller's
// own mirrors. If a source fails for good (for example 404), the next one is tried. After a failure that may pass (a
// network error, 429, 5xx), the request is sent again. The number of retries is limited only while no progress is made.
// Tokens are sent only to their own host, and never to the target of a redirect to another host.
package download
