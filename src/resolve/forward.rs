//! The annotations of what is emitted: the forwarded block, the defaults of the administrator, and what other options
//! mean in the words of the programs.

use std::borrow::Cow;

use super::migrate::Old;
use super::{Annotation, Draft, PUBLISH_KEY, Resolver, Scope, Source};
use crate::diagnostics::{Code, Problem, shown};
use crate::dialect::legacy::{self, Migration};
use crate::options::Legacy;
use crate::options::annotations::{Field, annotation};
use crate::options::block::Line;
use crate::service::{CONFIG_PREFIX, FORWARD_ANNOTATION};
use crate::validation::{Origin, Sourced, sorted_by_key};

/// What a line of the forwarded block is about.
enum Subject {
    /// One of ours that cannot be read, because other keys are inside its value. The rule `folded-block` refuses it.
    Unreadable,
    /// Where the URL is published.
    Publish,
    /// An option of ours, which has no effect in the block.
    Option,
    /// The class of the Ingress.
    Class,
    /// Anything else: an annotation, perhaps an old one.
    Annotation,
}

impl Subject {
    fn of(line: &Line<'_>, mode: Legacy) -> Self {
        if is_read_here(line.key, mode) && !line.swallowed().is_empty() {
            return Self::Unreadable;
        }
        match line.key {
            PUBLISH_KEY => Self::Publish,
            key if key.starts_with(CONFIG_PREFIX) || key == FORWARD_ANNOTATION => Self::Option,
            key => match legacy::find(key).map(|row| row.migration) {
                Some(Migration::Class) => Self::Class,
                _ => Self::Annotation,
            },
        }
    }
}

/// Whether a line of the block with this key means something to us rather than to another program.
pub(crate) fn is_read_here(key: &str, mode: Legacy) -> bool {
    let is_ours = |row: &legacy::Legacy| {
        matches!(row.migration, Migration::Class | Migration::Monitor(_) | Migration::MonitorOption(_))
    };
    key == PUBLISH_KEY || (mode == Legacy::Translate && legacy::find(key).is_some_and(is_ours))
}

impl<'a> Resolver<'_, 'a> {
    pub(super) fn forward(&mut self, draft: &mut Draft<'a>) {
        let request = self.request;
        let mut class = match request.class {
            Field::Set(name) => {
                Some(Sourced::new(Cow::Borrowed(name), Origin::Annotation(annotation::CLASS.into())))
            }
            Field::Unset | Field::Broken => None,
        };
        let mut block_has_class = false;
        let mut old = Old::new(&draft.targets);
        draft.annotations.reserve(request.block.lines().len());
        for line in request.block.lines() {
            let is_passed_on = match Subject::of(line, self.settings.legacy) {
                Subject::Unreadable => false,
                Subject::Publish => {
                    let place = line.key_range.start..line.value_range.end;
                    draft.publish = self.scope(line).map(|scope| (scope, place));
                    !self.translates()
                }
                Subject::Option => {
                    self.misplaced(line);
                    true
                }
                Subject::Class => {
                    block_has_class = true;
                    self.block_class(line, &mut class)
                }
                Subject::Annotation => true,
            };
            if is_passed_on {
                let given = forwarded(line);
                let is_given = |key: &str| request.block.contains(key);
                draft.annotations.extend(self.migrate(given, &is_given, &mut old));
            }
        }
        let Old { mut monitor, switches, .. } = old;
        self.apply_switches(draft, switches);
        self.silence(draft);
        self.mirror(draft);
        // In forward mode the block's class annotation stays, and a field beside it could contradict it.
        let layers = self.layers;
        draft.class = match layers.first(|it| it.class.as_ref()) {
            Some(name) if class.is_none() && !block_has_class && !matches!(request.class, Field::Broken) => {
                Some(Sourced::new(Cow::Owned(name.value.clone()), name.origin.clone()))
            }
            _ => class,
        };
        self.defaults(draft, &mut monitor);
        self.write_intents(draft);
        draft.monitor = self.monitor(draft, monitor);
        draft.annotations = sorted_by_key(std::mem::take(&mut draft.annotations), |it| &it.key);
    }

    /// Whether old keys are translated.
    pub(super) fn translates(&self) -> bool {
        self.settings.legacy == Legacy::Translate
    }

    fn misplaced(&mut self, line: &Line<'_>) {
        let message = format!("{} has no effect inside the forwarded block", shown(line.key));
        let problem = Problem::new(Code::ForwardOwnKey, message)
            .help("move the line to the annotations of the Service");
        self.block(problem.at(line.key_range.clone()));
    }

    fn scope(&mut self, line: &Line<'_>) -> Option<Scope> {
        match line.value {
            "locally" => Some(Scope::Locally),
            "globally" => Some(Scope::Globally),
            other => {
                let message =
                    format!("expected locally or globally, found {}; the URL is not published", shown(other));
                let help = match other.to_ascii_lowercase().as_str() {
                    word @ ("locally" | "globally") => {
                        format!("write it in lower case: {PUBLISH_KEY}: {word}")
                    }
                    _ => format!("write `{PUBLISH_KEY}: locally` or `{PUBLISH_KEY}: globally`"),
                };
                let problem = Problem::new(Code::ForwardScopeUnknown, message).help(help);
                self.block(problem.at(line.value_range.clone()));
                None
            }
        }
    }

    /// Reads the class of the block, which counts where the Service has no annotation for it. Whether the line is passed on.
    fn block_class(&mut self, line: &Line<'a>, class: &mut Option<Sourced<Cow<'a, str>>>) -> bool {
        if line.value.is_empty() {
            let message = "the ingress class is empty and counts as not set";
            let problem =
                Problem::new(Code::AnnotationEmpty, message).help("name a class or remove the line");
            self.block(problem.at(line.key_range.clone()));
            return false;
        }
        match class {
            Some(own) if own.value != line.value => {
                let message = format!(
                    "the class {} contradicts {} in {}",
                    shown(line.value),
                    shown(&own.value),
                    annotation::CLASS
                );
                let problem = Problem::new(Code::ClassConflict, message).help("keep one of the two");
                self.block(problem.at(line.value_range.clone()));
            }
            _ if self.translates() => self.translated(&forwarded(line), "spec.ingressClassName"),
            _ => {}
        }
        if !self.translates() {
            return true;
        }
        let origin = Origin::Annotation(FORWARD_ANNOTATION.into());
        class.get_or_insert_with(|| Sourced::new(Cow::Borrowed(line.value), origin));
        false
    }
}

fn forwarded<'a>(line: &Line<'a>) -> Annotation<'a> {
    let source = Source::Block { key: line.key_range.clone(), value: line.value_range.clone() };
    Annotation { key: Cow::Borrowed(line.key), value: Cow::Borrowed(line.value), source }
}
