// This file tests the gauges, and that Unregister removes them.

package modelrefotel_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefotel"
	"github.com/haidra-org/modelref/modelreftest"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := modelreftest.NewServer(t, modelreftest.InMemory(),
			modelreftest.WithDocument(modelref.CategoryCLIP, `{"A": {"name": "A"}, "B": {"name": "B"}, "C": 3}`))
		telemetry := newTelemetry(t)
		client := server.Client(t)
		registration, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(telemetry.meters))
		require.NoError(t, err)
		assert.Equal(t, counts{"primary": 0, "github": 0}, telemetry.values(t, "modelref.source.breaker_open"))
		assert.Empty(t, telemetry.values(t, "modelref.category.records"), "nothing was read")
		assert.Empty(t, server.Requests(), "a collection sends no request")

		_, err = client.CLIP.Load(t.Context())
		require.NoError(t, err)
		time.Sleep(30 * time.Second) // simulated
		assert.Equal(t, counts{"clip primary": 2}, telemetry.values(t, "modelref.category.records"))
		assert.Equal(t, counts{"clip": 1}, telemetry.values(t, "modelref.category.rejected"))
		assert.Equal(t, counts{"clip": 30}, telemetry.values(t, "modelref.category.age"))
		assert.Equal(t, counts{"clip": 0}, telemetry.values(t, "modelref.category.stale"))

		server.Break(modelreftest.Primary, modelreftest.Status(503))
		time.Sleep(time.Minute)
		_, err = client.CLIP.Load(t.Context())
		require.NoError(t, err)
		assert.Equal(t, counts{"clip": 1}, telemetry.values(t, "modelref.category.stale"))
		assert.Equal(t, counts{"primary": 1, "github": 0}, telemetry.values(t, "modelref.source.breaker_open"))

		require.NoError(t, client.Close())
		assert.Equal(t, counts{"clip primary": 2}, telemetry.values(t, "modelref.category.records"), "the gauges of a closed Client")
		require.NoError(t, registration.Unregister())
		assert.Empty(t, telemetry.values(t, "modelref.category.records"))
	})
}

func TestRegisterLeavesOutSourcesThatAreNotThere(t *testing.T) {
	t.Parallel()
	telemetry := newTelemetry(t)
	client := modelreftest.NewServer(t).Client(t, modelref.WithoutGitHub())
	_, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(telemetry.meters))
	require.NoError(t, err)
	assert.Equal(t, counts{"primary": 0}, telemetry.values(t, "modelref.source.breaker_open"))
}

func TestRegisterSeveralClients(t *testing.T) {
	t.Parallel()
	telemetry := newTelemetry(t)
	server := modelreftest.NewServer(t)
	for i, name := range []string{"a", "b"} {
		client := server.Client(t)
		_, err := modelrefotel.Register(client, modelrefotel.WithMeterProvider(telemetry.meters),
			modelrefotel.WithAttributes(attribute.String("client", name)))
		require.NoError(t, err)
		require.NoError(t, client.Warm(t.Context(), modelref.Categories()[i]))
	}
	assert.Len(t, telemetry.values(t, "modelref.category.records"), 2)
	assert.Equal(t, counts{"a primary": 0, "a github": 0, "b primary": 0, "b github": 0},
		telemetry.values(t, "modelref.source.breaker_open"))
}

func TestRegisterOfNoClient(t *testing.T) {
	t.Parallel()
	_, err := modelrefotel.Register(nil)
	require.ErrorContains(t, err, "client must not be nil")
	telemetry := newTelemetry(t)
	_, err = modelrefotel.Register(&modelref.Client{}, modelrefotel.WithMeterProvider(telemetry.meters))
	require.NoError(t, err, "the zero Client is closed")
	assert.Empty(t, telemetry.values(t, "modelref.category.records"))
}
