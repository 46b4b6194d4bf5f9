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
pub fn env_var_os() {
    let _ = std::env::var_os("X");
}
pub fn env_vars_os() {
    let _ = std::env::vars_os();
}
pub fn env_args_os() {
    let _ = std::env::args_os();
}
pub fn env_current_exe() {
    let _ = std::env::current_exe();
}
pub fn env_temp_dir() {
    let _ = std::env::temp_dir();
}
pub fn env_set_current_dir() {
    let _ = std::env::set_current_dir("x");
}
pub fn fs_metadata() {
    let _ = std::fs::metadata("x");
}
pub fn fs_exists() {
    let _ = std::fs::exists("x");
}
pub fn fs_create_dir() {
    let _ = std::fs::create_dir("x");
}
pub fn fs_create_dir_all() {
    let _ = std::fs::create_dir_all("x");
}
pub fn fs_remove_file() {
    let _ = std::fs::remove_file("x");
}
pub fn fs_remove_dir_all() {
    let _ = std::fs::remove_dir_all("x");
}
pub fn fs_rename() {
    let _ = std::fs::rename("x", "y");
}
pub fn fs_copy() {
    let _ = std::fs::copy("x", "y");
}
pub fn thread_scope() {
    std::thread::scope(|_| ());
}
pub fn thread_current() {
    let _ = std::thread::current();
}
pub fn thread_park() {
    std::thread::park();
}
pub fn thread_yield_now() {
    std::thread::yield_now();
}
pub fn process_abort() {
    std::process::abort();
}
pub fn atomic_bool(_: std::sync::atomic::AtomicBool) {}
pub fn atomic_u32(_: std::sync::atomic::AtomicU32) {}
pub fn atomic_usize(_: std::sync::atomic::AtomicUsize) {}
pub fn atomic_i64(_: std::sync::atomic::AtomicI64) {}
pub fn atomic_i32(_: std::sync::atomic::AtomicI32) {}
pub fn atomic_isize(_: std::sync::atomic::AtomicIsize) {}
pub fn condvar(_: std::sync::Condvar) {}
pub fn once_cell(_: std::cell::OnceCell<u8>) {}
pub fn builder(_: std::thread::Builder) {}
pub fn thread(_: std::thread::Thread) {}
pub fn unix_stream(_: std::os::unix::net::UnixStream) {}
pub fn unix_listener(_: std::os::unix::net::UnixListener) {}
pub fn child(_: std::process::Child) {}
