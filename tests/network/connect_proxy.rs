//! A proxy that knows CONNECT and nothing else, wants to be told who asks, and remembers all that it was asked.
//! Names are its own: what it calls `sts.example.com` may be a port of this machine.
//!
//! It is part of two programs: the transport's tests, beside the code, and those with a real control plane.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// What it does with a request that it understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Leads on.
    Leads,
    /// Says nothing, ever.
    Hangs,
    /// Ends the connection.
    Closes,
    /// Answers with this status.
    Bars(u16),
}

/// The proxy as it is to be.
pub struct Plan {
    /// The `Proxy-Authorization` that it wants; none if it leads everybody.
    pub wants: Option<&'static str>,
    /// What it does with who may pass.
    pub manner: Manner,
    /// Where the hosts are, by name and port.
    pub hosts: BTreeMap<String, SocketAddr>,
    /// Its own TLS, if its URL begins with https.
    pub tls: Option<TlsAcceptor>,
}

/// What it was asked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method; anything but CONNECT is refused.
    pub method: String,
    /// Host and port.
    pub target: String,
    /// Who said to be asking.
    pub authorization: Option<String>,
    /// The status it answered with; 0 for none.
    pub answered: u16,
}

/// The running proxy; it ends when this is dropped.
pub struct ConnectProxy {
    /// Where it listens.
    pub address: SocketAddr,
    board: Board,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Board {
    plan: Arc<Plan>,
    asked: Arc<Mutex<Vec<Asked>>>,
    count: watch::Sender<usize>,
}

impl ConnectProxy {
    /// Begins to listen on this machine.
    pub async fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let board = Board { plan: Arc::new(plan), asked: Arc::default(), count: watch::Sender::new(0) };
        let shared = board.clone();
        let serving = tokio::spawn(async move {
            // All that it has begun ends with it.
            let mut begun = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let board = shared.clone();
                begun.spawn(async move {
                    match board.plan.tls.clone() {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                board.serve(stream).await;
                            }
                        }
                        None => board.serve(stream).await,
                    }
                });
            }
        });
        Self { address, board, serving }
    }

    /// All that it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.board.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it was asked this often.
    pub async fn was_asked(&self, times: usize) {
        let mut count = self.board.count.subscribe();
        count.wait_for(|count| *count >= times).await.expect("it runs");
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Board {
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(head) = head(&mut stream).await else { return };
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let authorization = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
        });
        let host = self.plan.hosts.get(target);
        let status = match self.plan.manner {
            _ if method != "CONNECT" => 405,
            _ if self.plan.wants.is_some_and(|wanted| authorization.as_deref() != Some(wanted)) => 407,
            Manner::Hangs | Manner::Closes => 0,
            Manner::Bars(status) => status,
            Manner::Leads if host.is_none() => 502,
            Manner::Leads => 200,
        };
        let asked = Asked { method: method.to_owned(), target: target.to_owned(), authorization, answered: status };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        self.count.send_modify(|count| *count += 1);
        match (status, host) {
            (0, _) if self.plan.manner == Manner::Hangs => std::future::pending().await,
            (0, _) => {}
            (200, Some(host)) => {
                let mut host = TcpStream::connect(host).await.expect("the host listens");
                let led = b"HTTP/1.1 200 Connection established\r\n\r\n";
                if stream.write_all(led).await.is_ok() && stream.flush().await.is_ok() {
                    let _either_side_ends = copy_bidirectional(&mut stream, &mut host).await;
                }
            }
            (status, _) => {
                let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno");
                let _nobody_may_read = stream.write_all(answer.as_bytes()).await;
                let _nor_this = stream.flush().await;
            }
        }
    }
}

/// The head of a request, to the empty line.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // Byte for byte: what comes after the head is not ours to read.
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
