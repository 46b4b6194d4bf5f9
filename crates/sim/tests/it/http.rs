//! The simulator as callers meet it: signed requests in, JSON out.

mod binary;
mod client;
mod control;
mod coverage;
mod faults;
mod gateway;
mod metadata;
mod migration;
mod oidc;
mod open_points;
mod paging;
mod refusals;
mod scene;
mod sessions;
mod storm;
mod time;
