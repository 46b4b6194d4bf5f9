//! Simulated clouds that speak the real wire protocols and refuse what the real ones refuse.
//!
//! [`world`] is the cloud as a value: what exists, which call is legal when, and what moves by itself.
//! It depends on nothing of the operator, so that a misspelt name on the wire cannot agree with itself.

pub mod alibaba;
pub mod fixture;
pub mod inbound;
pub mod keys;
pub mod world;
