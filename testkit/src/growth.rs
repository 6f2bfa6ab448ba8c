//! The growth of the work of a function with its input, which does not depend on the speed of a machine.

use nix::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// The number of rounds, of which the best one counts.
const ROUNDS: usize = 5;
/// The least time of a round, in seconds. Some kernels count the time in hundredths of a second.
const SHORT: f64 = 0.05;
/// The most runs in a round.
const MAX_RUNS: u32 = 1_000_000;

/// Returns the processor time that a process or a thread has used, in seconds. Other processes have little influence on it.
pub fn spent(by: UsageWho) -> Result<f64> {
    let usage = getrusage(by)?;
    let micros = |time: TimeVal| time.num_microseconds() as f64;
    Ok((micros(usage.user_time()) + micros(usage.system_time())) / 1e6)
}

/// Returns the best processor time of several rounds, in seconds. A function runs so many times in a round that the round is not too
/// short to be compared.
pub fn time(by: UsageWho, run: &dyn Fn()) -> Result<f64> {
    let (mut best, mut runs, mut rounds) = (f64::MAX, 1_u32, 0);
    while rounds < ROUNDS {
        let start = spent(by)?;
        (0..runs).for_each(|_| run());
        let time = spent(by)? - start;
        if time < SHORT && runs < MAX_RUNS {
            runs *= 2;
        } else {
            best = best.min(time / f64::from(runs));
            rounds += 1;
        }
    }
    Ok(best)
}

/// Returns how many times as much processor time of this thread the second function takes as the first one.
pub fn growth(small: &dyn Fn(), large: &dyn Fn()) -> Result<f64> {
    let by = UsageWho::RUSAGE_THREAD;
    Ok(time(by, large)? / time(by, small)?)
}
