//! The decisions of privatelink-operator: pure functions over plain values.
//!
//! Nothing here opens a socket, reads a clock, draws a random number or knows Kubernetes. What a
//! function needs, it is given; what it decides, it returns. So far this crate holds the words that
//! all others speak: conditions and their reasons, states, and the numbers that bound the API.

pub mod condition;
pub mod limit;
pub mod state;

mod vocabulary;
