//! The controllers that serve the objects of a plan, and the intents that they have to implement.

use super::{Place, Plan};
use crate::diagnostics::Origin;
use crate::dialect::controller::Controller;
use crate::intents::{Intent, IntentValue};
use crate::values::Target;

/// The controller that serves the objects of a target, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) target: Target,
    pub(crate) controller: Controller,
    pub(crate) reason: Reason,
}

/// The reason why a controller is known to serve an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A setting names the controller (`controllers`, `gatewayController`), or an annotation does that only this controller reads.
    /// The origin is that setting or annotation.
    Setting(Origin),
    /// The class in the cluster names this controller.
    Cluster(String),
    /// The name of the class implies the controller.
    ClassName,
    /// No other reason applies: the controller of the setting `defaultController`.
    DefaultController,
    /// No other reason applies, and there is no such setting: the built-in default.
    Default,
}

impl Server {
    /// Whether the controller is only assumed, so that another program may serve the objects. For a Gateway, nothing is assumed.
    pub(crate) fn is_assumed(&self) -> bool {
        self.reason == Reason::Default && self.controller == Controller::IngressNginx
    }
}

/// An intent of the Service, with its value and source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestedIntent {
    pub(crate) intent: Intent,
    pub(crate) intent_value: IntentValue,
    /// The annotation or setting that asks for it.
    pub(crate) origin: Origin,
    /// The annotations of other programs that express it; empty if an option does.
    pub(crate) keys: Vec<String>,
    /// Further annotations that express the same value, or another value, which is reported.
    pub(crate) repeated_by: Vec<String>,
}

impl RequestedIntent {
    /// The words that ask for it: the key of its first annotation, or the name of its option.
    pub(crate) fn words(&self) -> &str {
        self.keys.first().map_or(self.intent.as_str(), String::as_str)
    }
}

impl Plan {
    /// The place of an intent: the first of its lines, or the option or setting that asks for it.
    pub(crate) fn place_of(&self, wanted: &RequestedIntent) -> Place<'_> {
        let line = wanted.keys.first().and_then(|key| self.annotation(key));
        Place::new(line, &wanted.origin)
    }

    /// The controller that serves the objects of a target.
    pub(crate) fn controller(&self, target: Target) -> Controller {
        let known = self.servers.iter().find(|server| server.target == target);
        known.map_or(
            match target {
                Target::Ingress => Controller::IngressNginx,
                Target::HttpRoute => Controller::Gateway,
                Target::Route => Controller::Openshift,
            },
            |server| server.controller,
        )
    }

    /// The name of the program that serves the objects of a target, as a part of a sentence.
    pub(crate) fn program_name(&self, target: Target) -> &'static str {
        self.controller(target).name_on(target)
    }

    /// The controller that serves the objects of a target, and the reason, as a part of a sentence.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::Target;
    /// let plan = xposer::testing::plan(&[("IngressClassName", "contour")], json!({}))?;
    /// assert_eq!(plan.server(Target::Ingress).as_deref(), Some("Contour, as the name of the class says"));
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn server(&self, target: Target) -> Option<String> {
        let server = self.servers.iter().find(|server| server.target == target)?;
        let name = server.controller.name_on(target);
        Some(match &server.reason {
            Reason::Setting(origin) => format!("{name}, as {} says", origin.path()),
            Reason::Cluster(controller) => {
                format!("{name}, as its class with the controller {controller} says")
            }
            Reason::ClassName => format!("{name}, as the name of the class says"),
            Reason::DefaultController => format!("{name}, as settings.defaultController says"),
            Reason::Default => format!("{name}, which is the default"),
        })
    }

    /// The class of the Ingress, if no setting, no class of the cluster and no known class name tells which controller serves it.
    ///
    /// ```
    /// use serde_json::json;
    /// let plan = |class| xposer::testing::plan(&[("IngressClassName", class)], json!({}));
    /// assert_eq!(plan("internal")?.class_without_server(), Some("internal"));
    /// assert_eq!(plan("contour")?.class_without_server(), None);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn class_without_server(&self) -> Option<&str> {
        let server = self.servers.iter().find(|server| server.target == Target::Ingress)?;
        self.class_name().filter(|_| matches!(server.reason, Reason::DefaultController | Reason::Default))
    }

    /// The entry of an intent, if the Service has it.
    pub(crate) fn requested(&self, intent: Intent) -> Option<&RequestedIntent> {
        self.intents.iter().find(|wanted| wanted.intent == intent)
    }

    /// The value of an intent.
    pub(crate) fn intent_value(&self, intent: Intent) -> Option<&IntentValue> {
        self.requested(intent).map(|wanted| &wanted.intent_value)
    }
}
