//! privatelink-operator: sockets, kube and process; it decides nothing about clouds.
//!
//! The decisions are in `privatelink-core`. What is here gives them what they need and does what
//! they say: [`api`] is what users write and read, [`cli`] what the binary can be asked to do, and
//! [`manifests`] and [`reference`] are the files that are generated from the API's types.

pub mod api;
pub mod cli;
pub mod generated;
pub mod manifests;
pub mod reference;
