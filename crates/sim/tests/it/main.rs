//! The simulator's tests, in one binary.

mod small_land;
mod world_property;
