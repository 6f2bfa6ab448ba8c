// Package ext is empty in Traefik too: it holds what others add to the configuration. It is not part of Traefik's module.
package ext

// HTTP has no additions.
type HTTP struct{}

// Router has no additions.
type Router struct{}
