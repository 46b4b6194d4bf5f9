//! A request as it arrived, before anybody made sense of it.

use bytes::Bytes;
use http::request::Parts;

/// Method, target, headers and body, unchanged: signatures are recomputed from exactly this.
#[derive(Clone, Debug, Default)]
pub struct Inbound {
    /// Such as `POST`.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Query, without its `?`; empty when there is none.
    pub query: String,
    /// Headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

impl Inbound {
    /// The request of `parts` with `body`. A request that names its host only in its target gets a host header.
    #[must_use]
    pub fn new(parts: &Parts, body: Bytes) -> Self {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut headers: Vec<_> =
            parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        if !parts.headers.contains_key(http::header::HOST)
            && let Some(authority) = parts.uri.authority()
        {
            headers.push(("host".to_owned(), authority.to_string()));
        }
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
        }
    }

    /// The header of this lower-case name; several of one name are joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.trim());
        let first = values.next()?.to_owned();
        Some(values.fold(first, |all, next| all + "," + next))
    }

    /// Name and value of every parameter, of the query and then of a form body.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let owned = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            (name.into_owned(), value.into_owned())
        };
        let mut all: Vec<_> = form_urlencoded::parse(self.query.as_bytes()).map(owned).collect();
        if self.has_form() {
            all.extend(form_urlencoded::parse(&self.body).map(owned));
        }
        all
    }

    /// Whether a parameter of this name is in the query, and not in a form body; `None`: it is nowhere.
    #[must_use]
    pub fn is_in_query(&self, name: &str) -> Option<bool> {
        let in_query = form_urlencoded::parse(self.query.as_bytes()).any(|(other, _)| other == name);
        if in_query { Some(true) } else { self.parameter(name).map(|_| false) }
    }

    /// The first parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// Headers carry the signature and are signed, among them the action and its version; otherwise only
    /// parameters are.
    #[must_use]
    pub fn is_signed_in_headers(&self) -> bool {
        self.header("authorization").is_some()
    }

    fn has_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Inbound;

    #[test]
    fn query_and_form_are_read_alike() {
        let request = http::Request::post("http://cloud.example/?A=1+2&B=%7E")
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(())
            .expect("a request");
        let (parts, ()) = request.into_parts();
        let inbound = Inbound::new(&parts, Bytes::from_static(b"C=%2B"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(inbound.parameters(), [pair("A", "1 2"), pair("B", "~"), pair("C", "+")]);
        assert_eq!(["A", "C", "D"].map(|name| inbound.is_in_query(name)), [Some(true), Some(false), None]);
        assert_eq!(inbound.header("host").as_deref(), Some("cloud.example"));
    }

    #[test]
    fn a_body_of_another_kind_holds_no_parameters() {
        let (parts, ()) = http::Request::post("/").body(()).expect("a request").into_parts();
        assert!(Inbound::new(&parts, Bytes::from_static(b"A=1")).parameters().is_empty());
    }
}
