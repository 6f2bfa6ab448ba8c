//! Removes the common settings that cause a loss.

use std::collections::BTreeSet;

use super::Common;

/// Removes the settings that cause a loss, or that the core refuses. `losses` counts the losses under some settings.
pub(super) fn without_losses(common: &Common, losses: &dyn Fn(&Common) -> usize) -> Common {
    // The controller of a class is a fact, so this setting is kept in any case.
    const FACT: &str = "controllers";
    let without = |removed: &BTreeSet<&str>| {
        let kept = common.entries.iter().filter(|entry| !removed.contains(entry.name));
        Common { entries: kept.cloned().collect() }
    };
    let names = common.entries.iter().map(|entry| entry.name).filter(|name| *name != FACT);
    let names: Vec<&str> = names.rev().collect();
    let most = losses(&without(&names.iter().copied().collect()));
    let mut removed = BTreeSet::new();
    let mut now = losses(common);
    let mut remove = |removed: &mut BTreeSet<&'static str>, is_cause: bool| {
        for name in &names {
            if now <= most {
                return;
            }
            let mut more = removed.clone();
            more.insert(*name);
            let less = losses(&without(&more));
            if less < now || now == usize::MAX || !is_cause {
                (*removed, now) = (more, less);
            }
        }
    };
    remove(&mut removed, true);
    // Some settings may cause a loss only together. Then all are removed, until no loss is left, and those that cause none come back.
    let causes = removed.clone();
    remove(&mut removed, false);
    for name in names.iter().rev().filter(|name| !causes.contains(*name)) {
        let mut fewer = removed.clone();
        if fewer.remove(name) && losses(&without(&fewer)) <= most {
            removed = fewer;
        }
    }
    without(&removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cause_a_loss_only_together_are_not_both_kept() {
        const NAMES: [&str; 5] = ["domain", "controllers", "tls", "pathType", "annotations"];
        let mut common = Common::default();
        for name in NAMES {
            common.add(name, name, String::new());
        }
        let of = |causes: &[&str]| {
            let losses = |settings: &Common| {
                let has = |name: &&str| settings.entries.iter().any(|entry| entry.name == *name);
                usize::from(causes.iter().all(has)) + 7
            };
            let kept = without_losses(&common, &losses);
            assert_eq!(losses(&kept), if causes.iter().all(|it| *it == "controllers") { 8 } else { 7 });
            kept.entries.iter().map(|entry| entry.name).collect::<Vec<_>>()
        };
        assert_eq!(of(&["other"]), NAMES);
        assert_eq!(of(&["controllers"]), NAMES);
        assert_eq!(of(&["tls"]), ["domain", "controllers", "pathType", "annotations"]);
        assert_eq!(of(&["domain", "pathType"]), ["domain", "controllers", "tls", "annotations"]);
        assert_eq!(
            of(&["controllers", "domain", "tls"]),
            ["domain", "controllers", "pathType", "annotations"]
        );
    }
}
