//! Every line with a function breaks one law of this package; compiled by the test of the laws only.
#![allow(missing_docs, dead_code)]
pub fn instant(_: std::time::Instant) {}
pub fn system_time(_: std::time::SystemTime) {}
pub fn hash_map(_: std::collections::HashMap<u8, u8>) {}
pub fn hash_set(_: std::collections::HashSet<u8>) {}
pub fn random_state(_: std::hash::RandomState) {}
pub fn file(_: std::fs::File) {}
pub fn open_options(_: std::fs::OpenOptions) {}
pub fn tcp_stream(_: std::net::TcpStream) {}
pub fn tcp_listener(_: std::net::TcpListener) {}
pub fn udp_socket(_: std::net::UdpSocket) {}
pub fn command(_: std::process::Command) {}
pub fn join_handle(_: std::thread::JoinHandle<()>) {}
pub fn local_key(_: &std::thread::LocalKey<u8>) {}
pub fn mutex(_: std::sync::Mutex<u8>) {}
pub fn rw_lock(_: std::sync::RwLock<u8>) {}
pub fn once_lock(_: std::sync::OnceLock<u8>) {}
pub fn lazy_lock(_: std::sync::LazyLock<u8>) {}
pub fn atomic(_: std::sync::atomic::AtomicU64) {}
pub fn var() {
    let _ = std::env::var("X");
}
pub fn vars() {
    let _ = std::env::vars();
}
pub fn args() {
    let _ = std::env::args();
}
pub fn current_dir() {
    let _ = std::env::current_dir();
}
pub fn read() {
    let _ = std::fs::read("x");
}
pub fn read_to_string() {
    let _ = std::fs::read_to_string("x");
}
pub fn read_dir() {
    let _ = std::fs::read_dir("x");
}
pub fn write() {
    let _ = std::fs::write("x", "y");
}
pub fn stdin() {
    let _ = std::io::stdin();
}
pub fn stdout() {
    let _ = std::io::stdout();
}
pub fn stderr() {
    let _ = std::io::stderr();
}
pub fn spawn() {
    let _ = std::thread::spawn(|| ());
}
pub fn sleep() {
    std::thread::sleep(core::time::Duration::ZERO);
}
pub fn exit() {
    std::process::exit(1);
}
pub fn id() {
    let _ = std::process::id();
}
