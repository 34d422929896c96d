// Package modelreftest has a fake PRIMARY and a fake GitHub for tests of programs that read the model reference.
//
// A Server serves documents of its own, small and realistic, or those that a test gives. It can be told to fail in
// every way that a server or the network before it fails, for good or one request at a time, and it keeps a log of what
// it was asked:
//
//	server := modelreftest.NewServer(t)
//	client := server.Client(t)
//	server.Script(modelreftest.Documents, modelreftest.Status(503), modelreftest.OK())
//	records, err := client.ImageGeneration.Query().ExcludeNSFW().All(ctx)
//
// The fake PRIMARY serves the documents, single models, the change stamps and metadata, the list of categories, info,
// heartbeat, replicate_mode, roles and, empty, the pending models. The answer of another endpoint is given with Body.
//
// Nothing leaves the machine. With InMemory nothing leaves the process either, no socket is opened, and a Server works
// inside a testing/synctest bubble, where it goes by the bubble's clock.
//
// The records that a Client returns are shared and read-only. Server.Client fails a test that wrote to one.
package modelreftest
