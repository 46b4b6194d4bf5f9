//! Who is reached through a proxy: what `HTTPS_PROXY` and `NO_PROXY` say, read once, when the process starts.
//!
//! Only `https://` passes a proxy, by CONNECT: it learns names, and nothing of what is said. This machine is always
//! spoken to directly. Nothing here shows a user or a password, whatever is printed.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// Names of the variable that says which proxy there is; the first that is set counts.
const PROXY: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
/// Names of the variable that says for whom there is none.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Where TLS is spoken if nothing else is said.
const TLS_PORT: u16 = 443;

/// One proxy. Its credentials are never shown.
#[derive(Clone)]
pub struct Proxy {
    /// All of it, with what stands before the host.
    url: Uri,
    name: String,
    seen: Intercept,
}

/// The proxy of the environment, and who does not need it; by default there is none. Clones are the same.
#[derive(Clone, Default)]
pub struct Proxies {
    proxy: Option<Proxy>,
    rules: Arc<[Rule]>,
}

/// What `NO_PROXY` says of one port, or of all.
struct Rule {
    port: Option<u16>,
    matcher: Matcher,
}

/// Why a proxy cannot be used. It never repeats what was written, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL of a proxy.
    #[error(
        "{said}: it is no URL of a proxy: write http://host:port, or http://user:password@host:port with each \
         character of user and password that is no letter or digit percent-encoded"
    )]
    NoUrl {
        /// Where it was said.
        said: &'static str,
    },
    /// It is a proxy of another kind.
    #[error("{said}: SOCKS is not supported: write the http:// or https:// URL of a proxy that knows CONNECT")]
    Socks {
        /// Where it was said.
        said: &'static str,
    },
}

impl Proxy {
    /// Reads a proxy's URL; without a scheme it is one of `http://`.
    ///
    /// # Errors
    /// If it is none that is supported; `said` names where it was written.
    pub fn parse(said: &'static str, text: &str) -> Result<Self, Refused> {
        let text = text.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        if text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("socks")) {
            return Err(Refused::Socks { said });
        }
        let no_url = Refused::NoUrl { said };
        let url: Uri = text.parse().map_err(|_| no_url.clone())?;
        let named = named(&url).ok_or_else(|| no_url.clone())?;
        // It takes credentials apart and encodes them as the proxy wants them.
        let seen = Matcher::builder().https(&text).build().intercept(&Uri::from_static("https://any")).ok_or(no_url)?;
        Ok(Self { url, name: named, seen })
    }

    /// Its URL, without credentials.
    #[must_use]
    pub fn address(&self) -> &Uri {
        self.seen.uri()
    }

    /// What it wants to be told of who asks.
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.seen.basic_auth()
    }

    /// Its URL with its credentials, for a client that reads them itself: a secret.
    #[must_use]
    pub fn into_url(self) -> Uri {
        self.url
    }
}

/// Host and port of what can be the URL of a proxy.
fn named(url: &Uri) -> Option<String> {
    let authority = url.authority()?;
    let address = match authority.as_str().split_once('@') {
        Some((_, address)) => address,
        None => authority.as_str(),
    };
    // A password that is not encoded ends the host, or begins it.
    let whole = !address.contains('@') && matches!(url.path(), "" | "/") && url.query().is_none();
    let unused = match url.scheme_str()? {
        "http" => 80,
        "https" => TLS_PORT,
        _ => return None,
    };
    let host = authority.host();
    let port = if address == host { Some(unused) } else { authority.port_u16() };
    let port = port.filter(|_| whole && !host.is_empty())?;
    Some(format!("{host}:{port}"))
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Proxy").field(&self.name).finish()
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Proxies").field(&self.proxy).finish()
    }
}

impl Proxies {
    /// What the environment says, by `read`; a variable that is empty is as good as none.
    ///
    /// # Errors
    /// If `HTTPS_PROXY` holds no proxy that is supported.
    pub fn from_environment(read: impl Fn(&str) -> Option<OsString>) -> Result<Self, Refused> {
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| Some((name, read(name).filter(|value| !value.is_empty())?)))
        };
        let Some((said, text)) = first(PROXY) else { return Ok(Self::default()) };
        let text = text.into_string().map_err(|_| Refused::NoUrl { said })?;
        let exempt = first(NO_PROXY).map(|(_, exempt)| exempt.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { rules: rules(&exempt), proxy: Some(Proxy::parse(said, &text)?) })
    }

    /// The proxy for those who are not exempt.
    #[must_use]
    pub const fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The proxy through which `target` is reached; none if it is reached directly.
    #[must_use]
    pub fn of(&self, target: &Uri) -> Option<&Proxy> {
        let proxy = self.proxy.as_ref()?;
        if is_this_machine(target.host()?) {
            return None;
        }
        let port = target.port_u16().unwrap_or(TLS_PORT);
        let mut rules = self.rules.iter().filter(|rule| rule.port.is_none_or(|one| one == port));
        // Whom a matcher does not intercept is exempt, and so is whatever is not spoken to by TLS.
        rules.all(|rule| rule.matcher.intercept(target).is_some()).then_some(proxy)
    }
}

/// One rule for the entries without a port, and one for each that has one.
fn rules(exempt: &str) -> Arc<[Rule]> {
    let mut plain = Vec::new();
    let mut rules = Vec::new();
    for entry in exempt.split(',').map(str::trim) {
        match with_port(entry) {
            Some((host, port)) => rules.push(Rule { port: Some(port), matcher: matcher(host) }),
            None => plain.push(subdomains(entry)),
        }
    }
    rules.push(Rule { port: None, matcher: matcher(&plain.join(",")) });
    rules.into()
}

/// Intercepts what is spoken to by TLS and is not exempt. A star is for addresses too, not for names alone.
fn matcher(exempt: &str) -> Matcher {
    let all = exempt.split(',').any(|entry| entry == "*");
    let exempt = if all { "*,0.0.0.0/0,::/0".to_owned() } else { subdomains(exempt).to_owned() };
    Matcher::builder().https("http://proxy").no(exempt).build()
}

/// The entry without the star before its first dot, which says the same.
fn subdomains(entry: &str) -> &str {
    entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry)
}

/// Host and port of an entry that has a port; an IPv6 address has one only behind brackets.
fn with_port(entry: &str) -> Option<(&str, u16)> {
    let (host, port) = entry.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.or_else(|| (!host.contains(':')).then_some(host))?;
    Some((host, port.parse().ok()?))
}

/// Whether the host is this machine, whatever a name service says.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
