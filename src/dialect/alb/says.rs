//! What the AWS Load Balancer Controller can do of what a plan wants.

use crate::dialect::says::Says;
use crate::intents::{Intent, Wish};
use crate::plan::Plan;

pub(in crate::dialect) fn says(_plan: &Plan, intent: Intent, _wish: Option<&Wish>) -> Says {
    if intent == Intent::HttpsRedirect {
        return Says::Fully;
    }
    Says::Lacks("remove it, or choose another class".into())
}
