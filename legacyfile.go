// Legacy files in the place of v2 documents: a cache directory that an old version of the Python library wrote, or a file
// of the GitHub repositories as a bootstrap document.

package modelref

import (
	"strings"

	"github.com/haidra-org/modelref/internal/jsondoc"
	"github.com/haidra-org/modelref/internal/legacy"
	"github.com/haidra-org/modelref/internal/redact"
)

// legacySample is the number of records that are examined to recognize a legacy file.
const legacySample = 64

// isLegacyFile reports whether the document is the legacy file of the category. Such a file of an image category is an object
// of records as well, but lists the files of a model in config.files. The file of text_generation is a CSV.
func isLegacyFile(document string, facts *categoryInfo) bool {
	switch facts.repo {
	case imageRepo:
		c := formatCheck{Scanner: jsondoc.NewScanner(document)}
		c.SkipBOM()
		_ = c.Fields(c.record) // errEnough, or an error that the decoder finds again
		return c.legacy
	case textRepo:
		return isLegacyCSV(document)
	}
	return false
}

// isLegacyCSV reports whether the document begins with the header of a CSV of text models.
func isLegacyCSV(document string) bool {
	header, _, _ := strings.Cut(strings.TrimPrefix(document, "\ufeff"), "\n")
	if len(header) > 4096 || strings.HasPrefix(strings.TrimSpace(header), "{") {
		return false
	}
	return strings.Contains(header, "name") && strings.Contains(header, "parameters_bn")
}

// formatCheck looks for the first field that only records of one of the two formats have.
type formatCheck struct {
	jsondoc.Scanner
	seen   int
	legacy bool
}

// errEnough ends the check.
var errEnough = &jsondoc.FieldError{Reason: "the format is known"}

// record examines one record.
func (c *formatCheck) record(string) error {
	if c.seen++; c.seen > legacySample {
		return errEnough
	}
	if c.Next() != '{' {
		return c.SkipMalformed()
	}
	mark := c.Mark()
	err := c.Fields(c.field)
	if _, malformed := err.(*jsondoc.SyntaxError); malformed { //nolint:errorlint // the scanner never wraps it
		c.Reset(mark)
		return c.SkipMalformed()
	}
	return err
}

func (c *formatCheck) field(name string) error {
	switch {
	case name == "record_type" || name == "model_classification" || name == "metadata":
		return errEnough
	case name == "config" && c.Next() == '{':
		return c.Fields(c.configField)
	}
	return c.SkipMalformed()
}

func (c *formatCheck) configField(name string) error {
	switch {
	case name == "files" && c.Next() == '[':
		return c.Elements(func(int) error { return c.file("path", true) })
	case name == "download" && c.Next() == '[':
		return c.Elements(func(int) error { return c.file("sha256sum", false) })
	}
	return c.SkipMalformed()
}

// file examines one entry of a list of files. If it has the field, the format is known.
func (c *formatCheck) file(field string, legacy bool) error {
	if c.Next() != '{' {
		return c.SkipMalformed()
	}
	return c.Fields(func(name string) error {
		if name == field {
			c.legacy = legacy
			return errEnough
		}
		return c.SkipMalformed()
	})
}

// convertLegacyFile returns the v2 document of a legacy file, and the records that cannot be converted.
func convertLegacyFile(document string, category Category) (string, []RecordError, error) {
	converted, dropped, err := legacy.Convert(string(category), []byte(document))
	if err != nil {
		return "", nil, &DecodeError{Category: category, Offset: -1, Reason: "legacy file: " + err.Error()}
	}
	rejected := make([]RecordError, 0, min(len(dropped), maxRejected))
	for _, r := range dropped[:min(len(dropped), maxRejected)] {
		rejected = append(rejected, RecordError{Category: category, Name: listedName(r.Name), Reason: redact.Truncate(r.Reason.Error())})
	}
	return string(converted), rejected, nil
}
