//! The arguments of the command line, and their help.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, Command as Clap, FromArgMatches, Parser, Subcommand, ValueEnum};
use xposer::Target;
use xposer::emit::Kind;
use xposer::validation::is_dns_label;

mod examples;

use self::examples::{
    CHECK_EXAMPLES, COMPARE_EXAMPLES, COMPLETIONS_EXAMPLES, EXAMPLES, EXIT_CODES, EXPLAIN_EXAMPLES,
    IMPORT_EXAMPLES, INIT_EXAMPLES, KRM_EXAMPLES, RENDER_EXAMPLES, REPORT_EXAMPLES,
};

/// Turns annotated Kubernetes Services into their Ingresses.
///
/// A Service with the label expose: "true" gets an Ingress. Annotations with the prefix config.xposer.stakater.com/ set its host,
/// path, name and certificate; settings give the defaults.
#[derive(Debug, Parser)]
#[command(name = "xposer", bin_name = "xposer", version, max_term_width = 100, after_help = EXIT_CODES)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints the Ingresses of the exposed Services.
    #[command(after_help = format!("{RENDER_EXAMPLES}\n\n{EXIT_CODES}"))]
    Render(RenderArgs),
    /// Prints the diagnostics of `render`, and no objects.
    #[command(after_help = format!("{CHECK_EXAMPLES}\n\n{EXIT_CODES}"))]
    Check(InputArgs),
    /// Shows what other settings would change: objects, translations, and features that would be lost, refused or open.
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArgs),
    /// Prints the exposed Services with their URLs and controllers, and who has access: as one page, as JSON, or as a graph.
    #[command(after_help = format!("{REPORT_EXAMPLES}\n\n{EXIT_CODES}"))]
    Report(ReportArgs),
    /// Prints the label and the annotations that reproduce existing Ingresses, and reports what they cannot reproduce.
    ///
    /// If the input does not contain the Services of the Ingresses, the annotations name every port.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Proposes settings and annotations for existing Ingresses: settings with their common values, and annotations for the other
    /// values.
    #[command(after_help = INIT_EXAMPLES)]
    Init(InitArgs),
    /// Explains an annotation, a setting, a diagnostic code, a program, the templates, or how the Services of a file are exposed.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Works as a KRM function: reads a ResourceList on standard input and writes one on standard output.
    ///
    /// Adds the Ingresses to the items, and updates those of an earlier run. The settings are the function's config: `data` of a
    /// ConfigMap, `spec` of any other kind. In `data`, lists and mappings are written as YAML.
    #[command(after_help = KRM_EXAMPLES)]
    Krm,
    /// Prints the completion script of a shell.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// The kind of object that exposes every Service, instead of the kinds in settings and annotations; may be given several times.
    #[arg(long, value_parser = target(), ignore_case = true, value_name = "KIND")]
    pub(crate) target: Vec<Target>,
    /// The output format: yaml is a stream of documents, json is one v1 List.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// The settings to compare with those of --settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: PathBuf,
    /// The output format: text, or json with every Service that changes.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Comparison,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Another kind of object: each row shows what would be lost, refused or open if this kind exposed the Service.
    #[arg(long, value_parser = target(), ignore_case = true, value_name = "KIND")]
    pub(crate) compare_target: Option<Target>,
    /// The output format: html is one page, json is for programs, mermaid is a graph.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ReportOutput,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) proposing: ProposalArgs,
}

/// The options of `import`.
///
/// ```
/// use clap::{Args, Command, FromArgMatches};
/// use xposer_cli::ProposalArgs;
/// let command = ProposalArgs::augment_args(Command::new("import"));
/// assert!(ProposalArgs::from_arg_matches(&command.get_matches_from(["import", "--whole"])).is_ok());
/// ```
#[derive(Debug, Args)]
pub struct ProposalArgs {
    /// Replaces annotations of ingress-nginx by options with the same meaning, which do not depend on a controller.
    #[arg(long)]
    pub(crate) options: bool,
    /// Prints the whole Services of the input with the added annotations, instead of patches.
    #[arg(long)]
    pub(crate) whole: bool,
    /// The output format: yaml is a stream of documents, json is one v1 List, kubectl is a list of commands.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Proposed,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) starting: StartArgs,
    /// The namespace of objects without a namespace.
    #[arg(short, long, value_name = "NS", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    /// The format of the diagnostics on standard error, as for `render`.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) diagnostics: Diagnostics,
    /// Whether diagnostics have colours; auto means on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) kubectl: Kubectl,
}

/// The options of `init`.
///
/// ```
/// use clap::{Args, Command, FromArgMatches};
/// use xposer_cli::StartArgs;
/// let command = StartArgs::augment_args(Command::new("init"));
/// assert!(StartArgs::from_arg_matches(&command.get_matches_from(["init", "--domain=example.com"])).is_ok());
/// ```
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The domain of the hosts; without it, the one that most Ingresses have.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// A folder for the files settings.yaml, services.yaml and annotate.sh; without it, the first two are printed. No file is
    /// overwritten.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Replaces annotations of ingress-nginx by options with the same meaning, which do not depend on a controller.
    #[arg(long)]
    pub(crate) options: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The word to explain, or a file with Services, or `-` for standard input; without it, an overview of all words.
    #[arg(value_name = "WORD|FILE")]
    pub(crate) subject: Option<String>,
    /// A file with Services; may be given several times.
    #[arg(short = 'f', long, value_name = "FILE", value_delimiter = ',', conflicts_with = "subject")]
    pub(crate) filename: Vec<PathBuf>,
    /// The defaults for the Services of the file.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The namespace of Services without a namespace.
    #[arg(short, long, value_name = "NS", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) kubectl: Kubectl,
}

/// Files, in the order of the command line.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) all: Vec<PathBuf>,
}

/// The two ways to name a file.
#[derive(Debug, Args)]
struct GivenFiles {
    /// YAML or JSON with any number of objects; `-` or nothing is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A file, with the flag of kubectl; may be given several times, and together with other files.
    #[arg(short = 'f', long, value_name = "FILE", value_delimiter = ',')]
    filename: Vec<PathBuf>,
}

impl Args for Files {
    fn augment_args(command: Clap) -> Clap {
        GivenFiles::augment_args(command)
    }

    fn augment_args_for_update(command: Clap) -> Clap {
        GivenFiles::augment_args_for_update(command)
    }
}

impl FromArgMatches for Files {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name: &str| {
            let places = matches.indices_of(name).into_iter().flatten();
            places.zip(matches.get_many::<PathBuf>(name).into_iter().flatten().cloned())
        };
        let mut all: Vec<(usize, PathBuf)> = given("files").chain(given("filename")).collect();
        all.sort_by_key(|(place, _)| *place);
        Ok(Self { all: all.into_iter().map(|(_, path)| path).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The command that was typed, for the helps of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandName {
    Render,
    Check,
    Compare,
    Report,
    Explain,
    Import,
    Init,
}

impl CommandName {
    /// Whether the command reads Ingresses, and the Services with them.
    pub(crate) fn reads_ingresses(self) -> bool {
        matches!(self, Self::Import | Self::Init)
    }

    /// The kinds that the command reads, in kubectl's notation.
    fn kinds(self) -> &'static str {
        if self.reads_ingresses() { "ingresses,services" } else { "services" }
    }

    /// The command that reads Services from standard input.
    pub(crate) fn piped(self) -> &'static str {
        match self {
            Self::Render => "xposer render",
            Self::Check => "xposer check",
            Self::Compare => "xposer compare --with NEW",
            Self::Report => "xposer report",
            // Without a file, `explain` lists the words that it can explain.
            Self::Explain => "xposer explain -",
            Self::Import => "xposer import",
            Self::Init => "xposer init",
        }
    }

    /// The command that reads the settings from standard input.
    pub(crate) fn piped_settings(self) -> &'static str {
        match self {
            Self::Render => "xposer render --settings - FILE",
            Self::Check => "xposer check --settings - FILE",
            Self::Compare => "xposer compare --with NEW --settings - FILE",
            Self::Report => "xposer report --settings - FILE",
            Self::Explain => "xposer explain --settings - FILE",
            Self::Import => "xposer import --settings - FILE",
            // `init` reads no settings.
            Self::Init => "xposer init",
        }
    }

    /// The action of `find` for the files that it finds.
    pub(crate) fn of_found(self) -> &'static str {
        match self {
            Self::Render => "-exec xposer render {} +",
            Self::Check => "-exec xposer check {} +",
            Self::Compare => "-exec xposer compare --with NEW {} +",
            Self::Report => "-exec xposer report {} +",
            // `explain` takes a file as its only argument.
            Self::Explain => "-exec xposer explain {} \\;",
            Self::Import => "-exec xposer import {} +",
            Self::Init => "-exec xposer init {} +",
        }
    }
}

/// Options of kubectl that this program does not have. Each leads to an error with a help.
#[derive(Debug, Default, Args)]
pub(crate) struct Kubectl {
    #[arg(short = 'R', long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    recursive: Option<String>,
    #[arg(short = 'A', long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    all_namespaces: Option<String>,
    #[arg(short = 'k', long, hide = true, num_args = 0..=1, default_missing_value = "FOLDER")]
    kustomize: Option<String>,
    #[arg(short = 'l', long, hide = true, num_args = 0..=1, default_missing_value = "SELECTOR")]
    selector: Option<String>,
}

impl Kubectl {
    /// The message about a given option of kubectl, and its help.
    pub(crate) fn given(&self, typed: CommandName) -> Option<(&'static str, String)> {
        let (piped, kinds) = (typed.piped(), typed.kinds());
        if self.recursive.is_some() {
            let help = format!("name the files: find FOLDER -name '*.yaml' {}", typed.of_found());
            return Some(("-R is an option of kubectl; xposer searches no folders", help));
        }
        if self.all_namespaces.is_some() {
            let help = format!("ask kubectl for them: kubectl get {kinds} -A -o yaml | {piped}");
            return Some(("-A is an option of kubectl; xposer reads no cluster", help));
        }
        if let Some(folder) = &self.kustomize {
            let help = format!("build it first: kubectl kustomize {folder} | {piped}");
            return Some(("-k is an option of kubectl; xposer builds no kustomizations", help));
        }
        let selector = self.selector.as_ref()?;
        let help = format!("ask kubectl for them: kubectl get {kinds} -l '{selector}' -o yaml | {piped}");
        Some(("-l is an option of kubectl; xposer selects no objects", help))
    }
}

#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    #[command(flatten)]
    pub(crate) files: Files,
    /// The defaults for all Services, for example an Xposer config.yaml, or the ConfigMap that contains it.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The namespace of Services without a namespace.
    #[arg(short, long, value_name = "NS", value_parser = namespace)]
    pub(crate) namespace: Option<String>,
    /// The format of the diagnostics on standard error: text, json as one array, sarif as a log for code scanning, github as
    /// workflow commands of GitHub Actions.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) diagnostics: Diagnostics,
    /// Whether diagnostics have colours; auto means on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) kubectl: Kubectl,
}

/// The parser of a namespace. An empty one is none.
///
/// ```
/// use xposer_cli::namespace;
/// assert_eq!(namespace("shop").as_deref(), Ok("shop"));
/// assert!(namespace("A B").is_err() && namespace("").is_ok());
/// ```
pub fn namespace(text: &str) -> Result<String, &'static str> {
    let is_valid = text.is_empty() || is_dns_label(text);
    is_valid
        .then(|| text.to_owned())
        .ok_or("expected lower-case letters, digits and inner `-`, at most 63 characters")
}

/// The parser of the name of a target. The help lists the names in lower case; with `ignore_case`, an argument may also have the
/// case of a manifest.
///
/// ```
/// use clap::{Arg, Command};
/// use xposer::Target;
/// let target = || Arg::new("target").value_parser(xposer_cli::target()).ignore_case(true);
/// for word in ["httproute", "HTTPRoute"] {
///     let found = Command::new("print").arg(target()).get_matches_from(["print", word]);
///     assert_eq!(found.get_one("target"), Some(&Target::HttpRoute));
/// }
/// ```
pub fn target() -> impl TypedValueParser<Value = Target> {
    static WORDS: LazyLock<Vec<String>> =
        LazyLock::new(|| Target::WORDS.iter().map(|word| word.to_ascii_lowercase()).collect());
    let values = Target::ALL.into_iter().zip(WORDS.iter()).map(|(target, word)| {
        let api_version = Kind::from_name(target.as_str()).map_or("", |kind| kind.row().api_version);
        let gateway = match target {
            Target::HttpRoute => "; the Gateway is in the setting parentRefs",
            Target::Ingress | Target::Route => "",
        };
        PossibleValue::new(word.as_str()).help(format!("A {api_version} {target}{gateway}"))
    });
    PossibleValuesParser::new(values).try_map(|word| {
        let known = Target::ALL.into_iter().find(|target| target.as_str().eq_ignore_ascii_case(&word));
        known.ok_or("there is no such target")
    })
}

/// The output format of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    #[default]
    Yaml,
    Json,
}

/// The output format of proposed Services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proposed {
    #[default]
    Yaml,
    Json,
    Kubectl,
}

/// The output format of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Comparison {
    #[default]
    Text,
    Json,
}

/// The output format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportOutput {
    #[default]
    Html,
    Json,
    Mermaid,
}

/// The output format of diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the help would repeat a comment at each word")]
pub enum Diagnostics {
    #[default]
    Text,
    Json,
    Sarif,
    Github,
}

impl Diagnostics {
    /// Whether the format is for people. A program that reads the output does not expect a summary.
    ///
    /// ```
    /// use xposer_cli::Diagnostics;
    /// assert!(Diagnostics::Text.has_summary() && !Diagnostics::Json.has_summary());
    /// ```
    #[must_use]
    pub fn has_summary(self) -> bool {
        matches!(self, Self::Text | Self::Github)
    }
}

/// When diagnostics have colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}
