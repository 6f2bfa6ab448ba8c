pub(crate) async fn diff(_: &crate::args::DiffArgs, _: &crate::args::ClusterArgs, _: &mut xposer_cli::Console<'_>) -> Result<crate::Exit, crate::Stop> { Ok(crate::Exit::Done) }
