use super::*;

/// Returns the value as it is shown, or its problems with their helps.
fn read(intent: Intent, text: &str) -> Result<String, Vec<String>> {
    let read = intent.read(text);
    read.map(|intent_value| intent_value.to_string())
        .map_err(|all| all.into_iter().map(|wrong| format!("{}; {}", wrong.said, wrong.help)).collect())
}

#[test]
fn values_are_read_in_one_form() {
    for (intent, text, shown) in [
        (
            Intent::AllowedSources,
            "10.0.0.0/8, 192.0.2.7 2001:db8::/32",
            "10.0.0.0/8, 192.0.2.7/32, 2001:db8::/32",
        ),
        (Intent::AllowedSources, "0.0.0.0/0\n::/0", "0.0.0.0/0, ::/0"),
        (Intent::Timeout, "1m30s", "90s"),
        (Intent::Timeout, "500ms", "500ms"),
        (Intent::Timeout, "0s", "0s"),
        (Intent::MaxBodySize, "10Mi", "10Mi"),
        (Intent::MaxBodySize, "2048", "2Ki"),
        (Intent::MaxBodySize, "10M", "10000000"),
        (Intent::BasicAuth, "users", "secret: users"),
        (Intent::BasicAuth, "realm: 'Staff only'\nsecret: users", "secret: users\nrealm: Staff only"),
        (Intent::ExternalAuth, "https://auth.example.com/verify", "url: https://auth.example.com/verify"),
        (
            Intent::Cors,
            "origins: https://a.example.com, https://*.example.com:8443\ncredentials: true\nmaxAge: 10m",
            "origins: https://a.example.com, https://*.example.com:8443\ncredentials: true\nmaxAge: 600s",
        ),
        (Intent::Cors, "*", "origins: *"),
        (Intent::RequestHeaders, "X-A: b: c\nX-Gone:", "X-A: b: c\nX-Gone: "),
        (Intent::BackendProtocol, "grpcs", "grpcs"),
        (Intent::StickySession, "route", "cookie: route"),
        (Intent::RateLimit, "10/s", "limit: 10/s"),
        (Intent::RateLimit, "limit: 100/m\nburst: 20", "limit: 100/m\nburst: 20"),
        (Intent::RedirectFrom, "www, old.example.com", "www, old.example.com"),
        (Intent::ClientCertificate, "secret: ca\nverify: optional", "secret: ca\nverify: optional"),
        (Intent::RewritePath, "/$2", "/$2"),
        (Intent::HttpsRedirectCode, "308", "308"),
        (Intent::StripPrefix, "True", "true"),
    ] {
        assert_eq!(read(intent, text).as_deref(), Ok(shown), "{intent}: {text}");
    }
}

#[test]
fn invalid_values_get_a_help() {
    for (intent, text, said) in [
        (Intent::RedirectFrom, "bücher.example.com", "write xn--bcher-kva in place of `bücher`"),
        (Intent::AllowedSources, "10.0.0.1/8", "write 10.0.0.0/8 for the network"),
        (Intent::AllowedSources, "::ffff:10.0.0.1", "without `::ffff:`"),
        (Intent::AllowedSources, "2001:db8::1/32", "with zeros at its end"),
        (Intent::AllowedSources, "::1/0", "with zeros at its end"),
        (Intent::AllowedSources, "10.0.0.1/0", "write 0.0.0.0/0"),
        (Intent::AllowedSources, "10.0.0.0/8, office", "`office` is not an IP address"),
        (Intent::AllowedSources, "10.0.0.0/33", "from 0 to 32"),
        (Intent::AllowedSources, "10.0.0.0/08", "0 to 32"),
        (Intent::AllowedSources, ",", "there are no addresses"),
        (Intent::Timeout, "30", "such as 30s"),
        (Intent::Timeout, "1.5s", "one to four numbers"),
        (Intent::Timeout, "100000s", "at most five digits"),
        (Intent::Timeout, "-1s", "one to four numbers"),
        (Intent::MaxBodySize, "10m", "write 10Mi"),
        (Intent::MaxBodySize, "10MB", "write 10Mi"),
        (Intent::MaxBodySize, "99999999999999999999", "at most 1048576Gi"),
        (Intent::MaxBodySize, "1048577Gi", "at most 1048576Gi"),
        (Intent::BasicAuth, "other/users", "write users"),
        (Intent::BasicAuth, "secert: users", "did you mean secret?"),
        (Intent::BasicAuth, "realm: Staff", "the part `secret` is missing"),
        (Intent::ExternalAuth, "auth.example.com", "begins with http"),
        (Intent::ExternalAuth, "HTTPS://auth.example.com", "begins with http"),
        (Intent::ExternalAuth, "https://auth.example.com/?rd=$host", "contains `$`"),
        (Intent::ExternalAuth, "https://user@auth.example.com", "a valid host"),
        (Intent::Cors, "origins: '*'\ncredentials: true", "name the origins"),
        (Intent::Cors, "https://a.example.com/path", "without a path"),
        (Intent::RequestHeaders, "Host: a.example.com", "a header that can be set"),
        (Intent::RequestHeaders, "X-A: b\rX-B: c", "contains"),
        (Intent::RequestHeaders, "X A: b", "contains a blank"),
        (Intent::RequestHeaders, "X-A: b\nx-a: c", "given twice"),
        (Intent::BackendProtocol, "HTTPS", "did you mean https?"),
        (Intent::StickySession, "a b", "contains a blank"),
        (Intent::RateLimit, "10", "10/s, 100/m"),
        (Intent::RateLimit, "0/s", "1 to 1000000"),
        (Intent::RedirectFrom, "*.example.com", "is not a host"),
        (Intent::ClientCertificate, "secret: ca\nverify: 'off'", "write on or optional"),
        (Intent::RewritePath, "x", "write /x"),
        (Intent::RewritePath, "/a b", "contains a blank"),
        (Intent::RewritePath, "/../x", "without `.` and `..`"),
        (Intent::HttpsRedirectCode, "304", "301, 302"),
    ] {
        let all = read(intent, text).expect_err(text);
        assert!(all.iter().any(|it| it.contains(said)), "{intent}: {text}: {all:?}");
    }
}
