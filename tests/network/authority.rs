//! A private certificate authority, made when it is asked for, and servers that show its certificates.
//!
//! It is part of two programs: the transport's tests, beside the code, and those with a real control plane.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// An authority that no machine trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What speaks TLS before a server that does not; it ends when this is dropped.
pub struct Terminator {
    /// Where it listens.
    pub address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Authority {
    /// Another one each time.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "authority of a test");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("an authority"))
    }

    /// Its own certificate in PEM, as a bundle holds it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The server's side of TLS with a certificate for these names.
    pub fn certify(&self, names: &[&str]) -> TlsAcceptor {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(names).expect("names of hosts");
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("the key is the certificate's");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Terminator {
    /// Hands what it reads on to `server`, and back.
    pub async fn before(server: SocketAddr, tls: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let serving = tokio::spawn(async move {
            // All that it has begun ends with it.
            let mut begun = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.clone();
                begun.spawn(async move {
                    // Who does not trust the certificate ends the connection here.
                    let Ok(mut plain) = tls.accept(stream).await else { return };
                    let mut server = TcpStream::connect(server).await.expect("the server listens");
                    let _either_side_ends = copy_bidirectional(&mut plain, &mut server).await;
                });
            }
        });
        Self { address, serving }
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
