//! The process that runs [`xposer_cli::run`].

use std::io;
use std::process::ExitCode;

use xposer_cli::{Console, Terminal, run};

fn main() -> ExitCode {
    let console = Console {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::BufWriter::new(io::stdout().lock()),
        stderr: &mut io::BufWriter::new(io::stderr().lock()),
        terminal: Terminal::of_process(),
    };
    ExitCode::from(run(std::env::args_os(), console))
}
