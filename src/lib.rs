//! privatelink-operator: sockets, kube and process; it decides nothing about clouds.
//!
//! The decisions are in `privatelink-core`. What is here gives them what they need and does what
//! they say: [`api`] is what users write and read, [`control`] the loop from a manifest to the cloud and
//! back, [`observe`] what is known of a cloud, [`cloud`] the way to it, [`proxy`] who is reached
//! through one, [`runtime`] the process around them,
//! [`cli`] and [`settings`] what the binary can be asked to do, [`release`] how objects are let go that no operator
//! looks after, and [`manifests`] and [`reference`] are the files that are generated from the API's types.

pub mod api;
pub mod cli;
pub mod cloud;
pub mod control;
pub mod generated;
pub mod manifests;
pub mod object;
pub mod observe;
pub mod proxy;
pub mod reference;
pub mod release;
pub mod runtime;
pub mod settings;
pub mod wakes;
