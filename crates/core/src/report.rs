//! Statuses computed from what was planned and seen: one function a kind.

pub mod service;
