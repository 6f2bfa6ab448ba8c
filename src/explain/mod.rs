//! What reports and `xposer explain` say about a plan: its URLs and certificates, the source of each value, and how each program
//! expresses each intent. No room decides by it.

pub(crate) mod facts;
pub(crate) mod programs;
pub(crate) mod trace;
