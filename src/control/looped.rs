//! The whole loop in one process: the real controllers between an API server in memory and the simulated cloud,
//! without a socket or a thread, on time that stands until nothing is left to do.

#[path = "../../tests/apiserver/server.rs"]
mod apiserver;
mod crowd;
mod door;
mod killed;
mod moved;
mod pair;
mod settled;
mod stage;
mod storm;
mod subject;
mod tenants;
mod troubled;
mod zoned;
mod zones;
