//! Reads the `Service` type of the crate `k8s_openapi`.

use std::borrow::Cow;

use k8s_openapi::api::core::v1;

use super::hints::Hints;
use super::{EXPOSE_LABEL, Port, Service, ServiceKind};

impl<'a> Service<'a> {
    /// Reads a typed Service. The result is the same as that of [`Service::from_value`] for its JSON.
    ///
    /// ```
    /// use k8s_openapi::api::core::v1::Service;
    /// let mut service = Service::default();
    /// service.metadata.name = Some("web".to_owned());
    /// assert_eq!(xposer::Service::from_typed(&service).name(), "web");
    /// ```
    #[must_use]
    pub fn from_typed(service: &'a v1::Service) -> Self {
        let metadata = &service.metadata;
        let labels = metadata.labels.iter().flatten();
        let annotations = || metadata.annotations.iter().flatten();
        let mut view = Self {
            is_exposed: labels.clone().any(|(key, value)| key == EXPOSE_LABEL && value == "true"),
            name: metadata.name.as_deref().unwrap_or_default(),
            namespace: metadata.namespace.as_deref().filter(|name| !name.is_empty()),
            ..Self::default()
        };
        let mut hints = Hints::default();
        labels.for_each(|(key, value)| hints.label(key, Cow::Borrowed(value)));
        if !view.is_exposed {
            annotations().for_each(|(key, value)| hints.annotation(key, value));
        }
        view.hints = hints.findings(view.is_exposed);
        if !view.is_exposed {
            return view;
        }
        view.require_name(metadata.generate_name.as_deref());
        annotations().for_each(|(key, value)| view.read_annotation(key, Some(value)));
        let Some(spec) = &service.spec else { return view };
        view.has_spec = true;
        view.kind = ServiceKind::new(spec.type_.as_deref(), spec.cluster_ip.as_deref());
        let fields = [&spec.type_, &spec.load_balancer_class, &spec.load_balancer_ip];
        view.address_fields.extend(
            fields.into_iter().flatten().chain(spec.external_ips.iter().flatten()).map(String::as_str),
        );
        for (index, port) in spec.ports.iter().flatten().enumerate() {
            let number = view.port_number(u16::try_from(port.port).ok(), port.port, index);
            let (protocol, app_protocol) = (port.protocol.as_deref(), port.app_protocol.as_deref());
            view.ports.push(Port::new(port.name.as_deref(), number, protocol, app_protocol));
        }
        view
    }
}
