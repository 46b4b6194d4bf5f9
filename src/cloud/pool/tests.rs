//! Places and their accounts, before the simulated cloud in the same process.
