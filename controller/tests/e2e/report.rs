//! The controller's own page: `/` and `/report.json`.

use serde_json::{Value, json};
use xposer_testkit::net::free_address;

use crate::cluster::eventually;
use crate::controller::ask;
use crate::scenario::{PLAIN, Scene, foreign_ingress, host, key};

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn the_report_is_served_live() {
    let scene = Scene::open("report");
    let shop = scene.place();
    let address = free_address().unwrap().to_string();
    let controller = scene.controller(PLAIN, &["--report", "--report-address", &address]);
    let data = || -> Value {
        let (code, _, body) = ask(&address, "GET", &address, "/report.json");
        assert_eq!(code, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    let of = |list: &Value, name: &str| {
        let is_it = |it: &&Value| it["namespace"] == shop.name.as_str() && it["service"] == name;
        list.as_array().unwrap().iter().find(is_it).cloned()
    };

    shop.expose("web", &[(key("AllowedSources"), "10.0.0.0/8".to_owned())]);
    shop.expose("wrong", &[host("Upper.example.com")]);
    shop.has(["Ingress web"]);
    let row = eventually("the row is in sync", || {
        let row = of(&data()["rows"], "web").ok_or("there is no row")?;
        if row["cluster"]["state"] == "inSync" { Ok(row) } else { Err(row.to_string()) }
    });
    assert_eq!(row["access"], "restricted");
    let url = row["urls"][0]["url"].as_str().unwrap().to_owned();
    let data_now = data();
    assert_eq!(data_now["apiVersion"], "report.xposer.stakater.com/v1");
    let refused = of(&data_now["refused"], "wrong").expect("the refused Service is told");
    assert_eq!(refused["findings"][0]["code"], "host-uppercase");

    // The page has the same, and the headers that protect it.
    let (code, head, page) = ask(&address, "GET", &address, "/");
    assert_eq!(code, 200);
    assert!(page.contains(&format!("<a href=\"{url}\"")) && page.contains("Upper.example.com"), "{page}");
    for header in [
        "content-type: text/html",
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-frame-options: deny",
    ] {
        assert!(head.contains(header), "{header}\n{head}");
    }

    // It is to be read, by this machine, and there is nothing else.
    assert_eq!(ask(&address, "HEAD", &address, "/").0, 200);
    assert_eq!(ask(&address, "POST", &address, "/").0, 405);
    assert_eq!(ask(&address, "DELETE", &address, "/report.json").0, 405);
    assert_eq!(ask(&address, "GET", "evil.example.com", "/report.json").0, 403);
    assert_eq!(ask(&address, "GET", &address, "/metrics").0, 404);

    // What changes is there a moment later; what cannot be written is told.
    shop.configure("web", "AllowedSources", Value::Null);
    shop.stands_by(foreign_ingress("taken", "taken.example.com"));
    shop.expose("taken", &[]);
    eventually("the report has the changes", || {
        let data = data();
        let access = of(&data["rows"], "web").map(|row| row["access"].clone());
        let state = of(&data["rows"], "taken").map(|row| row["cluster"].clone()).unwrap_or_default();
        let told = state["message"].as_str().unwrap_or_default();
        if access == Some(json!("open"))
            && state["state"] == "failed"
            && told.contains("belongs to another owner")
        {
            Ok(())
        } else {
            Err(format!("{access:?} {state}"))
        }
    });
    scene.end(&[&controller]);
}

#[test]
#[ignore = "needs a cluster: make e2e-cluster"]
fn without_the_flag_there_is_no_report() {
    let scene = Scene::open("no-report");
    let address = free_address().unwrap().to_string();
    let controller = scene.controller(PLAIN, &["--report-address", &address]);
    assert_eq!(ask(&address, "GET", &address, "/").0, 0);
    assert_eq!(controller.ask("/report.json").0, 404);
    scene.end(&[&controller]);
}
