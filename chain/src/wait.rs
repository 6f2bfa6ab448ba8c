//! Waits for conditions with a deadline. If it expires, the last observed state is reported.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The usual deadline, which is sufficient for an action of one program.
pub const SOON: Duration = Duration::from_secs(30);
/// The interval between two checks of a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Prints a line to standard error, even if the test runner captures the output of tests.
pub fn say(line: &str) {
    // An error cannot be reported anywhere.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Waits until `look` succeeds.
///
/// # Errors
///
/// The last error of `look`, after the deadline.
pub fn wait_for<T>(time: Duration, what: &str, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match look() {
            Ok(seen) => return Ok(seen),
            Err(last) if began.elapsed() > time => {
                bail!("{what}: not within {} s; at last: {last:#}", time.as_secs())
            }
            Err(_) => std::thread::sleep(POLL_INTERVAL),
        }
    }
}

/// [`wait_for`] for tests: panics if the deadline expires.
#[track_caller]
pub fn within<T>(time: Duration, what: &str, look: impl FnMut() -> Result<T>) -> T {
    wait_for(time, what, look).unwrap_or_else(|error| panic!("{error:#}"))
}

/// [`within`] with the deadline [`SOON`].
#[track_caller]
pub fn eventually<T>(what: &str, look: impl FnMut() -> Result<T>) -> T {
    within(SOON, what, look)
}

/// A condition. Its error says what is missing.
type Look<'l> = Box<dyn FnMut() -> Result<()> + 'l>;

/// A condition with its state.
struct Link<'l> {
    name: String,
    look: Look<'l>,
    last: String,
    after: Option<Duration>,
}

/// Conditions that follow from one action. They are checked in turns, so the time of each is measured.
pub struct Links<'l> {
    action: String,
    began: Instant,
    links: Vec<Link<'l>>,
}

impl<'l> Links<'l> {
    /// Starts the time measurement. Call it immediately before the action.
    pub fn of(action: &str) -> Self {
        Self { action: action.to_owned(), began: Instant::now(), links: Vec::new() }
    }

    /// Adds a condition.
    #[must_use]
    pub fn link(mut self, name: &str, look: impl FnMut() -> Result<()> + 'l) -> Self {
        let last = "it was not checked yet".to_owned();
        self.links.push(Link { name: name.to_owned(), look: Box::new(look), last, after: None });
        self
    }

    /// Waits until each condition was met once, and prints the time of each.
    #[track_caller]
    pub fn all_within(mut self, time: Duration) {
        while self.links.iter().any(|link| link.after.is_none()) && self.began.elapsed() <= time {
            for link in self.links.iter_mut().filter(|link| link.after.is_none()) {
                match (link.look)() {
                    Ok(()) => link.after = Some(self.began.elapsed()),
                    Err(error) => link.last = format!("{error:#}"),
                }
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        say(&format!("\n{}", self.action));
        for link in &self.links {
            match link.after {
                Some(after) => say(&format!("  {:7.2} s  {}", after.as_secs_f64(), link.name)),
                None => say(&format!("        -    {}: {}", link.name, link.last)),
            }
        }
        let missing: Vec<&Link<'_>> = self.links.iter().filter(|link| link.after.is_none()).collect();
        let told: Vec<String> = missing.iter().map(|link| format!("{}: {}", link.name, link.last)).collect();
        assert!(told.is_empty(), "{}: not within {} s: {}", self.action, time.as_secs(), told.join("; "));
    }

    /// [`Links::all_within`] with the deadline [`SOON`].
    #[track_caller]
    pub fn all(self) {
        self.all_within(SOON);
    }
}
