//! What the programs around Kubernetes read of the objects: one file or folder a program.

pub(crate) mod cert_manager;
pub(crate) mod external_dns;
pub mod legacy;
pub(crate) mod monitor;
pub(crate) mod nginx;
pub(crate) mod programs;
