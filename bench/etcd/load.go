// Drives etcd in a closed loop: so many clients with one request on its way each, over up to eight connections, as
// etcd's own benchmark does. Built against Debian's golang-etcd-server-dev with modules off.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/clientv3"
)

const (
	maxConnections = 8
	keys           = 1000
)

var (
	endpoints = flag.String("endpoints", "", "HOST:PORT, separated by commas")
	kind      = flag.String("kind", "put", "put, get (linearizable), mix (nine gets to a put) or fill (every key once)")
	clients   = flag.Int("clients", 1, "how many have a request on its way")
	size      = flag.Int("bytes", 64, "of a value")
	warmup    = flag.Duration("warmup", 300*time.Millisecond, "before it is measured")
	duration  = flag.Duration("duration", time.Second, "how long it is measured")
)

const (
	warming int32 = iota
	measuring
	done
)

var phase int32

func key(i int) string { return fmt.Sprintf("key-%05d", i%keys) }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	flag.Parse()
	connections := make([]*clientv3.Client, min(maxConnections, *clients))
	for i := range connections {
		connection, err := clientv3.New(clientv3.Config{
			Endpoints:   strings.Split(*endpoints, ","),
			DialTimeout: 10 * time.Second,
		})
		check(err)
		connections[i] = connection
	}
	value := strings.Repeat("x", *size)
	if *kind == "fill" {
		fill(connections, value)
		return
	}
	var running sync.WaitGroup
	latencies := make([][]time.Duration, *clients)
	for i := range latencies {
		running.Add(1)
		go func(i int) {
			defer running.Done()
			latencies[i] = drive(connections[i%len(connections)], i, value)
		}(i)
	}
	time.Sleep(*warmup)
	began := time.Now()
	atomic.StoreInt32(&phase, measuring)
	time.Sleep(*duration)
	atomic.StoreInt32(&phase, done)
	took := time.Since(began)
	running.Wait()
	report(latencies, took)
}

func fill(connections []*clientv3.Client, value string) {
	var running sync.WaitGroup
	for c := 0; c < *clients; c++ {
		running.Add(1)
		go func(c int) {
			defer running.Done()
			for i := c; i < keys; i += *clients {
				_, err := connections[c%len(connections)].Put(context.Background(), key(i), value)
				check(err)
			}
		}(c)
	}
	running.Wait()
}

// drive sends one request after the other, and returns how long those took that ended while it was measured.
func drive(connection *clientv3.Client, client int, value string) []time.Duration {
	random := rand.New(rand.NewSource(int64(client)))
	var latencies []time.Duration
	for turn := client; ; turn++ {
		began := time.Now()
		check(request(connection, isPut(turn), key(random.Intn(keys)), value))
		switch atomic.LoadInt32(&phase) {
		case measuring:
			latencies = append(latencies, time.Since(began))
		case done:
			return latencies
		}
	}
}

func isPut(turn int) bool {
	return *kind == "put" || (*kind == "mix" && turn%10 == 0)
}

func request(connection *clientv3.Client, put bool, key, value string) error {
	if put {
		_, err := connection.Put(context.Background(), key, value)
		return err
	}
	// Without an option a read is linearizable.
	_, err := connection.Get(context.Background(), key)
	return err
}

func report(latencies [][]time.Duration, took time.Duration) {
	var all []time.Duration
	for _, some := range latencies {
		all = append(all, some...)
	}
	if len(all) == 0 {
		check(fmt.Errorf("nothing was answered in %v", took))
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	at := func(p float64) float64 {
		return float64(all[int(p*float64(len(all)-1))].Nanoseconds()) / 1e6
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"rate": float64(len(all)) / took.Seconds(),
		"p50":  at(0.5), "p99": at(0.99), "p999": at(0.999), "max": at(1),
	}))
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
