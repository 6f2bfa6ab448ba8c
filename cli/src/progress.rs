//! Shows the progress of reading many documents, on a terminal only.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A run that is shorter, in time or in documents, shows no progress.
const MIN_DURATION: Duration = Duration::from_secs(1);
const MANY: usize = 1000;

/// Shows how many documents have been read, after a while. The display is removed when this is dropped.
pub(crate) struct Progress {
    is_terminal: bool,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(is_terminal: bool) -> Self {
        Self { is_terminal, started: Instant::now(), bar: None }
    }

    /// Updates the numbers of files and documents that have been read.
    pub(crate) fn read(&mut self, files: usize, documents: usize) {
        if !self.is_terminal || (documents <= MANY && self.started.elapsed() < MIN_DURATION) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_message(format!("{documents} documents of {files} files read"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
