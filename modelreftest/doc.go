// Package modelreftest has a fake PRIMARY and a fake GitHub for tests of programs that read the model reference.
//
// A Server serves small, realistic documents of its own, or the documents of a test. A test can script the faults of a
// server and of the network, for all requests or for single ones, and the Server keeps a log of its requests:
//
//	server := modelreftest.NewServer(t)
//	client := server.Client(t)
//	server.Script(modelreftest.Documents, modelreftest.Status(503), modelreftest.OK())
//	records, err := client.ImageGeneration.Query().ExcludeNSFW().All(ctx)
//
// The fake PRIMARY serves the documents, single models, the last-updated times and metadata, searches, popular models and
// statistics, licences, image baselines and text guidance, the list of categories, info, heartbeat, replicate_mode, roles
// and, empty, the pending models. Server.Handle sets the response of any other endpoint. An endpoint that the service has and
// the Server does not is 501. With AsOlderDeployment the Server responds as a deployment without licences, baselines and
// guidance.
//
// A Server listens on a loopback address only. With [InMemory] it opens no socket and works inside a testing/synctest bubble
// with the bubble's clock.
//
// The records that a Client returns are shared and read-only. A Client of [Server.Client] fails a test that has written to
// one of them.
package modelreftest
