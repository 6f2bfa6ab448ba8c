//! The features of the Gateway API that an implementation may lack, and those that each implementation lacks.

use crate::dialect::controller::Controller;
use crate::values::Feature::{
    self, Code303, Code307, Code308, Cors, PathRewrite, RequestTimeout, ResponseHeaders,
};

/// Returns the feature that a redirect with this status code needs. Every implementation supports 301 and 302.
pub(in crate::dialect) fn of_code(code: u16) -> Option<Feature> {
    match code {
        303 => Some(Code303),
        307 => Some(Code307),
        308 => Some(Code308),
        _ => None,
    }
}

/// Returns the features that an implementation lacks if its class announces none, by its newest conformance report for Gateway
/// API 1.5 or 1.6. An unknown implementation is expected to have only features that are old and widely supported.
fn lacking(controller: Controller) -> &'static [Feature] {
    match controller {
        Controller::EnvoyGateway | Controller::Openshift => &[],
        Controller::Contour => &[Cors, Code303, Code307, Code308],
        Controller::Traefik => &[Cors, RequestTimeout, Code303, Code307, Code308],
        Controller::Alb => &[Cors, PathRewrite, RequestTimeout, ResponseHeaders, Code303, Code307, Code308],
        Controller::Gce => &[Cors, PathRewrite, RequestTimeout, Code303, Code307, Code308],
        Controller::HaproxyIngress => &[Cors, PathRewrite, RequestTimeout, Code303, Code307, Code308],
        _ => &[Cors, RequestTimeout, ResponseHeaders, Code303, Code307, Code308],
    }
}

/// Whether an implementation has a feature. The features that the class of the Gateway announces take precedence over the
/// table.
pub(in crate::dialect) fn has(
    announced: Option<&[String]>,
    controller: Controller,
    feature: Feature,
) -> bool {
    announced.map_or_else(
        || !lacking(controller).contains(&feature),
        |all| all.iter().any(|it| it == feature.as_str()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_features_override_the_table() {
        let announced = [Cors.to_string()];
        assert!(has(Some(&announced), Controller::Traefik, Cors));
        assert!(!has(Some(&announced), Controller::EnvoyGateway, PathRewrite));
        assert!(has(None, Controller::EnvoyGateway, Cors) && !has(None, Controller::Traefik, Cors));
        assert!(has(None, Controller::Gateway, PathRewrite) && !has(None, Controller::Gateway, Cors));
    }
}
