//! Who serves what a plan becomes, and what it wants of them.

use super::Plan;
use crate::diagnostics::Origin;
use crate::dialect::controller::Controller;
use crate::intents::{Intent, Wish};
use crate::values::Target;

/// Who serves the objects of a target, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) target: Target,
    pub(crate) controller: Controller,
    pub(crate) reason: Reason,
}

/// How it is known who serves something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A setting says it.
    Setting(Origin),
    /// The class of the cluster names this controller.
    Cluster(String),
    /// The name of the class says it.
    ClassName,
    /// Nothing says anything else.
    Default,
}

/// Something that the Service wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) intent: Intent,
    pub(crate) wish: Wish,
    /// Who wants it.
    pub(crate) origin: Origin,
    /// The annotations of other programs that say it; none where an option does.
    pub(crate) keys: Vec<String>,
    /// Further annotations that say the same, or something else, which was told.
    pub(crate) same: Vec<String>,
}

impl Plan {
    /// Who serves the objects of a target.
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

    /// Who is to serve the objects of a target, and why that is known, as a part of a sentence.
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
        let name = server.controller.row().name;
        Some(match &server.reason {
            Reason::Setting(origin) => format!("{name}, as {} says", origin.path()),
            Reason::Cluster(controller) => {
                format!("{name}, as its class with the controller {controller} says")
            }
            Reason::ClassName => format!("{name}, as the name of the class says"),
            Reason::Default => format!("{name}, as nothing says anything else"),
        })
    }

    /// The class of the Ingress, if nothing says who serves it: no setting, no class of the cluster, and not its name.
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
        self.class_name().filter(|_| server.reason == Reason::Default)
    }

    /// What the Service wants, if it wants this.
    pub(crate) fn wanted(&self, intent: Intent) -> Option<&Wanted> {
        self.intents.iter().find(|wanted| wanted.intent == intent)
    }

    /// The value of an intent.
    pub(crate) fn wish(&self, intent: Intent) -> Option<&Wish> {
        self.wanted(intent).map(|wanted| &wanted.wish)
    }
}
