//! The process around the controllers: its clock, its Lease, its log, its admin door, what is measured there, and its end.

pub mod admin;
pub mod clock;
pub mod lease;
pub mod metrics;
pub mod shutdown;
pub mod telemetry;
