//! Parses any text as a template: there is never a panic, every problem covers whole characters of the text, and every result is
//! within its size limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xposer::template::{MAX_TEMPLATE, Template, Vars};

fuzz_target!(|text: &str| {
    let vars = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), host: None };
    match Template::parse(text) {
        Ok(template) => {
            for vars in [vars, Vars { namespace: None, domain: None, ..vars }] {
                if let Ok(rendered) = template.render(&vars) {
                    assert!(rendered.len() <= MAX_TEMPLATE);
                }
                if let Ok(items) = template.render_list(&vars) {
                    assert!(items.iter().all(|item| !item.is_empty() && item.trim() == item));
                }
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for range in problems.into_iter().filter_map(|problem| problem.range) {
                assert!(text.get(range).is_some());
            }
        }
    }
});
