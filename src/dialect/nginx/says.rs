//! What ingress-nginx can do of what a plan wants.

use crate::dialect::says::Says;
use crate::intents::{Intent, Wish};
use crate::plan::Plan;

pub(in crate::dialect) fn says(_plan: &Plan, intent: Intent, _wish: Option<&Wish>) -> Says {
    match intent {
        Intent::RequestHeaders | Intent::ResponseHeaders => {
            Says::Lacks("set it in the Service, or choose another class".into())
        }
        _ => Says::Fully,
    }
}
