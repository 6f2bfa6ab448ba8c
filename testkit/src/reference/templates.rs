//! `templates.md`.

use xposer::internal::functions;
use xposer::template::{MAX_DEPTH, MAX_TEMPLATE, Template, Var, Vars};

use super::markdown::{anchor, code, prose, table};

/// The Service of the examples.
const SAMPLE: Vars<'_> = Vars {
    service: "web",
    namespace: Some("shop"),
    domain: Some("example.com"),
    host: Some("web.example.com"),
};

/// Accepted forms, each with an example.
const ACCEPTED: &[(&str, &str)] = &[
    ("{{.Service}}.{{ .Domain }}", "Variables in a text, as in Go."),
    ("{{Service}}.{{Domain}}", "The same without the dot, as in Handlebars."),
    ("{{ .Service -}}   .{{- .Domain }}", "A `-` next to the braces removes the blanks outside of them."),
    ("{{/* a comment */}}{{.Service}}", "A comment."),
    (r#"{{if eq .Namespace "prod"}}{{.Service}}{{else}}{{.Service}}-{{.Namespace}}{{end}}"#, "A condition."),
    (r#"{{if eq .Namespace "a"}}1{{else if eq .Namespace "shop"}}2{{end}}"#, "A chain of conditions."),
    (
        "{{with .Namespace}}{{.}}-{{$.Service}}{{end}}",
        "A condition whose value is the dot inside; `$` is what was outside.",
    ),
    (r#"{{$name := printf "%s-%s" .Service .Namespace}}{{$name}}"#, "A variable of the template's own."),
    (r#"{{.Service | replace "w" "v" | upper | lower}}"#, "A pipe gives its value as the last argument."),
    (r#"{{replace "w" "v" (lower .Service)}}"#, "Parentheses."),
    (r#"{{print "a" 1 true 'x'}}"#, "Constants: texts, numbers, booleans and characters."),
    (
        "{{`{{.Service}}-{{.Namespace}}`}}",
        "Escaped for Helm: what a chart writes so that Helm leaves it alone. It is taken off, however deep.",
    ),
    (r#"{{ "{{" }}.Service{{ "}}" }}"#, "Escaped for Helm, brace by brace."),
    ("{{#if Domain}}{{Service}}.{{Domain}}{{else}}{{Service}}{{/if}}", "Handlebars' `if`, and `unless`."),
    (r#"{{#if Domain}}{{trunc 2 (upper Service)}}{{/if}}"#, "Functions in Handlebars' spelling."),
];

/// Refused forms, each with an example.
const REFUSED: &[&str] = &[
    "{{.Service}",
    "{{.service}}",
    "{{.Values.host}}",
    "{{.Service.Name}}",
    "{{.Service | sha256sum}}",
    "{{range .Service}}x{{end}}",
    r#"{{define "x"}}y{{end}}"#,
    r#"{{template "x"}}"#,
    "{{index .Service 0}}",
    "{{slice .Service 0 2}}",
    "{{call .Service}}",
    "{{#each Service}}x{{/each}}",
    "{{> other}}",
    r#"{{printf "%d" .Service}}"#,
    r#"{{.Service "x"}}"#,
    "{{}}",
];

pub(super) fn body() -> String {
    let braces = 4 * MAX_DEPTH;
    format!(
        "# Templates\n\n\
         Hosts, paths and names are templates in the syntax of Go's `text/template`, as far as names need it, or in that \
         of Handlebars. What cannot be rendered exactly is refused and never guessed: an unknown variable is an error, \
         not an empty text. Blanks at both ends of a result do not count. In templates for several hosts, commas and line \
         ends in the text outside of all braces separate them.\n\n\
         A template has at most {MAX_TEMPLATE} bytes and may be nested {MAX_DEPTH} deep; its result has at most \
         {MAX_TEMPLATE} bytes, too. In Handlebars' syntax it has at most {MAX_DEPTH} `(` and `[` together, {braces} `{{` and \
         {braces} `\\`, wherever they stand.\n\n\
         ## Variables\n\n{}\n\
         A variable that is not set is false in a condition and an error anywhere else.\n\n\
         ## What is accepted\n\n{}\n\
         ## Functions\n\n{}\n{}\n\
         ## What is refused\n\n{}",
        variables(),
        accepted(),
        overview(),
        functions::all().iter().map(function).collect::<String>(),
        refused(),
    )
}

fn variables() -> String {
    let meaning = |var| match var {
        Var::Service => "the name of the Service",
        Var::Namespace => "the namespace of the Service, if it names one",
        Var::Domain => {
            "the annotation [`Domain`](annotations.md#domain), or the setting [`domain`](settings.md#domain)"
        }
        Var::Host => {
            "in [`TLSSecretNameTemplate`](annotations.md#tlssecretnametemplate) alone, the host that the secret is for, with `wildcard` in place of a star"
        }
    };
    table(
        ["Variable", "Value", "In the examples below"],
        Var::ALL.map(|var| {
            [
                code(&format!("{{{{.{}}}}}", var.name())),
                meaning(var).to_owned(),
                SAMPLE.get(var).map(code).unwrap_or_default(),
            ]
        }),
    )
}

/// The result, or the errors in words.
fn rendered(text: &str) -> Result<String, String> {
    let problem = match Template::parse(text) {
        Ok(template) => match template.render(&SAMPLE) {
            Ok(result) => return Ok(result),
            Err(problem) => Some(problem),
        },
        Err(problems) => problems.into_iter().next(),
    };
    Err(problem.map_or_else(String::new, |problem| {
        let slug = problem.code.slug();
        let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!("[{slug}](diagnostics.md#{}): {}{}", anchor(slug), prose(&problem.message), prose(&help))
    }))
}

fn accepted() -> String {
    table(
        ["Template", "Result", ""],
        ACCEPTED.iter().map(|(example, sentence)| {
            let result = rendered(example).map_or_else(|error| error, |result| code(&result));
            [code(example), result, (*sentence).to_owned()]
        }),
    )
}

fn overview() -> String {
    let names: Vec<String> = functions::all()
        .iter()
        .map(|function| format!("[{}](#{})", code(function.name), anchor(function.name)))
        .collect();
    format!("{}.", names.join(", "))
}

fn function(function: &functions::Function) -> String {
    let aliases = if function.aliases.is_empty() {
        String::new()
    } else {
        let spelled: Vec<String> = function.aliases.iter().map(|alias| code(alias)).collect();
        format!(" Also spelled {}.", spelled.join(", "))
    };
    format!(
        "\n### {}\n\n{}{aliases}\n\n{} gives {}.\n",
        function.name,
        prose(function.doc()),
        code(function.example),
        code(function.result()),
    )
}

fn refused() -> String {
    table(
        ["Template", "Message"],
        REFUSED.iter().map(|example| {
            let text = match rendered(example) {
                Err(error) => error,
                // This would make the page wrong, which the test of this module detects.
                Ok(result) => code(&result),
            };
            [code(example), text]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_examples_are_accepted_or_refused() {
        for (example, _) in ACCEPTED {
            assert!(rendered(example).is_ok(), "{example}: {:?}", rendered(example));
        }
        for example in REFUSED {
            assert!(rendered(example).is_err(), "{example}: {:?}", rendered(example));
        }
    }
}
