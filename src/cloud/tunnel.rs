//! The connection below TLS: to the host itself, or through the proxy that stands before it.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use rustls::ClientConfig;
use tokio::task::JoinSet;
use tower::{Service, ServiceExt as _};

use super::limit;
use crate::proxy::{Proxies, Proxy};

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects to hosts, through a proxy where there is one before them.
#[derive(Clone, Debug)]
pub struct Connector {
    proxies: Proxies,
    direct: HttpConnector,
    /// Speaks TLS to a proxy whose URL says so.
    to_proxy: HttpsConnector<HttpConnector>,
}

/// Why a proxy did not lead on: nothing of the call has left.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no connection to it.
    #[error("the proxy {proxy} cannot be reached: check HTTPS_PROXY, or list {host} in NO_PROXY")]
    Unreachable {
        /// Proxy.
        proxy: Proxy,
        /// Whom it stands before.
        host: String,
        /// Why.
        source: BoxError,
    },
    /// It ended the connection, or answered what is no HTTP.
    #[error("the proxy {proxy} did not answer as a proxy does: check HTTPS_PROXY, or list {host} in NO_PROXY")]
    Speechless {
        /// Proxy.
        proxy: Proxy,
        /// Whom it stands before.
        host: String,
        /// Why.
        source: hyper::Error,
    },
    /// It took too long, or the host behind it did.
    #[error(
        "there was none to {host} through the proxy {proxy} within {} seconds: check both, or list {host} in NO_PROXY",
        limit::CONNECT.as_secs()
    )]
    Late {
        /// Proxy.
        proxy: Proxy,
        /// Whom it stands before.
        host: String,
    },
    /// It does not know who asks.
    #[error(
        "the proxy {proxy} does not accept the credentials, or misses them (HTTP 407): write \
         http://user:password@{proxy} into HTTPS_PROXY and start the operator anew, or list {host} in NO_PROXY"
    )]
    Credentials {
        /// Proxy.
        proxy: Proxy,
        /// Whom it stands before.
        host: String,
    },
    /// It does not lead there.
    #[error(
        "the proxy {proxy} does not lead to {host} (HTTP {}): let it allow CONNECT to there, or list {host} in NO_PROXY",
        status.as_u16()
    )]
    Barred {
        /// Proxy.
        proxy: Proxy,
        /// Whom it stands before.
        host: String,
        /// What it answered.
        status: StatusCode,
    },
}

impl Connector {
    /// A connector that speaks `tls` to proxies that want it.
    #[must_use]
    pub fn new(proxies: Proxies, tls: ClientConfig) -> Self {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_nodelay(true);
        let to_proxy = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        Self { proxies, to_proxy: to_proxy.wrap_connector(direct.clone()), direct }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        if let Some(proxy) = self.proxies.of(&target) {
            let tunnel = tunnel(self.to_proxy.clone(), proxy.clone(), target);
            return Box::pin(async move { Ok(tunnel.await?) });
        }
        let connecting = self.direct.call(target);
        Box::pin(async move { Ok(Stream(Box::new(connecting.await?))) })
    }
}

/// Asks a proxy to lead on to `target`, and gives what is then spoken on.
async fn tunnel(to_proxy: HttpsConnector<HttpConnector>, proxy: Proxy, target: Uri) -> Result<Stream, Refused> {
    let host = target.host().unwrap_or_default().to_owned();
    let unreachable = |source| Refused::Unreachable { proxy: proxy.clone(), host: host.clone(), source };
    let speechless = |source| Refused::Speechless { proxy: proxy.clone(), host: host.clone(), source };
    let connection = to_proxy.oneshot(proxy.address().clone()).await.map_err(unreachable)?;
    let (mut sender, spoken) = http1::handshake(connection).await.map_err(speechless)?;
    // It ends with this: whoever gives up leaves no connection behind.
    let mut speaking = JoinSet::new();
    speaking.spawn(spoken.with_upgrades());
    let authority = format!("{host}:{}", target.port_u16().unwrap_or(443));
    let mut asked = Request::builder().method(Method::CONNECT).uri(&authority).header(HOST, &authority);
    if let Some(authorization) = proxy.authorization() {
        asked = asked.header(PROXY_AUTHORIZATION, authorization);
    }
    let asked = asked.body(Empty::<Bytes>::new()).map_err(|error| unreachable(error.into()))?;
    let answer = sender.send_request(asked).await.map_err(speechless)?;
    match answer.status() {
        status if status.is_success() => {
            let led = hyper::upgrade::on(answer).await.map_err(speechless)?;
            Ok(Stream(Box::new(led)))
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(Refused::Credentials { proxy, host }),
        status => Err(Refused::Barred { proxy, host, status }),
    }
}

/// A connection, whichever way it goes.
pub struct Stream(Box<dyn Bytewise>);

/// What bytes are read from and written to.
trait Bytewise: Read + Write + Send + Unpin {}

impl<S: Read + Write + Send + Unpin> Bytewise for S {}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
