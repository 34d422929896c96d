// This file shows how to set up a Store.

package modelrefredis_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/haidra-org/modelref"
	"github.com/haidra-org/modelref/modelrefredis"
)

func Example() {
	logging.Disable() // otherwise go-redis writes to standard error while Redis is down

	client := redis.NewClient(&redis.Options{
		Addr:                  "127.0.0.1:6379",
		ContextTimeoutEnabled: true, // an operation that has timed out ends at once
		DialerRetries:         1,    // the Store has its own delay between attempts
	})
	defer client.Close()

	models, err := modelref.New(modelref.WithStore(modelrefredis.New(client)))
	if err != nil {
		log.Fatal(err)
	}
	defer models.Close()

	ref, err := models.ImageGeneration.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ref.Len(), "models, from", ref.Source(), "as of", ref.ConfirmedAt())
}

func ExampleNew() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:      []string{"10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"},
		MasterName: "workers", // uses Sentinel
	})
	defer client.Close()

	store := modelrefredis.New(client,
		modelrefredis.WithPrefix("horde:modelref:"),
		modelrefredis.WithTimeout(time.Second),
		modelrefredis.WithBreakerDelay(10*time.Second),
		modelrefredis.WithExpiry(0)) // entries do not expire
	models, err := modelref.New(modelref.WithStore(store))
	if err != nil {
		log.Fatal(err)
	}
	defer models.Close()
}
