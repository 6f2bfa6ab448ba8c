//! Which program a class of Ingresses says that it belongs to.

/// The controllers whose classes have their names, word by word.
const OTHER_CONTROLLERS: &str = "alb ambassador apisix cilium citrix contour gce gloo haproxy higress istio kong ngrok openshift \
     pomerium skipper tailscale traefik tyk voyager";

/// Whether the name of a class says that a controller other than ingress-nginx serves it. A name that says nothing, such as
/// `internal`, counts as a class of ingress-nginx, because the original wrote annotations for that.
pub(crate) fn is_of_other_controller(class: &str) -> bool {
    let mut words = class.split(|c: char| !c.is_ascii_alphanumeric());
    let is_azure =
        class.starts_with("azure") && (class.contains("application-gateway") || class.contains("alb"));
    is_azure
        || (!class.contains("nginx")
            && words.any(|word| OTHER_CONTROLLERS.split(' ').any(|known| known == word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_known_by_their_words() {
        let others =
            "alb gce-internal traefik-external internal.kong azure/application-gateway openshift-default";
        for class in others.split(' ') {
            assert!(is_of_other_controller(class), "{class}");
        }
        let own = "nginx internal webapprouting.kubernetes.azure.com nginx-kong albatross azure-internal";
        for class in own.split(' ').chain([""]) {
            assert!(!is_of_other_controller(class), "{class}");
        }
    }
}
