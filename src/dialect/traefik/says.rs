//! What Traefik can do of what a plan wants.

use crate::dialect::says::Says;
use crate::intents::{Intent, Wish};
use crate::plan::Plan;

pub(in crate::dialect) fn says(_plan: &Plan, _intent: Intent, _wish: Option<&Wish>) -> Says {
    Says::Lacks("remove it, or choose another class".into())
}
