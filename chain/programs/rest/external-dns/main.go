// ExternalDNS with upstream's flags, sources and plan, with the RFC 2136 provider and the TXT registry. Upstream's own main
// imports the providers of all clouds, and the modules of some of them cannot be fetched.
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	log "github.com/sirupsen/logrus"
	"k8s.io/klog/v2"
	runtimelog "sigs.k8s.io/controller-runtime/pkg/log"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns/validation"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/provider/rfc2136"
	"sigs.k8s.io/external-dns/registry"
	"sigs.k8s.io/external-dns/registry/txt"
	"sigs.k8s.io/external-dns/source"
	"sigs.k8s.io/external-dns/source/annotations"
	"sigs.k8s.io/external-dns/source/wrappers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	config := externaldns.NewConfig()
	if err := config.ParseFlags(os.Args[1:]); err != nil {
		return err
	}
	if err := validation.ValidateConfig(config); err != nil {
		return err
	}
	if config.Provider != externaldns.ProviderRFC2136 || config.Registry != externaldns.RegistryTXT {
		log.Fatal("only --provider=rfc2136 with --registry=txt is built in")
	}
	level, err := log.ParseLevel(config.LogLevel)
	if err != nil {
		return err
	}
	log.SetLevel(level)
	klog.SetLogger(logr.Discard())
	runtimelog.SetLogger(logr.Discard())
	annotations.SetAnnotationPrefix(config.AnnotationPrefix)

	domains := endpoint.NewDomainFilterWithOptions(
		endpoint.WithDomainFilter(config.DomainFilter), endpoint.WithDomainExclude(config.DomainExclude),
		endpoint.WithRegexDomainFilter(config.RegexDomainFilter), endpoint.WithRegexDomainExclude(config.RegexDomainExclude))
	server, err := rfc2136.New(ctx, config, domains)
	if err != nil {
		return err
	}
	records, err := txt.New(config, server)
	if err != nil {
		return err
	}
	sources, err := source.NewSourceConfig(config)
	if err != nil {
		return err
	}
	objects, err := wrappers.Build(ctx, sources)
	if err != nil {
		return err
	}
	changed := make(chan struct{}, 1)
	if config.UpdateEvents {
		objects.AddEventHandler(ctx, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	go func() { log.Fatal(http.ListenAndServe(config.MetricsAddress, nil)) }()

	last, next := time.Time{}, time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			// As upstream: a change waits for others up to 5 seconds, and at least --min-event-sync-interval after the last round.
			if soon := time.Now().Add(5 * time.Second); soon.Before(next) {
				next = soon
			}
			if earliest := last.Add(config.MinEventSyncInterval); next.Before(earliest) {
				next = earliest
			}
		case <-time.After(time.Until(next)):
			last = time.Now()
			next = last.Add(config.Interval)
			// Upstream ends after an error and is started again by the kubelet, which these tests do not have.
			if err := synchronize(ctx, config, domains, records, objects); err != nil {
				log.Error(err)
			}
		}
	}
}

// synchronize makes the records equal to what the objects ask for.
func synchronize(ctx context.Context, config *externaldns.Config, domains *endpoint.DomainFilter, records registry.Registry, objects source.Source) error {
	current, err := records.Records(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithValue(ctx, provider.RecordsContextKey, current)
	desired, err := objects.Endpoints(ctx)
	if err != nil {
		return err
	}
	if desired, err = records.AdjustEndpoints(desired); err != nil {
		return err
	}
	changes := (&plan.Plan{
		Current:        current,
		Desired:        desired,
		Policies:       []plan.Policy{plan.Policies[config.Policy]},
		DomainFilter:   endpoint.MatchAllDomainFilters{domains, records.GetDomainFilter()},
		ManagedRecords: config.ManagedDNSRecordTypes,
		ExcludeRecords: config.ExcludeDNSRecordTypes,
		OwnerID:        records.OwnerID(),
		OldOwnerID:     config.TXTOwnerOld,
	}).Calculate().Changes
	if !changes.HasChanges() {
		log.Info("all records are up to date")
		return nil
	}
	return records.ApplyChanges(ctx, changes)
}
