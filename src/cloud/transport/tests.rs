//! The transport before real sockets on this machine.
