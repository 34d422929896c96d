package modelrefprom_test

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefprom"
)

func Example() {
	client, err := modelref.New()
	if err != nil {
		panic(err)
	}
	defer client.Close()

	registry := prometheus.NewRegistry()
	registry.MustRegister(modelrefprom.NewCollector(client))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}

func ExampleWithConstLabels() {
	public, err := modelref.New()
	if err != nil {
		panic(err)
	}
	defer public.Close()
	ours, err := modelref.New(modelref.WithPrimaryURL("https://models.internal.example/api"))
	if err != nil {
		panic(err)
	}
	defer ours.Close()

	registry := prometheus.NewRegistry()
	for name, client := range map[string]*modelref.Client{"public": public, "ours": ours} {
		registry.MustRegister(modelrefprom.NewCollector(client,
			modelrefprom.WithConstLabels(prometheus.Labels{"client": name})))
	}
}
