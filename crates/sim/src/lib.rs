//! Simulated clouds that speak the real wire protocols and refuse what the real ones refuse.
//!
//! [`world`] is the cloud as a value: what exists, which call is legal when, and what moves by itself.
//! Beside it stand the clock, the timetable and the journal of one run ([`cloud`]); in front of it a dialect
//! ([`alibaba`]) that turns requests into the world's calls; and a [`server`], which is also a tower service.
//! It depends on nothing of the operator, so that a misspelt name on the wire cannot agree with itself.

pub mod alibaba;
pub mod clock;
pub mod cloud;
pub mod control;
pub mod dump;
pub mod fault;
pub mod fixture;
pub mod identity;
pub mod inbound;
pub mod journal;
pub mod keys;
pub mod random;
pub mod server;
pub mod throttle;
pub mod timetable;
pub mod touch;
pub mod world;
