//! Who is reached through a proxy, and that its password is nobody's business.

use super::*;

/// Proxies of an environment of these variables.
fn environment(variables: &[(&str, &str)]) -> Result<Proxies, Refused> {
    let read = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into());
    Proxies::from_environment(read)
}

/// Whether a target is reached through the proxy, with these exceptions.
fn proxied(exempt: &str, target: &str) -> bool {
    let proxies = environment(&[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", exempt)]).unwrap();
    proxies.of(&target.parse().unwrap()).is_some()
}

#[test]
fn a_proxy_has_a_name_and_may_want_credentials() {
    for (url, address, name) in [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128/", "proxy.example.com:3128"),
        ("http://proxy.example.com/", "http://proxy.example.com/", "proxy.example.com:80"),
        ("https://10.0.0.12", "https://10.0.0.12/", "10.0.0.12:443"),
        ("HTTP://[fd00::1]:8080", "http://[fd00::1]:8080/", "[fd00::1]:8080"),
        (" proxy:3128 ", "http://proxy:3128/", "proxy:3128"),
    ] {
        let proxy = Proxy::parse("HTTPS_PROXY", url).unwrap();
        assert_eq!((proxy.address().to_string().as_str(), proxy.to_string().as_str()), (address, name), "{url}");
        assert_eq!(proxy.authorization(), None, "{url}");
    }
    // operator:pa@ss:w%rd/1
    for url in ["http://operator:pa%40ss%3Aw%25rd%2F1@proxy:3128", "operator:pa%40ss%3aw%25rd%2f1@proxy:3128"] {
        let proxy = Proxy::parse("HTTPS_PROXY", url).unwrap();
        assert_eq!(proxy.authorization().unwrap(), "Basic b3BlcmF0b3I6cGFAc3M6dyVyZC8x");
        assert_eq!(
            (proxy.to_string().as_str(), proxy.address().to_string().as_str()),
            ("proxy:3128", "http://proxy:3128/")
        );
        assert_eq!(proxy.into_url().authority().unwrap().as_str().split_once('@').unwrap().1, "proxy:3128");
    }
}

#[test]
fn what_is_no_proxy_is_refused_by_the_name_of_its_variable_and_never_repeated() {
    for bad in [
        "http://",
        "http://operator:s3cret@",
        "http://operator:s3cret@proxy:port",
        "http://operator:s3cret@proxy:99999",
        "http://operator:s3cret@proxy:",
        "http://operator:s3cret/1@proxy:3128",
        "http://operator:s3cret?1@proxy:3128",
        "http://operator:s3cret#1@proxy:3128",
        "http://operator:s3cret@1@proxy:3128",
        "http://operator:s3cret:1@proxy:3128/path",
        "http://operator:s3cret 1@proxy:3128",
        "http://operator:s3crèt@proxy:3128",
        "ftp://operator:s3cret@proxy:3128",
        "://operator:s3cret@proxy",
    ] {
        for variable in PROXY {
            let refused = environment(&[(variable, bad)]).unwrap_err();
            assert_eq!(refused, Refused::NoUrl { said: variable }, "{bad}");
            let told = format!("{refused} {refused:?}");
            assert!(told.starts_with(&format!("{variable}: ")) && told.contains("percent-encoded"), "{told}");
            assert!(!told.contains("s3c"), "{told}");
        }
    }
    for socks in ["socks5://operator:s3cret@proxy:1080", "SOCKS4a://proxy", "socks5h://proxy:1080"] {
        let refused = environment(&[("HTTPS_PROXY", socks)]).unwrap_err();
        assert_eq!(refused, Refused::Socks { said: "HTTPS_PROXY" });
        assert!(refused.to_string().contains("SOCKS is not supported"), "{refused}");
    }
    assert!(environment(&[("HTTPS_PROXY", "socksproxy:3128")]).is_ok(), "a host may be named so");
}

#[test]
fn the_first_variable_that_is_set_counts() {
    let name = |variables: &[(&str, &str)]| environment(variables).unwrap().proxy().map(Proxy::to_string);
    assert_eq!(name(&[]), None);
    assert_eq!(name(&[("HTTPS_PROXY", ""), ("https_proxy", "")]), None);
    assert_eq!(name(&[("https_proxy", "http://lower:1")]).as_deref(), Some("lower:1"));
    assert_eq!(name(&[("HTTPS_PROXY", ""), ("https_proxy", "http://lower:1")]).as_deref(), Some("lower:1"));
    let both = [("https_proxy", "http://lower:1"), ("HTTPS_PROXY", "http://upper:1")];
    assert_eq!(name(&both).as_deref(), Some("upper:1"));
    // What is said for other schemes, or for all, is not for us.
    assert_eq!(name(&[("HTTP_PROXY", "http://plain:1"), ("ALL_PROXY", "socks5://all:1")]), None);
    let exempt = [("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", ""), ("no_proxy", "example.com")];
    assert_eq!(environment(&exempt).unwrap().of(&Uri::from_static("https://example.com")).map(Proxy::to_string), None);
}

#[test]
fn exempt_is_who_is_listed_by_host_suffix_address_network_or_port() {
    for (exempt, target) in [
        ("sts.example.com", "https://sts.example.com"),
        ("STS.example.COM", "https://sts.Example.com:8443"),
        ("example.com", "https://sts.example.com"),
        (".example.com", "https://sts.example.com"),
        ("*.example.com", "https://a.sts.example.com"),
        ("one, example.com ,two,", "https://sts.example.com"),
        ("10.1.2.3", "https://10.1.2.3:8443"),
        ("10.0.0.0/8", "https://10.1.2.3"),
        ("fd00::/8", "https://[fd00::1]"),
        ("fd00::1", "https://[fd00::1]:8443"),
        ("sts.example.com:443", "https://sts.example.com"),
        ("*.example.com:8443", "https://sts.example.com:8443"),
        ("[fd00::1]:8443", "https://[fd00::1]:8443"),
        ("*", "https://sts.example.com"),
        ("one,*", "https://10.1.2.3"),
        ("*:8443", "https://10.1.2.3:8443"),
    ] {
        assert!(!proxied(exempt, target), "{exempt}: {target}");
    }
    for (exempt, target) in [
        ("", "https://sts.example.com"),
        ("sts.example.com", "https://example.com"),
        ("example.com", "https://notexample.com"),
        (".example.com", "https://example.com.other"),
        ("10.0.0.0/8", "https://11.1.2.3"),
        ("10.0.0.0/8", "https://ten.example.com"),
        ("fd00::1", "https://[fd00::2]"),
        ("sts.example.com:8443", "https://sts.example.com"),
        ("sts.example.com:443", "https://sts.example.com:8443"),
        ("*:8443", "https://10.1.2.3"),
    ] {
        assert!(proxied(exempt, target), "{exempt}: {target}");
    }
}

#[test]
fn this_machine_and_what_is_spoken_in_the_clear_are_reached_directly() {
    for direct in [
        "https://localhost:8443",
        "https://LocalHost",
        "https://127.0.0.1:6443",
        "https://127.9.9.9",
        "https://[::1]:6443",
        "http://example.com",
        "http://10.0.0.1:8080",
    ] {
        assert!(!proxied("", direct), "{direct}");
    }
    assert!(proxied("", "https://localhost.example.com"));
}

#[test]
fn credentials_are_never_printed() {
    let proxies = environment(&[("HTTPS_PROXY", "http://op3rator:s3cret@proxy:3128")]).unwrap();
    let proxy = proxies.proxy().unwrap();
    let printed = format!("{proxies:?} {proxy:?} {proxy} {:?}", proxy.authorization());
    assert!(printed.contains("proxy:3128"), "{printed}");
    for secret in ["op3rator", "s3cret", "b3AzcmF0b3I6czNjcmV0"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
