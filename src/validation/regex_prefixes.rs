//! The paths below which a regular expression takes all requests.

use super::regex::{Item, Token, items};

/// The maximum number of paths of one expression, and its maximum length. A larger expression counts as `/`.
const MAX_PATHS: usize = 64;
const MAX_LENGTH: usize = 1024;
/// The maximum number of characters in a list such as `[ab]` that are read one by one.
const MAX_SIGNS: usize = 8;

/// Ends the beginning of a path after which any text may follow, so that no further character is certain. No path contains it.
const ANY_SUFFIX: char = '\0';

/// The maximum work for the expressions of one object: the number of copied bytes and of changed beginnings of paths.
const MAX_WORK: usize = 8 << 20;

/// The remaining paths and the remaining work for the regular expressions of one object or Service. An expression of a few bytes can
/// have 64 paths, and an object can have thousands of expressions.
pub(crate) struct PathBudget {
    paths: usize,
    work: usize,
    /// Whether an expression was too large for the rest, so that it counts only as it is written.
    pub(crate) is_exceeded: bool,
}

impl PathBudget {
    pub(crate) const fn new(paths: usize) -> Self {
        Self { paths, work: MAX_WORK, is_exceeded: false }
    }

    /// Takes this work; `None` if too little is left.
    fn take(&mut self, work: usize) -> Option<()> {
        self.is_exceeded |= work > self.work;
        self.work = self.work.saturating_sub(work);
        (!self.is_exceeded).then_some(())
    }

    /// Takes the work for a copy of these beginnings of paths.
    fn copy(&mut self, starts: &[String]) -> Option<()> {
        self.take(starts.iter().map(|start| start.len() + 16).sum::<usize>())
    }
}

/// An alternative of the expression is being read.
struct Group {
    /// The beginnings of the paths that the expression matches before the group.
    before: Vec<String>,
    /// Those with the previous alternatives.
    done: Vec<String>,
    /// Whether the group matches no text: a look-around.
    looks: bool,
}

/// Returns the paths below which a regular expression takes all requests, without a slash at the end: `/` for `/(.*)`, `/shop` for
/// `/shop(/|$)(.*)`, and `/a` and `/b` for `/(a|b)/.+`. An expression without such a path takes only some of the requests, such as
/// `/v[0-9]+` and `/shop/?$`. The expression is compared with the beginning of a path, as ingress-nginx does it.
///
/// Groups, alternatives, lists of at most eight characters such as `[ab]` and quantifiers are read. Other sets of characters count only
/// if they may be missing or match nearly everything. After the budget is used up, no expression has such a path.
pub(super) fn covered_prefixes(pattern: &str, budget: &mut PathBudget) -> Vec<String> {
    // A path that was written as `^/shop` got a leading slash.
    let pattern = pattern.strip_prefix("/^").unwrap_or(pattern);
    let mut paths: Vec<String> = Vec::new();
    let starts = if budget.is_exceeded { None } else { starts(pattern, budget) };
    for start in starts.unwrap_or_else(|| vec![String::new()]) {
        let path = start.trim_end_matches(['/', ANY_SUFFIX]);
        if path.is_empty() {
            paths = vec!["/".to_owned()];
            break;
        }
        if path.starts_with('/') && !paths.iter().any(|known| known == path) {
            paths.push(path.to_owned());
        }
    }
    budget.is_exceeded |= paths.len() > budget.paths;
    if budget.is_exceeded {
        return Vec::new();
    }
    budget.paths -= paths.len();
    paths
}

/// The beginnings of the paths that an expression matches; `None` if there are too many.
fn starts(pattern: &str, budget: &mut PathBudget) -> Option<Vec<String>> {
    if pattern.len() > MAX_LENGTH {
        return None;
    }
    let mut now = vec![String::new()];
    // The whole expression, and the open groups.
    let mut groups = vec![Group { before: now.clone(), done: Vec::new(), looks: false }];
    let mut is_end = false;
    for part in items(pattern) {
        if now.len() > MAX_PATHS {
            return None;
        }
        budget.take(now.len())?;
        is_end = part.token == Token::End;
        match part.token {
            Token::Capture | Token::Open => {
                budget.copy(&now)?;
                groups.push(Group { before: now.clone(), done: Vec::new(), looks: part.starts_assertion() });
                continue;
            }
            Token::Bar => {
                let group = groups.last_mut()?;
                group.done.append(&mut now);
                budget.copy(&group.before)?;
                now.clone_from(&group.before);
                continue;
            }
            Token::End => continue,
            _ => {}
        }
        let count = part.min_repetitions();
        let mut before = Vec::new();
        if part.token == Token::Close {
            let mut group = groups.pop()?;
            now.append(&mut group.done);
            if group.looks {
                now.clear();
            }
            if group.looks || count == Some(0) {
                before = group.before;
            } else if count > Some(1) {
                now.clear();
            }
        } else {
            match Matched::new(part) {
                Matched::Nothing => {}
                Matched::Set if count != Some(0) => now.clear(),
                Matched::Set | Matched::Any => now.iter_mut().for_each(|start| start.push(ANY_SUFFIX)),
                Matched::OneOf(signs) => {
                    let mut all = std::mem::take(&mut now);
                    if count == Some(0) {
                        budget.copy(&all)?;
                        before.clone_from(&all);
                    }
                    let mut left = signs.chars();
                    while let Some(sign) = left.next() {
                        // The last character needs no copy.
                        let mut starts = if left.as_str().is_empty() {
                            std::mem::take(&mut all)
                        } else {
                            budget.copy(&all)?;
                            all.clone()
                        };
                        starts.retain(|it| sign == '/' || !it.ends_with(ANY_SUFFIX));
                        for start in starts.iter_mut().filter(|it| !it.ends_with(ANY_SUFFIX)) {
                            (0..count.unwrap_or(1).clamp(1, 64)).for_each(|_| start.push(sign));
                        }
                        now.append(&mut starts);
                    }
                }
            }
        }
        now.append(&mut before);
    }
    let mut done = groups.pop()?.done;
    done.append(&mut now);
    // The end of the path must follow, or the expression is not complete.
    done.retain(|it| (!is_end || it.ends_with(ANY_SUFFIX)) && groups.is_empty());
    (done.len() <= MAX_PATHS).then_some(done)
}

/// What a part of an expression without groups matches.
enum Matched<'t> {
    /// No character, such as `^`.
    Nothing,
    /// One of these characters.
    OneOf(&'t str),
    /// Some characters.
    Set,
    /// Nearly every character.
    Any,
}

impl<'t> Matched<'t> {
    fn new(item: Item<'t>) -> Self {
        let text = item.text;
        let mut signs = text.chars();
        match (signs.next(), signs.next()) {
            (Some('^' | '('), _) => Self::Nothing,
            // A dot alone also is the dot of a version.
            (Some('.'), _) if !item.quantifier.is_empty() => Self::Any,
            (Some('\\'), Some(sign)) if "bBAGzZ".contains(sign) => Self::Nothing,
            (Some('\\'), Some(sign)) if "SDWNVH".contains(sign) => Self::Any,
            (Some('\\'), Some(sign)) if !sign.is_alphanumeric() => {
                Self::OneOf(text.get(1..).unwrap_or_default())
            }
            (Some('['), Some('^')) if text.ends_with(']') => Self::Any,
            (Some('['), Some(_)) => match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                Some(all) if all.contains('\\') && all.contains(['S', 'D', 'W']) => Self::Any,
                Some(all) if all.len() <= MAX_SIGNS && !all.contains(['-', '\\', '[']) => Self::OneOf(all),
                Some("\\/") => Self::OneOf("/"),
                _ => Self::Set,
            },
            // A part that is not valid, or a quantifier of nothing.
            (Some('*' | '+' | '?' | '\\'), _) => Self::Set,
            (Some(_), None) => Self::OneOf(text),
            _ => Self::Set,
        }
    }
}
