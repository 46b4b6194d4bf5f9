//! The one way to a cloud: HTTP with TLS, bounded in time and size, that follows no redirect and tries nothing
//! twice. Where a proxy stands before the cloud, [`super::tunnel`] leads through it.
//!
//! A request that a closed idle connection never took is sent on another one; that is no second try, because the
//! first did not begin. Whatever ends without an answer is a [`Failure`] of ours, and says whether the request
//! may have left.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::scrub::{bounded, scrub};
use privatelink_core::wire;
use rustls::CertificateError;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use super::endpoint::Base;
use super::limit;
use super::trust::Extra;
use super::tunnel::{Connector, Refused};
use crate::proxy::Proxies;

/// Code where no whole answer came in time.
const TIMEOUT: &str = "<timeout>";
/// Code where the connection ended before the answer did.
const BROKEN: &str = "<broken>";

type BoxError = Box<dyn Error + Send + Sync>;
type Outgoing = http::Request<Full<Bytes>>;
type Incoming = http::Response<UnsyncBoxBody<Bytes, Cut>>;

/// The one client; clones share its connections.
#[derive(Clone, Debug)]
pub struct Transport(BoxCloneSyncService<Outgoing, Incoming, BoxError>);

/// What the network around the process asks for; by default nothing.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Proxies that stand before clouds.
    pub proxies: Proxies,
    /// Authorities that are believed beside the machine's own.
    pub extra: Extra,
}

/// An answer's body ended too early.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Cut(BoxError);

/// The machine's own trust in certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the machine's trusted certificates cannot be used: {0}; check that the image holds CA certificates")]
pub struct Untrusting(BoxError);

impl Transport {
    /// A client that goes through the proxies of its surroundings and believes whom they and the machine trust.
    ///
    /// # Errors
    /// If nobody is trusted, or it cannot be found out who is.
    pub fn new(surroundings: &Surroundings) -> Result<Self, Untrusting> {
        let Surroundings { proxies, extra } = surroundings;
        let tls = extra.client().map_err(|error| Untrusting(error.into()))?;
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector::new(proxies.clone(), tls));
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .build(Patient { connector: https, proxies: proxies.clone() });
        Ok(Self::over(client))
    }

    /// Calls through any service that speaks HTTP, such as a simulated cloud in the same process.
    pub fn over<S, B>(service: S) -> Self
    where
        S: Service<Outgoing, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let boxed =
            |answer: http::Response<B>| answer.map(|body| body.map_err(|error| Cut(error.into())).boxed_unsync());
        Self(BoxCloneSyncService::new(service.map_response(boxed).map_err(Into::into)))
    }

    /// Sends one request to `base` and reads its answer, both within `patience`.
    ///
    /// # Errors
    /// Where there is no answer, or one that is none of the cloud's: a code in angle brackets says why.
    pub async fn send(
        &self,
        base: &Base,
        request: wire::Request,
        patience: Duration,
    ) -> Result<wire::Response, Failure> {
        let outgoing = outgoing(base, request)?;
        match tokio::time::timeout(patience, self.exchange(outgoing)).await {
            Ok(answer) => answer,
            Err(_) => Err(failure(TIMEOUT, format!("no whole answer within {} seconds", patience.as_secs()), true)),
        }
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<wire::Response, Failure> {
        let (head, body) = self.0.clone().oneshot(outgoing).await.map_err(|error| broken(&*error))?.into_parts();
        if head.status.is_redirection() {
            let told = format!("the answer leads elsewhere (HTTP {}), which is not followed", head.status.as_u16());
            return Err(failure("<redirect>", told, false));
        }
        let body = Limited::new(body, limit::ANSWER).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                failure("<body too large>", format!("the answer is longer than {} bytes", limit::ANSWER), true)
            } else {
                broken(&*error)
            }
        })?;
        Ok(wire::Response {
            status: head.status.as_u16(),
            headers: headers(&head.headers),
            body: body.to_bytes().into(),
        })
    }
}

fn outgoing(base: &Base, request: wire::Request) -> Result<Outgoing, Failure> {
    let path_and_query = if request.query.is_empty() {
        request.path.into_owned()
    } else {
        format!("{}?{}", request.path, request.query)
    };
    let unsendable = |_: http::Error| {
        // What cannot be sent may hold a secret: it is not shown.
        let told = "the request holds a character that HTTP cannot carry: check the access key and the region";
        failure("<unsendable>", told, false)
    };
    let uri = Uri::builder()
        .scheme(base.scheme())
        .authority(base.authority())
        .path_and_query(path_and_query)
        .build()
        .map_err(unsendable)?;
    let mut outgoing = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value);
    }
    // The host is signed, so it is sent as it was signed, with its port even where that is the scheme's own.
    let mut host = HeaderValue::try_from(&request.host).map_err(|error| unsendable(error.into()))?;
    host.set_sensitive(false);
    outgoing = outgoing.header(HOST, host).header(CONTENT_LENGTH, request.body.len());
    let mut outgoing = outgoing.body(Full::new(Bytes::from(request.body))).map_err(unsendable)?;
    hide(outgoing.headers_mut());
    Ok(outgoing)
}

/// Marks what no log may show.
fn hide(headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        if name == http::header::AUTHORIZATION || name.as_str().ends_with("-token") {
            value.set_sensitive(true);
        }
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The connection was never made, or it ended before the answer did.
fn broken(error: &(dyn Error + Send + Sync + 'static)) -> Failure {
    let unconnected = error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
    if !unconnected {
        let told = format!("the connection ended before the answer did: {}; it is tried again", chain(error));
        return failure(BROKEN, scrub(&told), true);
    }
    // Host and port of a proxy are told as they are: what differs from call to call is in the cause alone.
    let told = match (find::<Refused>(error), find::<rustls::Error>(error)) {
        (Some(refused), cause) => {
            let why = refused.source().map(|cause| format!(": {}", scrub(&chain(cause)))).unwrap_or_default();
            format!("{refused}{why}{}", cause.map_or("", doubt))
        }
        (None, Some(cause)) => format!("{}{}", scrub(&cause.to_string()), doubt(cause)),
        (None, None) => {
            let why = scrub(&chain(error));
            format!("{why}; check the network, the proxy, and region and endpoints of the CloudAccount")
        }
    };
    failure("<connect>", bounded(&format!("no connection: {told}: it is tried again")), false)
}

/// What to do about a certificate.
const fn doubt(cause: &rustls::Error) -> &'static str {
    match cause {
        // The second is what an authority looks like that was made anew under its old name.
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "; the certificate is not trusted: where a private authority issues them, as of a proxy that looks into \
             TLS, name a file with the authority's certificate in --extra-ca and start the operator anew"
        }
        _ => "; check the network, the proxy, and region and endpoints of the CloudAccount",
    }
}

/// The first error of this kind among an error and its causes.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an error of the system holds is not its source.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map_or_else(|| error.source(), |held| Some(held));
    }
    None
}

/// What an error says, with its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

/// No answer came although the call may have left: the cloud may still be busy with it.
pub(super) fn is_unanswered(failure: &Failure) -> bool {
    [TIMEOUT, BROKEN].contains(&failure.code.as_str())
}

/// A failure of the way to the cloud.
pub(super) fn failure(code: &str, message: impl AsRef<str>, maybe_done: bool) -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        code: code.to_owned(),
        message: message.as_ref().to_owned(),
        request_id: None,
        retry_after: None,
        maybe_done,
    }
}

/// A connector that gives up in time: name, connection, proxy and TLS together.
#[derive(Clone)]
struct Patient<C> {
    connector: C,
    /// Whom it may have waited for.
    proxies: Proxies,
}

impl<C> Service<Uri> for Patient<C>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
    C::Response: 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let proxy = self.proxies.of(&uri).cloned();
        let host = uri.host().unwrap_or_default().to_owned();
        let connecting = tokio::time::timeout(limit::CONNECT, self.connector.call(uri));
        Box::pin(async move {
            let late = |_| match proxy {
                Some(proxy) => Refused::Late { proxy, host }.into(),
                None => BoxError::from(format!("none within {} seconds", limit::CONNECT.as_secs())),
            };
            connecting.await.map_err(late)?.map_err(Into::into)
        })
    }
}
