//! The arguments, with the names and the meaning that they have in kubectl.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use xposer::Target;
use xposer::validation::{is_dns_label, is_dns_subdomain};
use xposer_cli::{Diagnostics, ProposalArgs, StartArgs, namespace, target};

const EXAMPLES: &str = "\
Examples:
  List exposed Services, their URLs and who has access
    kubectl xposer list -A

  The source of each value of a Service, and its problems
    kubectl xposer explain svc/web -n shop

  What the controller would change under other settings
    kubectl xposer diff -A --settings new.yaml

  Annotations and settings for existing Ingresses
    kubectl xposer import ingress/web -n shop
    kubectl xposer init -A --out xposer

  Hand an existing Ingress over to the controller
    kubectl xposer adopt ingress/web --service web

Exit codes:
  0  done; nothing was refused, and for diff: nothing would change
  1  at least one Service is refused; for diff: something would change; for import and init:
     an Ingress is not reproduced completely
  2  wrong usage, no cluster, no permission, or settings that cannot be used";

const SELECTION: &str = "\
Without a name, all exposed Services of the namespace are meant, with -A those of all namespaces.";

const IMPORT_HELP: &str = "\
Without a name, all Ingresses of the namespace are meant, with -A those of all namespaces.
The Services behind them are read, too. Nothing is written to the cluster.

Exit codes: 0 every Ingress is reproduced, 1 something is not, 2 an error, or there is no Ingress.";

const INIT_HELP: &str = "\
Without a name, all Ingresses and Services of the namespace are meant, with -A those of all namespaces. It proposes
settings, and reads none. Nothing is written to the cluster.

Exit codes: 0 every Ingress is reproduced, 1 something is not, 2 an error, or no domain is known.";

/// Shows what Xposer does with the Services of a cluster.
///
/// It reads the cluster of the kubeconfig's context, as kubectl does, and writes nothing, except for `adopt`. It decides about the
/// Services as the controller does, with the controller's settings or with those of --settings.
#[derive(Debug, Parser)]
#[command(name = "kubectl-xposer", bin_name = "kubectl xposer", version, max_term_width = 100)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the exposed Services with their URLs and controllers, and who has access.
    #[command(visible_alias = "get", after_help = SELECTION)]
    List(ListArgs),
    /// Shows where the values come from that decide how a Service is exposed, and the problems of the Service.
    ///
    /// A word is explained as `xposer explain` does: an annotation, a setting, a diagnostic code or a program.
    Explain(ExplainArgs),
    /// Prints the problems of the Services, as `xposer check` does for files.
    #[command(
        after_help = "Without a name, all Services of the namespace are checked, also those that do not ask to be exposed."
    )]
    Check(CheckArgs),
    /// Prints a report: a page, JSON or a graph.
    #[command(after_help = SELECTION)]
    Report(ReportArgs),
    /// Shows what the controller would change if it ran now with these settings. Needs only read permissions.
    #[command(after_help = "Exit codes: 0 nothing would change, 1 something would, 2 an error.")]
    Diff(DiffArgs),
    /// Prints the label and the annotations that reproduce existing Ingresses, as `xposer import` does, and reports what they
    /// cannot reproduce.
    ///
    /// The annotations do not repeat values of the settings.
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Proposes settings and annotations for existing Ingresses, as `xposer init` does: settings with their common values, and
    /// annotations for the other values.
    #[command(after_help = INIT_HELP)]
    Init(InitArgs),
    /// Hands an existing object over to a Service, so that the controller adopts it.
    ///
    /// It writes one annotation on that object, and nothing else.
    Adopt(AdoptArgs),
}

/// The cluster, the user, and the settings.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ClusterArgs {
    /// The namespace; otherwise that of the context
    #[arg(short, long, global = true, value_name = "NAMESPACE", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    /// The kubeconfig; otherwise the files of KUBECONFIG, or ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// The user of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The user to act as
    #[arg(long = "as", global = true, value_name = "USER")]
    pub(crate) impersonate: Option<String>,
    /// The group to act as; may be given several times
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub(crate) impersonate_groups: Vec<String>,
    /// The timeout of a request, for example 30s; 0 means no limit
    #[arg(long, global = true, value_name = "TIME", default_value = "0", value_parser = duration)]
    pub(crate) request_timeout: Duration,
    /// The settings, as for `xposer check`; otherwise those of the controller in the cluster
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "controller")]
    pub(crate) settings: Option<PathBuf>,
    /// The Deployment of the controller whose settings are used; needed if there are several, or if Deployments may not be listed
    #[arg(long, global = true, value_name = "NAMESPACE/NAME", value_parser = namespaced)]
    pub(crate) controller: Option<Namespaced>,
}

/// A namespace and a name in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespaced {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// The selection of Services.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selection {
    /// Services, as svc/NAME or svc NAME
    #[arg(value_name = "TYPE/NAME")]
    pub(crate) resources: Vec<String>,
    /// In all namespaces
    #[arg(short = 'A', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_name = "BOOL", hide_possible_values = true)]
    pub(crate) all_namespaces: bool,
    /// Only Services with these labels, for example team=shop,tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The output format
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<ListOutput>,
    /// Print no headings
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_name = "BOOL", hide_possible_values = true)]
    pub(crate) no_headers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    /// With more columns
    Wide,
    /// Only the names
    Name,
    /// The data of the report
    Json,
    /// The data of the report
    Yaml,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Services, as svc/NAME or svc NAME; or a word
    #[arg(value_name = "TYPE/NAME|WORD")]
    pub(crate) resources: Vec<String>,
    /// Only Services with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// In all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The format of the diagnostics
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) diagnostics: Diagnostics,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The output format
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: ReportOutput,
    /// Another kind of object that could expose the Services; the report shows the differences
    #[arg(long, value_parser = target(), ignore_case = true, value_name = "KIND")]
    pub(crate) compare_target: Option<Target>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportOutput {
    /// One self-contained page
    #[default]
    Html,
    /// The data
    Json,
    /// A graph
    Mermaid,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
}

/// The selection of Ingresses.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Ingresses {
    /// Ingresses, as ingress/NAME or ingress NAME
    #[arg(value_name = "TYPE/NAME")]
    pub(crate) resources: Vec<String>,
    /// In all namespaces
    #[arg(short = 'A', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_name = "BOOL", hide_possible_values = true)]
    pub(crate) all_namespaces: bool,
    /// Only Ingresses with these labels, for example team=shop,tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) ingresses: Ingresses,
    #[command(flatten)]
    pub(crate) proposing: ProposalArgs,
    /// The format of the diagnostics
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) diagnostics: Diagnostics,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) ingresses: Ingresses,
    #[command(flatten)]
    pub(crate) starting: StartArgs,
    /// The format of the diagnostics
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) diagnostics: Diagnostics,
}

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// The object, as ingress/NAME or ingress NAME
    #[arg(value_name = "TYPE/NAME", required = true)]
    pub(crate) object: Vec<String>,
    /// The Service in the same namespace that adopts it
    #[arg(long, value_name = "NAME")]
    pub(crate) service: String,
    /// Hand it over even if its protection is lost
    #[arg(long)]
    pub(crate) force: bool,
    /// client only shows the changes, server lets the API server check them, none writes them
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_value_t, default_missing_value = "client", value_name = "STRATEGY")]
    pub(crate) dry_run: DryRun,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    #[default]
    None,
    Server,
    Client,
}

/// Parses a duration as kubectl does: seconds, or a sequence of numbers with `ms`, `s`, `m` or `h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time such as 30s, 2m or 0, found {text:?}");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let (mut sum, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, behind) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let unit = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(unit).ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        sum += Duration::from_millis(millis * u64::from(number));
        rest = behind;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(sum) }
}

fn namespaced(text: &str) -> Result<Namespaced, String> {
    match text.split_once('/') {
        Some((namespace, name)) if is_dns_label(namespace) && is_dns_subdomain(name) => {
            Ok(Namespaced { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        _ => Err(format!("expected NAMESPACE/NAME, found {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_contradict_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_those_of_kubectl() {
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("5"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "s", "5x", "-1", "5s3"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_target_has_any_letter_case() {
        for word in ["httproute", "HTTPRoute", "HttpRoute"] {
            let cli = Cli::try_parse_from(["kubectl-xposer", "report", "--compare-target", word]).unwrap();
            let Command::Report(report) = cli.command else { panic!() };
            assert_eq!(report.compare_target, Some(Target::HttpRoute), "{word}");
        }
        assert!(Cli::try_parse_from(["kubectl-xposer", "report", "--compare-target", "Gateway"]).is_err());
    }

    #[test]
    fn flags_stand_before_and_behind_the_command() {
        for words in [
            ["kubectl-xposer", "-n", "shop", "list", "-Aowide"],
            ["kubectl-xposer", "list", "-A", "-owide", "--namespace=shop"],
        ] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert_eq!(cli.cluster.namespace.as_deref(), Some("shop"));
            let Command::List(list) = cli.command else { panic!() };
            assert!(list.selection.all_namespaces && list.output == Some(ListOutput::Wide));
        }
        assert_eq!(namespaced("a/b").map(|it| it.name), Ok("b".to_owned()));
        for wrong in ["b", "a/b/c", "../b", "a/..", "a/b?c", "a/", "/b", ""] {
            assert!(namespaced(wrong).is_err(), "{wrong}");
        }
    }
}
