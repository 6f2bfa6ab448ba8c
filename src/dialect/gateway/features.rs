//! The features of the Gateway API that an implementation may lack, and who lacks which.

use crate::dialect::controller::Controller;

/// The names are those of `GatewayClass.status.supportedFeatures` (Gateway API 1.6).
pub(in crate::dialect) const CORS: &str = "HTTPRouteCORS";
pub(in crate::dialect) const PATH_REWRITE: &str = "HTTPRoutePathRewrite";
pub(in crate::dialect) const REQUEST_TIMEOUT: &str = "HTTPRouteRequestTimeout";
pub(in crate::dialect) const RESPONSE_HEADERS: &str = "HTTPRouteResponseHeaderModification";
const CODE_303: &str = "HTTPRoute303RedirectStatusCode";
const CODE_307: &str = "HTTPRoute307RedirectStatusCode";
const CODE_308: &str = "HTTPRoute308RedirectStatusCode";

/// The feature that a redirect with this code needs; every implementation has 301 and 302.
pub(in crate::dialect) fn of_code(code: u16) -> Option<&'static str> {
    match code {
        303 => Some(CODE_303),
        307 => Some(CODE_307),
        308 => Some(CODE_308),
        _ => None,
    }
}

/// What an implementation lacks where its class says nothing, by its newest conformance report for Gateway API 1.5 or 1.6. What is
/// unknown gets what is old and widely supported.
fn lacking(controller: Controller) -> &'static [&'static str] {
    match controller {
        Controller::EnvoyGateway | Controller::Openshift => &[],
        Controller::Contour => &[CORS, CODE_303, CODE_307, CODE_308],
        Controller::Traefik => &[CORS, REQUEST_TIMEOUT, CODE_303, CODE_307, CODE_308],
        Controller::Alb => {
            &[CORS, PATH_REWRITE, REQUEST_TIMEOUT, RESPONSE_HEADERS, CODE_303, CODE_307, CODE_308]
        }
        Controller::Gce => &[CORS, PATH_REWRITE, REQUEST_TIMEOUT, CODE_303, CODE_307, CODE_308],
        Controller::HaproxyIngress => &[CORS, PATH_REWRITE, REQUEST_TIMEOUT, CODE_303, CODE_307, CODE_308],
        _ => &[CORS, REQUEST_TIMEOUT, RESPONSE_HEADERS, CODE_303, CODE_307, CODE_308],
    }
}

/// Whether there is a feature: what the class of the Gateway says counts more than the table.
pub(in crate::dialect) fn has(announced: Option<&[String]>, controller: Controller, feature: &str) -> bool {
    announced
        .map_or_else(|| !lacking(controller).contains(&feature), |all| all.iter().any(|it| it == feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_class_announces_counts_more_than_the_table() {
        let announced = [CORS.to_owned()];
        assert!(has(Some(&announced), Controller::Traefik, CORS));
        assert!(!has(Some(&announced), Controller::EnvoyGateway, PATH_REWRITE));
        assert!(has(None, Controller::EnvoyGateway, CORS) && !has(None, Controller::Traefik, CORS));
        assert!(has(None, Controller::Gateway, PATH_REWRITE) && !has(None, Controller::Gateway, CORS));
    }
}
