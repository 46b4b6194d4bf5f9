//! The one binary of the tests that need real things: a control plane, processes, sockets.

mod cluster;
mod columns;
mod control_plane;
mod corpus;
mod crds;
mod operator;
mod rbac;
mod round_trip;
mod service;
