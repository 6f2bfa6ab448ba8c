pub(crate) async fn adopt(_: &crate::args::AdoptArgs, _: &crate::args::ClusterArgs, _: &mut xposer_cli::Console<'_>) -> Result<crate::Exit, crate::Stop> { Ok(crate::Exit::Done) }
