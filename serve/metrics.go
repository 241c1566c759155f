package serve

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the server's counters, in a registry of their own.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	running   prometheus.Gauge
	refused   *prometheus.CounterVec
	panics    prometheus.Counter
	released  prometheus.Counter
	streams   prometheus.Gauge
	switches  *prometheus.CounterVec
	broken    prometheus.Gauge
	delivered *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sama_requests_total", Help: "Requests by route and status."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sama_request_seconds", Help: "How long requests took, by route.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"route"}),
		running:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "sama_requests_running", Help: "Requests at work or waiting."}),
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sama_refused_total", Help: "Requests refused for load, by reason."}, []string{"reason"}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "sama_panics_total", Help: "Handlers that panicked."}),
		released: prometheus.NewCounter(prometheus.CounterOpts{Name: "sama_profiles_released_total", Help: "Profiles released."}),
		streams:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "sama_streams", Help: "Open streams of changes."}),
		switches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sama_run_switches_total", Help: "Runs that current named, by whether they were served."}, []string{"outcome"}),
		broken: prometheus.NewGauge(prometheus.GaugeOpts{Name: "sama_run_broken", Help: "1 while the run that current names cannot be served."}),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sama_webhook_deliveries_total", Help: "Deliveries to webhooks, by outcome."}, []string{"outcome"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.running, m.refused, m.panics, m.released, m.streams, m.switches, m.broken, m.delivered,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// request counts one.
func (m *metrics) request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
