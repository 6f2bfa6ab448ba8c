//! What templates render to, and what is said of those that do not.

use super::{Template, Vars};

const VARS: Vars<'_> = Vars { service: "web", namespace: Some("shop"), domain: Some("example.com") };

fn render(text: &str) -> String {
    match Template::parse(text) {
        Ok(template) => match template.render(&VARS) {
            Ok(text) => text,
            Err(problem) => format!("ERR {}: {} {:?}", problem.code, problem.message, problem.range),
        },
        Err(problems) => problems
            .iter()
            .map(|p| {
                format!("ERR {}: {} {:?}", p.code, p.message, p.range.as_ref().map(|r| text.get(r.clone())))
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}

#[test]
fn explore() {
    for t in [
        "{{.Service}}.{{ .Namespace }}",
        "{{`{{.Service}}-{{.Namespace}}`}}",
        "{{ \"{{\" }}.Service{{ \"}}\" }}",
        "{{- `{{.Service}}` -}}",
        "{{`{{.Service}}`}}.{{.Domain}}",
        "{{`{{`{{.Service}}`}}`}}",
        "{{ \"{{ `{{.Service}}` }}\" }}",
        "  {{- .Service -}}  -{{ .Namespace }}",
        "{{- /* the name */ -}}  {{.Service}}",
        "{{if eq .Namespace \"production\"}}{{.Service}}.{{.Domain}}{{else}}{{.Service}}-{{.Namespace}}.{{.Domain}}{{end}}",
        "{{if eq .Namespace \"a\"}}A{{else if eq .Namespace \"shop\"}}B{{else}}C{{end}}",
        "{{printf \"%s-%s\" .Service .Namespace}}",
        "{{printf \"%.2s\" .Service}}",
        "{{printf \"%d\" .Service}}",
        "{{with $n := .Namespace}}{{$n}}-{{$.Service}}{{end}}",
        "{{$x := \"a\"}}{{if true}}{{$x = .Service}}{{end}}{{$x}}",
        "{{slice .Service 0 2}}",
        "{{or \"\" .Service}}-{{and .Service .Namespace}}",
        "{{(printf \"%s-%s\" .Service .Namespace) | printf \"%.5s\"}}",
        "{{block \"n\" .}}{{.Service}}{{end}}",
        "{{.Service}}-{{'a'}}",
        "{{.Service | urlquery}}",
        "{{ .Service | upper }}",
        "{{.Service}}-{{ .Namespace | default \"main\" }}",
        "{{if lt .Service \"x\"}}a{{else}}b{{end}}-{{.Service}}",
        "{{.service}}",
        "{{.Service}}}",
        "{.Service}",
        "app-{{.Service.Name}}",
        "{{.Service}}{{template \"x\"}}",
        "/{{.Service}/",
        "{{.Service \"x\"}}",
        "{{$svc}}",
        "{{printf \"%s .Service}}",
        "{{.Service}}.{{.Namespace}}.{{.Domain}",
        "{{}}",
        "{{range .X}}a{{end}}b{{.Foo}}",
        "{{if .Service}}x",
        "{{end}}",
        "{{else}}",
        "{{if}}x{{end}}",
        "{{.Service | foo}}",
        "{{upper}}",
        "{{with .Namespace}}{{.}}-{{.Service}}{{end}}",
        "{{Service}}",
        "{{{Service}}}",
        "{{#if Domain}}a{{else}}b{{/if}}",
        "{{#if (eq Namespace \"shop\")}}{{upper Service}}{{/if}}",
        "{{#each this}}a{{/each}}",
        "{{#if Foo}}a{{/if}}",
        "{{#if Domain}}{{Foo}}",
        "{{> x}}",
        "{{~Service~}}",
        "{{`{{.service}}`}}",
        "{{`{{.Service}`}}",
        "{{ (.Service }}",
        "{{.Service)}}",
        "{{ 1.5 }} {{ 0x10 }} {{ 010 }} {{-3}} {{print 1 2 \"x\" 3}}",
        "{{printf \"%5s|%-5s|%05d|%q|%v|%%\" .Service .Service 42 .Service true}}",
        "{{printf \"%[2]s-%[1]s\" .Service .Namespace}}",
        "{{printf \"%s\" .Service .Namespace}}",
        "{{printf \"%s\"}}",
        "{{.Service | .Namespace}}",
        "{{$.Service}}",
        "{{.}}",
        "{{len .Service}}",
        "{{not true}}",
        "{{eq 1 \"a\"}}",
        "{{/* x }}",
        "{{/*a*/}}{{.Service}}",
        "{{.Service}}\u{e9}{{ é }}",
        "{{.Sérvice}}",
        "{{nil}}",
        "{{true}}",
        "{{if true}}a{{else}}b{{else}}c{{end}}d",
    ] {
        println!("{t:60} => {}", render(t));
    }
}
