//! Compares the results with those of Go's own `text/template` (Go 1.26), template by template.
//!
//! `tests/go/templates.json` has templates that were generated from the constructs of the language, some with random errors. For
//! each, it has Go's result for the Service `web`, the Namespace `shop` and the Domain `a&b.com`, without blanks at both ends, or
//! `null` if Go refused the template. If both render a template, the results must be equal. If Go refuses it, Xposer must refuse
//! it, too. A construct that only Go supports must be refused, and never rendered differently.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a file that cannot be read has failed; the counts are for people"
)]

use std::path::Path;

use serde::Deserialize;
use xposer::template::{Template, Vars};

#[derive(Deserialize)]
struct Recorded {
    template: String,
    go: Option<String>,
}

#[test]
fn templates_render_as_in_go_or_are_refused() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go/templates.json");
    let recorded: Vec<Recorded> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(recorded.len(), 600, "a template is missing");
    let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("a&b.com"), host: None };
    let (mut equal, mut refused_by_both, mut refused_here, mut wrong) = (0, 0, 0, Vec::new());
    for Recorded { template, go } in recorded {
        let ours = Template::parse(&template).ok().and_then(|parsed| parsed.render(&vars).ok());
        match (&go, &ours) {
            (Some(go), Some(ours)) if go == ours => equal += 1,
            (None, None) => refused_by_both += 1,
            (Some(_), None) => refused_here += 1,
            _ => wrong.push(format!("{template:?}: Go {go:?}, here {ours:?}")),
        }
    }
    println!("{equal} equal, {refused_by_both} refused by both, {refused_here} refused here only");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Most of these are formats into which Go prints an error text, such as `%!d(string=web)`.
    assert!(
        equal >= 295 && refused_here <= 105,
        "more is refused than before: {equal} equal, {refused_here} here only"
    );
}
