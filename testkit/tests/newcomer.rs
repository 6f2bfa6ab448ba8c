//! Follows `docs/first-minutes.md` as a new user: writes every file, runs every command, and compares the output with the page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a page that cannot be read has failed, and what is skipped is said"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use xposer_testkit::workspace;

const PAGE: &str = "docs/first-minutes.md";

/// The page with the output of its commands, and the number of commands that were run.
struct Walk {
    page: String,
    ran: usize,
}

/// Makes an empty folder with the files of the repository that the page uses, and with its programs in `bin`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(folder.join("bin")).unwrap();
    symlink(workspace().join("tests"), folder.join("tests")).unwrap();
    let module = std::env::var_os("POLICY_WASM").map_or(workspace().join("policy.wasm"), PathBuf::from);
    symlink(module, folder.join("policy.wasm")).unwrap();
    let kwctl = Path::new(env!("CARGO_BIN_EXE_xposer-kwctl"));
    // Both programs are built into the same folder.
    symlink(kwctl.with_file_name("xposer"), folder.join("bin/xposer")).unwrap();
    if !std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|it| it.join("kwctl").exists()))
    {
        println!("skipped: no kwctl, so the test kit's stand-in runs the policy");
        symlink(kwctl, folder.join("bin/kwctl")).unwrap();
    }
    folder
}

/// Returns the output of a command on both streams.
fn run(command: &str, folder: &Path) -> String {
    let path = std::env::join_paths(
        [folder.join("bin")].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("bash")
        .args(["-c", &format!("{{ {command}; }} 2>&1")])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // A finding ends with an empty line, which the page does not show.
    format!("{}\n", text.trim_end()).trim_start_matches('\n').to_owned()
}

/// Runs the commands of the page. The output of commands for which `is_run` is false stays as it is.
fn walk(name: &str, is_run: fn(&str) -> bool) -> Walk {
    let folder = folder(name);
    let page = fs::read_to_string(workspace().join(PAGE)).unwrap();
    let makefile = fs::read_to_string(workspace().join("Makefile")).unwrap();
    let mut walk = Walk { page: String::new(), ran: 0 };
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        walk.page.push_str(line);
        walk.page.push('\n');
        let Some(word) = line.strip_prefix("```").filter(|word| !word.is_empty()) else { continue };
        let block: Vec<&str> = std::iter::from_fn(|| lines.next_if(|line| *line != "```")).collect();
        if word != "console" {
            let text: String = block.iter().map(|line| format!("{line}\n")).collect();
            if let Some(file) = block.first().and_then(|line| line.strip_prefix("# ")) {
                fs::write(folder.join(file), text.split_once('\n').unwrap().1).unwrap();
            }
            walk.page.push_str(&text);
            continue;
        }
        let mut shown = block.into_iter().peekable();
        while let Some(line) = shown.next() {
            let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{line} belongs to no command"));
            let output: Vec<&str> =
                std::iter::from_fn(|| shown.next_if(|line| !line.starts_with("$ "))).collect();
            walk.page.push_str(&format!("$ {command}\n"));
            if let Some(target) = command.strip_prefix("make ") {
                assert!(makefile.contains(&format!("\n{target}: ")), "there is no target {target}");
            } else if command.starts_with("export ") {
                // The folder `bin` replaces these commands.
            } else if is_run(command) {
                walk.page.push_str(&run(command, &folder));
                walk.ran += 1;
                continue;
            }
            walk.page.extend(output.iter().map(|line| format!("{line}\n")));
        }
    }
    walk
}

/// Compares the page, or writes it with `BLESS=1`.
fn compare(walk: &Walk) {
    let file = workspace().join(PAGE);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &walk.page).unwrap();
    }
    assert_eq!(walk.page, fs::read_to_string(&file).unwrap(), "{PAGE} (BLESS=1 accepts the left one)");
}

#[test]
fn the_first_minutes_are_as_the_page_shows_them() {
    let walk = walk("newcomer", |command| command.starts_with("xposer "));
    assert!(walk.ran > 3, "{} commands were run", walk.ran);
    compare(&walk);
}

mod in_the_wapc_host {
    use super::*;

    #[test]
    #[ignore = "needs policy.wasm, or the module that POLICY_WASM names: make test"]
    fn the_first_policy_answers_as_the_page_shows_it() {
        let walk = walk("newcomer-policy", |command| !command.starts_with("xposer "));
        assert_eq!(walk.ran, 2);
        compare(&walk);
    }
}

/// Every page of the cookbook begins with the problem that it solves.
#[test]
fn every_page_of_the_cookbook_begins_with_the_problem() {
    let pages = fs::read_dir(workspace().join("docs/cookbook")).unwrap().map(|it| it.unwrap().path());
    for page in pages.filter(|page| !page.ends_with("README.md")) {
        let text = fs::read_to_string(&page).unwrap();
        let problem = text.split("\n\n").nth(1).unwrap_or_default();
        assert!(
            problem.starts_with('*') && problem.ends_with('*') && problem.contains('?'),
            "{}: {problem}",
            page.display()
        );
    }
}
