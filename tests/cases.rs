//! Runs every case folder through the core: the objects and the report are those of the files.

use serde_json::{Value, json};
use xposer::internal::lost_protections;
use xposer::{Outcome, Precedence, Service, Settings, Severity, emit_all, expose, expose_all};
use xposer_testkit::cases::{OBJECTS, REPORT, all};
use xposer_testkit::golden::compare;

#[test]
fn every_case_gives_its_objects_and_its_report() {
    let cases = all().unwrap_or_else(|error| panic!("{error:#}"));
    let mut wrong = Vec::new();
    for case in &cases {
        let run = case.run();
        wrong.extend(compare(&case.folder.join(OBJECTS), &run.objects).err());
        wrong.extend(compare(&case.folder.join(REPORT), &run.report()).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The value of an object has each key once. Its text is not made from the value, and has no more keys.
#[test]
fn no_object_has_a_key_twice() {
    let cases = all().unwrap_or_else(|error| panic!("{error:#}"));
    let mut compared = 0;
    for case in &cases {
        let Ok(settings) = Settings::tried(case.settings.as_ref().unwrap_or(&Value::Null)) else { continue };
        let services: Vec<Service<'_>> = case.services().map(Service::from_value).collect();
        let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
        for object in emit_all(outcomes.iter().filter_map(Outcome::plan)).objects {
            assert_eq!(object.to_json(), object.to_value().to_string(), "{}", case.slug);
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

/// If a case has an input that follows the help, the errors and warnings about its Services do not appear again, and nothing is
/// refused.
#[test]
fn a_help_that_is_followed_works() {
    let cases = all().unwrap_or_else(|error| panic!("{error:#}"));
    let mut followed = 0;
    for case in &cases {
        let Some(mended) = case.mended() else { continue };
        let (before, after) = (case.run(), mended.run());
        let told = before.findings.iter().filter(|it| it.diagnostic.severity > Severity::Info);
        let told: Vec<_> = told.map(|it| (it.service, it.diagnostic.code)).collect();
        assert!(!told.is_empty(), "{}: there is nothing to mend", case.slug);
        let again = after.findings.iter().find(|it| told.contains(&(it.service, it.diagnostic.code)));
        assert!(again.is_none(), "{}: is still said: {}", case.slug, after.report());
        assert!(!after.refused && !after.unusable, "{}: {}", case.slug, after.report());
        followed += 1;
    }
    println!("{followed} helps were followed");
}

/// The comparison of a plan with itself finds no lost protection, whichever objects are made: an annotation without an effect on an
/// object had none before.
#[test]
fn plan_compared_with_itself_loses_no_protection() {
    let cases = all().unwrap_or_else(|error| panic!("{error:#}"));
    let mut compared = 0;
    for case in &cases {
        for targets in [None, Some(json!(["Ingress", "HTTPRoute", "Route"]))] {
            let mut settings = case.settings.clone().filter(Value::is_object).unwrap_or_else(|| json!({}));
            if let (Some(targets), Some(settings)) = (targets, settings.as_object_mut()) {
                settings.insert("target".to_owned(), targets);
                settings.entry("parentRefs").or_insert_with(|| json!([{"name": "external"}]));
            }
            let Ok(settings) = Settings::from_value(&settings) else { continue };
            for service in case.services() {
                let outcome = expose(&Service::from_value(service), &settings);
                let Some(plan) = outcome.plan() else { continue };
                let said: Vec<String> =
                    lost_protections(plan, plan).into_iter().map(|it| it.message).collect();
                assert!(said.is_empty(), "{}: {said:?}", case.slug);
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared}");
}
