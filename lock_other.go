//go:build !unix

// Where the system has no lock that ends with its holder, processes download each on their own.

package modelref

import "errors"

func tryLock(string) (release func(), err error) { return nil, errors.ErrUnsupported }
