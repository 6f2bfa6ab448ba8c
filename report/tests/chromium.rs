//! Tests the page in Chromium, opened from a file without a network. Needs `chromium`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod common;

use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{example_page, hostile_page, many, report};
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network, Page};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::{Value, json};
use tempfile::TempDir;
use xposer_report::Options;

/// Returns the path of a page or picture.
fn kept(file: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(folder, PathBuf::from);
    std::fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap().join(file)
}

/// A browser, and the folder for its temporary files. The browser is killed at the end, so its sockets would stay in the folder of
/// the system.
struct Opener {
    browser: Browser,
    _kept: TempDir,
}

impl Deref for Opener {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

fn browser() -> Opener {
    let kept = tempfile::tempdir().unwrap();
    // No name is resolved, so no request leaves this machine.
    let no_network = OsStr::new("--host-resolver-rules=MAP * ~NOTFOUND");
    // Without these flags, it contacts its manufacturer, and needs shared memory that containers do not have.
    let quiet = ["--disable-component-update", "--disable-sync", "--no-pings", "--disable-dev-shm-usage"];
    let options = LaunchOptions {
        // Chromium's sandbox does not run as root, which containers often use. Only our own pages are opened.
        sandbox: false,
        window_size: Some((1360, 1400)),
        idle_browser_timeout: Duration::from_secs(120),
        args: quiet.iter().map(OsStr::new).chain([no_network]).collect(),
        process_envs: Some([("TMPDIR".to_owned(), kept.path().display().to_string())].into()),
        ..LaunchOptions::default()
    };
    let browser = Browser::new(options).unwrap_or_else(|error| panic!("skipped: no chromium ({error})"));
    Opener { browser, _kept: kept }
}

/// An open page, with its console messages and its requests.
struct LostProtection {
    tab: Arc<Tab>,
    message: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl LostProtection {
    fn new(browser: &Browser, name: &str, html: &str) -> Self {
        let file = kept(name);
        std::fs::write(&file, html).unwrap();
        let tab = browser.new_tab().unwrap();
        tab.set_default_timeout(Duration::from_secs(60));
        let (said, asked) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (say, ask) = (said.clone(), asked.clone());
        let listener = move |event: &Event| match event {
            Event::LogEntryAdded(it) => say.lock().unwrap().push(format!("log: {}", it.params.entry.text)),
            Event::RuntimeConsoleAPICalled(it) => {
                say.lock().unwrap().push(format!("console: {:?}", it.params.args));
            }
            Event::RuntimeExceptionThrown(it) => {
                say.lock().unwrap().push(format!("exception: {:?}", it.params.exception_details));
            }
            Event::PageJavascriptDialogOpening(it) => {
                say.lock().unwrap().push(format!("dialog: {}", it.params.message));
            }
            Event::NetworkRequestWillBeSent(it) => ask.lock().unwrap().push(it.params.request.url.clone()),
            _ => {}
        };
        tab.add_event_listener(Arc::new(listener)).unwrap();
        tab.enable_log().unwrap().enable_runtime().unwrap();
        tab.call_method(Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        })
        .unwrap();
        tab.navigate_to(&format!("file://{}", file.display())).unwrap().wait_until_navigated().unwrap();
        Self { tab, message: said, asked }
    }

    /// Returns the value of a JavaScript expression in the page.
    fn value(&self, expression: &str) -> Value {
        let found = self.tab.evaluate(&format!("JSON.stringify({expression})"), false).unwrap();
        let text = found.value.clone().unwrap_or_else(|| panic!("{expression}: {found:?}"));
        text.as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }

    /// Waits until an expression has a value.
    fn wait_for(&self, expression: &str, wanted: &Value) {
        let started = Instant::now();
        loop {
            let found = self.value(expression);
            if found == *wanted {
                return;
            }
            if started.elapsed() > Duration::from_secs(20) {
                let state = self
                    .value("[document.activeElement.id, document.getElementById('search').value, scrollY]");
                panic!("{expression}: {found}, expected {wanted}; {state}, {:?}", self.said());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the names of the Services that are shown, in order.
    fn services(&self) -> Vec<String> {
        let found = self.value(
            "[...document.querySelectorAll('#table tbody th[scope=row] b')].map(it => it.textContent)",
        );
        serde_json::from_value(found).unwrap()
    }

    fn type_search(&self, text: &str, left: usize, all: usize) {
        self.tab.evaluate("(() => { const search = document.getElementById('search'); search.value = ''; search.dispatchEvent(new Event('input')); })()", false).unwrap();
        self.tab.find_element("#search").unwrap().click().unwrap();
        self.tab.type_str(text).unwrap();
        self.wait_for(
            "document.getElementById('count').textContent",
            &json!(format!("{left} of {all} Services")),
        );
    }

    fn choose(&self, id: &str, value: &str) {
        let script = format!(
            "(() => {{ const it = document.getElementById('{id}'); it.value = '{value}'; it.dispatchEvent(new Event('change')); return it.value; }})()"
        );
        assert_eq!(self.value(&script), json!(value));
    }

    fn colors(&self, scheme: &str) {
        let feature =
            |name: &str, value: &str| Emulation::MediaFeature { name: name.into(), value: value.into() };
        // The mouse would miss its target on a page that still scrolls.
        let features =
            vec![feature("prefers-color-scheme", scheme), feature("prefers-reduced-motion", "reduce")];
        self.tab.call_method(Emulation::SetEmulatedMedia { media: None, features: Some(features) }).unwrap();
    }

    fn picture(&self, file: &str) {
        let png =
            self.tab.capture_screenshot(Page::CaptureScreenshotFormatOption::Png, None, None, true).unwrap();
        std::fs::write(kept(file), png).unwrap();
    }

    fn said(&self) -> Vec<String> {
        // Earlier messages arrive before the value of this expression.
        self.value("1");
        self.message.lock().unwrap().clone()
    }

    /// Returns the requests outside of the page.
    fn asked_outside(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|url| !url.starts_with("file:") && !url.starts_with("data:")).cloned().collect()
    }
}

mod in_chromium {
    use super::*;

    #[test]
    #[ignore = "needs chromium: make test"]
    fn the_page_is_used() {
        let browser = browser();
        let page = LostProtection::new(&browser, "report.html", &example_page());
        page.picture("report.png");
        page.colors("dark");
        page.picture("report-dark.png");
        page.colors("light");

        // The rows exist, and the first element in the tab order leads to them.
        assert_eq!(page.services().len(), 20);
        page.tab.press_key("Tab").unwrap();
        assert_eq!(page.value("document.activeElement.className"), json!("skip"));

        // The search finds rows that contain every word.
        page.type_search("bank restricted", 2, 20);
        assert_eq!(page.services(), ["accounts", "ledger"]);
        page.type_search("zzz", 0, 20);
        page.type_search("", 20, 20);

        // The filter.
        page.choose("filter", "open");
        let access =
            "[...document.querySelectorAll('#table tbody tr')].every(it => it.dataset.access === 'open')";
        assert_eq!(page.value(access), json!(true));
        assert_eq!(page.services().len(), 8);
        page.choose("filter", "refused");
        assert_eq!(page.services().len(), 5);
        page.choose("filter", "");

        // Groups.
        for (group, first, count) in
            [("namespace", "bank", 5), ("host", "(refused)", 14), ("class", "(refused)", 4)]
        {
            page.choose("group", group);
            let groups = page.value(
                "[...document.querySelectorAll('#table .group')].map(it => it.firstChild.textContent)",
            );
            let groups = groups.as_array().unwrap();
            assert_eq!((groups.first(), groups.len()), (Some(&json!(first)), count), "{groups:?}");
            assert_eq!(page.services().len(), 20);
        }
        page.choose("group", "");

        // Order, by mouse and by keyboard.
        let order = "document.querySelector('th.service').getAttribute('aria-sort')";
        page.tab.find_element("th.service button").unwrap().click().unwrap();
        assert_eq!(page.value(order), json!("ascending"));
        assert_eq!(page.services()[0], "accounts");
        page.tab.press_key("Enter").unwrap();
        assert_eq!(page.value(order), json!("descending"));
        assert_eq!(page.services()[0], "wiki");

        // The graph shows the visible rows.
        page.type_search("profile internal", 4, 20);
        assert_eq!(page.value("document.querySelectorAll('#drawing .door').length"), json!(1));
        assert_eq!(page.value("document.querySelectorAll('#drawing .host').length"), json!(4));
        page.type_search("", 20, 20);

        // A refused Service links to the reason, which names the place in a file.
        page.tab.find_element("tr.is-refused a").unwrap().click().unwrap();
        page.wait_for("location.hash.startsWith('#refused-')", &json!(true));
        let reason = page.value("document.querySelector(':target').innerText");
        let reason = reason.as_str().unwrap();
        assert!(reason.contains("services.yaml:") && reason.contains("What to do:"), "{reason}");

        // A link to a line that the search hides shows it.
        page.type_search("forecastle", 1, 20);
        let canary = "[...document.querySelectorAll('#table a')].map(it => it.hash)";
        assert_eq!(page.value(canary), json!([""]));
        page.tab.evaluate("location.hash = 's1'", false).unwrap();
        page.wait_for("document.getElementById('s1').isConnected", &json!(true));
        assert_eq!(page.services().len(), 20);

        // Every control has an accessible name.
        let nameless = "[...document.querySelectorAll('button, a[href], input, select, summary')].filter(it => !(it.textContent.trim() || it.labels?.length)).length";
        assert_eq!(page.value(nameless), json!(0));

        assert_eq!(page.said(), Vec::<String>::new());
        assert_eq!(page.asked_outside(), Vec::<String>::new());

        // A link leads to the Service. There is no network here, so nothing responds.
        page.type_search("forecastle", 1, 20);
        page.tab.find_element("#table tbody td a").unwrap().click().unwrap();
        let started = Instant::now();
        while page.asked_outside() != ["https://start.example.com/"] {
            assert!(started.elapsed() < Duration::from_secs(20), "{:?}", page.asked_outside());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    #[ignore = "needs chromium: make test"]
    fn hostile_text_runs_nothing() {
        let browser = browser();
        let page = LostProtection::new(&browser, "report-hostile.html", &hostile_page());
        page.tab
            .evaluate("document.querySelectorAll('details').forEach(it => { it.open = true; })", false)
            .unwrap();
        for input in ["#search", "#filter", "#group"] {
            page.tab.evaluate(&format!("document.querySelector('{input}').focus()"), false).unwrap();
        }
        page.choose("group", "host");
        page.tab.evaluate("document.querySelectorAll('#table *').forEach(it => it.dispatchEvent(new Event('mouseover', { bubbles: true })))", false).unwrap();
        assert_eq!(page.value("window.ran ?? null"), Value::Null);
        assert_eq!(page.value("document.querySelectorAll('script').length"), json!(1));
        assert_eq!(
            page.value("document.querySelectorAll('img, iframe, object, embed, form, base').length"),
            json!(0)
        );
        assert_eq!(page.said(), Vec::<String>::new());
        assert_eq!(page.asked_outside(), Vec::<String>::new());
    }

    /// The other tests rely on this: a script that is not ours is not run, and is reported.
    #[test]
    #[ignore = "needs chromium: make test"]
    fn the_policy_forbids_other_scripts() {
        let browser = browser();
        let other =
            "<script>window.ran = 1</script><img src=x onerror=\"window.ran = 1\"><p style=\"color: red\">";
        let html = example_page().replace("</main>", &format!("{other}</main>"));
        let page = LostProtection::new(&browser, "report-injected.html", &html);
        assert_eq!(page.value("window.ran ?? null"), Value::Null);
        let message = page.said();
        assert!(
            message.len() >= 3 && message.iter().all(|it| it.contains("Content Security Policy")),
            "{message:?}"
        );
    }

    /// No time is checked here. The numbers are printed for `docs/report.md`.
    #[test]
    #[ignore = "needs chromium: make test"]
    fn five_thousand_rows_are_usable() {
        let browser = browser();
        let html = report(&many(5000), &json!({"domain": "example.com"}), &Options::default()).to_html();
        let size = html.len();
        let started = Instant::now();
        let page = LostProtection::new(&browser, "report-5000.html", &html);
        page.wait_for(
            "document.getElementById('count').textContent",
            &json!("5000 of 5000 Services, 500 of them shown"),
        );
        let lost_protections = started.elapsed();
        // The time until the new rows are laid out.
        let timed = |what: &str| {
            page.value(&format!(
                "(() => {{ const start = performance.now(); {what}; document.body.offsetHeight; return Math.round(performance.now() - start); }})()"
            ))
        };
        let change = |id: &str, value: &str| {
            format!(
                "const it = document.getElementById('{id}'); it.value = '{value}'; it.dispatchEvent(new Event('change'))"
            )
        };
        let sort = timed("document.querySelector('th.url button').click()");
        let group = timed(&change("group", "namespace"));
        // The search waits for a pause in typing; the filter applies it at once.
        let search = timed(&format!(
            "document.getElementById('search').value = 'web-12'; {}",
            change("filter", "open")
        ));
        page.wait_for(
            "document.getElementById('count').textContent.includes(' of 5000 Services')",
            &json!(true),
        );
        timed(&format!("document.getElementById('search').value = ''; {}", change("filter", "")));
        let all = timed("document.getElementById('more').click()");
        assert_eq!(page.services().len(), 5000);
        eprintln!(
            "5000 Services: {size} bytes, open after {} ms, sort {sort} ms, group {group} ms, search {search} ms, show all {all} ms",
            lost_protections.as_millis()
        );
        assert_eq!(page.said(), Vec::<String>::new());
    }
}
