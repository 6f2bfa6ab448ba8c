//! Makes the report from Services and the decisions about them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use xposer::internal::{self, contested, shortened};
use xposer::{
    Code, Diagnostic, Outcome, Plan, Precedence, Service, Settings, Severity, Target, emit_all, expose,
    expose_all,
};

use crate::changes::{Changes, MAX_HELP, ObjectFindings, findings, served_by};
use crate::exposed::{canary_of, of_level, row};
use crate::model::{
    API_VERSION, Access, Canary, Claimant, Cluster, Conflict, Finding, ForeignHost, LeftOut, Migration,
    MigrationResult, MigrationSummary, Place, Refused, Report, Row, ServiceFinding, Summary,
};

/// Returns the place in a file of a finding about the Service at a position.
///
/// ```
/// use xposer_report::{Place, PlaceOf};
/// let place: &PlaceOf<'_> = &|_, _| Some(Place { file: "web.yaml".to_owned(), line: None, column: None });
/// # let _ = place;
/// ```
pub type PlaceOf<'p> = dyn Fn(usize, &Diagnostic) -> Option<Place> + 'p;

/// The inputs of a report other than the Services.
///
/// ```
/// use serde_json::json;
/// use xposer::{Precedence, Service, Settings, Target, expose_all, testing};
/// use xposer_report::model::MigrationResult;
/// use xposer_report::{Options, Report};
/// let service = testing::service(&[("AllowedSources", "10.0.0.0/8")]);
/// let settings = Settings::from_value(&json!({"domain": "example.com", "parentRefs": [{"name": "external"}]}))?;
/// let services = [Service::from_value(&service)];
/// let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
/// let options = Options { compare_target: Some(Target::HttpRoute), ..Options::default() };
/// let report = Report::new(&services, &outcomes, &settings, &options);
/// let migration = report.rows[0].migration.as_ref().unwrap();
/// assert_eq!(migration.result, MigrationResult::Refused);
/// # Ok::<(), xposer::Report>(())
/// ```
#[derive(Default)]
pub struct Options<'o> {
    /// The precedence by which the outcomes were decided.
    pub precedence: Precedence,
    /// The target that every exposed Service is compared with.
    pub compare_target: Option<Target>,
    /// Returns the place of a finding about the Service at a position, if it is known.
    pub place: Option<&'o PlaceOf<'o>>,
    /// Returns the controller's result for the Service at a position.
    pub cluster: Option<&'o dyn Fn(usize) -> Option<Cluster>>,
    /// The title of the report, for example the name of a cluster.
    pub title: Option<String>,
    /// The creation time, in RFC 3339.
    pub generated: Option<String>,
    /// The maximum number of entries in each list; `None` means no limit.
    pub limit: Option<usize>,
    /// The number of further Services that were not decided about.
    pub not_looked_at: usize,
}

impl Report {
    /// Makes the report of Services. `outcomes` has the decision of [`expose_all`] about each of them, in the same order, under
    /// these settings.
    ///
    /// ```
    /// use xposer::Settings;
    /// use xposer_report::{Options, Report};
    /// let report = Report::new(&[], &[], &Settings::default(), &Options::default());
    /// assert_eq!((report.kind, report.summary.services), ("Report", 0));
    /// ```
    #[must_use]
    pub fn new(
        services: &[Service<'_>],
        outcomes: &[Outcome],
        settings: &Settings,
        options: &Options<'_>,
    ) -> Self {
        Self::of_some((services, outcomes), |_| true, settings, options)
    }

    /// Makes the report of some of the Services that were decided together: those at the positions that `is_shown` accepts. The
    /// others also count, because they share hosts, canaries and objects with them.
    ///
    /// ```
    /// use serde_json::json;
    /// use xposer::{Precedence, Service, Settings, expose_all, testing};
    /// use xposer_report::{Options, Report};
    /// let (web, api) = (testing::service(&[]), testing::service(&[("IngressURLTemplate", "api.example.com")]));
    /// let services = [Service::from_value(&web), Service::from_value(&api)];
    /// let settings = Settings::from_value(&json!({"domain": "example.com"}))?;
    /// let outcomes = expose_all(&services, &settings, Precedence::RefuseAll);
    /// let report = Report::of_some((&services, &outcomes), |at| at == 0, &settings, &Options::default());
    /// assert_eq!(report.summary.services, 1);
    /// # Ok::<(), xposer::Report>(())
    /// ```
    #[must_use]
    pub fn of_some(
        (services, outcomes): (&[Service<'_>], &[Outcome]),
        is_shown: impl Fn(usize) -> bool,
        settings: &Settings,
        options: &Options<'_>,
    ) -> Self {
        let made = emit_all(outcomes.iter().filter_map(Outcome::plan)).report;
        let made = ObjectFindings::new(&made);
        let mut order: Vec<usize> =
            (0..services.len().min(outcomes.len())).filter(|at| is_shown(*at)).collect();
        let name_of = |at: &usize| services.get(*at).map(identity).unwrap_or_default();
        order.sort_by_key(name_of);
        let mut maker = ReportBuilder {
            services,
            outcomes,
            options,
            made: &made,
            limit: options.limit.unwrap_or(usize::MAX),
            left_out: LeftOut {
                limit: 0,
                services: options.not_looked_at,
                rows: 0,
                refused: 0,
                findings: 0,
                others: 0,
            },
            summary: Summary { services: order.len(), ..Summary::default() },
            findings_kept: 0,
        };
        let elsewhere = options.compare_target.map(|target| {
            let settings = settings.clone().with_targets([target]);
            expose_all(services, &settings, options.precedence)
        });
        let there = elsewhere
            .as_ref()
            .map(|outcomes| (outcomes, emit_all(outcomes.iter().filter_map(Outcome::plan)).report));
        let there = there.as_ref().map(|(outcomes, report)| (*outcomes, ObjectFindings::new(report)));
        let rows = maker.rows(&order, there.as_ref());
        let (refused, foreign_hosts) = maker.refused(&order);
        let service_findings = maker.service_findings(&order);
        let conflicts = maker.conflicts(settings, &is_shown);
        let ReportBuilder { mut left_out, summary, limit, .. } = maker;
        left_out.limit = limit;
        let LeftOut { services: unseen, rows: more, refused: others, findings: unsaid, .. } = left_out;
        let is_complete = unseen + more + others + unsaid + left_out.others == 0;
        Self {
            api_version: API_VERSION,
            kind: "Report",
            generated: options.generated.clone(),
            title: options.title.clone(),
            compare_target: options.compare_target.map(Target::as_str),
            summary,
            rows,
            refused,
            findings: service_findings,
            conflicts,
            foreign_hosts,
            left_out: (!is_complete).then_some(left_out),
        }
    }

    /// Returns the report as JSON, with one value on each line.
    ///
    /// ```
    /// use xposer::Settings;
    /// use xposer_report::{Options, Report};
    /// let json = Report::new(&[], &[], &Settings::default(), &Options::default()).to_json();
    /// assert!(json.starts_with("{\n  \"apiVersion\": \"report.xposer.stakater.com/v1\",\n  \"kind\": \"Report\""));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        // This cannot fail: all keys are texts, and all values can be serialised.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Values by the namespace and the name of a Service.
type ByService<'s, V> = HashMap<(&'s str, &'s str), V>;

/// The decisions under the other target, and the findings about the objects.
type OtherTarget<'t> = (&'t Vec<Outcome>, ObjectFindings<'t>);

struct ReportBuilder<'m, 's> {
    services: &'m [Service<'s>],
    outcomes: &'m [Outcome],
    options: &'m Options<'m>,
    made: &'m ObjectFindings<'m>,
    limit: usize,
    left_out: LeftOut,
    summary: Summary,
    /// The number for all lists together, because a Service may have hundreds of findings.
    findings_kept: usize,
}

/// The namespace and the name of a Service.
fn identity<'s>(service: &'s Service<'_>) -> (&'s str, &'s str) {
    (service.namespace().unwrap_or_default(), service.name())
}

impl<'m> ReportBuilder<'m, '_> {
    fn name(&self, at: usize) -> (&'m str, &'m str) {
        self.services.get(at).map(identity).unwrap_or_default()
    }

    fn findings(&self, at: usize) -> Vec<&'m Diagnostic> {
        let (namespace, name) = self.name(at);
        let Some(outcome) = self.outcomes.get(at) else { return Vec::new() };
        let of_objects = outcome.plan().map_or(&[][..], |_| self.made.of(namespace, name));
        findings(outcome, of_objects).collect()
    }

    fn rows(&mut self, order: &[usize], there: Option<&OtherTarget<'_>>) -> Vec<Row> {
        let outcomes = self.outcomes;
        let planned = order.iter().filter_map(|at| Some((*at, outcomes.get(*at)?.plan()?)));
        let (mut canaries, levels) = self.canaries_and_levels();
        let mut hosts: BTreeSet<&str> = BTreeSet::new();
        let mut migrations = MigrationSummary::default();
        let mut rows = Vec::new();
        for (at, plan) in planned {
            let (namespace, name) = self.name(at);
            hosts.extend(plan.routes().iter().map(|route| route.host.as_str()));
            // The stable Service of a canary decides who has access.
            let stable = plan.canary().map(|canary| (namespace, canary.of.as_str()));
            let access = match stable {
                Some(stable) => levels.get(&stable).copied().unwrap_or(Access::NotKnown),
                None => levels.get(&(namespace, name)).copied().unwrap_or(Access::NotKnown),
            };
            self.summary.exposed += 1;
            self.summary.open += usize::from(access == Access::Open);
            self.summary.access_not_known += usize::from(access == Access::NotKnown);
            let is_shown = rows.len() < self.limit;
            if !is_shown && there.is_none() {
                self.left_out.rows += 1;
                continue;
            }
            let migration = there.and_then(|there| self.migration(at, plan, there));
            if let Some(migration) = &migration {
                *match migration.result {
                    MigrationResult::Same => &mut migrations.same,
                    MigrationResult::Differs => &mut migrations.differs,
                    MigrationResult::Loses => &mut migrations.loses,
                    MigrationResult::Opens => &mut migrations.opens,
                    MigrationResult::Refused => &mut migrations.refused,
                } += 1;
            }
            if !is_shown {
                self.left_out.rows += 1;
                continue;
            }
            let mut row = row((namespace, name), plan, access);
            row.canaries = canaries.remove(&(namespace, name)).unwrap_or_default();
            row.migration = migration;
            row.cluster = self.options.cluster.and_then(|cluster| cluster(at));
            rows.push(row);
        }
        self.summary.hosts = hosts.len();
        self.summary.migration = there.map(|_| migrations);
        rows
    }

    /// The canaries of each stable Service, and who has access to each Service that is no canary.
    fn canaries_and_levels(&self) -> (ByService<'m, Vec<Canary>>, ByService<'m, Access>) {
        let (mut canaries, mut levels) = (ByService::<Vec<Canary>>::new(), ByService::new());
        let mut planned: Vec<_> = (0..)
            .zip(self.outcomes)
            .filter_map(|(at, outcome)| Some((self.name(at), outcome.plan()?)))
            .collect();
        planned.sort_by_key(|(name, _)| *name);
        for ((namespace, name), plan) in planned {
            match plan.canary() {
                Some(canary) => {
                    let stable = (namespace, canary.of.as_str());
                    canaries.entry(stable).or_default().push(canary_of(name, canary));
                }
                None => {
                    let access = internal::access(plan);
                    let level = plan
                        .targets()
                        .iter()
                        .map(|target| of_level(internal::access_level(&access, *target)));
                    levels.insert((namespace, name), level.max().unwrap_or(Access::NotKnown));
                }
            }
        }
        (canaries, levels)
    }

    fn migration(&self, at: usize, plan: &Plan, (outcomes, made): &OtherTarget<'_>) -> Option<Migration> {
        let (namespace, name) = self.name(at);
        let (here, there) = (self.outcomes.get(at)?, outcomes.get(at)?);
        let changes =
            Changes::between((here, self.made.of(namespace, name)), (there, made.of(namespace, name)));
        let result = if there.is_refused() {
            MigrationResult::Refused
        } else if !changes.opens.is_empty() {
            MigrationResult::Opens
        } else if !changes.lost.is_empty() {
            MigrationResult::Loses
        } else if !changes.differs.is_empty() {
            MigrationResult::Differs
        } else {
            MigrationResult::Same
        };
        let other = there.plan();
        Some(Migration {
            result,
            url: other.map(Plan::url).filter(|url| *url != plan.url()),
            served_by: other.map(|other| served_by(plan, other)).unwrap_or_default(),
            changes,
        })
    }

    /// The refused Services, and the hosts that do not belong to their namespaces.
    fn refused(&mut self, order: &[usize]) -> (Vec<Refused>, Vec<ForeignHost>) {
        let (mut refused, mut foreign) = (Vec::new(), Vec::new());
        for at in order {
            let Some(outcome) = self.outcomes.get(*at).filter(|outcome| outcome.is_refused()) else {
                continue;
            };
            self.summary.refused += 1;
            // Errors come first; the sort is stable.
            let mut found = self.findings(*at);
            found.sort_by_key(|it| std::cmp::Reverse(it.severity));
            let (namespace, service) = self.name(*at);
            for diagnostic in found.iter().filter(|it| it.code == Code::HostNotOwned) {
                self.summary.foreign_hosts += 1;
                if foreign.len() >= self.limit {
                    self.left_out.others += 1;
                    continue;
                }
                foreign.push(ForeignHost {
                    namespace: namespace.to_owned(),
                    service: service.to_owned(),
                    host: diagnostic.found.clone().unwrap_or_default(),
                    message: diagnostic.message.clone(),
                    place: self.place(*at, diagnostic),
                });
            }
            if refused.len() >= self.limit {
                self.left_out.refused += 1;
                self.left_out.findings += found.len();
                continue;
            }
            let findings = found.into_iter().filter_map(|it| self.finding(*at, it)).collect();
            refused.push(Refused {
                namespace: namespace.to_owned(),
                service: service.to_owned(),
                conflict: matches!(outcome, Outcome::Conflicting(_)),
                findings,
            });
        }
        (refused, foreign)
    }

    /// The findings about the Services that are not refused, warnings first.
    fn service_findings(&mut self, order: &[usize]) -> Vec<ServiceFinding> {
        let mut found: Vec<(usize, &Diagnostic)> = Vec::new();
        for at in order {
            let Some(outcome) = self.outcomes.get(*at) else { continue };
            self.summary.not_exposed += usize::from(matches!(outcome, Outcome::NotExposed { .. }));
            if !outcome.is_refused() {
                found.extend(self.findings(*at).into_iter().map(|it| (*at, it)));
            }
        }
        // The sort is stable, so findings of equal severity keep the order of their Services.
        found.sort_by_key(|(_, it)| std::cmp::Reverse(it.severity));
        let warnings = found.iter().filter(|(_, it)| it.severity == Severity::Warning).count();
        (self.summary.warnings, self.summary.infos) = (warnings, found.len() - warnings);
        let mut findings = Vec::new();
        for (at, diagnostic) in found {
            let (namespace, service) = self.name(at);
            if let Some(finding) = self.finding(at, diagnostic) {
                findings.push(ServiceFinding {
                    namespace: namespace.to_owned(),
                    service: service.to_owned(),
                    finding,
                });
            }
        }
        findings
    }

    /// A finding, if the limit allows it.
    fn finding(&mut self, at: usize, diagnostic: &Diagnostic) -> Option<Finding> {
        if self.findings_kept >= self.limit {
            self.left_out.findings += 1;
            return None;
        }
        self.findings_kept += 1;
        Some(Finding {
            severity: diagnostic.severity.as_str(),
            code: diagnostic.code.slug(),
            path: diagnostic.path.to_string(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.as_deref().map(|help| shortened(help, None, MAX_HELP)),
            place: self.place(at, diagnostic),
        })
    }

    fn place(&self, at: usize, diagnostic: &Diagnostic) -> Option<Place> {
        self.options.place.and_then(|place| place(at, diagnostic))
    }

    /// The contested claims of the Services of the report. The Services that lost have no plan, so each of them is planned again
    /// alone.
    fn conflicts(&mut self, settings: &Settings, is_shown: impl Fn(usize) -> bool) -> Vec<Conflict> {
        let lost: BTreeMap<usize, Outcome> = (0..)
            .zip(self.outcomes)
            .filter(|(_, outcome)| matches!(outcome, Outcome::Conflicting(_)))
            .filter_map(|(at, _)| Some((at, expose(self.services.get(at)?, settings))))
            .collect();
        if lost.is_empty() {
            return Vec::new();
        }
        let plan_of = |at: usize, outcome: &'m Outcome| outcome.plan().map(|plan| (at, plan));
        let mut planned: Vec<(usize, &Plan)> =
            (0..).zip(self.outcomes).filter_map(|(at, outcome)| plan_of(at, outcome)).collect();
        planned.extend(lost.iter().filter_map(|(at, outcome)| Some((*at, outcome.plan()?))));
        let plans: Vec<&Plan> = planned.iter().map(|(_, plan)| *plan).collect();
        let position = |index: usize| planned.get(index).map(|(at, _)| *at);
        let is_lost = |index: usize| position(index).is_some_and(|at| lost.contains_key(&at));
        let mut conflicts = Vec::new();
        for contested in contested(&plans, is_lost) {
            if !contested.positions.iter().any(|index| position(*index).is_some_and(&is_shown)) {
                continue;
            }
            self.summary.conflicts += 1;
            if conflicts.len() >= self.limit {
                self.left_out.others += 1;
                continue;
            }
            let mut services: Vec<Claimant> = Vec::new();
            for index in &contested.positions {
                let Some(at) = position(*index) else { continue };
                let (namespace, service) = self.name(at);
                services.push(Claimant {
                    namespace: namespace.to_owned(),
                    service: service.to_owned(),
                    exposed: !is_lost(*index),
                });
            }
            services.sort_by(|left, right| {
                (&left.namespace, &left.service).cmp(&(&right.namespace, &right.service))
            });
            conflicts.push(Conflict { claim: contested.claim, services });
        }
        conflicts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use xposer::testing;

    use super::*;

    /// A canary without its stable Service would be reported as alone, and nobody would know who has access.
    #[test]
    fn services_outside_of_the_report_count() {
        let named = |name: &str, annotations: &[(&str, &str)]| {
            let mut service = testing::service(annotations);
            service["metadata"]["name"] = json!(name);
            service
        };
        let url = ("IngressURLTemplate", "shop.example.com");
        let stable = named("web", &[url]);
        let canary = named("next", &[url, ("CanaryOf", "web"), ("CanaryWeight", "10")]);
        let rival = named("rival", &[url]);
        let settings = json!({"ingressClassName": "nginx", "parentRefs": [{"name": "edge"}]});
        let settings = Settings::from_value(&settings).unwrap();
        let of = |services: &[Value], shown: &str| {
            let views: Vec<Service<'_>> = services.iter().map(Service::from_value).collect();
            let outcomes = expose_all(&views, &settings, Precedence::RefuseAll);
            let options = Options { compare_target: Some(Target::HttpRoute), ..Options::default() };
            let is_shown = |at: usize| services[at]["metadata"]["name"] == shown;
            Report::of_some((&views, &outcomes), is_shown, &settings, &options)
        };

        let report = of(&[stable.clone(), canary.clone()], "next");
        let codes: Vec<&str> = report.findings.iter().map(|it| it.finding.code).collect();
        assert!(!codes.contains(&"canary-alone"), "{codes:?}");
        assert_eq!((report.summary.services, report.rows.len()), (1, 1));
        assert_eq!((report.rows[0].service.as_str(), report.rows[0].access), ("next", Access::Open));
        let said = serde_json::to_string(&report.rows[0].migration).unwrap();
        assert!(!said.contains("canary-alone"), "{said}");

        let report = of(&[stable.clone(), canary], "web");
        assert_eq!(report.rows[0].canaries[0].service, "next");

        let report = of(&[stable.clone(), rival.clone()], "rival");
        let claimants = |conflict: &Conflict| conflict.services.len();
        assert_eq!(report.conflicts.iter().map(claimants).max(), Some(2));
        assert!(report.rows.is_empty() && report.refused.len() == 1);
        assert!(of(&[stable, rival], "other").conflicts.is_empty());
    }
}
