//! The results of templates, and the problems of templates that cannot be rendered.

use std::borrow::Cow;

use super::functions::Val;
use super::{MAX_DEPTH, MAX_TEMPLATE, Template, Vars};
use crate::diagnostics::{Code, Problem};

const VARS: Vars<'_> =
    Vars { service: "web", namespace: Some("shop"), domain: Some("example.com"), host: None };

#[track_caller]
fn renders(text: &str, expected: &str) {
    let template = Template::parse(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let found = template.render(&VARS).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    assert_eq!(found, expected, "{text}");
}

/// The problems of a template, from parsing or from rendering.
fn problems(text: &str) -> Vec<Problem> {
    match Template::parse(text) {
        Err(problems) => problems,
        Ok(template) => template.render(&VARS).err().into_iter().collect(),
    }
}

#[track_caller]
fn refused(text: &str, expected: &[(Code, &str, &str)]) {
    let found = problems(text);
    let found: Vec<_> = found
        .iter()
        .map(|p| {
            let marked = p.range.clone().map_or("(nowhere)", |range| text.get(range).unwrap_or("(off)"));
            (p.code, marked, p.message.as_str())
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn variables_in_both_spellings() {
    renders("{{.Service}}.{{ .Namespace }}.{{.Domain}}", "web.shop.example.com");
    renders("{{Service}}.{{ Namespace }}", "web.shop");
    renders("{{$.Service}}", "web");
    renders("no action at all", "no action at all");
    renders("", "");
    renders("{.Service}", "{.Service}");
    renders("{{.Service}}}", "web}");
}

#[test]
fn trim_markers_and_comments() {
    renders("  {{- .Service -}}  -{{ .Namespace }}", "web-shop");
    renders("a {{- /* gone */ -}}  {{.Service}}", "aweb");
    renders("{{/* a }} in a comment */}}{{.Service}}", "web");
    renders("{{.Service}}-{{.Namespace}}\n", "web-shop");
    renders("{{\n.Service\n}}", "web");
}

#[test]
fn the_helm_escape_is_taken_off_at_any_depth() {
    renders("{{`{{.Service}}-{{.Namespace}}`}}", "web-shop");
    renders("{{ \"{{.Service}}.{{.Namespace}}\"  }}", "web.shop");
    renders("{{- `{{.Service}}` -}}", "web");
    renders("{{`{{.Service}}`}}.{{.Domain}}", "web.example.com");
    renders("{{ \"{{\" }}.Service{{ \"}}\" }}", "web");
    renders("{{ \"{{ `{{.Service}}` }}\" }}-{{.Namespace}}", "web-shop");
    renders("{{`{{if .Domain}}`}}a{{`{{end}}`}}", "a");
    // A string without delimiters is not an escape.
    renders("{{`web`}}", "web");
}

#[test]
fn conditions() {
    renders(r#"{{if eq .Namespace "shop"}}a{{else}}b{{end}}"#, "a");
    renders(r#"{{if eq .Namespace "x"}}a{{else if ne .Namespace "y"}}b{{else}}c{{end}}"#, "b");
    renders(r#"{{if and (eq .Service "web") (not (eq .Namespace "prod"))}}a{{end}}"#, "a");
    renders(r#"{{if gt (len .Service) 2}}long{{end}}"#, "long");
    renders("{{if 0}}a{{else}}b{{end}}", "b");
    renders("{{if .Domain}}{{if .Namespace}}x{{end}}{{end}}", "x");
}

#[test]
fn variables_of_the_template() {
    renders("{{with $n := .Namespace}}{{$n}}-{{$.Service}}{{end}}", "shop-web");
    renders(r#"{{$x := "a"}}{{if true}}{{$x = .Service}}{{end}}{{$x}}"#, "web");
    renders(r#"{{$x := "a"}}{{if true}}{{$x := .Service}}{{end}}{{$x}}"#, "a");
    renders("{{with .Namespace}}{{.}}{{else}}none{{end}}", "shop");
    renders(r#"{{with ""}}{{.}}{{else}}{{.Service}}{{end}}"#, "web");
    renders(r#"{{block "n" .}}{{.Service}}{{end}}"#, "web");
}

#[test]
fn the_dot_and_the_variable_of_with_are_two() {
    renders(r#"{{with $x := .Service}}{{$x = "b"}}{{.}}{{end}}"#, "web");
    renders(r#"{{$x := .Service}}{{with $x = .Namespace}}{{$x = "b"}}{{.}}{{$x}}{{end}}{{$x}}"#, "shopbb");
    renders("{{with .Service}}{{block \"n\" $}}{{.Namespace}}{{end}}{{.}}{{end}}", "shopweb");
}

#[test]
fn templates_that_go_refuses_are_refused() {
    for text in [
        "{{if false}}{{$x := 1}}{{else}}{{$x}}{{end}}",
        "{{if true}}a{{else with .Service}}b{{end}}",
        "{{with .Service}}a{{else if true}}b{{end}}",
        "{{block \"x\" .}}a{{else}}b{{end}}",
        "{{$x := 1}}{{block \"x\" .}}{{$x}}{{end}}",
        "{{block \"x\" .}}a{{end}}{{block \"x\" .}}b{{end}}",
        "{{1_}}",
        "{{1__0}}",
        "{{+-1}}",
        "{{0x-1}}",
        r#"{{"a\'b"}}"#,
        r#"{{'\"'}}"#,
        r#"{{print"a"}}"#,
        r#"{{print "a""b"}}"#,
        "{{print(1)}}",
        "{{len.Domain}}",
        r#"{{printf "%+q" "a"}}"#,
    ] {
        assert!(!problems(text).is_empty(), "{text} is accepted");
    }
}

#[test]
fn numbers_and_flags_as_in_go() {
    renders("{{1000000.0}} {{999999.5}} {{0.0001}} {{0.00001}}", "1e+06 999999.5 0.0001 1e-05");
    renders(r#"{{printf "%08.2f|%06v|%+v|%+d" -1.5 -1.5 5 5}}"#, "-0001.50|-001.5|5|+5");
    renders("{{printf \"%q\" \"a\u{200b}\u{e9}\"}}", "\"a\\u200b\u{e9}\"");
    renders("{{\"a\u{7f}\u{2028}\u{e9}\" | js}}", "a\u{7f}\\u2028\u{e9}");
    renders("{{.Service -}}\u{b} x", "web\u{b} x");
}

#[test]
fn pipelines_and_printing() {
    renders(r#"{{(printf "%s-%s" .Service .Namespace) | printf "%.5s"}}"#, "web-s");
    renders(
        r#"{{printf "%5s|%-5s|%05d|%+d|%q|%v|%t|%%" .Service .Service 42 7 .Service 1.5 true}}"#,
        r#"web|web  |00042|+7|"web"|1.5|true|%"#,
    );
    renders(r#"{{printf "%[2]s-%[1]s" .Service .Namespace}}"#, "shop-web");
    renders(
        r#"{{print 1 2 "x" 3}} {{print 1e21}} {{print 0x10 0b11 0o17 017 1_000}}"#,
        "1 2x3 1e+21 16 3 15 15 1000",
    );
    renders("{{'a'}} {{-3}} {{1.5}} {{true}}", "97 -3 1.5 true");
    renders(r#"{{"tab\tquote\"A"}}"#, "tab\tquote\"A");
    renders(r#"{{.Service | upper | trimPrefix "W" | replace "E" "e" | trunc 1}}"#, "e");
}

#[test]
fn handlebars_syntax() {
    renders("{{{Service}}}", "web");
    renders("{{~Service~}} x", "webx");
    renders("{{#if Domain}}a{{else}}b{{/if}}", "a");
    renders("{{#unless Domain}}a{{else}}b{{/unless}}", "b");
    renders(r#"{{#if (eq Namespace "shop")}}{{upper Service}}{{/if}}"#, "WEB");
    renders(r#"{{#if Domain}}{{trunc 2 (printf "%s-%s" Service Namespace)}}{{/if}}"#, "we");
    renders("{{#if Domain}}<&>{{Service}}{{/if}}", "<&>web");
    renders("{{~{Service}~}} x{{{~Service~}}} y", "webxweby");
    renders(r#"{{#if Domain}}{{print 'it\'s "' "\u0041\/"}}{{/if}}"#, "it's \"A/");
}

/// Differences between the `handlebars` crate and the parser that it replaced.
#[test]
fn handlebars_is_read_as_the_crate_reads_it() {
    renders("{{~this.Service~}} {{{./Domain}}}", "webexample.com");
    renders("{{#unless Domain}}a{{elseif Service}}b{{/unless}}", "b");
    renders("{{#if Domain}}a{{! -- }} gone --}}{{/if}}", "a");
    renders("{{#if Domain}}{{Service~}}\u{2003} {{! gone }} b{{/if}}", "webb");
    renders("{{#if Domain}}{{print 1.5 \" \" 2E3 -0}}{{/if}}", "1.5 2000 -0");
    let places = |text: &str, marked: &str| {
        let found: Vec<_> = problems(text).into_iter().map(|p| p.range.and_then(|it| text.get(it))).collect();
        assert_eq!(found, [Some(marked)], "{text}");
    };
    places("{{#if Domain}}{{&upper Service}}{{/if}}", "S");
    places("{{#if ((Domain))}}{{/if}}", "(");
    places("{{#if Domain}}{{upper (trunc 2@root.Domain)}}{{/if}}", "@root.Domain");
    places("{{#if Domain}}{{eq true../x}}{{/if}}", "../x");
    places("{{~~Domain}}", "~");
    places("{{#if Domain}}{{print 01}}{{/if}}", "0");
    places("{{#if Domain}}{{print 1.}}{{/if}}", "1");
    places("{{#if Domain}}{{print 1e3}}{{/if}}", "1e3");
    places("{{#if Domain}}{{/if ~~}}", "/");
}

/// An error hides no other error, and none is reported twice.
#[test]
fn every_problem_of_handlebars_is_reported() {
    use Code::{
        TemplateSyntax as Syntax, TemplateUnclosed as Unclosed, TemplateUnknownFunction as Function,
        TemplateUnknownVariable as Variable, TemplateUnsupported as Unsupported,
    };
    refused(
        "\u{e9}\n{{#if Foo}}{{upper )}}{{else if (uper Service)}}{{print a=1}}{{/if}} {{#> x}}{{/x}}{{else}}",
        &[
            (Variable, "Foo", "there is no variable `Foo`"),
            (Syntax, ")", "this cannot be read as Handlebars"),
            (Function, "uper", "there is no function `uper`"),
            (Unsupported, "a", "a named argument is not supported in templates"),
            (Unsupported, "{{#> x}}", "a partial or decorator is not supported in templates"),
            (Syntax, "{{else}}", "{{else}} belongs to no block"),
        ],
    );
    refused(
        "{{#if Domain}}{{#unless Foo}}{{else}}{{else}}{{/if}}",
        &[
            (Variable, "Foo", "there is no variable `Foo`"),
            (Syntax, "{{else}}", "the block has a second {{else}}"),
            (Syntax, "{{/if}}", "the block `unless` is closed by `if`"),
            (Unclosed, "{{#if Domain}}{{#unless Foo}}{{else}}{{else}}{{/if}}", "a block is not closed"),
        ],
    );
    refused(
        "{{#if Domain}}{{upper Service | lower}}{{print \"[|=\" [a]}}{{/if}}",
        &[
            (Unsupported, "| lower", "this argument is not supported in templates"),
            (Unsupported, "[a]", "this argument is not supported in templates"),
        ],
    );
}

#[track_caller]
fn helps(text: &str, expected: &[&str]) {
    let found = problems(text);
    let helps: Vec<_> = found.iter().map(|problem| problem.help.as_deref().unwrap_or_default()).collect();
    assert_eq!(helps, expected, "{text}: {found:?}");
}

/// A missing tag is reported once, and adding it makes the template valid.
#[test]
fn missing_tag_is_reported_once() {
    let (belongs, closes) = ("belongs to no block", "closes no block");
    for (text, marked, is, help, mended) in [
        (
            "{{else if Domain}}a{{/if}}",
            "{{else if Domain}}",
            belongs,
            "write {{#if ..}} before it",
            "{{#if Service}}",
        ),
        (
            "{{else unless Domain}}a{{/if}}",
            "{{else unless Domain}}",
            belongs,
            "write {{#if ..}} before it",
            "{{#if Service}}",
        ),
        (
            "{{else}}a{{/unless}}",
            "{{else}}",
            belongs,
            "write {{#unless ..}} before it",
            "{{#unless Service}}",
        ),
        (
            "{{^}}{{#if Domain}}a{{/if}}{{/if}}",
            "{{^}}",
            belongs,
            "write {{#if ..}} before it",
            "{{#if Service}}",
        ),
        ("a{{/if}}", "{{/if}}", closes, "write {{#if ..}} before it, or remove it", "{{#if Service}}"),
        (
            "a{{/unless}}",
            "{{/unless}}",
            closes,
            "write {{#unless ..}} before it, or remove it",
            "{{#unless Service}}",
        ),
        ("{{else}}a{{end}}", "else", belongs, "write {{if ..}} before it", "{{if .Service}}"),
        (
            "{{else if .Domain}}a{{else}}b{{end}}",
            "else if .Domain",
            belongs,
            "write {{if ..}} before it",
            "{{if .Service}}",
        ),
        ("a{{end}}", "end", closes, "write {{if ..}} before it, or remove it", "{{if .Service}}"),
    ] {
        let shown = if marked.starts_with('{') { marked.to_owned() } else { format!("{{{{{marked}}}}}") };
        refused(text, &[(Code::TemplateSyntax, marked, &format!("{shown} {is}"))]);
        helps(text, &[help]);
        assert_eq!(problems(&format!("{mended}x{text}")), [], "{text}");
    }
    let both = "write {{#if ..}} before it, and {{/if}} behind it";
    helps("{{^}}{{#if Domain}}a{{/if}}", &[both]);
    helps("{{#if Domain}}a{{/if}}{{else if Domain}}b", &[both]);
    helps("{{.Service}}{{else}}a", &["write {{if ..}} before it, and {{end}} behind it"]);
    // No other block can be opened in its place.
    helps("a{{/each}}", &["remove it"]);
    helps("a{{/}}", &["remove it"]);
    let known = "use variables, functions, {{#if}} and {{#unless}}";
    helps("{{else each Domain}}a{{/each}}", &[known, "remove it"]);
    // Other problems are reported as well.
    helps(
        "{{else}}{{#if Srvice}}a{{/if}}{{/if}}",
        &["write {{#if ..}} before it", "did you mean {{Service}}?"],
    );
    helps("{{else if Srvice}}a{{/if}}", &["write {{#if ..}} before it", "did you mean {{Service}}?"]);
    helps(
        "{{else}}{{.Srvice}}",
        &["write {{if ..}} before it, and {{end}} behind it", "did you mean {{.Service}}?"],
    );
}

/// Following a help must not mix two languages in one template.
#[test]
fn a_help_is_in_the_language_of_the_template() {
    helps("{{#if Srvice}}a{{/if}}", &["did you mean {{Service}}?"]);
    helps("{{this.Srvice}}", &["did you mean {{Service}}?"]);
    helps("{{this.Service | upper}}", &["use {{Service}}, {{Namespace}} or {{Domain}}"]);
    helps("{{#if Foo}}a{{/if}}", &["use {{Service}}, {{Namespace}} or {{Domain}}"]);
    helps("{{#if Domain}}{{Service}.x{{/if}}", &["close the action with two braces: `{{Service}}`"]);
    helps("{{Service}", &["close the action with two braces: `{{Service}}`"]);
    helps("{{ .Service}", &["close the action with two braces: `{{.Service}}`"]);
    helps("{{with .Namespace}}{{Servce}}{{end}}", &["did you mean {{Service}}?"]);
    helps("{{#if Domain}}{{trunc 1}}{{/if}}", &["write it like this: {{trunc 2 Service}}"]);
    helps("{{#if Domain}}{{trunc \"a\" Service}}{{/if}}", &["write it like this: {{trunc 2 Service}}"]);
    helps(
        "{{trunc \"a\" .Service}}",
        &["write it like this: {{.Service | trunc 2}}-{{trunc -2 .Namespace}}"],
    );
    helps(
        "{{#if eq Service \"a\"}}a{{/if}}",
        &["write one condition: {{#if Domain}}, or {{#if (eq Service \"web\")}}"],
    );
    helps(
        "{{upper 'a'}}",
        &["put texts in double quotes, and write it like this: {{.Service | upper | lower}}"],
    );
    helps("{{#if Domain}}{{upper lower Service}}{{/if}}", &["put the call in parentheses: (lower ..)"]);
    let host = |text| Template::parse(text).unwrap().without(super::Var::Host, "has no value").unwrap();
    assert_eq!(
        host("{{#if Host}}a{{/if}}").help.as_deref(),
        Some("use {{Service}}, {{Namespace}} or {{Domain}}")
    );
    assert_eq!(host("{{#if Host}}a{{/if}}").message, "{{Host}} has no value");
    assert_eq!(host("{{.Host}}").help.as_deref(), Some("use {{.Service}}, {{.Namespace}} or {{.Domain}}"));
    helps("{{#if Domain}}{{print \"{{\"}}{{/if}}", &[]);
    // Each language has its own comments.
    helps("{{#if Domain}}{{/* c */}}{{/if}}", &["write the comment like this: {{! .. }}"]);
    helps("{{ /* c */}}{{#if Domain}}a{{/if}}", &["write the comment like this: {{! .. }}"]);
    helps("{{ /* c */}}{{.Service}}", &["write the comment right behind the braces: {{/* .. */}}"]);
}

#[test]
fn the_example_of_each_function_works_in_handlebars() {
    for function in super::functions::all() {
        let help = function.usage("");
        let example = help.strip_prefix("write it like this: ").unwrap();
        let text = format!("{{{{#if true}}}}{example}{{{{/if}}}}");
        assert_eq!(problems(&text), [], "{text}");
        // Go's syntax has no blocks with `#`, and needs no dot before a variable.
        assert!(example.starts_with("{{#if") || problems(example).is_empty(), "{example}");
    }
}

#[test]
fn comments_with_tildes_are_read() {
    renders("{{Service}} {{~! c ~}} x", "webx");
    renders("{{Service}} {{~!-- a }} b --~}} x", "webx");
    renders("{{Service}} {{! c ~}} x", "web x");
    renders("a{{#if Domain}} {{~! \u{e9}\n\n ~}} {{!~}} b{{~!}}{{/if}}", "ab");
    // Positions after the comment are positions in the user's text.
    refused(
        "{{~! \u{e9}\n ~}}{{#if Domain}}{{Foo+}}{{/if}}",
        &[(Code::TemplateSyntax, "+", "this cannot be read as Handlebars")],
    );
}

#[test]
fn inverse_blocks_are_refused_by_name() {
    let message = "an inverse block is not supported in templates";
    refused("{{^if Domain}}y{{/if}}", &[(Code::TemplateUnsupported, "{{^if Domain}}", message)]);
    // A block of Handlebars is not an `else if`.
    let text = "{{#if Domain}}x{{^if Service}}y{{/if}}{{/if}}";
    refused(text, &[(Code::TemplateUnsupported, "{{^if Service}}", message)]);
    helps(text, &["write {{#unless ..}} in place of {{^if ..}}"]);
    helps("{{^unless Domain}}a{{/unless}}", &["write {{#if ..}} in place of {{^unless ..}}"]);
    renders("{{#unless Domain}}a{{^}}b{{/unless}}", "b");
}

/// Syntax that only Handlebars has makes a template Handlebars, also outside of blocks.
#[test]
fn language_detection() {
    renders("{{this.Service}}-{{./Namespace}}", "web-shop");
    renders("{{Service ~}} x", "webx");
    renders("{{upper 'ab'}}", "AB");
    refused(
        "{{upper Service a=1}}",
        &[(Code::TemplateUnsupported, "a", "a named argument is not supported in templates")],
    );
    // Valid in Go.
    renders("{{print 'a'}}-{{print \"this.x a=1 'b'\"}}", "97-this.x a=1 'b'");
    // Invalid in Go, and clearly meant as Go.
    refused("{{.Service ~}}", &[(Code::TemplateSyntax, "~", "`~` is not expected in an action")]);
    refused(
        "{{if eq Namespace 'shop'}}y{{end}}",
        &[(Code::TemplateSyntax, "'shop'", "single quotes hold one character")],
    );
    refused(
        "{{$x := .Servce}}{{$x=1}}",
        &[
            (Code::TemplateUnknownVariable, ".Servce", "there is no variable `.Servce`"),
            (Code::TemplateUnknownVariable, "$x", "the variable `$x` is not declared"),
        ],
    );
}

#[test]
fn an_argument_that_is_nearly_a_variable_is_one() {
    let variable = |text: &str| {
        refused(text, &[(Code::TemplateUnknownVariable, "Servce", "there is no variable `Servce`")]);
        helps(text, &["did you mean {{Service}}?"]);
    };
    variable("{{upper Servce}}");
    variable("{{eq Servce \"a\"}}");
    variable("{{Servce | upper}}");
    variable("{{if Servce}}a{{end}}");
    refused(
        "{{upper (uper .Service)}}",
        &[(Code::TemplateUnknownFunction, "uper", "there is no function `uper`")],
    );
}

#[test]
fn blocks_of_go_between_those_of_handlebars_are_named() {
    let message = |word: &str| format!("the template mixes Go's {{{{{word}}}}} with Handlebars' syntax");
    refused("{{if Domain}}y{{/if}}", &[(Code::TemplateSyntax, "if", &message("if"))]);
    refused("{{#if Domain}}y{{end}}", &[(Code::TemplateSyntax, "end", &message("end"))]);
    refused(
        "{{#if Domain}}{{if Service}}y{{end}}{{/if}}",
        &[(Code::TemplateSyntax, "if", &message("if")), (Code::TemplateSyntax, "end", &message("end"))],
    );
    helps(
        "{{if Domain}}y{{/if}}",
        &["write {{#if ..}} and {{/if}}, or {{if ..}} and {{end}} with {{.Service}}"],
    );
}

#[test]
fn each_limit_of_handlebars_is_named() {
    let large = |text: &str, message: &str| {
        refused(text, &[(Code::TemplateTooLarge, "(nowhere)", message)]);
    };
    large(
        &"{{#if Domain}}{{/if}}".repeat(65),
        "the template has 260 of the characters `{`, at most 256 are allowed in Handlebars' syntax",
    );
    large(
        &format!("{{{{#if Domain}}}}{{{{print \"{}\"}}}}{{{{/if}}}}", "(".repeat(70)),
        "the template has 70 of the characters `([`, at most 64 are allowed in Handlebars' syntax",
    );
}

#[test]
fn braces_and_names_that_do_not_fit_are_named() {
    helps("{{#if Domain}}{{{Service}}{{/if}}", &["close the action with as many braces as open it"]);
    refused(
        "{{#if Domain}}x{{/}}",
        &[(Code::TemplateSyntax, "{{/}}", "the block `if` is closed by `{{/}}`")],
    );
    helps("{{#if Domain}}x{{/}}", &["close the innermost block first, with {{/if}}"]);
    helps("{{#unless Domain}}x", &["close the block with {{/unless}}"]);
}

#[test]
fn a_variable_that_is_not_set_is_false_and_never_empty() {
    let vars = Vars { domain: None, ..VARS };
    let run = |text| Template::parse(text).unwrap().render(&vars);
    assert_eq!(run("{{if .Domain}}a{{else}}b{{end}}").unwrap(), "b");
    assert_eq!(run("{{#if Domain}}a{{else}}b{{/if}}").unwrap(), "b");
    assert_eq!(run(r#"{{.Domain | default "local"}}"#).unwrap(), "local");
    assert_eq!(run(r#"{{#if Service}}{{default "local" Domain}}{{/if}}"#).unwrap(), "local");
    for text in [
        "{{.Domain}}",
        "{{Domain}}",
        "a{{.Domain | upper}}",
        "{{$x := .Domain}}{{$x}}",
        "{{or .Domain .Domain}}",
        "{{#if Service}}{{Domain}}{{/if}}",
        "{{#if Service}}{{upper Domain}}{{/if}}",
        "{{printf \"%s\" .Domain}}",
    ] {
        assert_eq!(run(text).unwrap_err().code, Code::TemplateValueMissing, "{text}");
    }
    let problem = run("x-{{.Domain}}").unwrap_err();
    assert_eq!(problem.range, Some(4..11));
    assert_eq!(problem.message, "the template needs a domain, and none is set");
}

#[test]
fn unclosed_constructs() {
    use Code::TemplateUnclosed as Unclosed;
    refused("{{.Service}}.{{.Domain}", &[(Unclosed, "{{", "the action is not closed by `}}`")]);
    refused("/{{.Service}/", &[(Unclosed, "{{", "the action is not closed by `}}`")]);
    refused("{{.Service}.{{.Domain}}", &[(Unclosed, "}", "the action is not closed by `}}`")]);
    refused("{{printf \"%s .Service}}", &[(Unclosed, "\"", "the string is not closed")]);
    refused("{{/* x }}", &[(Unclosed, "{{/*", "the comment is not closed by `*/}}`")]);
    refused("{{ (.Service }}", &[(Unclosed, "(", "the parenthesis is not closed")]);
    refused("{{if .Service}}x", &[(Unclosed, "if .Service", "`if` is not closed by {{end}}")]);
    // Found by fuzzing: the error is positioned at the end of the text.
    assert!(problems("{{#fin}}{{../").iter().all(|p| p.range.clone().is_none_or(|range| range.end <= 13)));
    refused("{{#if Domain}}{{{Service}}{{/if}}", &[(Unclosed, "{{{", "the action is not closed by `}}}`")]);
    refused("a{{#if Domain}}b", &[(Unclosed, "{{#if Domain}}b", "a block is not closed")]);
}

#[test]
fn unknown_names() {
    use Code::{TemplateUnknownFunction as Function, TemplateUnknownVariable as Variable};
    refused("{{.service}}", &[(Variable, ".service", "there is no variable `.service`")]);
    refused(
        "{{.Servcie}}-{{.X}}",
        &[
            (Variable, ".Servcie", "there is no variable `.Servcie`"),
            (Variable, ".X", "there is no variable `.X`"),
        ],
    );
    assert_eq!(problems("{{.service}}")[0].help.as_deref(), Some("did you mean {{.Service}}?"));
    refused(
        "app-{{.Service.Name}}",
        &[(Variable, ".Service.Name", "`.Service` is a text, which has no field Name")],
    );
    refused("{{$svc}}", &[(Variable, "$svc", "the variable `$svc` is not declared")]);
    refused("{{.Service | uper}}", &[(Function, "uper", "there is no function `uper`")]);
    assert_eq!(problems("{{.Service | uper}}")[0].help.as_deref(), Some("did you mean upper?"));
    refused(
        "{{with .Namespace}}{{.Service}}{{end}}",
        &[(Variable, ".Service", "inside `with` the dot is a text, which has no field Service")],
    );
    // The range is correct inside of an escape, too.
    refused("{{`{{.service}}`}}", &[(Variable, ".service", "there is no variable `.service`")]);
    refused("{{#if Foo}}a{{/if}}", &[(Variable, "Foo", "there is no variable `Foo`")]);
}

#[test]
fn unsupported_constructs() {
    use Code::TemplateUnsupported as Unsupported;
    for word in ["slice .Service 0 2", "index .Service 0", "call .Service"] {
        let name = word.split(' ').next().unwrap();
        refused(
            &format!("{{{{{word}}}}}"),
            &[(Unsupported, name, &format!("`{name}` is not supported in templates"))],
        );
    }
    refused(
        "{{range .Service}}a{{end}}b",
        &[(Unsupported, "range .Service", "`range` is not supported in templates")],
    );
    refused(
        "{{define \"x\"}}a{{end}}b",
        &[(Unsupported, "define \"x\"", "`define` is not supported in templates")],
    );
    refused("{{template \"x\"}}", &[(Unsupported, "template", "`template` is not supported in templates")]);
    refused("{{> x}}", &[(Unsupported, "{{> x}}", "a partial or decorator is not supported in templates")]);
    assert_eq!(problems("{{#each this}}a{{/each}}")[0].code, Unsupported);
    assert_eq!(problems("{{#with Service as |s|}}a{{/with}}")[0].code, Unsupported);
}

#[test]
fn malformed_syntax() {
    use Code::TemplateSyntax as Syntax;
    refused("{{}}", &[(Syntax, "{", "the action has no value")]);
    refused("{{\u{2003}}}", &[(Syntax, "\u{2003}", "the action has no value")]);
    refused("{{.Service \"x\"}}", &[(Syntax, "\"x\"", "`.Service` takes no arguments")]);
    refused("{{.}}", &[(Syntax, ".", "the dot alone is not a text")]);
    refused("{{end}}", &[(Syntax, "end", "{{end}} closes no block")]);
    refused("{{else}}", &[(Syntax, "else", "{{else}} belongs to no block")]);
    refused("{{.Service)}}", &[(Syntax, ")", "`)` is not expected here")]);
    refused("{{.Service | .Namespace}}", &[(Syntax, ".Namespace", "only a function can follow `|`")]);
    refused("{{if true}}a{{else}}b{{else}}c{{end}}d", &[(Syntax, "else", "the block has a second {{else}}")]);
    refused("{{#if Domain}}{{Foo+}}{{/if}}", &[(Syntax, "+", "this cannot be read as Handlebars")]);
}

#[test]
fn functions_that_cannot_work() {
    use Code::TemplateFunction as Function;
    refused("{{printf \"%d\" .Service}}", &[(Function, "printf", "`printf`: %d cannot print a text")]);
    refused("{{printf \"%s\"}}", &[(Function, "printf", "`printf`: there is no value for %s")]);
    refused("{{printf \"%s\" 1 2}}", &[(Function, "printf", "`printf`: %s cannot print a number")]);
    refused(
        "{{printf \"a\" .Service}}",
        &[(Function, "printf", "`printf`: 1 values are given, the format uses 0")],
    );
    refused("{{eq 1 \"a\"}}", &[(Function, "eq", "`eq`: a number cannot be compared with a text")]);
    refused("{{lt true false}}", &[(Function, "lt", "`lt`: booleans have no order")]);
    refused("{{upper}}", &[(Function, "upper", "`upper` takes 1 argument, not 0")]);
    refused(
        "{{#if Domain}}{{upper 1}}{{/if}}",
        &[(Function, "upper", "`upper`: expected a text, found a number")],
    );
}

#[test]
fn oversized_results_are_refused() {
    let large = |text: &str| {
        let found = problems(text);
        assert!(
            found.iter().any(|p| matches!(p.code, Code::TemplateTooLarge | Code::TemplateFunction)),
            "{found:?}"
        );
    };
    large(&"x".repeat(MAX_TEMPLATE + 1));
    large(&format!("{}{}", "{{if true}}".repeat(MAX_DEPTH + 1), "{{end}}".repeat(MAX_DEPTH + 1)));
    large(&format!("{{{{{}.Service{}}}}}", "(".repeat(200), ")".repeat(200)));
    large(&format!("{{{{.Service{}}}}}", " | lower".repeat(200)));
    large("{{printf \"%99999s\" .Service}}");
    large("{{$x := printf \"%9000s\" .Service}}{{print $x $x}}");
    large(&format!("{{{{replace \"\" \"{}\" \"{}\"}}}}", "a".repeat(4000), "b".repeat(4000)));
    large(&format!("{{{{#if Domain}}}}{}{{{{/if}}}}", "(".repeat(500)));
    large(&format!("{{{{#if Domain}}}}{}", "\\".repeat(8000)));
    // The maximum number of blocks that the limit on braces allows, none of them closed.
    assert!(!problems(&"{{#if Domain}}".repeat(2 * MAX_DEPTH)).is_empty());
    let blocks = |count: usize| "{{#if Domain}}".repeat(count) + "a" + &"{{/if}}".repeat(count);
    renders(&blocks(MAX_DEPTH), "a");
    large(&blocks(MAX_DEPTH + 1));
    let calls = |count: usize| {
        format!("{{{{#if {}Domain{}}}}}a{{{{/if}}}}", "(lower ".repeat(count), ")".repeat(count))
    };
    renders(&calls(MAX_DEPTH), "a");
    large(&calls(MAX_DEPTH + 1));
    let mut doubling = "{{$x := .Service}}".to_owned();
    for _ in 0..60 {
        doubling.push_str("{{$x = print $x $x}}");
    }
    large(&doubling);
}

#[test]
fn lists_split_only_in_literal_text() {
    let list = |text: &str| Template::parse(text).unwrap().render_list(&VARS).unwrap();
    assert_eq!(list("{{.Service}}.a.com,{{.Service}}.b.com"), ["web.a.com", "web.b.com"]);
    assert_eq!(list("a.com\n b.com ,\n\nc.com,"), ["a.com", "b.com", "c.com"]);
    assert_eq!(list("{{if true}}a,b{{end}}"), ["a,b"]);
    assert_eq!(list("{{\"a,b\"}}"), ["a,b"]);
    assert!(list(" , \n").is_empty());
}

#[test]
fn a_literal_has_no_action_and_no_comment() {
    let literal = |text: &str| Template::parse(text).unwrap().literal().map(Cow::into_owned);
    assert_eq!(literal(" /api ").as_deref(), Some("/api"));
    assert_eq!(literal("").as_deref(), Some(""));
    assert_eq!(literal("/{{.Service}}"), None);
    assert_eq!(literal("/{{/* c */}}"), None);
    assert_eq!(literal("{{`web`}}"), None);
}

#[test]
fn truth_is_that_of_go() {
    for (value, truth) in [
        (Val::Str(String::new()), false),
        (Val::Str("false".to_owned()), true),
        (Val::Int(0), false),
        (Val::Int(-1), true),
        (Val::Float(0.0), false),
        (Val::Bool(true), true),
    ] {
        assert_eq!(value.is_true(), truth, "{value:?}");
    }
}

#[test]
fn floats_are_written_as_go_does() {
    renders(
        "{{1e-5}} {{1.25e-5}} {{-0.5}} {{100000.0}} {{123456.75}} {{1e6}} {{1.5e20}} {{0.0}} {{0.000125}} {{12.0}} {{1e22}}",
        "1e-05 1.25e-05 -0.5 100000 123456.75 1e+06 1.5e+20 0 0.000125 12 1e+22",
    );
}
