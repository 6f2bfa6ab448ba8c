// Where the definitions of other projects come from. Nothing here is compiled.
module xposer/cluster/crds

go 1.26.0

require (
	github.com/openshift/api v0.0.0-20251214014457-bfa868a22401
	sigs.k8s.io/gateway-api v1.6.3
)
