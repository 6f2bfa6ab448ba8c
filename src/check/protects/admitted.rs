//! Pairs of annotations whose values are admitted together, for example addresses and security groups. If one of the two is removed,
//! the other one alone decides; without both of them, the program admits all.

use super::LostProtection;
use super::directions::{loses_item, reader};
use super::kept::changed;
use super::lines::Lines;
use crate::check::alone::has_no_effect;
use crate::diagnostics::{FieldPath, quoted};
use crate::dialect::covers::Networks;
use crate::dialect::key::{NeutralValue, Program};
use crate::dialect::{alb, apisix, haproxy, haproxy_ingress};
use crate::plan::Plan;
use crate::values::{Target, set};

/// Which values admit all, whatever the other line says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum All {
    /// The network of all addresses.
    Addresses,
    /// A star in the list of origins.
    Star,
    /// A star in the list of origins, unless there is a pattern.
    StarAlone,
}

/// The two lines.
struct Pair {
    program: &'static Program,
    /// The name of the line with a list; empty if there is none.
    listed: &'static str,
    /// The name of the line with patterns, or with names of lists elsewhere; empty if there is none.
    others: &'static str,
    /// What separates several of them; empty if there is only one.
    separator: &'static str,
    all: All,
}

static PAIRS: [Pair; 4] = [
    Pair {
        program: &alb::PROGRAM,
        listed: "inbound-cidrs",
        others: "security-group-prefix-lists",
        separator: ",",
        all: All::Addresses,
    },
    Pair {
        program: &haproxy_ingress::PROGRAM,
        listed: "cors-allow-origin",
        others: "cors-allow-origin-regex",
        separator: " ",
        all: All::StarAlone,
    },
    Pair {
        program: &haproxy::PROGRAM,
        listed: "",
        others: "cors-allow-origin",
        separator: "",
        all: All::Star,
    },
    Pair {
        program: &apisix::PROGRAM,
        listed: "cors-allow-origin",
        others: "",
        separator: "",
        all: All::Star,
    },
];

/// One of the two lines, written by somebody or for an option.
struct Line {
    key: String,
    value: String,
    path: FieldPath,
    items: Vec<String>,
}

impl Line {
    fn of(lines: &Lines<'_>, program: &Program, name: &str, separator: &str) -> Option<Self> {
        let plan = lines.plan;
        let key = [program.prefixes.first()?, name].concat();
        let controller = plan.controller(Target::Ingress);
        let is_it = |(known, own): (&Program, &str)| std::ptr::eq(known, program) && own == name;
        let line = plan.annotations.iter().find(|it| reader(controller, &it.key).is_some_and(is_it));
        let (key, value, path) = match line {
            Some(line) => (line.key.clone(), line.value.clone(), line.origin().path()),
            None => {
                let written = lines.written(&key)?;
                (key, written.value.clone().into_owned(), written.origin.path())
            }
        };
        let items = match separator {
            "" => vec![value.trim().to_owned()],
            _ => value.split(separator).map(|item| item.trim().to_owned()).collect(),
        };
        let items: Vec<String> = items.into_iter().filter(|item| !item.is_empty()).collect();
        (!items.is_empty()).then_some(Self { key, value, path, items })
    }

    /// Returns the finding that this annotation replaces `old`, or is new.
    fn instead_of(&self, old: Option<&Self>, does: &str) -> LostProtection {
        let message = match old {
            Some(old) => changed(&self.key, (&old.value, &self.value), does),
            None => format!("{} would be {}, {does}", self.key, quoted(&self.value)),
        };
        self.lost(message)
    }

    fn lost(&self, message: String) -> LostProtection {
        LostProtection { what: self.key.clone(), target: Target::Ingress, path: self.path.clone(), message }
    }
}

/// The clients or origins that the two annotations of a plan admit.
struct Admitted {
    listed: Option<Line>,
    others: Option<Line>,
    is_all: bool,
}

impl Admitted {
    /// Returns the clients or origins that the Ingress of a plan admits.
    fn of(written: &Lines<'_>, pair: &Pair) -> Self {
        let listed = Line::of(written, pair.program, pair.listed, ",");
        let others = Line::of(written, pair.program, pair.others, pair.separator);
        let lines = || listed.iter().chain(&others);
        let has_star =
            || lines().any(|line| line.items.iter().any(|item| matches!(item.as_str(), "*" | "**")));
        let is_all = match pair.all {
            _ if lines().next().is_none() => true,
            All::Addresses => listed.iter().any(|line| NeutralValue::AllAddresses.is(&line.value)),
            All::Star => has_star(),
            All::StarAlone => others.is_none() && has_star(),
        };
        Self { listed, others, is_all }
    }
}

impl Pair {
    /// Whether the two lines decide whom the Ingress of a plan admits: no other line does, and they are not turned off.
    fn decides(&self, plan: &Plan) -> bool {
        let name = if self.listed.is_empty() { self.others } else { self.listed };
        let key = self.program.prefixes.first().map(|prefix| [prefix, name].concat());
        plan.has_stable_ingress()
            && key.is_some_and(|key| {
                reader(plan.controller(Target::Ingress), &key).is_some() && !has_no_effect(plan, &key)
            })
    }

    fn loss(&self, old: &Admitted, new: &Admitted) -> Option<LostProtection> {
        if old.is_all {
            return None;
        }
        let (old_listed, old_others) = (old.listed.as_ref(), old.others.as_ref());
        let (listed, others) = (new.listed.as_ref(), new.others.as_ref());
        if new.is_all {
            let was = old_listed.or(old_others)?;
            return Some(match listed.or(others) {
                Some(line) => line.instead_of(Some(was).filter(|it| it.key == line.key), MORE),
                None => was.lost(format!("{} {} would be missing", was.key, quoted(&was.value))),
            });
        }
        let items = |line: Option<&Line>| line.map(|line| line.items.clone()).unwrap_or_default();
        let has_new = |old: &[String], new: &[String]| !set(new).is_subset(&set(old));
        let (known, given) = (items(old_listed), items(listed));
        let is_wider = match self.all {
            All::Addresses => !Networks::of(&known).contain_all(&given),
            All::Star | All::StarAlone => has_new(&known, &given),
        };
        if is_wider {
            return Some(listed?.instead_of(old_listed, MORE));
        }
        let (known, given) = (items(old_others), items(others));
        match self.all {
            // The content of a list elsewhere is not known, so only a further list admits more.
            All::Addresses => {
                let is_joined =
                    known.is_empty() && !given.is_empty() || loses_item(&given.join(","), &known.join(","));
                is_joined.then(|| others.map(|line| line.instead_of(old_others, MORE)))?
            }
            All::Star | All::StarAlone => has_new(&known, &given)
                .then(|| others.map(|line| line.instead_of(old_others, "which may admit others")))?,
        }
    }
}

const MORE: &str = "which admits more clients";

/// Whether a key is one of two lines that [`losses`] compares together under both plans.
pub(super) fn is_compared(old: &Plan, new: &Plan, key: &str) -> bool {
    let Some((program, name)) = reader(new.controller(Target::Ingress), key) else { return false };
    let is_it =
        |pair: &&Pair| std::ptr::eq(pair.program, program) && [pair.listed, pair.others].contains(&name);
    PAIRS.iter().find(is_it).is_some_and(|pair| pair.decides(old) && pair.decides(new))
}

/// Returns the lines of the second plan that admit somebody whom the first plan does not admit.
pub(super) fn losses(old: &Lines<'_>, new: &Lines<'_>) -> impl Iterator<Item = LostProtection> {
    let compared = PAIRS.iter().filter(|pair| pair.decides(old.plan) && pair.decides(new.plan));
    compared.filter_map(|pair| pair.loss(&Admitted::of(old, pair), &Admitted::of(new, pair)))
}
