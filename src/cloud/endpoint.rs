//! Where a cloud answers: its own hosts, or what an account declares in their place.

use std::collections::BTreeMap;

use http::Uri;

use crate::proxy::is_this_machine;

/// The products whose place an account may declare.
const PRIVATELINK: &str = "privatelink";
const STS: &str = "sts";

/// Where a product answers in place of its own host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Scheme: https, or http where that is allowed.
    scheme: http::uri::Scheme,
    /// Host, and port where one is given.
    authority: http::uri::Authority,
}

/// Where the products answer, as one account declares it; what is unset answers at the cloud's own host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The product itself.
    pub privatelink: Option<Base>,
    /// The product that says whose credentials these are, and gives sessions.
    pub sts: Option<Base>,
    /// The metadata service of the machine.
    pub metadata: Base,
}

/// Why an endpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL of a host.
    #[error("endpoints.{product}: {url} is no URL of a host: write https://, a host and a port where it needs one")]
    NoUrl {
        /// Product.
        product: String,
        /// What was declared.
        url: String,
    },
    /// It has a path, which the cloud's protocol has no room for.
    #[error("endpoints.{product}: {url} has a path, and this cloud's calls go to the root: write the host alone")]
    Path {
        /// Product.
        product: String,
        /// What was declared.
        url: String,
    },
    /// Credentials would cross the network in the clear.
    #[error(
        "endpoints.{product}: {url} would send credentials over the network in the clear: write https://, or set \
         allow.insecureEndpoints: true"
    )]
    Plain {
        /// Product.
        product: String,
        /// What was declared.
        url: String,
    },
}

impl Endpoints {
    /// Reads what an account declares, by product. Products that are not spoken to are left out.
    ///
    /// # Errors
    /// With the product and the remedy, where a URL cannot be used; `http://` to another machine only where
    /// `insecure` says that it may be.
    pub fn parse(declared: &BTreeMap<String, String>, insecure: bool, metadata: Base) -> Result<Self, Refused> {
        let base = |product| declared.get(product).map(|url| Base::parse(product, url, insecure)).transpose();
        Ok(Self { privatelink: base(PRIVATELINK)?, sts: base(STS)?, metadata })
    }
}

impl Base {
    fn parse(product: &str, url: &str, insecure: bool) -> Result<Self, Refused> {
        let (product, url) = (product.to_owned(), url.to_owned());
        let Some((scheme, authority, path)) = parts(&url) else { return Err(Refused::NoUrl { product, url }) };
        if !matches!(path.as_str(), "" | "/") {
            return Err(Refused::Path { product, url });
        }
        let base = Self { scheme, authority };
        if base.is_open_to_listeners() && !insecure {
            return Err(Refused::Plain { product, url });
        }
        Ok(base)
    }

    /// The URL of a service that is no cloud's but the machine's own; it is `http://`, which no proxy is asked for.
    ///
    /// # Errors
    /// With the remedy, where it is no such URL of a host.
    pub fn of_machine(url: &str) -> Result<Self, String> {
        match parts(url) {
            Some((scheme, authority, path))
                if scheme == http::uri::Scheme::HTTP && matches!(path.as_str(), "" | "/") =>
            {
                Ok(Self { scheme, authority })
            }
            _ => Err("it is no http:// URL of a host: write http://, a host and a port where it needs one".to_owned()),
        }
    }

    /// A cloud's own host, by TLS; nothing if `host` cannot be one, as with a region that was made up.
    #[must_use]
    pub fn own(host: &str) -> Option<Self> {
        let plain = host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-.".contains(letter));
        let authority = host.parse().ok().filter(|_| plain)?;
        Some(Self { scheme: http::uri::Scheme::HTTPS, authority })
    }

    /// Host, and port where one is given: what the signature and the `Host` header say.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The scheme's name.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// What is sent there crosses a network in the clear.
    #[must_use]
    pub fn is_open_to_listeners(&self) -> bool {
        self.scheme == http::uri::Scheme::HTTP && !is_this_machine(self.authority.host())
    }
}

fn parts(url: &str) -> Option<(http::uri::Scheme, http::uri::Authority, String)> {
    let parts = url.parse::<Uri>().ok()?.into_parts();
    let scheme = parts.scheme.filter(|scheme| ["https", "http"].contains(&scheme.as_str()))?;
    let authority =
        parts.authority.filter(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())?;
    Some((scheme, authority, parts.path_and_query.map(|path| path.as_str().to_owned()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, insecure: bool) -> Result<Endpoints, Refused> {
        let metadata = Base::of_machine("http://100.100.100.200").expect("a URL");
        Endpoints::parse(&[("privatelink".to_owned(), url.to_owned())].into(), insecure, metadata)
    }

    #[test]
    fn the_machine_s_service_is_a_host_too() {
        let base = Base::of_machine("http://127.0.0.1:80/").expect("a URL");
        assert_eq!((base.scheme(), base.authority()), ("http", "127.0.0.1:80"));
        for bad in ["", "127.0.0.1", "http://127.0.0.1/latest", "https://127.0.0.1"] {
            assert!(Base::of_machine(bad).expect_err(bad).contains("write http://"), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_is_a_scheme_and_a_host() {
        let endpoints = parse("https://example.com:8443/", false).expect("a URL");
        let base = endpoints.privatelink.expect("declared");
        assert_eq!((base.scheme(), base.authority()), ("https", "example.com:8443"));
        assert_eq!(endpoints.sts, None);
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_the_account_says_otherwise() {
        for loopback in ["http://127.0.0.1:80", "http://127.9.9.9", "http://[::1]:80", "http://LocalHost:1"] {
            assert!(parse(loopback, false).is_ok(), "{loopback}");
        }
        for other in ["http://example.com", "http://10.0.0.1:80", "http://localhost.example.com", "http://[::2]"] {
            let error = parse(other, false).expect_err(other).to_string();
            assert!(error.starts_with(&format!("endpoints.privatelink: {other} would")), "{error}");
            assert!(error.contains("allow.insecureEndpoints"), "{error}");
            assert!(parse(other, true).is_ok(), "{other}");
        }
    }

    #[test]
    fn a_cloud_s_own_host_is_a_plain_name() {
        let own = Base::own("sts.cn-hangzhou.aliyuncs.com").expect("a host");
        assert_eq!((own.scheme(), own.authority()), ("https", "sts.cn-hangzhou.aliyuncs.com"));
        for bad in ["", "sts.a@b", "sts.a/b", "sts.a:80", "sts.a b"] {
            assert_eq!(Base::own(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_host_s_url_is_refused() {
        for bad in ["example.com", "ftp://example.com", "https://user@example.com", "https://", "not a url", ""] {
            assert!(matches!(parse(bad, true), Err(Refused::NoUrl { .. })), "{bad}");
        }
        assert!(matches!(parse("https://example.com/v1", true), Err(Refused::Path { .. })));
        assert!(matches!(parse("https://example.com/?a=b", true), Err(Refused::Path { .. })));
    }
}
