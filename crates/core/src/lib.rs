//! The decisions of privatelink-operator: pure functions over plain values.
//!
//! Nothing here opens a socket, reads a clock, draws a random number or knows Kubernetes. What a
//! function needs, it is given; what it decides, it returns. So far this crate holds the words that
//! all others speak: conditions and their reasons, states, and the numbers that bound the API.

pub mod claims;
pub mod condition;
pub mod desired;
pub mod error;
pub mod id;
pub mod limit;
pub mod moment;
pub mod observed;
pub mod overlay;
pub mod owner;
pub mod place;
pub mod plan;
pub mod principal;
pub mod rate;
pub mod read;
pub mod report;
pub mod requeue;
pub mod scrub;
pub mod state;
pub mod status;
pub mod step;
pub mod token;
pub mod wire;

mod vocabulary;
