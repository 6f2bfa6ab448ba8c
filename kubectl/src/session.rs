//! The common start and end of all commands.

use std::io;

pub(crate) use xposer_cli::Exit;
use xposer_cli::{Console, Diagnostics, Printer};

use crate::args::ClusterArgs;
use crate::connect::Connection;
use crate::controller::SettingsError;
use crate::failure::Failure;
use crate::world::{ClusterObjects, Scope};

/// The reason why a command ends early.
pub(crate) enum CommandError {
    Missing(SettingsError),
    /// An error of writing an output.
    Output(io::Error),
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Missing(SettingsError::Failure(failure))
    }
}

impl From<SettingsError> for CommandError {
    fn from(missing: SettingsError) -> Self {
        Self::Missing(missing)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Prints findings for people.
pub(crate) fn text(console: &Console<'_>) -> Printer {
    Printer::for_terminal(Diagnostics::Text, console.terminal)
}

/// Reads the cluster, and reports which settings apply and which objects could not be read.
pub(crate) async fn read(
    connection: &Connection,
    cluster: &ClusterArgs,
    wanted: &Scope<'_>,
    console: &mut Console<'_>,
) -> Result<ClusterObjects, CommandError> {
    let mut world = ClusterObjects::read(connection, cluster, wanted, console.stdin).await?;
    if let Some(settings_source) = &world.settings_source {
        writeln!(console.stderr, "{settings_source}")?;
    }
    let notes = std::mem::take(&mut world.notes);
    text(console).print(notes, console.stderr)?;
    Ok(world)
}
