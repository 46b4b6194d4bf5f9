//! The simulator's tests, in one binary.

mod http;
mod issuer;
mod small_land;
mod tokens;
mod world_connection;
mod world_endpoint;
mod world_invariants;
mod world_property;
mod world_service;
mod world_variants;
