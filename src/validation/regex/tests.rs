use super::*;

#[test]
fn invalid_everywhere() {
    for (text, part) in [
        ("/(a", "("),
        ("/a)", ")"),
        ("/[a", "["),
        ("/[]", "["),
        ("/[^]", "["),
        ("/a(*)", "*"),
        ("/a(?:+b)", "+"),
        ("/a|*b", "*"),
        ("/({2})", "{2}"),
        ("/a**", "*"),
        ("/a{2}{3}", "{3}"),
        ("/a+?+", "+"),
        ("/.*(?#c)*", "*"),
        ("/a+(?#c){2}", "{2}"),
        ("/x{5,2}", "{5,2}"),
        ("/a{70000}", "{70000}"),
        ("/a{99999999999}", "{99999999999}"),
        ("/((a{1,1000}){1,1000}){1,1000}", "{1,1000}"),
        ("/a\\", "\\"),
        ("/[a\\", "\\"),
        ("/[z-a]", "z-a"),
        ("/(?yx)", "(?y"),
        ("/(?<=a", "("),
        ("/a\\y", "\\y"),
        ("/ä(", "("),
        (r"/[a-\d]", r"a-\d"),
        (r"/[\.-\w]", r"\.-\w"),
        ("/[[:foo:]]", "[:foo:]"),
        (r"/(a)\2", r"\2"),
        (r"/\1", r"\1"),
    ] {
        assert_eq!(kinds(text).map_err(|it| it.part), Err(part), "{text}");
    }
}

#[test]
fn valid_only_in_pcre() {
    for (text, part) in [
        ("/(?!admin).*", "(?!"),
        ("/(?=a)", "(?="),
        ("/x(?<!y)", "(?<!"),
        ("/(?>a)", "(?>"),
        ("/a(?#c)*", "(?#"),
        ("/(?|a|b)", "(?|"),
        ("/(?x)a", "(?x)"),
        (r"/(a)\1", r"\1"),
        (r"/a\Z", r"\Z"),
        (r"/a\Kb", r"\K"),
        (r"/[\h]", r"\h"),
        ("/a++", "++"),
        ("/a{2}+", "}+"),
        ("/.*+", "*+"),
        ("/a{2000}", "{2000}"),
        ("/(a{100}b){11}", "{11}"),
        ("/(*ACCEPT)", "(*"),
        (r"/\2(a)(?'n'b)", r"\2"),
        (r"/\82", r"\8"),
        ("/a*(?#c)?", "(?#"),
    ] {
        assert_eq!(kinds(text).map(|it| it.of_pcre), Ok(Some(part)), "{text}");
    }
}

#[test]
fn valid_everywhere() {
    for text in [
        "",
        "/shop(/|$)(.*)",
        "/*",
        "/a/*",
        "/(?:a|b)(/|$)(.*)",
        "/(?<rest>.*)",
        "/(?P<rest>.*)?",
        "/(?i)a(?s-i:b)c",
        r"/v\d+\.[\w.-]+",
        r"/a\+\+\(\[\\",
        "/[(?!*+]",
        "/[]a]{2}",
        r"/[\]]+",
        "/[^-a-z_-]",
        "/[[:alpha:]]+",
        "/a{1,1000}",
        "/(a{100}){10}",
        "/a{,3}*{x}{",
        "/(a|)?|",
        r"/\x{2000}{2}\p{L}*",
        r"/\Q(*\E*",
        "/a+?b*?c??d{2}?",
        r"/[\w.-]+[-\d][a-c-]",
        "/[[:]x",
        "/[[:^alpha:]|]+",
        "/(a)(?:^b)*",
        "/]}",
        "/ä{2}ö",
    ] {
        assert_eq!(kinds(text), Ok(Kinds::default()), "{text}");
    }
}

#[test]
fn valid_only_in_re2() {
    for (text, part) in [
        ("/^*", "*"),
        ("/(?i)*a", "*"),
        ("/[:alpha:]+", "[:alpha:]"),
        ("/$?", "?"),
        (r"/\b{2}", "{2}"),
        ("/[a-[:digit:]]", "a-["),
        ("/(?<1a>b)", "(?<1a>"),
    ] {
        assert_eq!(kinds(text).map(|it| it.not_pcre.map(|it| it.part)), Ok(Some(part)), "{text}");
    }
    for (text, part) in [
        (r"/[\w-.]+", r"\w-."),
        (r"/[\s-\d]", r"\s-\d"),
        ("/[[:alpha:]-x]", "[:alpha:]-x"),
        (r"/[\w--]", r"\w--"),
    ] {
        let found = kinds(text).map(|it| (it.not_pcre, it.not_pcre2.map(|it| it.part)));
        assert_eq!(found, Ok((None, Some(part))), "{text}");
    }
}

#[test]
fn token_kinds() {
    use Token::{Any, Bar, Capture, Close, End, Open, Other, Star};
    for (text, expected) in [
        ("(a|.*)$", vec![Capture, Other, Bar, Any, Star, Close, End]),
        ("[[:alpha:]|]+", vec![Other, Other]),
        (r"\Q(\E|\(", vec![Other, Bar, Other]),
        ("(?:(?<n>.)(?P<m>.))", vec![Open, Capture, Any, Close, Capture, Any, Close, Close]),
        ("(?i)(?=a)", vec![Other, Open, Other, Close]),
        ("(?#()|", vec![Other, Bar]),
        ("a)|b", vec![Other, Other]),
    ] {
        assert_eq!(tokens(text).into_iter().map(|(_, token)| token).collect::<Vec<_>>(), expected, "{text}");
    }
}
