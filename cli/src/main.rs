//! The process that runs [`xposer_cli::run`].

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use xposer_cli::{Console, Terminal, run};

fn main() -> ExitCode {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let terminal = Terminal {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
        colors: !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    };
    let console = Console {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::BufWriter::new(io::stdout().lock()),
        stderr: &mut io::BufWriter::new(io::stderr().lock()),
        terminal,
    };
    ExitCode::from(run(std::env::args_os(), console))
}
