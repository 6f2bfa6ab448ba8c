//! Compares the results of templates in Handlebars' syntax with the `handlebars` crate, whose parser both use.

#![allow(clippy::unwrap_used, reason = "a comparison that cannot be set up has failed")]

use handlebars::{Handlebars, no_escape};
use proptest::prelude::*;
use serde_json::json;
use xposer::template::{Template, Vars};

const VARS: Vars<'static> = Vars { service: "web", namespace: Some(""), domain: Some("x.y"), host: None };

/// Returns the result of the crate for a template.
fn theirs(text: &str) -> Option<String> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(no_escape);
    let data = json!({"Service": VARS.service, "Namespace": "", "Domain": "x.y"});
    registry.render_template(text, &data).ok().map(|text| text.trim().to_owned())
}

/// Parts of templates, with blanks and line breaks that affect the whitespace of the result.
fn template() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "b-c",
        " ",
        "\n",
        "  \n",
        "\n  ",
        ".",
        ",",
        "\\{{Service}}",
        "\\\\{{Service}}",
        "{{Service}}",
        "{{~Service}}",
        "{{ Domain ~}}",
        "{{{Service}}}",
        "{{&Domain}}",
        "{{Namespace}}",
        "{{! note }}",
        "{{!-- a }} b --}}",
        "{{(lower Service)}}",
        "}}",
        "{",
        "\\",
        "{{~{Service}~}}",
        "{{#if}}",
        "{{else}}",
        "{{/if}}",
        "{{Foo}}",
        "{{../x}}",
        "{{ }}",
        "{{this.Service}}",
        "{{./Domain}}",
        "{{! -- a }} b --}}",
        "{{",
    ]);
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(3, 24, 6, |inner| {
        let condition = prop::sample::select(vec![
            "Domain",
            "Namespace",
            "true",
            "false",
            "(eq Service \"web\")",
            "0",
            "\"\"",
            "1.5",
        ]);
        let open = prop::sample::select(vec!["{{#", "{{~#", "{{# "]);
        let close = prop::sample::select(vec!["}}", "~}}", " }}"]);
        let parts = || prop::collection::vec(inner.clone(), 0..5).prop_map(|parts| parts.concat());
        let word = prop::sample::select(vec!["if", "unless"]);
        let otherwise = prop::option::of(prop_oneof![
            parts().prop_map(|body| format!("{{{{else}}}}{body}")),
            parts().prop_map(|body| format!("{{{{~^~}}}}{body}")),
            parts().prop_map(|body| format!("{{{{elseif Domain}}}}{body}")),
            (parts(), parts())
                .prop_map(|(one, two)| format!("{{{{else if Namespace}}}}{one}{{{{else}}}}{two}")),
        ]);
        let block = (word, condition, open, close, parts(), otherwise).prop_map(
            |(word, condition, open, close, body, otherwise)| {
                format!(
                    "{open}{word} {condition}{close}{body}{}{{{{/{word}}}}}",
                    otherwise.unwrap_or_default()
                )
            },
        );
        prop_oneof![2 => block, 1 => parts()]
    })
}

#[test]
fn our_programs_and_the_renderer_of_the_crate_agree() {
    let config = ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let both = std::cell::Cell::new(0);
    runner
        .run(&template(), |body| {
            // The block makes this a template of Handlebars only, which the parser of the crate reads.
            let text = format!("{{{{#if true}}}}{body}{{{{/if}}}}");
            let ours = Template::parse(&text).ok().and_then(|template| template.render(&VARS).ok());
            if let (Some(ours), Some(theirs)) = (&ours, theirs(&text)) {
                both.set(both.get() + 1);
                prop_assert_eq!(ours, &theirs, "{:?}", text);
            }
            Ok(())
        })
        .unwrap();
    assert!(both.get() > 2_000, "only {} templates were read by both", both.get());
}
