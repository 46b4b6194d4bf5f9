//! The loop from a manifest to the cloud and back, and the process that runs it.
//!
//! [`reconcile`] is the page to read first: one turn of one object, whatever its kind. [`account`] is the other
//! page: whose credentials these are. What is watched is in [`watch`], who refers to whom in
//! [`relate`], who decides on what in [`tenancy`], and from there to the account in [`reach`]; what is
//! written to Kubernetes in [`status`], [`finalizer`], [`events`] and [`publish`], and to clouds in [`act`]. How the API server is
//! reached is in [`cluster`].

pub mod account;
pub mod act;
pub mod assignment;
pub mod census;
pub mod cluster;
pub mod context;
pub mod endpoint;
pub mod entry;
pub mod error;
pub mod events;
pub mod finalizer;
pub mod kind;
#[cfg(test)]
mod looped;
pub mod own;
pub mod publish;
pub mod reach;
pub mod reconcile;
pub mod relate;
pub mod run;
mod served;
pub mod service;
pub mod status;
pub mod tally;
pub mod tenancy;
pub mod wake;
pub mod ward;
pub mod watch;
